"""mmdebstrap: a root file system from Debian packages. Tested with 1.3."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_LINE: Final = re.compile(r"^([0-9a-f]{64})  (?:\./)?([^_/\s]+)_([^_/\s]+)_([^_/\s]+)\.deb$")
_VANISHED: Final = re.compile(r"Version '([^']+)' for '([^']+)' was not found")


_NUMBERS: Final = {"bookworm": "12", "trixie": "13", "forky": "14", "duke": "15"}

# What the installation of packages would have set up, and services and scanners need.
_SET_UP: Final = """\
cd "$1"
printf '%s\\n' root:x:0:0:root:/nonexistent:/usr/sbin/nologin \\
    app:x:10001:10001::/nonexistent:/usr/sbin/nologin >etc/passwd
printf '%s\\n' root:x:0: app:x:10001: >etc/group
if test -d usr/share/ca-certificates; then
    mkdir -p etc/ssl/certs
    find usr/share/ca-certificates -name '*.crt' | LC_ALL=C sort | xargs cat \\
        >etc/ssl/certs/ca-certificates.crt
fi
test -e etc/os-release || printf '%s\\n' ID=debian VERSION_CODENAME=@RELEASE@ @NUMBER@ \\
    >etc/os-release
mkdir -p var/lib/dpkg/status.d
for package in var/cache/apt/archives/*.deb; do
    name=$(dpkg-deb --field "$package" Package)
    dpkg-deb --field "$package" >"var/lib/dpkg/status.d/$name"
done
"""


def make_root(
    program: Path, release: str, packages: Iterable[str], root: Path, listing: Path
) -> tuple[str, ...]:
    """Return the call that unpacks packages, and all they depend on, into a tar.

    Nothing of the packages is executed: what they set up when installed is not there, but for
    users (root, and `app` with number 10001), certificates, the release's name, and a record of
    each package below `/var/lib/dpkg/status.d`, where scanners look for it. Two calls give the
    same bytes.

    Args:
        program: mmdebstrap.
        release: Debian release.
        packages: `NAME`, or `NAME=VERSION`.
        root: The tar to write.
        listing: File to write the packages to; see `parse_listing`.
    """
    number = f"VERSION_ID={_NUMBERS[release]}" if release in _NUMBERS else ""
    set_up = _SET_UP.replace("@RELEASE@", release).replace("@NUMBER@", number)
    listed = f'cd "$1/var/cache/apt/archives" && sha256sum *.deb >{shlex.quote(str(listing))}'
    return (
        str(program), "--variant=extract", f"--include={','.join(packages)}",
        f"--extract-hook={listed}", f"--extract-hook={set_up}", "--format=tar", release,
        str(root),
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
