"""What the steps that run a Job for a service have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from monoyard.deployment.job_runs import Runs
from monoyard.deployment.jobs import Role
from monoyard.deployment.ports import World


@dataclass(frozen=True, slots=True)
class JobStep:
    """A step of a deployment that is a Job of one service.

    Attributes:
        service: Its name.
        world: What is asked.
        runs: Under what it runs.
        role: What the Job is for.
    """

    service: str
    world: World
    runs: Runs
    role: ClassVar[Role]

    @property
    def name(self) -> str:
        """As in the ledger."""
        return f"{self.role.name}:{self.service}"
