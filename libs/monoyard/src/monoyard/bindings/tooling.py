"""The tools tasks of the invoke door."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.engine import Engine
from monoyard.bindings.registry_place import port_on_loopback
from monoyard.config import suggest
from monoyard.errors import UsageError
from monoyard.install import GROUPS, REGISTRY_PORT, TABLE, Daemons
from monoyard.process import kill_running

_AT_ONCE = 2


def show_tools(directory: Path) -> None:
    """Print the table of tools; one that is not here yet is not fetched for it."""
    engine = Engine(directory, announce)
    here = {tool.name: engine.tools.installed_version(tool.name) for tool in TABLE}
    width, version_width = max(map(len, here)), max(map(len, here.values()))
    for tool in TABLE:
        said = f"{tool.purpose}; from {tool.found}"
        print(f"{tool.name:{width}}  {here[tool.name]:{version_width}}  {said}")


def set_up_tools(directory: Path, names: Sequence[str]) -> None:
    """Fetch tools, two at a time.

    Args:
        directory: A directory of the repository.
        names: Tools or groups of tools; none means what the checks use.

    Raises:
        UsageError: There is no tool or group of that name.
        MachineError: One cannot be had.
    """
    known: dict[str, tuple[str, ...]] = {tool.name: (tool.name,) for tool in TABLE}
    for group in GROUPS:
        known[group] = tuple(tool.name for tool in TABLE if tool.group == group)
    for name in names:
        if name not in known:
            raise UsageError(f"there is no tool `{name}`{suggest(name, known)}")
    engine = Engine(directory, announce)
    wanted = dict.fromkeys(name for item in names or (GROUPS[0],) for name in known[item])
    engine.tools.expect(wanted)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            for _ in pool.map(engine.tools.ensure, wanted):
                continue  # the first error is raised here
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            kill_running()  # what the other thread waits for
            raise
    show_tools(directory)


def start_daemon(directory: Path, name: str) -> None:
    """Start a Docker engine or a registry, which then stays; say where it answers.

    The registry takes the port that images are published to, where that is one of this machine.

    Raises:
        MachineError: It cannot be started.
        UsageError: There is no such daemon.
    """
    engine = Engine(directory, announce)
    print(f"{name} answers at {_daemons(engine).start(name)}")


def stop_daemon(directory: Path, name: str) -> None:
    """Stop what `start_daemon` started.

    Raises:
        UsageError: There is no such daemon.
    """
    engine = Engine(directory, announce)
    was_there = _daemons(engine).stop(name)
    print(f"{name} {'was stopped' if was_there else 'was not started from here'}")


def _daemons(engine: Engine) -> Daemons:
    port = port_on_loopback(engine) or REGISTRY_PORT
    return Daemons(engine.tools, engine.kept / "daemons", port)
