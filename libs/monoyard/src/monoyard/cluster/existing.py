"""A cluster you have: kind, k3d, a shared one; used by the name of its context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.cluster.namespaces import namespace_manifest
from monoyard.cluster.status import Component, Status
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.errors import MachineError, UsageError
from monoyard.process import Command, capture, clean
from monoyard.supply import CREDENTIALS
from monoyard.tools import kubectl

_DEFINED: Final = ("rollouts.argoproj.io", "traefikservices.traefik.io")
_VARIABLES: Final = ("KUBECONFIG", *CREDENTIALS)


@dataclass(frozen=True, slots=True)
class ExistingCluster:
    """Somebody else's cluster: we add the environments' namespaces and look at the rest.

    Attributes:
        target: kubectl with the context.
        manifests: The workspace's own.
        environments: Those that are to be in it.
        announce: Says what is being done.
    """

    target: kubectl.Target
    manifests: tuple[Path, ...]
    environments: tuple[EnvironmentSettings, ...]
    announce: Callable[[str], None]

    def up(self) -> Status:
        """Apply the workspace's manifests; nothing else of the cluster is changed.

        Raises:
            MachineError: It does not answer.
        """
        self._run(kubectl.ready(self.target))
        if self.environments:
            self.announce("making the environments' namespaces")
            said = namespace_manifest(self.environments).encode()
            self._run(kubectl.apply(self.target), said)
        for path in self.manifests:
            self.announce(f"applying {path.name}")
            self._run(kubectl.apply(self.target), path.read_bytes())
        return self.status()

    def status(self) -> Status:
        """Return what works, and what a delivery needs that is not there."""
        shown = Status("existing", exists=True, context=self.target.context)
        try:
            self._run(kubectl.ready(self.target))
            said = self._run(kubectl.get(self.target, ("nodes", "pods", "apiservices")))
            defined = self._run(
                self.target.argv("get", "customresourcedefinitions", "--output=name")
            )
        except MachineError as error:
            problem = "; ".join((error.message, *error.context[-1:]))
            silent = Component("kubernetes", problem, error.hint or "")
            return Status(shown.kind, shown.exists, (silent,), context=shown.context)
        parts = (
            Component("kubernetes"),
            *(Component(item.name, item.reason) for item in kubectl.parse_troubles(said)),
            *(
                Component(name, "it is not installed", "install Argo Rollouts and Traefik there")
                for name in _DEFINED
                if name not in defined
            ),
        )
        return Status(shown.kind, shown.exists, parts, context=shown.context)

    def down(self) -> bool:
        """Refuse: what others made is not ours to remove.

        Raises:
            UsageError: Always.
        """
        raise UsageError(
            f"the cluster of context `{self.target.context}` was not made here",
            hint="remove it with what made it, such as `kind delete cluster`",
        )

    def _run(self, argv: tuple[str, ...], said: bytes | None = None) -> str:
        command = Command(argv, Path("/"), clean(_VARIABLES), timeout=60, stdin=said)
        done = capture(command)
        if done.status != 0:
            raise MachineError(
                f"the cluster of context `{self.target.context}` does not do what it is asked",
                code="cluster-unreachable",
                context=done.last_lines,
                hint="`kubectl config get-contexts` lists the contexts",
            )
        return done.text
