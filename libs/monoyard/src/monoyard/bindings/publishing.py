"""The verb `publish` of the nox door: every selected image is in the registry, and trusted."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.answering import answer
from monoyard.bindings.arguments import HELP, Arguments, refuse_audit
from monoyard.bindings.base_images import BaseImages
from monoyard.bindings.checks import Checks
from monoyard.bindings.engine import Engine
from monoyard.bindings.parallel import each_or_error
from monoyard.bindings.supplying import Supplying, vulnerabilities
from monoyard.config import IMAGE_SUITE
from monoyard.errors import (
    ChecksFailedError,
    ConfigurationError,
    MachineError,
    MonoyardError,
)
from monoyard.images import ImageWork, Layout
from monoyard.plan import Plan, State
from monoyard.supply import Accepted, BranchLine, Built, Published, Publisher, Wanted, describe

Found = tuple[str, Accepted | None, str]
"""What `Publisher.find` returns."""

_LAYOUT: Final = "oci/"
_QUESTIONS_AT_ONCE: Final = 8
_PUBLISHED_AT_ONCE: Final = 4


def publish(directory: Path, arguments: Arguments) -> None:
    """Have every selected image in the registry: built where it is missing, signed, tagged.

    Args:
        directory: A directory of the repository.
        arguments: What was typed.

    Raises:
        ChecksFailedError: An image is no good; the others are published.
        ConfigurationError: Base images are not locked in this run.
        ImageError: One cannot be published; the others are.
        MachineError: An image is missing and cannot be built here.
        UsageError: `--audit` was asked for.
    """
    if arguments.wants_help:
        print(HELP, end="")
        return
    refuse_audit(arguments, "publish", "an audit makes no images, and nothing audited is kept")
    checks = Checks(directory)
    engine = checks.engine
    if engine.environment.get("MONOYARD_BASE_LOCK") == "refresh":
        raise ConfigurationError(
            "base images are not locked in this run, so what is made of them is not published",
            hint="unset MONOYARD_BASE_LOCK; `invoke images.refresh` brings the lock up to date",
        )
    images = engine.selection(arguments, (IMAGE_SUITE,))
    with ThreadPoolExecutor(1) as pool:
        supplying = pool.submit(Supplying.of, engine)  # git answers while the plan is made
        plan = engine.plan(images, has_engine=True)
        supply = supplying.result()
    wanted = wanted_images(plan)
    publisher = Publisher(
        supply.registry, supply.signatures, supply.policy, supply.origin,
        BranchLine(engine.repository, supply.origin.branch, supply.origin.commit), supply.memory,
    )  # fmt: skip
    engine.announce(f"asking {supply.registry.address} for {len(wanted)} images")
    found, unasked = _find(publisher, wanted)
    missing = {name: why for name, (_, accepted, why) in found.items() if accepted is None}
    bases = BaseImages.find(plan, publisher, supply)
    failed = None
    if missing:
        checks.bases = bases.there
        failed = _build(checks, arguments, set(missing) - _stored(plan))
        # With what was built, and with what was tested.
        plan = engine.plan(engine.selection(arguments), has_engine=True)
    with tempfile.TemporaryDirectory(prefix="monoyard-") as scratch:
        stored = _Stored(engine, supply, plan, missing, Path(scratch))

        def take(item: Wanted) -> Published:
            if item.name not in missing:
                return publisher.reuse(item, found[item.name][0])
            built = stored.describe(item.name)
            engine.announce(f"publishing {item.name}")
            return publisher.publish(item, built, missing[item.name])

        left = missing.keys() - stored.layouts.keys()
        ready = [wanted[name] for name in found if name not in left]
        done = [*bases.publish(engine, publisher, Path(scratch))]
        at_once = _PUBLISHED_AT_ONCE if missing else _QUESTIONS_AT_ONCE
        done += each_or_error(take, ready, at_once)
    published = [item for item in done if isinstance(item, Published)]
    _report(published, supply.registry.address, arguments.json)
    errors = [item for item in done if isinstance(item, MonoyardError)]
    errors += [*unasked, *bases.errors]
    if failed is not None:
        errors.append(failed)
    elif left:
        errors.append(_not_built(engine.plan(engine.selection(arguments)), left))
    for error in errors[1:]:
        print(f"error[{error.code}]: {error.message}", file=sys.stderr)
    if errors:
        raise errors[0]


def wanted_images(plan: Plan) -> dict[str, Wanted]:
    """Return the selected images of a plan, by name."""
    found = {}
    for planned in plan.selected:
        work = planned.task.work
        if isinstance(work, ImageWork) and planned.manifest is not None:
            name = work.package
            found[name] = Wanted(name, planned.manifest, work.base.image or work.base.name)
    return found


def _find(
    publisher: Publisher, wanted: Mapping[str, Wanted]
) -> tuple[dict[str, Found], list[MonoyardError]]:
    """Look for images; return what is known of them, and why nothing is of the others.

    Raises:
        MonoyardError: Nothing is known of any.
    """
    asked = each_or_error(publisher.find, wanted.values(), _QUESTIONS_AT_ONCE)
    answers = dict(zip(wanted, asked, strict=True))
    found = {name: said for name, said in answers.items() if not isinstance(said, MonoyardError)}
    errors = [said for said in asked if isinstance(said, MonoyardError)]
    if errors and not found:
        raise errors[0]
    return found, errors


def _stored(plan: Plan) -> set[str]:
    """Return the images that the store has, whether or not an engine answers here."""
    return {
        item.task.package for item in plan.in_state(State.HIT) if item.task.suite == IMAGE_SUITE
    }


def _build(
    checks: Checks, arguments: Arguments, missing: Collection[str]
) -> ChecksFailedError | None:
    """Build what is missing, as `nox -s images` does; return that something is no good.

    Nothing is built where no engine answers: what is missing then stays so, and is told at the end.
    """
    plan = checks.engine.plan(checks.engine.selection(arguments, (IMAGE_SUITE,)))
    if {planned.task.package for planned in plan.in_state(State.SKIP)} >= set(missing):
        return None
    asked = replace(arguments, json=None)
    try:
        checks.run(
            asked, (IMAGE_SUITE,), lambda task: task.suite != IMAGE_SUITE or task.package in missing
        )
    except ChecksFailedError as error:
        return error
    return None


class _Stored:
    """What the store has of missing images, and the tests that passed for them."""

    def __init__(
        self, engine: Engine, supply: Supplying, plan: Plan, missing: Iterable[str], scratch: Path
    ) -> None:
        self.layouts = collect_layouts(engine, plan, frozenset(missing), scratch)
        self._engine = engine
        self._supply = supply
        self._scratch = scratch
        self._passed: dict[str, dict[str, str]] = {}
        self._built_at: dict[str, float] = {}
        for planned in plan.in_state(State.HIT):
            name, manifest, stored = planned.task.package, planned.manifest, planned.stored
            if planned.task.suite == IMAGE_SUITE and stored is not None:
                self._built_at[name] = stored.created_at
            elif manifest is not None:
                self._passed.setdefault(name, {})[planned.task.id] = manifest.key
        has_database = bool(self.layouts) and bool(vulnerabilities(engine))
        self._database = supply.database() if has_database else None

    def describe(self, name: str) -> Built:
        """Return an image with all that is known of it.

        Raises:
            MonoyardError: What it is made of, or what is wrong with that, cannot be told.
        """
        self._engine.announce(f"listing what {name} is made of")
        place = self._scratch / "sbom" / name
        place.mkdir(parents=True)
        layout, database = self.layouts[name], self._database
        sbom = describe(self._engine.tools.ensure("syft"), layout, name, place)
        findings = self._supply.scanners.state_findings(database, name, sbom) if database else None
        return Built(layout, self._built_at[name], sbom, self._passed.get(name, {}), findings)


def collect_layouts(
    engine: Engine, plan: Plan, names: Collection[str], scratch: Path
) -> dict[str, Layout]:
    """Return the images of some packages that the store has, copied below a directory."""
    found = {}
    for planned in plan.in_state(State.HIT):
        name = planned.task.package
        if planned.task.suite == IMAGE_SUITE and name in names and planned.stored is not None:
            files = [file for file in planned.stored.artifacts if file.path.startswith(_LAYOUT)]
            places = [scratch / name / file.path.removeprefix(_LAYOUT) for file in files]
            copy = engine.store.materialise
            if all(copy(file, place) for file, place in zip(files, places, strict=True)):
                found[name] = Layout(scratch / name)
    return found


def _not_built(plan: Plan, missing: Iterable[str]) -> MachineError:
    skips = [planned.reason for planned in plan.in_state(State.SKIP)]
    return MachineError(
        f"{', '.join(sorted(missing))} had to be built, and there is no result to publish",
        code="images-required",
        context=tuple(dict.fromkeys(skips)),
        hint="`nox -s images` builds and tries images",
    )


def _report(published: list[Published], address: str, target: str | None) -> None:
    rows: list[dict[str, Any]] = [
        {
            "image": item.name, "digest": item.digest, "is_new": item.is_new,
            "reason": item.reason, "tags": list(item.tags), "left": dict(item.left),
        }
        for item in published
    ]  # fmt: skip
    width = max((len(item.name) for item in published), default=0)
    lines = []
    for item in published:
        how = f"published: {item.reason}" if item.is_new else "was there"
        lines.append(f"{item.name:{width}}  {item.digest}  {how}")
        lines.append(f"{'':{width}}  {' '.join(item.tags)}")
        lines += [f"{'':{width}}  {tag} stays: {why}" for tag, why in item.left.items()]
    data = {"version": 1, "registry": address, "images": rows}
    answer(lines or ["there are no images to publish"], data, target)
