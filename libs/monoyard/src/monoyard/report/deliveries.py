"""Environments in print: what runs, what was done, and who holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from monoyard.delivery import Entry, Holder, Record
from monoyard.delivery.workloads import HELD, Workload
from monoyard.report.words import count

_COMMIT: Final = 12
_DIGEST: Final = 19  # `sha256:` and twelve digits
_UNKNOWN: Final = "?"


def status_lines(
    environment: str,
    where: str,
    services: Iterable[str],
    workloads: Sequence[Workload],
    last: Record | None,
    holder: Holder | None,
) -> Iterator[str]:
    """Yield what runs in an environment, service by service.

    Args:
        environment: Its name.
        where: Namespace and cluster, in words.
        services: Those that the repository has there.
        workloads: What runs.
        last: The newest deployment.
        holder: Who holds it.
    """
    yield f"{environment}: {where}"
    yield record_line(last) if last else "nothing was deployed here yet"
    yield holder_line(holder)
    expected = list(services)
    by_service: dict[str, list[Workload]] = {name: [] for name in expected}
    for item in workloads:
        by_service.setdefault(item.service or item.name, []).append(item)
    width = max(map(len, by_service), default=0)
    for name, items in by_service.items():
        if not items:
            yield f"  {name:{width}}  does not run"
        for item in items:
            extra = "" if name in expected else "  (no service of the environment)"
            yield f"  {name:{width}}  {_workload(item)}{extra}"


def _workload(item: Workload) -> str:
    parts = [f"{item.kind:10} {item.phase:12}"]
    if item.phase not in ("completed", "gone-back") and item.steps:
        parts.append(f"step {item.step} of {item.steps}")
    if item.weight is not None and item.phase != "completed":
        parts.append(f"{item.weight} % of traffic")
    parts.append(short(item.digests[0]) if item.digests else "no digest")
    parts.append(f"commit {item.commit[:_COMMIT] or _UNKNOWN}")
    parts.append(f"{item.pods} ready")
    if item.is_held:  # Argo Rollouts' own message for it says less
        parts.append(HELD)
    elif item.message and item.phase != "completed":
        parts.append(item.message)
    return "  ".join(parts)


def history_lines(records: Iterable[Record]) -> Iterator[str]:
    """Yield deployments, one a line, and below it why one failed and what was restored."""
    shown = False
    for record in records:
        shown = True
        yield record_line(record)
        if record.failure:
            yield f"     {record.failure}"
        yield from (f"     {line}" for line in _restore_lines(record))
    if not shown:
        yield "nothing was deployed here yet"


def _restore_lines(record: Record) -> Iterator[str]:
    """Yield what was brought back from backups since, and how each ended."""
    begun: Entry | None = None
    for entry in (*record.restores, None):
        if begun is not None and (entry is None or entry.state == "intent"):
            yield f"{_restore(begun)}: begun, and nobody saw its end"
        begun = entry if entry is not None and entry.state == "intent" else None
        if entry is not None and entry.state == "failed":
            yield f"{_restore(entry)}: failed: {entry.facts['message']}"
        elif entry is not None and entry.state == "done":
            yield f"{_restore(entry)}: {_restored(entry.facts)}"


def _restore(entry: Entry) -> str:
    return f"{entry.step} from {entry.facts['key']} by {entry.facts['by']} at {entry.at}"


def _restored(facts: Mapping[str, Any]) -> str:
    if not facts["whole"]:
        return ", ".join(facts["objects"]) or "nothing was lost"
    if "lost" not in facts:
        return "the database was that already"
    lost = count(facts["lost"], "lost row")
    return f"the whole database, with {lost}; what it was before is in {facts['saved']}"


def record_line(record: Record) -> str:
    """Return a deployment in one line."""
    header = record.header
    at = record.own[-1].at if record.own else header.get("at", _UNKNOWN)
    services = " ".join(header.get("services") or ()) or "nothing"
    what = f"back to {header['to']}" if "to" in header else f"commit {_commit(header)}"
    return (
        f"{record.number:>4}  {record.outcome:10}  {at}  {what}  by {header.get('by', _UNKNOWN)}"
        f"  ({services})"
    )


def holder_line(holder: Holder | None) -> str:
    """Return who holds an environment, in one line."""
    if holder is None or not holder.name:
        return "nobody holds it"
    return f"held by {holder.name}, renewed at {holder.renewed}, for {holder.duration:.0f} s each"


def short(digest: str) -> str:
    """Return a digest that a person can compare."""
    return digest[:_DIGEST]


def record_data(record: Record) -> dict[str, Any]:
    """Return a deployment as data."""
    return {
        "number": record.number,
        "outcome": record.outcome,
        "failure": record.failure,
        "header": dict(record.header),
        "entries": [asdict(entry) for entry in record.entries],
    }


def holder_data(holder: Holder | None) -> dict[str, Any] | None:
    """Return who holds an environment as data; None where nobody does."""
    if holder is None or not holder.name:
        return None
    return {
        "holder": holder.name, "token": holder.token, "renewed": holder.renewed,
        "seconds": holder.duration,
    }  # fmt: skip


def _commit(header: Mapping[str, Any]) -> str:
    return str(header.get("commit") or _UNKNOWN)[:_COMMIT]
