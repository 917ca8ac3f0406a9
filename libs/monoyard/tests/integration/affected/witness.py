"""The command of the suite `integration` of these repositories: prints a digest of all it can read.

It knows nothing of the engine: own files from git's listing, `src` of the siblings that manifests
and imports lead to. A replayed log that differs from a fresh one is a false hit.
"""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

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


def content(package: Path, path: str, flag: str) -> bytes:
    """Return mode and bytes of a file as a program would find them."""
    place = package / path
    if place.is_dir():
        below = sorted(item for item in place.rglob("*") if item.is_file())
        files = [item for item in below if not {".git", ".monoyard"} & {*item.parts}]
        return b"".join(content(package, str(item.relative_to(package)), flag) for item in files)
    if not os.path.lexists(place):
        if flag != "S":  # left out by a sparse checkout: unchanged
            return b"absent"
        argv = ["git", "cat-file", "blob", f":{path}" if path.startswith("../") else f":./{path}"]
        return b"-" + subprocess.run(argv, cwd=package, capture_output=True, check=True).stdout
    mode = b"x" if os.access(place, os.X_OK) and place.stat().st_mode & 0o100 else b"-"
    return mode + place.read_bytes() if place.exists() else b"dangling"


def needed(package: Path) -> set[str]:
    """Return the names of the siblings that a package declares or imports."""
    manifest = package / "pyproject.toml"
    project = tomllib.loads(manifest.read_text())["project"] if manifest.exists() else {}
    names = {re.split(r"[^\w.-]", item)[0] for item in project.get("dependencies", [])}
    for path in package.rglob("*.py"):
        for found in IMPORT.findall(path.read_text(errors="replace")):
            names.update(found)
    return {name for name in names if name and (package.parent / name).is_dir()} - {package.name}


def main() -> None:
    """Print the digest of the package in the working directory."""
    package = Path.cwd()
    digest = hashlib.sha256()
    closure: set[str] = set()
    queue = list(needed(package))
    while queue:
        if (name := queue.pop()) not in closure:
            closure.add(name)
            queue += needed(package.parent / name)
    for path, flag in listed(package, [".", *(f"../{name}/src" for name in sorted(closure))]):
        digest.update(f"{path}\0".encode("utf-8", "surrogateescape"))
        digest.update(hashlib.sha256(content(package, path, flag)).digest())
    sys.stdout.write(f"{digest.hexdigest()}\n")


main()
