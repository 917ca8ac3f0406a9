"""What is said of a cluster: its parts, what is wrong with each, what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

UP_HINT: Final = "`invoke cluster.up` starts it again"
NO_POLICIES: Final = (
    "network policies are not enforced: the pods share one simple bridge, and every pod reaches "
    "every other"
)


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a cluster.

    Attributes:
        name: Such as `kubelet`, or `namespace/pod`.
        problem: Why it does not work; empty: it does.
        hint: What helps.
    """

    name: str
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A cluster as it is now.

    Attributes:
        kind: `native` or `existing`.
        exists: There is one, in whatever state.
        components: Its parts.
        addresses: Name to address on this machine.
        notes: What holds even when all is well.
        kubeconfig: File that clients use; empty: their own.
        context: Context in it; empty: its current one.
    """

    kind: str
    exists: bool
    components: tuple[Component, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kubeconfig: str = ""
    context: str = ""

    @property
    def is_ready(self) -> bool:
        """Say whether it is there and nothing is wrong."""
        return self.exists and not any(part.problem for part in self.components)

    @property
    def state(self) -> str:
        """Return `ready`, `not ready` or `down`."""
        if not self.exists:
            return "down"
        return "ready" if self.is_ready else "not ready"

    def lines(self) -> list[str]:
        """Return what a person reads: what is wrong first, then where things answer."""
        if not self.exists:
            return ["there is no local cluster", "hint: `invoke cluster.up` makes one"]
        wrong = [part for part in self.components if part.problem]
        good = len(self.components) - len(wrong)
        said = [f"{self.kind} cluster: {self.state} ({good} of {len(self.components)} parts work)"]
        for part in wrong:
            said.append(f"  {part.name}: {part.problem}")
            if part.hint:
                said.append(f"    hint: {part.hint}")
        width = max((len(name) for name in self.addresses), default=0)
        said += [f"  {name:{width}}  {where}" for name, where in self.addresses.items()]
        if self.kubeconfig:
            said.append(f"export KUBECONFIG={self.kubeconfig}")
        return said + [f"note: {note}" for note in self.notes]

    def document(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "version": 1,
            "kind": self.kind,
            "state": self.state,
            "components": [
                {"name": part.name, "problem": part.problem, "hint": part.hint}
                for part in self.components
            ],
            "addresses": dict(self.addresses),
            "kubeconfig": self.kubeconfig,
            "context": self.context,
            "notes": list(self.notes),
        }
