"""The command of the suite `integration` of these repositories: prints digests of all it can read.

It knows nothing of the engine: own files from git's listing, `src` of the siblings that manifests
and imports lead to, what the lock says of the distributions that these declare, `unowned` at the
root, and declared files and variables. It fails where one of the files says `FAIL`. A replayed log
that differs from a fresh one is a false hit.
"""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

IMPORT = re.compile(r"\b(?:import|from)\s+(\w+)|import_module\(\"(\w+)")


def listed(package: Path, places: list[str]) -> list[tuple[str, str]]:
    """Return (path, git's flag) of all files that git does not ignore, but for nested packages'."""
    argv = ["git", "ls-files", "-zt", "--cached", "--others", "--exclude-standard", "--", *places]
    said = subprocess.run(argv, cwd=package, capture_output=True, check=True).stdout
    entries = (os.fsdecode(item) for item in said.split(b"\0") if item)
    nested = tuple(
        f"{item.parent.relative_to(package)}/" for item in package.glob("*/pyproject.toml")
    )
    return sorted((entry[2:], entry[0]) for entry in entries if not entry[2:].startswith(nested))


def root_of(package: Path) -> Path:
    """Return the directory that holds the lock: packages may lie in others' directories."""
    return next(place for place in package.parents if (place / "requirements.txt").exists())


def unignored(package: Path, place: Path) -> list[Path]:
    """Return the files below a directory; in the tree of the package those git does not ignore."""
    below = sorted(item for item in place.rglob("*") if item.is_file())
    found = [item for item in below if not {".git", ".monoyard"} & {*item.parts}]
    if not place.resolve().is_relative_to(root_of(package).resolve()):
        return found
    paths = {str(item.relative_to(place)): item for item in found}
    argv = ["git", "check-ignore", "-z", "--stdin"]
    said = subprocess.run(
        argv, cwd=place, input=os.fsencode("\0".join(paths)), capture_output=True, check=False
    ).stdout
    ignored = {os.fsdecode(name) for name in said.split(b"\0")}
    return [item for path, item in paths.items() if path not in ignored]


def content(package: Path, path: str, flag: str) -> bytes:
    """Return mode and bytes of a file as a program would find them."""
    place = package / path
    if place.is_dir():
        files = (str(item.relative_to(package)) for item in unignored(package, place))
        return b"".join(content(package, path, flag) for path in files)
    if not os.path.lexists(place):
        if flag != "S":  # left out by a sparse checkout: unchanged
            return b"absent"
        argv = ["git", "cat-file", "blob", f":{path}" if path.startswith("../") else f":./{path}"]
        return b"-" + subprocess.run(argv, cwd=package, capture_output=True, check=True).stdout
    mode = b"x" if os.access(place, os.X_OK) and place.stat().st_mode & 0o100 else b"-"
    return mode + place.read_bytes() if place.exists() else b"dangling"


def manifest(package: Path) -> dict[str, Any]:
    """Return a package's manifest; an empty one where there is none."""
    path = package / "pyproject.toml"
    return tomllib.loads(path.read_text()) if path.exists() else {}


def declared(package: Path) -> set[str]:
    """Return the names of what a package declares to need."""
    listed = manifest(package).get("project", {}).get("dependencies", [])
    return {re.split(r"[^\w.-]", item)[0] for item in listed}


def needed(package: Path, place: Path) -> set[str]:
    """Return the names of the siblings that a package declares, or imports below a directory."""
    names = declared(package)
    for path in place.rglob("*.py"):
        for found in IMPORT.findall(path.read_text(errors="replace")):
            names.update(found)
    return {name for name in names if name and (package.parent / name).is_dir()} - {package.name}


def closure_of(package: Path) -> set[str]:
    """Return the names of all siblings that a package can reach; nobody imports others' tests."""
    found: set[str] = set()
    queue = list(needed(package, package))
    while queue:
        if (name := queue.pop()) not in found:
            found.add(name)
            queue += needed(package.parent / name, package.parent / name / "src")
    return found


def further(package: Path, table: dict[str, Any]) -> list[str]:
    """Return the declared files that are there, and unignored ones that no package owns."""
    top = root_of(package)
    patterns = [item.lstrip("/") for item in table.get("inputs", ())]
    found = [path for item in patterns for path in top.glob(item)]
    if (top / "unowned").is_dir():
        found += unignored(package, top / "unowned")
    return sorted({os.path.relpath(path, package) for path in found if path.is_file()})


def locked(package: Path, names: set[str]) -> list[str]:
    """Return the pins of distributions."""
    pins = (root_of(package) / "requirements.txt").read_text().splitlines()
    return [pin.split()[0] for pin in pins if pin.partition("==")[0] in names]


def testify(package: Path, words: Sequence[str], environment: Mapping[str, str]) -> tuple[str, int]:
    """Return what a package reads, and the exit status that this comes to."""
    table = manifest(package).get("tool", {}).get("monoyard", {}).get("suites", {})
    table = table.get("integration", {})
    closure = closure_of(package)
    files = listed(package, [".", *(f"../{name}/src" for name in sorted(closure))])
    files += [(path, "-") for path in further(package, table)]
    status, lines = 0, []
    for path, flag in files:
        data = content(package, path, flag)
        if data == b"absent":  # gone, whether git has been told so or not
            continue
        status |= b"FAIL" in data
        lines.append(f"{path!a} {hashlib.sha256(data).hexdigest()}")
    seen = [f"{name}={environment.get(name)}" for name in table.get("env", ())]
    reached = [declared(package.parent / name) for name in (package.name, *closure)]
    lines.append(" ".join((*words, *seen, *locked(package, set().union(*reached)))))
    return "\n".join(lines) + "\n", status


if __name__ == "__main__":
    text, status = testify(Path.cwd(), sys.argv[1:], os.environ)
    sys.stdout.write(text)
    sys.exit(status)
