"""What a person tells a deployment that is under way, from another terminal.

It is told to the rollouts, not to the runner: so it holds also where the runner is gone, and
whoever looks on sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from monoyard.delivery import Namespace, Record
from monoyard.delivery.rollouts import ROLLOUT, abort, go_on, pause
from monoyard.delivery.workloads import Workload, read_workloads
from monoyard.errors import DeliveryError

Steering = Callable[[Namespace, Record], tuple[str, ...]]
"""Tells the rollouts of a deployment something, and returns the names of those it concerned."""


def hold(namespace: Namespace, record: Record) -> tuple[str, ...]:
    """Have the rollouts of a deployment stay where they are; weights stay as well.

    Raises:
        DeliveryError: None is under way.
    """
    found = [item for item in _under_way(namespace, record) if not item.is_held]
    return _each(namespace, record, found, pause)


def let_go(namespace: Namespace, record: Record) -> tuple[str, ...]:
    """Have those go on that a person holds, or that a gate holds which had too little to go by.

    Raises:
        DeliveryError: None is held.
    """
    is_held = [
        item
        for item in _under_way(namespace, record)
        if item.is_held or item.phase == "inconclusive"
    ]
    return _each(namespace, record, is_held, go_on)


def give_up(namespace: Namespace, record: Record) -> tuple[str, ...]:
    """Have the rollouts of a deployment send all traffic back; its runner does the rest.

    Raises:
        DeliveryError: None is under way, or it is a rollback, of which there is no way back.
    """
    if "to" in record.header:
        raise DeliveryError(
            f"deployment {record.number} is a rollback, and is not taken back",
            code="open-rollback",
            hint="`invoke rollback --to N` makes the environment be another one",
        )
    return _each(namespace, record, list(_under_way(namespace, record)), abort)


STEERING: Final[Mapping[str, Steering]] = {"pause": hold, "continue": let_go, "abort": give_up}


def _under_way(namespace: Namespace, record: Record) -> Iterator[Workload]:
    for item in read_workloads(namespace):
        is_ours = item.kind == ROLLOUT.name and item.service in record.header["services"]
        if is_ours and item.phase not in ("completed", "gone-back", "bad"):
            yield item


def _each(
    namespace: Namespace,
    record: Record,
    found: list[Workload],
    tell: Callable[[Namespace, str], None],
) -> tuple[str, ...]:
    if not found:
        raise DeliveryError(
            f"no rollout of deployment {record.number} waits for that",
            code="nothing-under-way",
            hint="`invoke status` shows where they are; before they begin, Ctrl-C ends its runner",
        )
    for item in found:
        tell(namespace, item.name)
    return tuple(item.name for item in found)
