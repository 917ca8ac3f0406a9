"""What an image is made of, as SPDX."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from monoyard.errors import ToolError
from monoyard.images import Layout
from monoyard.process import Command, capture, clean
from monoyard.tools import syft


def describe(program: Path, layout: Layout, name: str, scratch: Path) -> dict[str, Any]:
    """Return the SBOM of an image.

    Args:
        program: syft's program.
        layout: The image.
        name: Its name, which the SBOM bears.
        scratch: An empty directory.

    Raises:
        ToolError: syft failed.
    """
    path = scratch / "sbom.json"
    argv = syft.describe_layout(program, layout.path, path, name, layout.digest)
    environment = clean((), os.environ) | {"SYFT_CHECK_FOR_APP_UPDATE": "false"}
    done = capture(Command(argv, scratch, environment, timeout=600.0, dies_with_parent=True))
    if done.status or not path.is_file():
        raise ToolError(f"the SBOM of {name} cannot be made", context=done.last_lines)
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
