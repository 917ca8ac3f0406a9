"""Other tools over the same packages: turbo, doit and xargs, each running the same commands."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.testing.generated import TESTS, needs, package_name

SUITES: Final = ("lint", "type", "unit")
PROCESSORS: Final = 2
_SAYS: Final = {
    "lint": "All checks passed!", "type": "Success: no issues found", "unit": f"{TESTS} passed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rival:
    """A tool that runs checks of many packages.

    Attributes:
        name: How it is called.
        argv: What runs every check.
        remembers: Whether it knows that nothing has changed.
        leaves: What it keeps, from the top.
    """

    name: str
    argv: tuple[str, ...]
    remembers: bool
    leaves: tuple[str, ...] = ()


def find_rivals(turbo: str, doit: str) -> tuple[Rival, ...]:
    """Return the tools.

    Args:
        turbo: Its native program, or empty where there is none.
        doit: The program.
    """
    once = (
        "turbo", (turbo, "run", *SUITES, f"--concurrency={PROCESSORS}", "--env-mode=loose"), True,
        (".turbo", "node_modules"),
    )  # fmt: skip
    xargs = ("xargs", "-a", "checks.txt")
    return (
        *((Rival(*once),) if turbo else ()),
        Rival("doit", (doit, "-n", str(PROCESSORS)), remembers=True),
        Rival("xargs", (*xargs, "-P", str(PROCESSORS), "-n", "2", "./check.sh"), remembers=False),
    )  # fmt: skip


def set_up(top: Path, count: int, venv: Path, *, is_idle: bool) -> None:
    """Write what the rivals need into a generated repository.

    Args:
        top: The repository.
        count: Its packages.
        venv: Where ruff, mypy, pytest and what the packages need are installed.
        is_idle: The checks do nothing: what it costs to find that nothing has changed does not
            hang on what they did.
    """
    closures = _closures(count)
    script = top / "check.sh"
    text = "#!/bin/sh\n" if is_idle else _SCRIPT.format(top=top, programs=venv / "bin")
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    names = [package_name(number) for number in range(count)]
    lines = [f"{suite} {name}\n" for name in names for suite in SUITES]
    (top / "checks.txt").write_text("".join(lines), encoding="utf-8")
    for number, name in enumerate(names):
        place = top / "packages" / name
        path = ":".join(
            f"{top}/packages/{package_name(other)}/src" for other in (number, *closures[number])
        )
        (place / "path.txt").write_text(path, encoding="utf-8")
        manifest = {
            "name": name,
            "version": "0.1.0",
            "scripts": {suite: f"../../check.sh {suite} {name}" for suite in SUITES},
            "dependencies": {package_name(need): "*" for need in needs(number, count)},
        }
        _write(place / "package.json", manifest)
    root = {
        "name": "root", "version": "0.1.0", "private": True, "workspaces": ["packages/*"],
        "packageManager": "npm@11.0.0", "scripts": {"empty": "true"},
    }  # fmt: skip
    _write(top / "package.json", root)
    # A task without a script in between makes the files of dependencies count for the dependents.
    tasks = {suite: {"dependsOn": ["below"]} for suite in SUITES}
    tasks["below"] = {"dependsOn": ["^below"]}
    _write(top / "turbo.json", {"globalDependencies": ["check.sh"], "tasks": tasks})
    needed = {
        name: [package_name(other) for other in closures[number]]
        for number, name in enumerate(names)
    }
    (top / "dodo.py").write_text(_DODO.format(needed=json.dumps(needed)), encoding="utf-8")
    ignored = "__pycache__/\noutputs/\n.turbo/\nnode_modules/\n.doit.db*\n.mypy_cache/\n"
    (top / ".gitignore").write_text(ignored, encoding="utf-8")


def forget(top: Path, rival: Rival) -> None:
    """Remove what a tool and its checks have left."""
    for name in ("outputs", ".mypy_cache", *rival.leaves):
        shutil.rmtree(top / name, ignore_errors=True)
    for path in (*top.glob(".doit.db*"), *top.glob("packages/*/.turbo")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (top / "outputs").mkdir()


def has_passed(top: Path, count: int) -> bool:
    """Say whether what the checks printed is that each has passed, with as many tests as ours."""
    return all(
        said in (top / "outputs" / f"{package_name(number)}.{suite}").read_text("utf-8")
        for number in range(count)
        for suite, said in _SAYS.items()
    )


def ours_passed(record: Path, count: int) -> bool:
    """Say the same of a run's record."""
    results = json.loads(record.read_text("utf-8"))["results"]
    passed = {item["task"] for item in results if item["outcome"] == "pass"}
    tests = sum((item["tests"] or {}).get("passed", 0) for item in results)
    wanted = {f"{package_name(number)}:{suite}" for number in range(count) for suite in SUITES}
    return passed == wanted and tests == TESTS * count


def _closures(count: int) -> list[list[int]]:
    found: list[list[int]] = []
    for number in range(count):
        direct = needs(number, count)
        found.append(sorted({*direct, *(one for need in direct for one in found[need])}))
    return found


def _write(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


_SCRIPT: Final = """\
#!/bin/sh
# check.sh SUITE PACKAGE: the tools on one package, what they say into `outputs`.
cd {top}
PATH={programs}:$PATH
path=$(cat packages/$2/path.txt)
run() {{
  case $1 in
  lint) ruff check --no-cache -- packages/$2 && ruff format --check --no-cache -- packages/$2 ;;
  type) MYPYPATH=$path mypy --explicit-package-bases --namespace-packages -- \\
      packages/$2/src packages/$2/tests ;;
  unit) PYTHONPATH=$path python -m pytest -q -p no:cacheprovider -c /dev/null \\
      --rootdir=packages/$2 packages/$2/tests/unit ;;
  esac
}}
run $1 $2 > outputs/$2.$1
"""
_DODO: Final = """\
from pathlib import Path

NEEDED = {needed}
DOIT_CONFIG = {{"verbosity": 0}}


def files(name, below):
    return [str(path) for path in sorted(Path("packages", name, below).rglob("*.py"))]


def task_check():
    for name, needed in NEEDED.items():
        found = [path for other in needed for path in files(other, "src")]
        found += files(name, ".") + ["packages/" + name + "/pyproject.toml"]
        for suite in ("lint", "type", "unit"):
            action = "./check.sh " + suite + " " + name
            yield {{"name": name + ":" + suite, "actions": [action], "file_dep": found}}
"""
