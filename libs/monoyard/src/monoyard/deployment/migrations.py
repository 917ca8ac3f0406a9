"""Migrations of a plan: which a database may lack, what each does, and what forbids them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, Protocol

from monoyard.migrations import Classed, Effect, History

_SHOWN: Final = 12
_EXPLAIN: Final = (
    "`invoke migrations.explain -- {}` shows its SQL; docs/how-to/write-a-migration.md"
)
_CODES: Final = {Effect.LOSES: "losing-migration"}
_OTHERWISE: Final = "unaccepted-migration"
_WHAT_HELPS: Final = {
    Effect.LOSES: "a reviewer accepts `loses` in the revision, with a reason; a backup is proven "
    "before it is applied",
}


@dataclass(frozen=True, slots=True)
class Migration:
    """A revision that the database of a service may lack.

    Attributes:
        file: Name of its file, without suffix.
        revision: Its name; empty where nobody could read it, as the rest.
        effects: What it may do to those who use the database, the mildest first.
        locks: `TABLE: LOCK` of existing tables, each with the strongest lock that is taken.
        loses: Tables, or columns as `TABLE.COLUMN`, whose content is gone afterwards.
        unaccepted: The effects that no reviewer accepted.
        said: Why it has these effects, and what reviewers said to that.
        floor: Why older versions cannot live with it, by whoever accepted that.
        sql: Its statements.
    """

    file: str
    revision: str = ""
    effects: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    unaccepted: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    floor: str = ""
    sql: tuple[str, ...] = ()

    @property
    def is_classed(self) -> bool:
        """Whether it is known what it does."""
        return bool(self.revision)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.revision or self.file

    def decisions(self) -> dict[str, Any]:
        """Return what the hash of a plan knows of it: what is done, and no words on it."""
        return {
            "revision": self.revision,
            "effects": list(self.effects),
            "unaccepted": list(self.unaccepted),
            "floor": self.floor,
            "sql": list(self.sql),
        }


@dataclass(frozen=True, slots=True)
class Classing:
    """What is known of the migrations of a service.

    Attributes:
        classed: Those that its database may lack, classed, each after those it follows.
        faults: What keeps its history from being applied.
        problem: Why nothing is known; empty where it is.
    """

    classed: tuple[Classed, ...] = ()
    faults: tuple[str, ...] = ()
    problem: str = ""


class Histories(Protocol):
    """Reads what the migrations of a commit do."""

    def classing(self, service: str, commit: str, new: Collection[str]) -> Classing:
        """Return what is known of migrations; what keeps it from being known is a value too.

        Args:
            service: The service.
            commit: The commit that is to run.
            new: Names of the files, without suffix, that the database may lack. It is held to have
                all others.
        """


def applied_of(history: History, new: Collection[str]) -> frozenset[str]:
    """Return the revisions that a database has which may lack those of some files."""
    return frozenset(
        item.revision for item in history.revisions if PurePath(item.path).stem not in new
    )


def read_migrations(new: Iterable[str], classing: Classing) -> tuple[Migration, ...]:
    """Return pending migrations, each after those it follows where that is known.

    Args:
        new: Names of their files.
        classing: What is known of them.
    """
    known = {PurePath(item.revision.path).stem: _migration(item) for item in classing.classed}
    wanted = set(new)
    left = sorted(wanted - known.keys())
    return (
        *(item for file, item in known.items() if file in wanted),
        *(Migration(file) for file in left),
    )


def _migration(item: Classed) -> Migration:
    effects = sorted(item.effects, key=lambda effect: effect.severity)
    accepted = {review.effect: review.reason for review in item.exceptions if not review.is_denied}
    return Migration(
        file=PurePath(item.revision.path).stem,
        revision=item.revision.revision,
        effects=tuple(effect.value for effect in effects) or (Effect.SAFE.value,),
        locks=tuple(f"{table}: {lock.value}" for table, lock in item.locks.items()),
        loses=item.loses,
        unaccepted=tuple(effect.value for effect in item.unaccepted),
        said=tuple(_said(item)),
        floor=accepted.get(Effect.BREAKS, "") if Effect.BREAKS in item.effects else "",
        sql=tuple(statement.sql for statement in item.statements),
    )


def _said(item: Classed) -> Iterator[str]:
    for judgement in dict.fromkeys(item.found):
        yield f"{judgement.effect.words}: {judgement.why}"
    for review in item.exceptions:
        way = "denied" if review.is_denied else "accepted"
        yield f"{way} by a reviewer: {review.effect.words}, because {review.reason}"
    yield from item.faults


def objections(
    service: str, found: Collection[Migration], classing: Classing, *, allow_unclassed: bool
) -> Iterator[tuple[str, str, str]]:
    """Yield why migrations are not run as they are: a code, a sentence, and what helps.

    Args:
        service: Whose they are.
        found: Those that are pending.
        classing: What is known of them.
        allow_unclassed: Somebody looked at those of which nothing is known.
    """
    for fault in classing.faults:
        yield "unusable-history", f"the migrations of {service} cannot be applied: {fault}", ""
    unknown = [item.file for item in found if not item.is_classed]
    if unknown and not allow_unclassed:
        why = classing.problem or "alembic does not know them"
        yield (
            "unclassed-migration",
            f"nobody can say here what {', '.join(unknown)} of {service} would do: {why}",
            "look at what `invoke migrations.explain` says of that commit; `--allow-unclassed` "
            "then runs them",
        )
    for item in found:
        if not item.unaccepted:
            continue
        is_losing = Effect.LOSES.value in item.unaccepted
        worst = Effect.LOSES if is_losing else Effect(item.unaccepted[-1])
        yield (
            _CODES.get(worst, _OTHERWISE),
            f"migration {item.name} of {service} {_does(item, worst)}",
            _WHAT_HELPS.get(worst, _EXPLAIN.format(service)),
        )


def _does(item: Migration, effect: Effect) -> str:
    what = {
        Effect.LOSES: f"loses data ({', '.join(item.loses) or 'nobody can say which'})",
        Effect.BREAKS: "breaks the version that runs",
        Effect.BLOCKING: "blocks those who use the database",
        Effect.OPAQUE: "does what nobody can tell",
    }[effect]
    why = next((line for line in item.said if line.startswith(f"{effect.words}: ")), "")
    reason = why.removeprefix(f"{effect.words}: ")
    return f"{what}, and no reviewer accepted it{': ' + reason if reason else ''}"


def floors_of(found: Iterable[Migration]) -> Mapping[str, str]:
    """Return the revisions that older versions cannot live with, and why."""
    return {item.revision: item.floor for item in found if item.floor}


def only_of(found: Collection[Migration]) -> tuple[str, ...]:
    """Return the revisions that may be applied; none where the name of one is not known."""
    is_known = all(item.is_classed for item in found)
    return tuple(item.revision for item in found) if is_known else ()
