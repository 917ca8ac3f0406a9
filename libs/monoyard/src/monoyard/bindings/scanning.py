"""The verb `scan` of the nox door: what scanners find, and what an environment says of it."""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.arguments import HELP, Arguments, refuse_audit
from monoyard.bindings.engine import Engine
from monoyard.bindings.publishing import collect_layouts, wanted_images
from monoyard.bindings.supplying import Supplying
from monoyard.errors import (
    ChecksFailedError,
    ConfigurationError,
    ImageError,
    MonoyardError,
    VerificationError,
)
from monoyard.locks import parse_lock, split_requirement
from monoyard.plan import Plan
from monoyard.report.security import sarif, scan_annotations, scan_lines
from monoyard.report.words import count
from monoyard.results import SecurityFinding, Verdict, merge_findings
from monoyard.supply import (
    Dependents,
    Expected,
    Scanners,
    Trust,
    Wanted,
    describe,
    judge,
)
from monoyard.tools import git, osv_scanner

_FIXTURES: Final = "fixtures"  # locks that tests read are installed nowhere


@dataclass
class _Scan:
    """What was found so far, and what could not be looked at."""

    findings: list[SecurityFinding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def add(self, what: str, scan: Callable[[], Iterable[SecurityFinding]]) -> None:
        """Run one scanner; that it failed is kept, and the others go on."""
        print(f"scanning {what} ...", file=sys.stderr, flush=True)
        try:
            self.findings += scan()
        except MonoyardError as error:
            self.miss(what, error)

    def miss(self, what: str, error: MonoyardError) -> None:
        """Keep why something could not be looked at."""
        lines = (f"{what}: {error.message}", *(f"  {line}" for line in error.context))
        self.errors.append("\n".join(lines))
        if error.hint:
            self.errors.append(f"  hint: {error.hint}")


def scan(directory: Path, arguments: Arguments) -> None:
    """Scan code, secrets, dependencies and images; print what an environment says of it.

    Args:
        directory: A directory of the repository.
        arguments: What was typed; `env` names the environment, by default the policy's first.

    Raises:
        ChecksFailedError: The environment refuses something, or something could not be scanned.
        UsageError: `--audit` was asked for.
    """
    if arguments.wants_help:
        print(HELP, end="")
        return
    refuse_audit(arguments, "scan", "what scanners read is no part of a key")
    engine = Engine(directory, announce)
    plan = engine.plan(engine.selection(arguments), has_engine=True)
    supply = Supplying.of(engine)
    name = arguments.env or next(iter(supply.policy.environments))
    accepts = supply.policy.environment(name)
    scanners = supply.scanners
    found = _Scan()
    settings = engine.workspace.settings.images
    tracked = sorted(engine.workspace.tree.entries)
    dockerfiles = [path for path in tracked if path.rpartition("/")[2].endswith("Dockerfile")]
    span = "" if arguments.history or not plan.base.commit else f"{plan.base.commit}..HEAD"
    found.add("code", scanners.code)
    found.add("code, by the repository's own rules", lambda: scanners.patterns(settings.rules))
    found.add("Dockerfiles", lambda: scanners.dockerfiles(dockerfiles))
    status = git.parse_status(engine.repository.demand(git.status()))
    secrets = partial(
        scanners.secrets, span, has_changes=bool(status.changed), untracked=sorted(status.untracked)
    )
    found.add("secrets", secrets)
    _scan_dependencies(engine, plan, supply, scanners, found, name)
    judged = judge(
        merge_findings(found.findings), accepts, supply.policy.exceptions,
        datetime.datetime.now(datetime.UTC).date(),
    )  # fmt: skip
    refused = [item for item in judged if item.is_refused]
    verdict = Verdict.ERROR if found.errors else Verdict.FAIL if refused else Verdict.PASS
    place = engine.state / "scan.sarif"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(sarif(judged), indent=1) + "\n", encoding="utf-8")
    data = {
        "version": 1, "environment": name, "verdict": verdict.value, "errors": found.errors,
        "findings": [
            {**asdict(item.finding), "is_refused": item.is_refused, "reason": item.reason}
            for item in judged
        ],
    }  # fmt: skip
    if engine.environment.get("GITHUB_ACTIONS") == "true":
        for line in scan_annotations(judged):
            print(line, file=sys.stderr if arguments.json == "" else sys.stdout)
    answer(scan_lines(judged, found.errors, name, verdict), data, arguments.json)
    if verdict is Verdict.ERROR:
        raise ChecksFailedError(f"`{name}`: not everything could be scanned")
    if verdict is not Verdict.PASS:
        raise ChecksFailedError(f"`{name}` refuses {count(len(refused), 'finding')}")


