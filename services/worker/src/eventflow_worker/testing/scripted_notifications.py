"""Notifications that end as they are told; the conformance suite holds them to the real ones."""

from dataclasses import dataclass, field

from eventflow_servicekit.correlation import current_correlation_id
from eventflow_worker.notices import Notice


@dataclass(frozen=True)
class Sent:
    """One notice that arrived, and the correlation id it came with."""

    key: str
    template: str
    correlation_id: str | None


@dataclass
class ScriptedNotifications:
    """Raises `faults`, one each, for the next notices, then accepts; keeps what it accepted."""

    faults: list[Exception] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    def send(self, key: str, notice: Notice) -> None:
        """Accept the notice or raise the next fault."""
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append(Sent(key, notice.template, current_correlation_id()))
