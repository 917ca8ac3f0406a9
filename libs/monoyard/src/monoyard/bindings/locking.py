"""`invoke lock`: flattens the requirements of all packages and locks them."""

from __future__ import annotations

from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.engine import Engine
from monoyard.errors import ChecksFailedError, ConfigurationError
from monoyard.install import write_locks as compile_locks
from monoyard.suites import root_groups, third_party
from monoyard.workspace import Workspace


def write_locks(directory: Path, *, check: bool, upgrade: bool = False) -> None:
    """Write the workspace's lock and a slice for each Python service.

    Raises:
        ConfigurationError: The settings name no lock.
        ChecksFailedError: With `check`, a lock is not current.
    """
    engine = Engine(directory, announce)
    workspace = engine.workspace
    lock = workspace.settings.lock
    if lock is None:
        raise ConfigurationError(
            "no lock is named", hint='set `[tool.monoyard] lock = "requirements/workspace.txt"`'
        )
    wanted = {Path(lock).stem: _everything(workspace)}
    for name, package in workspace.packages.items():
        if package.role == "service" and package.kind == "python":
            wanted[name] = _run_time(workspace, name)
    changed = compile_locks(
        engine.repository.top, lock, wanted, engine.tools.ensure("pip-compile"),
        engine.interpreters.default(), engine.announce, check=check, upgrade=upgrade,
    )  # fmt: skip
    for path in changed:
        print(f"{'not current' if check else 'written'}: {path}")
    if check and changed:
        raise ChecksFailedError("a lock is not current: run `invoke lock`")
    if not changed:
        print("every lock is current")


def _everything(workspace: Workspace) -> tuple[str, ...]:
    """Return what any suite, any package and any build needs."""
    found = [item for group in root_groups(workspace).values() for item in group]
    for package in workspace.packages.values():
        if package.kind == "python":
            manifest = package.manifest
            found += [*manifest.requirements, *manifest.build_requires]
            found += [item for extra in manifest.extras.values() for item in extra]
            found += [item for group in manifest.groups.values() for item in group]
    return third_party(workspace, found)


def _run_time(workspace: Workspace, name: str) -> tuple[str, ...]:
    """Return what a service needs when it runs, its packages' requirements included."""
    found = list(workspace.packages[name].manifest.requirements)
    for other in workspace.graph.runtime_closure[name]:
        found += workspace.packages[other].manifest.requirements
    return third_party(workspace, found)
