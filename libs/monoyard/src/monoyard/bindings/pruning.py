"""The verb `images.prune`: what a registry need not keep is named, and on demand removed."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.arguments import HELP, parse_arguments
from monoyard.bindings.base_images import base_names, wanted_bases
from monoyard.bindings.engine import Engine
from monoyard.bindings.living_branches import LivingBranches
from monoyard.bindings.needed_images import (
    ask_environments,
    environments_to_ask,
    read_running,
)
from monoyard.bindings.parallel import each
from monoyard.bindings.supplying import find_registry
from monoyard.config import IMAGE_SUITE
from monoyard.delivery.access import Connect
from monoyard.errors import MonoyardError, RegistryError, UsageError
from monoyard.images import ImageWork
from monoyard.plan import Plan, PlannedTask
from monoyard.supply import (
    Decision,
    History,
    Image,
    Registry,
    Retention,
    Rules,
    Stock,
    bases_of_kept,
    take_stock,
    told_at,
    use_since,
)
from monoyard.tools import git_refs
from monoyard.workspace import Repository

_GRACE: Final = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS: Final = (604_800, 86_400, 3_600, 60, 1)


@dataclass(frozen=True, slots=True)
class Pruning:
    """What was typed.

    Attributes:
        words: What stands after `--`.
        lists: Files with digests that run somewhere; each may be several, with commas.
        grace: Time that every image is kept for.
        is_applied: Remove what is not needed; otherwise it is only named.
        nothing_runs: Nothing runs anywhere, so that neither a list nor an environment says what.
        without: Environments that are not asked, because they need no image.
        target: Where JSON goes, as `answer` takes it; None for lines.
    """

    words: tuple[str, ...]
    lists: tuple[str, ...] = ()
    grace: str = "7d"
    is_applied: bool = False
    nothing_runs: bool = False
    without: tuple[str, ...] = ()
    target: str | None = None


def prune_images(directory: Path, asked: Pruning, open_namespace: Connect | None = None) -> None:
    """Print what becomes of every image and why, and remove what is not needed if that is asked.

    Args:
        directory: A directory of the repository.
        asked: What was typed.
        open_namespace: Opens the namespace of an environment; a real one unless said.

    Raises:
        ClusterError: An environment does not say what it needs, and something is to be removed.
        ConfigurationError: A list of what runs cannot be read, is empty, or is no list of digests.
        RegistryError: The registry does not do what it is asked; nothing more was removed.
        RepositoryError: Which branches live is not known, and something is to be removed.
        UsageError: The grace period or a name cannot be understood.
    """
    arguments = parse_arguments(asked.words)
    if arguments.tool is not None:
        raise UsageError("`images.prune` has no tool to hand words to")
    if arguments.wants_help:
        print(HELP, end="")
        return
    grace = read_grace(asked.grace)
    needed = {digest: f"{path} names it" for digest, path in read_running(asked.lists).items()}
    engine = Engine(directory, announce)
    environments = environments_to_ask(engine, asked.without)
    if not (needed or environments or asked.nothing_runs):
        _demand_needed(is_applied=asked.is_applied)
    repository, registry = engine.repository, find_registry(engine)
    history = LivingBranches(repository, _warn, asked.is_applied).history()
    plan = engine.plan(engine.selection(arguments, (IMAGE_SUITE,)), has_engine=True)
    names = _image_names(plan.selected)
    # What a base is needed for is known only of images that are looked at.
    is_whole = len(names) == len(_image_names(plan.tasks))
    bases = base_names(engine.workspace.settings.images) if is_whole else []
    engine.announce(f"asking {registry.address} for the images of {len(names)} packages")
    stocks = {name: take_stock(registry, name, each) for name in (*names, *bases)}

    def doubt(error: MonoyardError) -> None:
        if asked.is_applied:
            raise error
        _warn(f"{error.message}, so what it needs is kept by chance only: {error.context[0]}")

    # Last of all, for an environment goes on meanwhile.
    needed = {**ask_environments(engine, environments, doubt, open_namespace), **needed}
    rules = Rules(needed, grace, time.time())
    judge = _Judge(registry, repository, history)
    for name in names:
        judge.decide(name, stocks[name], rules)
    kept = judge.kept()
    for name in bases:
        own = {**bases_of_kept(stocks[name], kept), **_current(plan, name, stocks[name]), **needed}
        judge.decide(name, stocks[name], replace(rules, needed=own))
    _warn_of_strangers(rules, judge.decided)
    target = arguments.json if asked.target is None else asked.target
    _report(judge.decided, registry.address, asked, target)
    if asked.is_applied:
        _remove(registry, judge.removals, stocks, engine.announce)


def read_grace(words: str) -> float:
    """Return the seconds of a duration such as `12h` or `7d`.

    Raises:
        UsageError: It is none.
    """
    match = _GRACE.fullmatch(words)
    if not words or match is None:
        raise UsageError(
            f"`--grace` is a duration, not `{words}`", hint="a duration is `12h`, `7d` or `1w12h`"
        )
    parts = zip(match.groups(), _UNITS, strict=True)
    return float(sum(int(part or 0) * unit for part, unit in parts))


def _demand_needed(*, is_applied: bool) -> None:
    """Say that nothing tells which images are needed.

    Raises:
        UsageError: Something is to be removed.
    """
    if is_applied:
        raise UsageError(
            "`--apply` has to know what runs",
            hint="`--keep-running FILE` lists it; `--nothing-runs` says that nothing does",
        )
    _warn("no list says what runs (`--keep-running`), so what runs is kept by chance only")


def _with_times(history: History, repository: Repository, commits: Iterable[str]) -> History:
    """Add the times of commits that are on no branch, where git still has them."""
    found = repository.read_objects([item for item in commits if item not in history.times])
    times = {commit: git_refs.commit_time(content or b"") for commit, content in found.items()}
    known = {commit: time for commit, time in times.items() if time is not None}
    return replace(history, times={**history.times, **known})


def _image_names(tasks: Iterable[PlannedTask]) -> list[str]:
    works = (planned.task.work for planned in tasks)
    return [work.package for work in works if isinstance(work, ImageWork)]


def _current(plan: Plan, name: str, stock: Stock) -> dict[str, str]:
    """Return the base image of a name that the work tree is built on, with that as the reason."""
    tags = {wanted.tag for _, wanted in wanted_bases(plan) if wanted.name == name}
    images = (image for image in stock.images if tags.intersection(image.tags))
    return {image.digest: "the lock of this work tree names it" for image in images}


class _Judge:
    """Decides about images, one name after the other.

    Attributes:
        decided: The decisions, by name.
        removals: The manifests that go with each image that is removed, by name and digest.
    """

    def __init__(self, registry: Registry, repository: Repository, history: History) -> None:
        self.decided: dict[str, tuple[Decision, ...]] = {}
        self.removals: dict[str, dict[str, tuple[str, ...]]] = {}
        self._registry = registry
        self._repository = repository
        self._history = history

    def decide(self, name: str, stock: Stock, rules: Rules) -> None:
        """Decide about the images of a name."""
        commits = (commit for image in stock.images for commit in image.commits)
        history = _with_times(self._history, self._repository, commits)
        retention = Retention(stock, history, rules)
        doubtful = retention.depending_on_age()

        def age(image: Image) -> float | None:
            attached = stock.attached.get(image.digest)
            return told_at(self._registry, name, attached, is_tagged=bool(image.tags))

        digests = [image.digest for image in doubtful]
        decisions = retention.decide(dict(zip(digests, each(age, doubtful), strict=True)))
        self.decided[name], self.removals[name] = decisions, retention.removals(decisions)

    def kept(self) -> list[tuple[str, Image]]:
        """Return the images that stay, each with its name."""
        return [
            (name, decision.image)
            for name, decisions in self.decided.items()
            for decision in decisions
            if decision.is_kept
        ]


def _remove(
    registry: Registry,
    removals: Mapping[str, Mapping[str, tuple[str, ...]]],
    stocks: Mapping[str, Stock],
    announce: Callable[[str], None],
) -> None:
    """Remove images one after the other, unless they were used meanwhile; an error ends it.

    Bases come last, and those of images that were used meanwhile stay as well.
    """
    done = 0
    spared: list[tuple[str, Image]] = []
    for name, images in removals.items():
        for digest, manifests in images.items():
            try:
                if use := use_since(registry, name, stocks[name], digest):
                    _warn(f"{name}@{digest} is kept after all: {use} meanwhile")
                    spared.extend(
                        (name, image) for image in stocks[name].images if image.digest == digest
                    )
                    continue
                if reason := bases_of_kept(stocks[name], spared).get(digest):
                    _warn(f"{name}@{digest} is kept after all: {reason}")
                    continue
                announce(f"removing {name}@{digest}")
                for manifest in manifests:
                    registry.delete(name, manifest)
            except RegistryError as error:
                count = sum(map(len, removals.values()))
                error.context = (*error.context, f"{done} of {count} were removed before")
                raise
            done += 1


def _report(
    decided: Mapping[str, tuple[Decision, ...]], address: str, asked: Pruning, target: str | None
) -> None:
    rows: list[dict[str, Any]] = [
        {
            "image": name, "digest": item.image.digest, "tags": list(item.image.tags),
            "decision": "keep" if item.is_kept else "remove", "reason": item.reason,
        }
        for name, decisions in decided.items()
        for item in sorted(decisions, key=lambda item: (not item.is_kept, item.reason))
    ]  # fmt: skip
    width = max((len(name) for name in decided), default=0)
    lines = [
        f"{row['image']:{width}}  {row['digest']}  {row['decision']:6}  {row['reason']}"
        for row in rows
    ]
    removed = sum(row["decision"] == "remove" for row in rows)
    how = "are removed" if asked.is_applied else "would be removed (`--apply` removes them)"
    lines.append(f"{len(rows) - removed} images are kept, {removed} {how}")
    data = {
        "version": 1, "registry": address, "is_applied": asked.is_applied, "grace": asked.grace,
        "images": rows,
    }  # fmt: skip
    answer(lines if decided else ["there are no images to look at"], data, target)


def _warn_of_strangers(rules: Rules, decided: Mapping[str, tuple[Decision, ...]]) -> None:
    images = [item.image for decisions in decided.values() for item in decisions]
    known = {digest for image in images for digest in (image.digest, *image.parts)}
    if strangers := rules.needed.keys() - known:
        _warn(f"{len(strangers)} of {len(rules.needed)} digests in use are no image looked at")


def _warn(words: str) -> None:
    print(f"note: {words}", file=sys.stderr)
