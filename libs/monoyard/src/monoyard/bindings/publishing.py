"""The verb `publish` of the nox door: every selected image is in the registry, and trusted."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.arguments import HELP, Arguments
from monoyard.bindings.base_images import BaseImages
from monoyard.bindings.checks import Checks
from monoyard.bindings.engine import Engine
from monoyard.bindings.parallel import each
from monoyard.bindings.questions import answer
from monoyard.bindings.supplying import Supplying, vulnerabilities
from monoyard.errors import ChecksFailedError, ConfigurationError, MachineError, MonoyardError
from monoyard.images import SUITE, ImageWork, Layout
from monoyard.plan import Plan, State
from monoyard.supply import BranchLine, Built, Published, Publisher, Wanted, describe

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
    """
    if arguments.wants_help:
        print(HELP, end="")
        return
    checks = Checks(directory)
    engine = checks.engine
    if engine.environment.get("MONOYARD_BASE_LOCK") == "refresh":
        raise ConfigurationError(
            "base images are not locked in this run, so what is made of them is not published",
            hint="unset MONOYARD_BASE_LOCK; `invoke images.refresh` brings the lock up to date",
        )
    plan = engine.plan(engine.selection(arguments), has_engine=True)
    wanted = wanted_images(plan)
    supply = Supplying.of(engine)
    publisher = Publisher(
        supply.registry, supply.signatures, supply.policy, supply.origin,
        BranchLine(engine.repository, supply.origin.branch, supply.origin.commit), supply.memory,
    )  # fmt: skip
    engine.announce(f"asking {supply.registry.address} for {len(wanted)} images")
    asked = each(publisher.find, wanted.values(), _QUESTIONS_AT_ONCE)
    found = dict(zip(wanted, asked, strict=True))
    missing = {name: why for name, (_, accepted, why) in found.items() if accepted is None}
    bases = BaseImages.find(plan, publisher, supply)
    failed = None
    if missing:
        checks.bases = bases.there
        failed = _build(checks, arguments, set(missing) - _stored(plan))
        plan = engine.plan(engine.selection(arguments), has_engine=True)  # with what was built
    with tempfile.TemporaryDirectory(prefix="monoyard-") as scratch:
        built = _collect(engine, supply, plan, missing, Path(scratch)) if missing else {}
        ready = [item for name, item in wanted.items() if name in built or name not in missing]

        def take(item: Wanted) -> Published | MonoyardError:
            try:
                if item.name in missing:
                    engine.announce(f"publishing {item.name}")
                    return publisher.publish(item, built[item.name], missing[item.name])
                return publisher.reuse(item, found[item.name][0])
            except MonoyardError as error:
                return error

        done = [*bases.publish(engine, publisher, Path(scratch))]
        done += each(take, ready, _QUESTIONS_AT_ONCE if not missing else _PUBLISHED_AT_ONCE)
    published = [item for item in done if isinstance(item, Published)]
    _report(published, supply.registry.address, arguments.json)
    errors = [item for item in done if isinstance(item, MonoyardError)]
    if errors:
        for error in errors[1:]:
            print(f"error[{error.code}]: {error.message}", file=sys.stderr)
        raise errors[0]
    if failed is not None:
        raise failed
    left = sorted(set(missing) - set(built))
    if left:
        raise _not_built(engine.plan(engine.selection(arguments)), left)


def wanted_images(plan: Plan) -> dict[str, Wanted]:
    """Return the selected images of a plan, by name."""
    found = {}
    for planned in plan.selected:
        work = planned.task.work
        if isinstance(work, ImageWork) and planned.manifest is not None:
            name = work.package
            found[name] = Wanted(name, planned.manifest, work.base.image or work.base.name)
    return found


def _stored(plan: Plan) -> set[str]:
    """Return the images that the store has, whether or not an engine answers here."""
    return {item.task.package for item in plan.in_state(State.HIT) if item.task.suite == SUITE}


def _build(
    checks: Checks, arguments: Arguments, missing: Collection[str]
) -> ChecksFailedError | None:
    """Build what is missing, as `nox -s images` does; return that something is no good.

    Nothing is built where no engine answers: what is missing then stays so, and is told at the end.
    """
    plan = checks.engine.plan(checks.engine.selection(arguments, (SUITE,)))
    if {planned.task.package for planned in plan.in_state(State.SKIP)} >= set(missing):
        return None
    asked = replace(arguments, json=None)
    try:
        checks.run(asked, (SUITE,), lambda task: task.suite != SUITE or task.package in missing)
    except ChecksFailedError as error:
        return error
    return None


def _collect(
    engine: Engine, supply: Supplying, plan: Plan, missing: Iterable[str], scratch: Path
) -> dict[str, Built]:
    """Return what the store has of the missing images, and the tests that passed for them."""
    passed: dict[str, dict[str, str]] = {}
    for planned in plan.in_state(State.HIT):
        if planned.task.suite != SUITE and planned.manifest is not None:
            keys = passed.setdefault(planned.task.package, {})
            keys[planned.task.id] = planned.manifest.key
    layouts = collect_layouts(engine, plan, frozenset(missing), scratch)
    ready = {
        planned.task.package: planned.stored.created_at
        for planned in plan.in_state(State.HIT)
        if planned.task.suite == SUITE and planned.stored is not None
    }
    database = supply.database() if vulnerabilities(engine) else None

    def complete(name: str) -> Built:
        engine.announce(f"listing what {name} is made of")
        place = scratch / "sbom" / name
        place.mkdir(parents=True)
        sbom = describe(engine.tools.ensure("syft"), layouts[name], name, place)
        findings = supply.scanners.state_findings(database, name, sbom) if database else None
        return Built(layouts[name], ready[name], sbom, passed.get(name, {}), findings)

    built = each(complete, layouts, _PUBLISHED_AT_ONCE)
    return dict(zip(layouts, built, strict=True))


def collect_layouts(
    engine: Engine, plan: Plan, names: Collection[str], scratch: Path
) -> dict[str, Layout]:
    """Return the images of some packages that the store has, copied below a directory."""
    found = {}
    for planned in plan.in_state(State.HIT):
        name = planned.task.package
        if planned.task.suite == SUITE and name in names and planned.stored is not None:
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
