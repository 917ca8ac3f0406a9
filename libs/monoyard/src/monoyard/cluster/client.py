"""Asks the cluster, and makes it what manifests declare."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.cluster.place import NAMESPACES
from monoyard.cluster.records import system_environment
from monoyard.errors import ToolError
from monoyard.process import Command, capture
from monoyard.tools import kubectl

_SECONDS: Final = 180.0
_PATIENCE: Final = 20  # tries, while what a definition declares is not known yet
_PAUSE: Final = 0.5  # seconds between two looks: nothing tells when it is so far
_LAST_LINES: Final = 2
_TELLING: Final = re.compile(r"(panic|fatal|error)\b", re.IGNORECASE)
_UNKNOWN_YET: Final = re.compile(r"no matches for kind|could not find the requested resource")


@dataclass(frozen=True, slots=True)
class Client:
    """kubectl, told which cluster is meant.

    Attributes:
        target: How the cluster is asked.
    """

    target: kubectl.Target

    def run(self, argv: tuple[str, ...], said: str | None = None) -> str:
        """Return what a call prints.

        Args:
            argv: Made with `target`.
            said: Its standard input.

        Raises:
            ToolError: It failed.
        """
        told = None if said is None else said.encode()
        done = capture(Command(argv, Path("/"), system_environment(), timeout=120, stdin=told))
        if done.status != 0:
            raise ToolError(
                "the cluster does not do what it is asked", context=done.last_lines,
                hint="`invoke cluster.status` explains what is wrong",
            )  # fmt: skip
        return done.text

    def await_answer(self, seconds: float = _SECONDS) -> None:
        """Wait until the API server is ready: one that has just started refuses everybody.

        Args:
            seconds: How long at most.

        Raises:
            ToolError: It was not ready in time; the context is what it said last.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.run(kubectl.ready(self.target))
            except ToolError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def apply(self, manifests: str, namespace: str = "") -> None:
        """Make what is declared; what is so already stays as it is.

        Raises:
            ToolError: The API server refuses it.
        """
        argv = kubectl.apply(self.target, namespace)
        for attempt in range(_PATIENCE):
            try:
                self.run(argv, manifests)
            except ToolError as error:
                is_early = any(_UNKNOWN_YET.search(line) for line in error.context)
                if not is_early or attempt == _PATIENCE - 1:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def troubles(self) -> tuple[kubectl.Trouble, ...]:
        """Return what of the cluster itself is not ready; what is deployed to it does not count.

        Raises:
            ToolError: The cluster does not answer.
        """
        # Deployments too: right after they were applied their pods are not there yet.
        argv = kubectl.get(self.target, ("nodes", "deployments", "pods", "apiservices"))
        found = kubectl.parse_troubles(self.run(argv))
        return tuple(item for item in found if item.namespace in {"", *NAMESPACES})

    def explained(self, troubles: tuple[kubectl.Trouble, ...]) -> tuple[kubectl.Trouble, ...]:
        """Return troubles, those of pods whose program keeps ending with its last words."""
        return tuple(self._explained(item) if item.is_crash else item for item in troubles)

    def _explained(self, trouble: kubectl.Trouble) -> kubectl.Trouble:
        try:
            said = self.run(kubectl.last_words(self.target, trouble)).splitlines()
        except ToolError:
            return trouble  # its container is just being made anew
        lines = [line.strip() for line in said if line.strip()]
        telling = [line for line in lines if _TELLING.match(line)]
        words = " / ".join(telling[-1:] or lines[-_LAST_LINES:])
        return kubectl.Trouble(trouble.name, f"{trouble.reason}; it said last: {words[:400]}")

    def uid(self) -> str:
        """Return the UID of namespace `kube-system`, which no other cluster has.

        Raises:
            ToolError: The cluster does not answer.
        """
        return self.run(kubectl.uid(self.target)).strip()
