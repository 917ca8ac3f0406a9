"""Packages that are checked with several interpreters, and with one that is not there."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Checkout

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
MISSING = "3.99"
SEES_ITS_VERSION = """
    import sys
    from pathlib import Path


    def test_it() -> None:
        venv = Path(sys.prefix).name
        with Path("seen").open("a") as seen:
            seen.write(f"{venv} ")
"""
# Leads to the interpreter that runs the tests, and answers as one of a further version would: what
# counts is that each version is asked for by name and has tasks and a venv of its own.
SECOND = "3.98"
SHIM = """\
#!/bin/sh
printf '%s\\n' '{base}' {version}.1 cpython linux-test
"""


def pythons(*versions: str) -> str:
    """Return a package's table that asks for interpreters."""
    return f"[tool.monoyard]\npythons = {list(versions)}\n"


def test_missing_interpreter_is_a_named_skip_and_an_error_in_ci(empty: "Checkout") -> None:
    """What cannot be checked here is skipped with its reason, never passed, and refused in CI."""
    empty.package("alpha", table=pythons(OWN, MISSING))
    empty.commit()
    ended = empty.nox("unit")
    assert ended.code == 0, ended.text
    assert f"PASS  alpha:unit@{OWN} (1 passed)" in ended.err
    assert f"skipped: alpha:unit@{MISSING}: Python {MISSING} was not found" in ended.out
    assert "PASS: 2 tasks, 1 skipped" in ended.out
    assert f"skip  alpha:unit@{MISSING}" in empty.invoke("plan").out
    ended = empty.nox("unit", env={"CI": "true"})
    assert ended.code == 20, ended.text
    assert f"error[skip-in-ci]: CI cannot run alpha:unit@{MISSING}" in ended.err
    assert "hint: install what is missing; at the desk this is a skip" in ended.err


def test_each_interpreter_has_its_own_task_and_venv(empty: "Checkout", tmp_path: Path) -> None:
    """With two interpreters every suite is two tasks, in two venvs, with two keys."""
    shim = tmp_path / f"python{SECOND}"
    base = getattr(sys, "_base_executable", sys.executable)
    shim.write_text(SHIM.format(base=base, version=SECOND), encoding="utf-8")
    shim.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    empty.package("alpha", table=pythons(OWN, SECOND), test=SEES_ITS_VERSION)
    empty.write(".gitignore", "__pycache__/\nseen\n")
    empty.commit()
    both = (f"alpha:unit@{OWN}", f"alpha:unit@{SECOND}")
    assert empty.outcomes("unit", env={"PATH": path}) == dict.fromkeys(both, "pass")
    venvs = (empty.top / "libs/alpha/seen").read_text("utf-8").split()
    assert len(set(venvs)) == len(venvs) == 2
    keys = {task["key"] for task in empty.record()["plan"]["tasks"] if task["id"] in both}
    assert len(keys) == 2
    assert empty.outcomes("unit", env={"PATH": path}) == dict.fromkeys(both, "cached")


def test_requires_python_is_respected(empty: "Checkout") -> None:
    """A package that allows no interpreter of this machine is skipped, with the reason."""
    empty.package("alpha")
    manifest = empty.top / "libs/alpha/pyproject.toml"
    text = manifest.read_text("utf-8")
    told = text.replace("\nversion", f'\nrequires-python = ">={MISSING}"\nversion')
    manifest.write_text(told, encoding="utf-8")
    assert empty.outcomes("unit") == {"alpha:unit": "skip"}
    assert empty.result("alpha:unit")["reason"] == f"no Python >={MISSING} was found"
