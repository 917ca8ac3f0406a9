"""Edits that `git status` cannot see, in real repositories."""

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from monoyard.workspace import Repository, take_snapshot

_SECOND = 1_000_000_000  # nanoseconds


class Remembered:
    """A memo that lives as long as the test."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    def get_many(self, _namespace: str, keys: Iterable[str]) -> Mapping[str, bytes]:
        """Return what is known."""
        return {key: self.values[key] for key in keys if key in self.values}

    def put_many(self, _namespace: str, values: Mapping[str, bytes]) -> None:
        """Remember."""
        self.values.update(values)


class Checkout:
    """A committed file in a repository."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.file = top / "file.py"
        self.git("init", "-q")
        self.file.write_text("A = 1\n", encoding="utf-8")
        self.git("add", "-A")
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        self.git(*identity, "commit", "-qm", "all")

    def git(self, *words: str) -> None:
        """Run git."""
        subprocess.run(["git", *words], cwd=self.top, check=True)

    def edit(self, text: str) -> None:
        """Write other bytes of the same length, and put the modification time back."""
        before = self.file.stat()
        self.file.write_text(text, encoding="utf-8")
        os.utime(self.file, ns=(before.st_atime_ns, before.st_mtime_ns))

    def hide_edit(self, text: str) -> None:
        """Edit in the very second in which git read the file, however slow the machine is."""
        before, old = self.file.read_text("utf-8"), self.file.stat().st_mtime_ns
        while True:
            time.sleep(1.05 - time.time() % 1.0)
            os.utime(self.file, ns=(old, old))
            self.git("update-index", "--refresh")
            read = self.file.stat().st_ctime_ns // _SECOND
            self.edit(text)
            if self.file.stat().st_ctime_ns // _SECOND == read:
                return
            self.edit(before)

    def seen(self, memo: Remembered | None = None) -> str:
        """Return the digest that the engine takes for the file."""
        return take_snapshot(Repository.locate(self.top), memo).entries["file.py"]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A file that git has read in the very second in which it was written."""
    made = Checkout(tmp_path)
    old = made.file.stat().st_mtime_ns - 3_600_000_000_000
    os.utime(made.file, ns=(old, old))
    # At the start of a second, so that what follows happens within it.
    time.sleep(1.05 - time.time() % 1.0)
    os.utime(made.file, ns=(old, old))
    made.git("update-index", "--refresh")
    return made


def test_edit_in_the_second_in_which_git_read_the_file_is_seen(checkout: Checkout) -> None:
    """Same size, modification time put back, same second: the bytes on disk count."""
    before = checkout.seen()
    checkout.edit("A = 2\n")
    assert checkout.seen() != before
    checkout.edit("A = 1\n")
    assert checkout.seen() == before


def test_index_that_is_still_young_is_not_remembered(checkout: Checkout) -> None:
    """While an edit could still hide behind the second, every call compares again."""
    memo = Remembered()
    before = checkout.seen(memo)
    checkout.edit("A = 2\n")
    assert checkout.seen(memo) != before


def test_index_that_was_found_true_is_remembered(checkout: Checkout) -> None:
    """After a second git sees later edits by itself, so the index is not looked through again."""
    memo = Remembered()
    deadline = time.monotonic() + 60
    while not memo.values and time.monotonic() < deadline:
        before = checkout.seen(memo)
        time.sleep(0.2)  # a whole second has to pass: the clock is what is waited for
    assert memo.values
    checkout.edit("A = 2\n")
    assert checkout.seen(memo) != before


def test_hidden_edit_is_never_remembered_as_true(checkout: Checkout) -> None:
    """An index with an edit behind it is compared each time, however old it is."""
    before = checkout.seen()
    checkout.hide_edit("A = 2\n")
    memo = Remembered()
    time.sleep(1.1)  # an old index would be remembered if it were true
    assert checkout.seen(memo) != before
    assert not memo.values
    assert checkout.seen(memo) != before
