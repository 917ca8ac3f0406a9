"""The settings tables and what they mean.

The workspace table stands as `[tool.monoyard]` in the root `pyproject.toml`, or as a file
`monoyard.toml` beside it. The package table stands as `[tool.monoyard]` in the package's own
`pyproject.toml`, as `"monoyard"` in its `package.json`, or, for a repository whose manifests are
not to be touched, as `[tool.monoyard.packages.NAME]` at the root.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from monoyard.config.delivery import DELIVERY_TABLE, DeliverySettings
from monoyard.config.images import IMAGE_TABLE, IMAGES_TABLE, ImageSettings, ImagesSettings
from monoyard.config.kinds import (
    Kind,
    choice,
    duration,
    flag,
    list_of,
    mapping_of,
    one_or_more,
    size,
    table,
    text,
    whole_number,
    word_or_number,
)

SUITES: Final = ("lint", "type", "unit", "integration", "contract", "build")


@dataclass(frozen=True, slots=True)
class SuiteSettings:
    """What a table says of one suite; None means "not said", so that layers can be merged."""

    enabled: bool | None = None
    command: tuple[str, ...] | None = None
    also: tuple[tuple[str, ...], ...] | None = None
    fix: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None
    inputs: tuple[str, ...] | None = None
    base_inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None
    env: tuple[str, ...] | None = None
    needs: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    requirements: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    tools: tuple[str, ...] | None = None
    migrate: tuple[str, ...] | None = None
    timeout: float | None = None
    cpus: int | None = None
    workers: str | int | None = None
    memory: int | None = None
    cache: bool | None = None
    coverage: bool | None = None
    isolation: str | None = None
    dependencies: bool | None = None

    def over(self, other: SuiteSettings) -> SuiteSettings:
        """Return the settings in which this layer's values win over `other`'s."""
        merged = {
            item.name: mine if (mine := getattr(self, item.name)) is not None
            else getattr(other, item.name)
            for item in fields(self)
        }  # fmt: skip
        return SuiteSettings(**merged)


@dataclass(frozen=True, slots=True)
class PackageSettings:
    """What a package says of itself."""

    role: str | None = None
    pythons: tuple[str, ...] | None = None
    modules: tuple[str, ...] | None = None
    coverage_minimum: int | None = None
    image: ImageSettings = field(default_factory=ImageSettings)
    suites: Mapping[str, SuiteSettings] = field(default_factory=dict)

    def over(self, other: PackageSettings) -> PackageSettings:
        """Return the settings in which this layer's values win over `other`'s."""
        if UNSAID in (self, other):  # as most packages have it
            return other if self == UNSAID else self
        names = {*self.suites, *other.suites}
        nothing = SuiteSettings()
        return PackageSettings(
            role=self.role if self.role is not None else other.role,
            pythons=self.pythons if self.pythons is not None else other.pythons,
            modules=self.modules if self.modules is not None else other.modules,
            coverage_minimum=(
                self.coverage_minimum
                if self.coverage_minimum is not None
                else other.coverage_minimum
            ),
            image=self.image.over(other.image),
            suites={
                name: self.suites.get(name, nothing).over(other.suites.get(name, nothing))
                for name in sorted(names)
            },
        )


UNSAID: Final = PackageSettings()


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """What the root table says."""

    members: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    root_package: str | None = None
    lock: str | None = None
    default_branch: str | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    env: tuple[str, ...] = ()
    cpus: int | None = None
    memory: int | None = None
    cache_limit: int = 5 * 1024**3
    postgres_version: str | None = None
    images: ImagesSettings = field(default_factory=ImagesSettings)
    delivery: DeliverySettings = field(default_factory=DeliverySettings)
    suites: Mapping[str, SuiteSettings] = field(default_factory=dict)
    packages: Mapping[str, PackageSettings] = field(default_factory=dict)
    source: str = ""


_SUITE_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "enabled": (flag(), "false leaves the suite out of every plan."),
    "command": (
        list_of(text()),
        "Program and arguments, run in the package's directory instead of the built-in "
        "tool. `{tool:NAME}` is the program of a tool in `invoke tools.list`, `{python}` the "
        "venv's interpreter, `{engine}` that of the engine, `{scratch}` an empty directory.",
    ),
    "also": (
        list_of(list_of(text())),
        "Further commands that have to succeed, run after the built-in tool in the "
        "package's directory; for `lint`, suites with a `command` and npm scripts.",
    ),
    "fix": (
        list_of(text()),
        "Program and arguments that mend what `lint` finds (used by `nox -s fix`).",
    ),
    "args": (list_of(text()), "Further arguments for the built-in tool."),
    "paths": (
        list_of(text()),
        "Files or directories the tool is given, from the package's directory.",
    ),
    "inputs": (
        list_of(text()),
        "Further files that can change the result, as globs; a leading slash means from "
        "the repository's root. Files that git ignores count when named here.",
    ),
    "base-inputs": (
        list_of(text()),
        "Files whose content at the base revision is read, from the package's directory.",
    ),
    "outputs": (
        list_of(text()),
        "Files the command makes, as globs from the package's directory; kept with the "
        "result and restored on a hit. What git ignores there is removed before the command "
        "runs, for globs that begin with a name.",
    ),
    "env": (
        list_of(text()),
        "Environment variables that the task may read; their values are part of the key. "
        "A trailing `*` matches any ending.",
    ),
    "needs": (
        list_of(text()),
        "Tasks that must pass first: `SUITE`, `PACKAGE:SUITE`, or `^SUITE` for that "
        "suite of every dependency.",
    ),
    "groups": (
        list_of(text()),
        "Dependency groups or extras of the package that the suite needs (default: "
        "`test`, `tests`, `dev`).",
    ),
    "requirements": (list_of(text()), "Further third-party requirements of the suite."),
    "resources": (list_of(choice("postgres")), "Servers that the run starts for the task."),
    "tools": (
        list_of(text()),
        "Tools of the engine that the task finds on PATH, as `invoke tools.list` names them.",
    ),
    "migrate": (
        list_of(text()),
        "Program and arguments that bring an empty database up to date; the template "
        "database is made with it.",
    ),
    "timeout": (duration(), "Time after which the task is stopped and fails."),
    "cpus": (whole_number(), "Processors the task keeps busy."),
    "workers": (
        word_or_number("auto"),
        "Workers of pytest-xdist that the tests are dealt out to (pytest suites): this many, or "
        "with `auto` as many as the run has processors. Each takes a processor and `memory` of "
        "what the run may use, and there are fewer where it may use less.",
    ),
    "memory": (size(), "Memory the task needs at its peak; with `workers`, each of them."),
    "cache": (flag(), "false runs the task every time."),
    "coverage": (flag(), "Measure branch coverage (pytest suites)."),
    "isolation": (
        choice("process", "shared"),
        "`process` (default) gives each package's tests a process of their own. `shared` runs them "
        "in one process with those of other packages that say so: quicker, but modules, "
        "registries and plugins are shared too, the working directory is the repository's root, "
        "and coverage is not measured.",
    ),
    "dependencies": (
        flag(),
        "Whether the sources of the package's dependencies can change the result.",
    ),
}  # fmt: skip

_suite_table = table(SuiteSettings, _SUITE_KINDS)

_PACKAGE_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "role": (choice("lib", "service"), "`service` is built into an image and deployed."),
    "pythons": (
        list_of(text()),
        "Interpreters to check with, such as `3.11`; several make several tasks.",
    ),
    "coverage-minimum": (
        whole_number(),
        "Percentage of statements and branches that the measured suites must reach together; "
        "judged by `nox -s tests`, in CI and with `--coverage`.",
    ),
    "modules": (list_of(text()), "Import names, where they cannot be seen from the layout."),
    "image": (IMAGE_TABLE, "How its image is made; `lib`s have none."),
    "suites": (mapping_of(_suite_table, SUITES), "Settings of single suites."),
}  # fmt: skip

PACKAGE_TABLE: Final = table(PackageSettings, _PACKAGE_KINDS)

_WORKSPACE_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "members": (
        list_of(text()),
        "Globs of package directories. Without it: workspaces of uv and npm, each for its own "
        "language, else every tracked manifest.",
    ),
    "exclude": (list_of(text()), "Globs of directories that are no packages."),
    "root-package": (
        text(),
        "Name of the root as a package of its own; it owns noxfile.py, tasks.py, tests/, "
        "infra/ and deploy/.",
    ),
    "lock": (text(), "The workspace's lock file."),
    "default-branch": (
        text(),
        "The branch that changes are compared with (default: the remote's, else main, "
        "else master).",
    ),
    "groups": (
        mapping_of(one_or_more(text())),
        "Root dependency groups by suite; `test` stands for unit, integration and "
        "contract.",
    ),
    "files": (
        mapping_of(list_of(choice(*SUITES))),
        "Files outside the packages, as globs, and the suites that read them; an empty "
        "list: none does.",
    ),
    "env": (list_of(text()), "Environment variables that every task may read."),
    "cpus": (
        whole_number(),
        "Processors a run may keep busy (default: those this process may use).",
    ),
    "memory": (size(), "Memory a run may use (default: four fifths of what is there)."),
    "cache-limit": (
        size(),
        "Size of the local store, above which the least recently used results go.",
    ),
    "postgres-version": (
        text(),
        "Major version behind MONOYARD_POSTGRES_URL; part of the key, checked by the "
        "run.",
    ),
    "images": (IMAGES_TABLE, "How images are made; without `bases` there are none."),
    "delivery": (DELIVERY_TABLE, "Where charts, values and environments are."),
    "suites": (mapping_of(_suite_table, SUITES), "Settings of suites for all packages."),
    "packages": (
        mapping_of(PACKAGE_TABLE),
        "Package tables by package name, for manifests that are not to be touched.",
    ),
}  # fmt: skip

WORKSPACE_TABLE: Final = table(WorkspaceSettings, _WORKSPACE_KINDS)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of the workspace table; it is published in `docs/reference`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "[tool.monoyard] at the root of a workspace",
        **WORKSPACE_TABLE.schema,
    }


def package_json_schema() -> dict[str, Any]:
    """Return the JSON schema of the package table."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "[tool.monoyard] of a package",
        **PACKAGE_TABLE.schema,
    }
