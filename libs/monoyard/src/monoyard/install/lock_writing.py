"""Writes locks: the whole workspace in one, and one slice for each service under its constraint."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from monoyard.errors import ConfigurationError, ToolError
from monoyard.install.uv import installer_environment
from monoyard.process import Command, capture
from monoyard.suites import Interpreter
from monoyard.tools import pip_compile


def write_locks(
    top: Path,
    lock: str,
    requirements: Mapping[str, Sequence[str]],
    program: Path,
    interpreter: Interpreter,
    announce: Callable[[str], None],
    *,
    check: bool = False,
    upgrade: bool = False,
) -> list[str]:
    """Compile locks and put those in place that differ.

    Args:
        top: Root of the work tree.
        lock: The workspace's lock, from the top.
        requirements: Name of a lock to its requirements; the first one is the workspace's.
        program: Path of pip-compile.
        interpreter: What the lock is for.
        announce: Called with one line before each lock.
        check: Change nothing.
        upgrade: Take the newest versions instead of keeping those locked.

    Returns:
        The locks that differ from what is there, from the top.

    Raises:
        ConfigurationError: Requirements contain something that cannot be locked.
        ToolError: pip-compile failed.
    """
    directory = (top / lock).parent
    changed = []
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        constraint: Path | None = None
        for name, wanted in requirements.items():
            announce(f"locking {name}")
            target = directory / f"{name}.txt"
            output = work / f"{name}.txt"
            if target.exists():
                shutil.copy2(target, output)
            source = work / f"{name}.in"
            source.write_text("".join(f"{item}\n" for item in wanted), encoding="utf-8")
            _compile(program, source, output, constraint, upgrade=upgrade, cwd=work)
            constraint = constraint or output
            text = _header(interpreter) + _without_paths(output.read_text("utf-8"), work)
            if not target.exists() or target.read_text("utf-8") != text:
                changed.append(target.relative_to(top).as_posix())
                if not check:
                    directory.mkdir(parents=True, exist_ok=True)
                    (directory / f"{name}.in").write_text(
                        source.read_text("utf-8"), encoding="utf-8"
                    )
                    target.write_text(text, encoding="utf-8")
    return changed


def _compile(
    program: Path, source: Path, output: Path, constraint: Path | None, *, upgrade: bool, cwd: Path
) -> None:
    constraints = [str(constraint)] if constraint else []
    argv = pip_compile.compile_lock(
        str(program),
        source=source.name,
        output=output.name,
        constraints=constraints,
        upgrade=upgrade,
    )
    done = capture(Command(argv, cwd, installer_environment(), dies_with_parent=True))
    if done.status != 0:
        if "Could not find a version" in done.stderr.decode("utf-8", "replace"):
            raise ConfigurationError(f"{source.stem} cannot be locked", context=done.last_lines)
        raise ToolError(f"pip-compile could not lock {source.stem}", context=done.last_lines)


def _header(interpreter: Interpreter) -> str:
    platform = interpreter.identity.split("-", 2)[-1]
    return (
        f"# Made by `invoke lock` for Python {interpreter.minor} on {platform}.\n"
        "# Do not edit: change a pyproject.toml and lock again.\n"
    )


def _without_paths(text: str, work: Path) -> str:
    """Name inputs by their file name: the temporary directory would make each lock differ."""
    return text.replace(f"{work}/", "")
