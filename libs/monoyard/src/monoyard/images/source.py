"""Makes the tasks of images: one for each service, where the workspace names bases."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final

from monoyard.config import IMAGE_SUITE, SuiteSettings
from monoyard.errors import ConfigurationError
from monoyard.images.bases import Bases, base_entries
from monoyard.images.work import Base, ImageWork
from monoyard.install import uv_version
from monoyard.plan import Entries, Inputs, Sourced, Task
from monoyard.suites import Interpreters, WorkspaceLock
from monoyard.workspace import Package, Workspace, compile_globs, zone_of

_BUNDLE: Final = "dist"
# Only where rules are by default: elsewhere their directory may hold what somebody reads.
_RULES: Final = "infra/images/rules/"
_NGINX: Final = ("/usr/sbin/nginx", "-e", "/dev/stderr")
_TIMEOUT_SECONDS: Final = 1800.0
_GIGABYTE: Final = 1024**3
# Backends put these into a wheel's metadata.
_METADATA_NAMES: Final = ("readme", "license", "licence", "notice", "authors")


class ImageSource:
    """The source of image tasks.

    Args:
        interpreters: Finds the Python that builds wheels.
        problem: Says why images cannot be made on this machine; asked once, and only where there
            are images.
        is_refreshing: Base images are resolved anew in this run instead of read from the lock.
    """

    def __init__(
        self, interpreters: Interpreters, problem: Callable[[], str], *, is_refreshing: bool
    ) -> None:
        self._interpreters = interpreters
        self._problem = problem
        self._is_refreshing = is_refreshing

    def tasks(self, workspace: Workspace) -> Sourced:
        """Return the tasks of all images.

        Raises:
            ConfigurationError: A service has no slice of the lock, or names a base that does not
                exist or is not locked.
        """
        services = [package for package in workspace.packages.values() if _has_image(package)]
        covered = _covered(workspace)
        if not workspace.settings.images.bases or not services:
            return Sourced((), covered=covered)
        bases = Bases(workspace, is_refreshing=self._is_refreshing)
        lock = WorkspaceLock.find(workspace)
        problem = self._problem()
        tasks = tuple(
            self._service(
                workspace, package, bases.of(package), bases.build_of(package), lock, problem
            )
            if package.kind == "python"
            else self._page(workspace, package, bases.of(package), problem)
            for package in services
        )
        slices = [task.work.requirements for task in tasks if isinstance(task.work, ImageWork)]
        missing = [path for path in slices if path and path not in workspace.tree.entries]
        faults = (*bases.faults, *(f"{path} is not there; `invoke lock`" for path in missing))
        if faults:
            raise ConfigurationError("images have faults", context=faults)
        notes: tuple[str, ...] = ()
        if self._is_refreshing:
            notes = ("base images are resolved afresh in this run: their lock is not used",)
        return Sourced(tasks, covered=covered, notes=notes)

    @cached_property
    def _uv(self) -> str:
        return uv_version()

    def _service(
        self,
        workspace: Workspace,
        package: Package,
        base: Base,
        build_base: Base | None,
        lock: WorkspaceLock,
        problem: str,
    ) -> Task:
        names = sorted({package.name, *workspace.graph.closure[package.name]})
        sources = {name: tuple(_sources(workspace, name)) for name in names}
        python = self._interpreters.default()
        requires = {
            item for name in names for item in workspace.packages[name].manifest.build_requires
        }
        entrypoint = ("python3", "-m", *package.modules[:1])
        requirements = posixpath.join(
            posixpath.dirname(workspace.settings.lock or ""), f"{package.name}.txt"
        )
        included = _included(workspace, package, package.settings.image.include or ())
        work = replace(
            _work(workspace, package, base, entrypoint),
            build_base=build_base,
            sources=sources,
            directories={name: workspace.packages[name].directory for name in names},
            requirements=requirements,
            included=tuple((package.path(inner), inner) for inner in included),
            venv=lock.venv(python) if requires and lock.has_all(requires) else None,
        )
        backends = lock.slice(requires) if work.venv else ()
        metadata = sorted(
            path
            for name in names
            for path in sources[name]
            if _is_metadata(workspace.packages[name].inside(path))
        )
        inputs = Inputs(
            own=False,
            packages=frozenset(names),
            files=(requirements, *metadata, *(path for path, _ in work.included)),
            parts=_parts(work, python.identity, backends, self._uv),
        )
        return self._task(work, inputs, problem, estimate=20.0)

    def _page(self, workspace: Workspace, package: Package, base: Base, problem: str) -> Task:
        """Return the task of a page; the key of its `build` is a part of its own key."""
        work = replace(
            _work(workspace, package, base, _NGINX),
            bundle=package.path(_BUNDLE),
        )
        files = (work.dockerfile,) if work.dockerfile else ()
        inputs = Inputs(own=False, files=files, parts=_parts(work, "", (), self._uv))
        return self._task(work, inputs, problem, estimate=10.0, needs=(f"{package.name}:build",))

    def _task(
        self,
        work: ImageWork,
        inputs: Inputs,
        problem: str,
        *,
        estimate: float,
        needs: tuple[str, ...] = (),
    ) -> Task:
        return Task(
            id=f"{work.package}:{IMAGE_SUITE}",
            package=work.package,
            suite=IMAGE_SUITE,
            inputs=inputs,
            needs=needs,
            work=work,
            timeout=_TIMEOUT_SECONDS,
            memory=_GIGABYTE,
            is_cacheable=not self._is_refreshing,
            skip=problem,
            estimate=estimate,
        )


def _work(
    workspace: Workspace, package: Package, base: Base, entrypoint: tuple[str, ...]
) -> ImageWork:
    """Return what every image has: its table, its base, and a Dockerfile of its own if it has."""
    settings = package.settings.image
    dockerfile = package.path("Dockerfile")
    return ImageWork(
        package=package.name,
        base=base,
        dockerfile=dockerfile if dockerfile in workspace.tree.entries else "",
        entrypoint=settings.entrypoint or entrypoint,
        port=settings.port or 8000,
        health=settings.health or "/health/live",
        health_command=settings.health_command or (),
        environment=settings.environment or {},
    )


def _covered(workspace: Workspace) -> frozenset[str]:
    """Return the files that no task reads: a part of keys has the lock, and the others judge."""
    settings = workspace.settings.images
    known = {settings.lock, settings.policy, settings.rules}
    return frozenset(
        path for path in workspace.tree.entries if path in known or path.startswith(_RULES)
    )


def _has_image(package: Package) -> bool:
    """Say whether a package is a service that an image can be made of."""
    settings = package.settings
    if package.role != "service" or settings.image.enabled is False:
        return False
    if package.kind == "python":
        return True
    build = settings.suites.get("build", SuiteSettings())
    return "build" in package.manifest.scripts and build.enabled is not False


def _parts(
    work: ImageWork, python: str, backends: Entries, uv: str
) -> tuple[tuple[str, Entries], ...]:
    base = base_entries(work.base)
    if work.build_base:
        base += tuple((f"build: {name}", rest) for name, rest in base_entries(work.build_base))
    image = (
        ("dockerfile", work.dockerfile or "shared"),
        ("entrypoint", json.dumps(work.entrypoint)),
        ("environment", json.dumps(sorted(work.environment.items()))),
        ("health", json.dumps(work.health_command) if work.health_command else work.health),
        ("included", json.dumps(work.included)),
        ("port", str(work.port)),
    )
    tools = (("python", python), ("uv", uv))
    return (("base image", base), ("image", image), ("tools", tools), ("lock", backends))


def _sources(workspace: Workspace, name: str) -> Iterable[str]:
    """Yield the files that a wheel may hold: sources, and what backends read for its metadata."""
    package = workspace.packages[name]
    for path in workspace.files[name]:
        inner = package.inside(path)
        if zone_of(inner) == "source" or _is_metadata(inner):
            yield path


def _is_metadata(inner: str) -> bool:
    return "/" not in inner and inner.lower().startswith(_METADATA_NAMES)


def _included(workspace: Workspace, package: Package, globs: Iterable[str]) -> Iterable[str]:
    """Yield the files that the globs match, from the package's directory.

    Raises:
        ConfigurationError: A glob matches nothing.
    """
    inner = [package.inside(path) for path in workspace.files[package.name]]
    found = set()
    for glob in globs:
        expression = compile_globs((glob,))
        matching = [path for path in inner if expression.match(path)]
        if not matching:
            raise ConfigurationError(f"{package.name}: image.include: `{glob}` matches no file")
        found.update(matching)
    return sorted(found)


def required(environment: Mapping[str, str]) -> frozenset[str]:
    """Return what `MONOYARD_REQUIRE` names: kinds of tasks whose skip is an error."""
    return frozenset(environment.get("MONOYARD_REQUIRE", "").replace(",", " ").split())
