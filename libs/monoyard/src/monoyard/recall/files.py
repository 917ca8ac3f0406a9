"""Files on disk as git would store them."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from monoyard.tools import git


def file_digest(path: Path, algorithm: str) -> str | None:
    """Return `MODE DIGEST` of a file as git would store its bytes, or None where there is none."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return f"{git.LINK_MODE} {blob_id(os.fsencode(path.readlink()), algorithm)}"
        if not stat.S_ISREG(found.st_mode):
            return None
        mode = "100755" if found.st_mode & stat.S_IXUSR else "100644"
        return f"{mode} {blob_id(path.read_bytes(), algorithm)}"
    except OSError:
        return None


def blob_id(data: bytes, algorithm: str) -> str:
    """Return the object id that git would give bytes.

    Args:
        data: The bytes.
        algorithm: `sha1` or `sha256`.
    """
    header = b"blob %d\0" % len(data)
    return hashlib.new(algorithm, header + data, usedforsecurity=False).hexdigest()
