"""Whether a CI system runs this."""

from __future__ import annotations

import os
from collections.abc import Mapping


def is_ci(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether a CI system runs this: `CI` is set and not `false`, `0` or empty."""
    return environment.get("CI", "").lower() not in {"", "0", "false"}