def _scan_dependencies(
    engine: Engine, plan: Plan, supply: Supplying, scanners: Scanners, found: _Scan, name: str
) -> None:
    top = engine.repository.top
    try:
        database = supply.database()
        database.check_age(supply.policy.environment(name).max_scan_age, time.time())
    except MonoyardError as error:
        found.miss("dependencies and images", error)
        return

    def of_lock(path: str, ecosystem: str, dependents: Dependents) -> Iterable[SecurityFinding]:
        items = scanners.dependencies(database, top / path)
        for item in _brought(items, ecosystem, dependents):
            yield item if item.brought_by else replace(item, brought_by=(path,))

    python = _python_dependents(engine)
    lock = engine.workspace.settings.lock
    if lock and lock in engine.workspace.tree.entries:
        found.add(lock, partial(of_lock, lock, "PyPI", python))
    elif python.has_any:
        fault = ConfigurationError(
            "there is no lock that says which they are",
            code="no-lock",
            hint="`[tool.monoyard] lock` names it, and `invoke lock` writes it",
        )
        found.miss("Python dependencies", fault)
    for path in sorted(engine.workspace.tree.entries):
        *folders, name_of_file = path.split("/")
        if path == lock or name_of_file not in osv_scanner.LOCKS or _FIXTURES in folders:
            continue
        dependents = Dependents({}, {})
        if name_of_file == "package-lock.json":
            owner = engine.workspace.owner(path) or path
            data = engine.workspace.tree.read(path) or b""
            dependents = Dependents.of_npm(data, owner)
        found.add(path, partial(of_lock, path, "npm", dependents))
    sboms = _Sboms(engine, plan, supply, name)
    for image, base in sboms.wanted.items():

        def of_image(image: str = image, base: str = base) -> Iterable[SecurityFinding]:
            items = scanners.image(database, image, sboms.of(image))
            for item in _brought(items, "PyPI", python):
                if item.ecosystem.startswith("Debian"):
                    yield replace(item, brought_by=(f"base {base}",))
                else:
                    yield item

        found.add(f"image {image}", of_image)


def _brought(
    findings: Iterable[SecurityFinding], ecosystem: str, dependents: Dependents
) -> Iterable[SecurityFinding]:
    for item in findings:
        if item.ecosystem == ecosystem:
            yield replace(item, brought_by=dependents.of(item.package), path="")
        else:
            yield item


def _python_dependents(engine: Engine) -> Dependents:
    path = engine.workspace.settings.lock or ""
    lock = parse_lock(path, engine.workspace.tree.read(path) or b"" if path else b"")
    direct: dict[str, list[str]] = {}
    for name, package in engine.workspace.packages.items():
        manifest = package.manifest
        wanted = [*manifest.requirements, *(r for g in manifest.groups.values() for r in g)]
        split = (split_requirement(text) for text in wanted)
        direct[name] = [parts[0] for parts in split if parts]
    return Dependents.of_lock(lock, direct)


class _Sboms:
    """The SBOMs of images: attested ones of the registry, else made of what was built here."""

    def __init__(self, engine: Engine, plan: Plan, supply: Supplying, environment: str) -> None:
        self._engine = engine
        self._plan = plan
        self._supply = supply
        self._environment = environment
        self._trust = Trust(supply.signatures, supply.policy, environment, supply.memory)
        self._images = wanted_images(plan)

    @property
    def wanted(self) -> Mapping[str, str]:
        """Images to scan, each with its base."""
        return {name: item.base for name, item in self._images.items()}

    def of(self, image: str) -> Mapping[str, Any]:
        """Return an SBOM.

        Raises:
            MonoyardError: There is no image that the environment accepts, and none here.
        """
        item = self._images[image]
        refusal: MonoyardError
        try:
            return self._attested(item)
        except MonoyardError as error:
            refusal = error
        with tempfile.TemporaryDirectory(prefix="monoyard-") as scratch:
            layouts = collect_layouts(self._engine, self._plan, {image}, Path(scratch))
            if image not in layouts or isinstance(refusal, VerificationError):
                raise refusal
            print(f"{image}: {refusal.message}; what was built here is scanned", file=sys.stderr)
            place = Path(scratch) / "sbom"
            place.mkdir()
            began = time.monotonic()
            sbom = describe(self._engine.tools.ensure("syft"), layouts[image], image, place)
            self._engine.announce(f"listed {image} in {time.monotonic() - began:.0f} s")
            return sbom

    def _attested(self, item: Wanted) -> Mapping[str, Any]:
        supply = self._supply
        digest = supply.registry.digest(item.name, item.tag)
        if digest is None:
            raise ImageError(
                f"the image of {item.name} is neither in the registry nor built here",
                code="no-image",
                hint="`nox -s publish` or `nox -s images` makes it",
            )
        reference = supply.registry.reference(item.name, digest)
        expected = Expected(item.name, supply.origin.source, item.manifest.key)
        self._trust.accept(reference, expected)
        return supply.admission.sbom(reference, self._environment)
