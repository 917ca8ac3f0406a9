"""Finds edits that `git status` cannot see: same size, same modification time, same second.

git compares the time of the last change of a file's record (ctime) by the second only. A file that
is rewritten in the second in which git read it, and whose modification time is put back (`cp -p`,
`rsync -t`), looks untouched for ever. The index holds nanoseconds, so the comparison is made here.
Once a second has passed, later edits are seen by git itself: an index whose entries were all found
true is remembered and not looked through again.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable

from monoyard.tools import git
from monoyard.workspace.memo import Memo
from monoyard.workspace.repository import Repository

_NAMESPACE = "true-index"
_CHECKSUM_SIZES = {"sha1": 20, "sha256": 32}


class IndexTimes:
    """The comparison for one reading of a work tree.

    Args:
        repository: The repository.
        memo: Remembers indexes that were found true; None compares each time.
    """

    def __init__(self, repository: Repository, memo: Memo | None) -> None:
        self._repository = repository
        self._memo = memo
        self._key = self._read_key()
        self._began = time.time()
        self._newest = 0
        known = memo is not None and self._key and memo.get_many(_NAMESPACE, [self._key])
        self._is_known = bool(known)

    def question(self) -> tuple[tuple[str, ...], ...]:
        """Return what git has to be asked, if anything."""
        return () if self._is_known else (git.list_index_times(),)

    def touched(self, answers: Iterable[bytes], paths: Iterable[str]) -> dict[str, bool]:
        """Return the paths whose file was touched after git read it.

        Args:
            answers: What git said to `question`.
            paths: Tracked files.

        Returns:
            Path to whether git can overlook it, because it was touched in the same second.
        """
        found: dict[str, bool] = {}
        for answer in answers:
            times = git.parse_index_times(answer)
            self._newest = max((seconds for seconds, _ in times.values()), default=0)
            top = f"{self._repository.top}/"
            # A path without times means a format that is not understood: its file is read.
            for path in paths:
                known = times.get(path, (0, 0))
                now = _changed_at(top + path)
                if now != known:
                    found[path] = now[0] == known[0]
        return found

    @property
    def is_true(self) -> bool:
        """Whether git sees every edit of what the index lists by itself."""
        return self._is_known

    def remember(self, *, is_true: bool) -> None:
        """Keep that the index was found true, if git will see every later edit by itself."""
        if self._memo is None or self._is_known or not self._key or not is_true:
            return
        if self._newest < int(self._began) and self._read_key() == self._key:
            self._memo.put_many(_NAMESPACE, {self._key: b"1"})
            self._is_known = True

    def _read_key(self) -> str:
        """Return what names this state of the index; empty where it has no checksum."""
        size = _CHECKSUM_SIZES.get(self._repository.object_format, 20)
        index = self._repository.git_directory / "index"
        try:
            with index.open("rb") as file:
                file.seek(-size, os.SEEK_END)
                checksum = file.read(size)
        except OSError:
            return ""
        if not any(checksum):  # index.skipHash
            return ""
        return hashlib.sha256(os.fsencode(index) + b"\0" + checksum).hexdigest()


def _changed_at(path: str) -> tuple[int, int]:
    """Return (seconds, nanoseconds) of a file's last change; something impossible where none is."""
    try:
        return divmod(os.lstat(path).st_ctime_ns, 1_000_000_000)
    except OSError:
        return (-1, -1)
