"""mmdebstrap: a root file system from Debian packages. Tested with 1.3."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_LINE: Final = re.compile(r"^([0-9a-f]{64})  (?:\./)?([^_/\s]+)_([^_/\s]+)_([^_/\s]+)\.deb$")
_VANISHED: Final = re.compile(r"Version '([^']+)' for '([^']+)' was not found")


def make_root(
    program: Path, release: str, packages: Iterable[str], root: Path, listing: Path
) -> tuple[str, ...]:
    """Return the call that unpacks packages, and all they depend on, into a tar.

    Nothing of the packages is executed: what they set up when installed is not there, and two
    calls give the same bytes.

    Args:
        program: mmdebstrap.
        release: Debian release.
        packages: `NAME`, or `NAME=VERSION`.
        root: The tar to write.
        listing: File to write the packages to; see `parse_listing`.
    """
    hook = f'cd "$1/var/cache/apt/archives" && sha256sum *.deb >{shlex.quote(str(listing))}'
    return (
        str(program), "--variant=extract", f"--include={','.join(packages)}",
        f"--extract-hook={hook}", "--format=tar", release, str(root),
    )  # fmt: skip


def parse_listing(said: str) -> tuple[tuple[str, str, str, str], ...]:
    """Return (name, version, architecture, SHA-256) of every package, sorted.

    Raises:
        ValueError: A line is no package.
    """
    found = []
    for line in said.splitlines():
        match = _LINE.match(line)
        if match is None:
            raise ValueError(f"no package: {line!r}")
        digest, name, version, architecture = match.groups()
        found.append((name, version.replace("%3a", ":"), architecture, digest))
    return tuple(sorted(found))


def vanished(said: str) -> tuple[tuple[str, str], ...]:
    """Return (name, version) of packages that apt says are not in the archive."""
    return tuple((name, version) for version, name in _VANISHED.findall(said))
