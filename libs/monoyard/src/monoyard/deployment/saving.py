"""Plans in files: what was reviewed, to be carried out as it was or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from monoyard.deployment.plan import LEAST_DIGITS, VERSION, DeployPlan, Request, differences
from monoyard.errors import DeliveryError, UsageError


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan that was reviewed.

    Attributes:
        path: Its file.
        hash: Its hash.
        request: What was asked for.
        decisions: What the hash is of.
    """

    path: Path
    hash: str
    request: Request
    decisions: Mapping[str, Any]

    def demand(self, plan: DeployPlan) -> None:
        """See that a plan made now is the one that was reviewed.

        Raises:
            DeliveryError: It is another one; the context says what differs.
        """
        if plan.hash == self.hash:
            return
        raise DeliveryError(
            f"{self.path} is a plan of another state than the present one",
            code="base-changed",
            context=differences(self.decisions, plan.decisions()) or ("another version wrote it",),
            hint="`--plan --out FILE` makes a new one to review",
        )


def save_plan(path: Path, plan: DeployPlan) -> None:
    """Write a plan to a file."""
    path.write_text(json.dumps(plan.to_data(), indent=1) + "\n", "utf-8")


def load_plan(path: Path) -> SavedPlan:
    """Read a plan from a file.

    Raises:
        UsageError: There is no such file, or it holds no plan.
    """
    try:
        data = json.loads(path.read_bytes())
        if data["version"] != VERSION:
            raise UsageError(f"{path} was written by another version", hint="make a new plan")
        known = {field.name for field in fields(Request)}
        said = {name: value for name, value in data["request"].items() if name in known}
        request = Request(**{**said, "services": tuple(said["services"])})
        return SavedPlan(path, str(data["hash"]), request, dict(data["decisions"]))
    except FileNotFoundError:
        raise UsageError(
            f"there is no file {path}", hint="`--plan --out FILE` writes one"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} holds no plan: {error!r}") from error


def is_confirmed(plan: DeployPlan, typed: str) -> bool:
    """Say whether what was typed is the plan's hash, or enough of it."""
    return len(typed) >= LEAST_DIGITS and plan.hash.startswith(typed)
