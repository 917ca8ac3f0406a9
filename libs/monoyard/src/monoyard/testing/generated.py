"""A generated repository for measurements: N packages that need each other as real ones do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MODULES: Final = 5
TESTS: Final = 10
_LAYERS: Final = 10


def generate(directory: Path, count: int, lock: str) -> None:
    """Write a repository of `count` packages; it is not committed.

    Each package has five modules and ten tests that import its dependencies, and imports one
    third-party distribution. Package number n needs up to three of a lower layer, so that the first
    ones are libraries of many and the last ones are leaves.

    Args:
        directory: An empty directory.
        count: Number of packages.
        lock: Text of a hash lock that has ruff, mypy, pytest and iniconfig.
    """
    for number in range(count):
        _package(directory, number, needs(number, count))
    (directory / "requirements.txt").write_text(lock, encoding="utf-8")
    (directory / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    (directory / "pyproject.toml").write_text(_ROOT, encoding="utf-8")
    (directory / "noxfile.py").write_text(_NOXFILE, encoding="utf-8")
    (directory / "tasks.py").write_text(_TASKS, encoding="utf-8")


def generate_services(directory: Path, count: int) -> None:
    """Write a repository of `count` services with an image each; it is not committed.

    Args:
        directory: An empty directory.
        count: Number of services.
    """
    for number in range(count):
        name = f"service_{number:04d}"
        place = directory / "packages" / name
        (place / "src" / name).mkdir(parents=True)
        (place / "pyproject.toml").write_text(_SERVICE.format(name=name), encoding="utf-8")
        (place / "src" / name / "__init__.py").write_text(
            f'"""Service {number}."""\n', encoding="utf-8"
        )
        (directory / f"{name}.txt").touch()
    (directory / "requirements.txt").touch()
    (directory / "debian.lock").write_text(
        'python = ["python3-minimal 3 amd64 00"]\n', encoding="utf-8"
    )
    (directory / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    (directory / "pyproject.toml").write_text(_SERVICES_ROOT, encoding="utf-8")
    (directory / "noxfile.py").write_text(_NOXFILE, encoding="utf-8")


def leaf_module(count: int) -> str:
    """Return the path of a module that no other package needs."""
    return f"packages/{package_name(count - 1)}/src/{package_name(count - 1)}/module_0.py"


def needs(number: int, count: int) -> list[int]:
    """Return the numbers of the packages that one of `count` needs directly."""
    width = max(1, count // _LAYERS)
    lower = (number // width) * width
    return sorted({(number * step) % lower for step in (1, 3, 7)}) if lower else []


def package_name(number: int) -> str:
    """Return how a package is called."""
    return f"package_{number:04d}"


def _package(directory: Path, number: int, needed: list[int]) -> None:
    name = package_name(number)
    place = directory / "packages" / name
    source, tests = place / "src" / name, place / "tests" / "unit"
    source.mkdir(parents=True)
    tests.mkdir(parents=True)
    wanted = ", ".join(f'"{package_name(need)}"' for need in needed)
    (place / "pyproject.toml").write_text(
        _MANIFEST.format(name=name, needs=wanted), encoding="utf-8"
    )
    (source / "__init__.py").write_text(f'"""Package {number}."""\n', encoding="utf-8")
    lines = [f"from {package_name(need)} import module_0 as need_{need}\n" for need in needed]
    imports = "".join(lines) + ("\n" if lines else "")
    total = "".join(f"    total += need_{need}.value(number)\n" for need in needed)
    for module in range(MODULES):
        (source / f"module_{module}.py").write_text(
            _MODULE.format(module=module, imports=imports, total=total), encoding="utf-8"
        )
    for test in range(TESTS):
        (tests / f"test_{test}.py").write_text(
            _TEST.format(name=name, module=test % MODULES, test=test), encoding="utf-8"
        )


_SERVICES_ROOT = """\
[tool.monoyard]
members = ["packages/*"]
lock = "requirements.txt"

[tool.monoyard.images]
lock = "debian.lock"

[tool.monoyard.images.bases.python]
packages = ["python3-minimal"]
"""

_SERVICE = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = []

[tool.monoyard]
role = "service"
"""

_ROOT = """\
[tool.monoyard]
members = ["packages/*"]
lock = "requirements.txt"

[tool.ruff.lint.isort]
known-first-party = ["package_*"]

[tool.mypy]
strict = true
"""
_NOXFILE = """\
from pathlib import Path

import nox

from monoyard.bindings.nox import register

register(Path(__file__).parent)


@nox.session(venv_backend="none")
def empty(session: nox.Session) -> None:
    \"\"\"Nothing: what nox itself costs.\"\"\"
"""
_TASKS = """\
from pathlib import Path

from invoke import Context, task

from monoyard.bindings.invoke import collection

namespace = collection(Path(__file__).parent)


@task
def empty(context: Context) -> None:
    \"\"\"Nothing: what invoke itself costs.\"\"\"
    del context


namespace.add_task(empty)
"""
_MANIFEST = """\
[project]
name = "{name}"
version = "0.1.0"
dependencies = [{needs}]

[dependency-groups]
test = ["iniconfig", "pytest"]
"""
_MODULE = '''\
"""Module {module}."""

{imports}
def value(number: int) -> int:
    """Return a number that depends on every package below."""
    total = number + {module}
{total}    return total
'''
_TEST = '''\
"""Tests of module {module}."""

import iniconfig

from {name} import module_{module}


def test_value_{test}() -> None:
    """The value grows with its argument."""
    assert iniconfig.__name__
    assert module_{module}.value({test} + 1) > module_{module}.value({test})
'''
