"""The plan of a deployment in print: one screen that is read before anything is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from monoyard.delivery.manifests import FieldChange, ObjectChange
from monoyard.deployment import DeployPlan, Earlier, ServicePlan
from monoyard.migrations import Effect
from monoyard.report.deliveries import short
from monoyard.report.words import count

_FIELDS_SHOWN: Final = 8
_LONGEST: Final = 100
_COMMIT: Final = 12
_SIGNS: Final = {"added": "+", "changed": "~", "removed": "-"}


def deployment_plan_lines(
    plan: DeployPlan, where: str, further: Iterable[str] = ()
) -> Iterator[str]:
    """Yield a plan: what forbids it last, where the eye is.

    Args:
        plan: The plan.
        where: Namespace and cluster, in words.
        further: Lines on what it would take.
    """
    request = plan.request
    yield f"{request.environment}: commit {request.commit[:_COMMIT]} to {where}"
    kept = [item for item in plan.services if item.action == "keep" and not _is_told(item)]
    width = max((len(item.name) for item in plan.services), default=0)
    for item in plan.services:
        if item not in kept:
            yield from _service(item, width)
    if kept:
        yield f"  keep     {', '.join(item.name for item in kept)}"
    yield from (f"  note: {note}" for note in plan.notes)
    yield from (f"  {line}" for line in further)
    yield from (line for refusal in plan.refusals for line in _refusal(refusal.message,
                                                                        refusal.hint))  # fmt: skip
    yield f"plan {plan.hash[:16]}: {_verdict(plan)}"


def _is_told(item: ServicePlan) -> bool:
    return bool(item.notes or item.base.drift or item.causes)


def _verdict(plan: DeployPlan) -> str:
    if plan.refusals:
        return f"REFUSED for {count(len(plan.refusals), 'reason')}"
    if plan.is_empty:
        return "nothing to do"
    said = [f"{count(len(plan.changed), 'service')} to roll out"] if plan.changed else []
    said += [f"{count(len(plan.removed), 'service')} to remove"] if plan.removed else []
    return ", ".join(said)


def _service(item: ServicePlan, width: int) -> Iterator[str]:
    because = "because of " if item.action == "upgrade" else ""
    causes = f"  {because}{', '.join(item.causes)}" if item.causes else ""
    yield f"  {item.action:8} {item.name:{width}}{causes}".rstrip()
    if item.is_changed:
        before = (
            f"{short(item.base.digest)} -> " if item.base.digest not in ("", item.digest) else ""
        )
        # A chart of one's own may keep no commit.
        origin = f", made from {item.commit[:_COMMIT]}" if item.commit else ""
        yield f"      image {before}{short(item.digest)}{origin}"
        yield f"      {item.strategy or 'sent'}; goes back by: {item.way_back}"
        failed = [f"{name}: {reason}" for name, verdict, reason in item.checks if verdict != "pass"]
        yield from (f"      {line}" for line in failed)
    yield from _backup(item)
    yield from _migrations(item)
    if item.base.revision or item.action != "install":
        yield from _changes(item.changes)
    elif item.changes:
        yield f"      {count(len(item.changes), 'object')} to make"
    for change in item.base.drift:
        yield f"      changed by hand since: {change.name}{_paths(change)}"
    yield from (f"      note: {note}" for note in item.notes)


def _backup(item: ServicePlan) -> Iterator[str]:
    backup = item.backup
    if backup is None:
        return
    store = backup.store
    keys = count(len(backup.recipients), "key")
    yield (
        f"      backs up first: {backup.why}; to {store.bucket} of {store.endpoint}, encrypted to "
        f"{keys}, by the image {short(backup.image.rpartition('@')[2])}; {backup.keep} stay"
    )
    yield "        recovery point: the backup's beginning; what is written later is not in it"
    if backup.proves:
        yield f"      proves the backup by a restored copy: {backup.proves}"
        for trial in backup.trials:
            yield f"        {trial.version} writes and reads there: {' '.join(trial.words)}"
        if not backup.trials:
            yield "        no version of the service tries the copy: its chart names no trial"


def _migrations(item: ServicePlan) -> Iterator[str]:
    if item.migrations and not item.migrates:
        yield f"      migrated elsewhere: {', '.join(each.file for each in item.migrations)}"
        return
    for each in item.migrations:
        effects = ", ".join(Effect(effect).words for effect in each.effects)
        locks = f"; locks {', '.join(each.locks)}" if each.locks else ""
        yield f"      migrates first: {each.file}: {effects or 'nobody classed it'}{locks}"
        yield from (f"        {line}" for line in each.said)


def _changes(changes: tuple[ObjectChange, ...]) -> Iterator[str]:
    told = [
        (change, field)
        for change in changes
        for field in change.fields or (None,)
        # The commit's label is on every object, and says nothing that the image does not.
        if field is None or not field.path.startswith("metadata.labels.")
    ]
    for change, field in told[:_FIELDS_SHOWN]:
        yield f"      {_SIGNS[change.action]} {change.name}{'  ' + _field(field) if field else ''}"
    if len(told) > _FIELDS_SHOWN:
        yield f"      ... and {count(len(told) - _FIELDS_SHOWN, 'more field')} (`--json` has all)"


def _field(field: FieldChange) -> str:
    path = field.path
    return f"{path}: {_cut(field.before)} -> {_cut(field.after)}"


def _cut(value: str) -> str:
    if not value:
        return "(none)"
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]} ..."


def _paths(change: ObjectChange) -> str:
    if not change.fields:
        return f" ({change.action})"
    return f" {', '.join(field.path for field in change.fields[:_FIELDS_SHOWN])}"


def _refusal(message: str, hint: str) -> Iterator[str]:
    yield f"  REFUSED  {message}"
    if hint:
        yield f"           {hint}"


def earlier_lines(earlier: Earlier) -> Iterator[str]:
    """Yield what going back to an earlier deployment comes to."""
    commit = earlier.commit[:_COMMIT] or "?"
    yield f"{earlier.environment}: back to deployment {earlier.number}, commit {commit}"
    for name, revision in earlier.revisions.items():
        yield f"  back     {name}  to Helm's revision {revision}"
    for name in earlier.left:
        yield f"  keep     {name}  (it was not there then)"
    if not earlier.revisions:
        yield "nothing to do: every service is what it was then"
