"""Which files are doubtful to a tool that goes by size and second of modification."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monoyard.run.seen_files import SeenFiles


class Checkout:
    """Python files, and the cache of a tool that reads them."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.content = top / "cache" / "of the tool"
        self.fill()

    def fill(self) -> None:
        """Put something into the cache."""
        self.content.parent.mkdir(parents=True, exist_ok=True)
        self.content.touch()

    def write(self, path: str, text: str, second: int) -> None:
        """Write a file as if in a certain second, until its record is seen to change."""
        place = self.top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        before = place.stat().st_ctime_ns if place.exists() else 0
        while not place.exists() or place.stat().st_ctime_ns == before:
            place.write_text(text, encoding="utf-8")
        os.utime(place, (second, second))

    def seen(self) -> SeenFiles:
        """Return the memory beside the cache, as a new process would read it."""
        return SeenFiles(self.content.parent, self.top, self._files)

    def use(self) -> tuple[str, ...]:
        """Use the cache once; return what was doubtful."""
        seen = self.seen()
        doubtful = seen.begin()
        seen.end()
        return doubtful

    def _files(self) -> list[str]:
        return [path.relative_to(self.top).as_posix() for path in self.top.rglob("*.py")]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """One file, and a cache that was used with it."""
    made = Checkout(tmp_path / "top")
    made.write("a.py", "A = 1\n", 1000)
    assert made.use() == ()
    made.fill()
    return made


def test_a_cache_of_which_nothing_is_known_is_emptied(tmp_path: Path) -> None:
    """What another program filled a cache from is unknown, so it does not stay."""
    made = Checkout(tmp_path / "top")
    made.use()
    assert not made.content.exists()


def test_files_that_are_what_they_were(checkout: Checkout) -> None:
    """Untouched files, later edits and new files are believed, and the cache stays."""
    assert checkout.use() == ()
    checkout.write("a.py", "A = 2\n", 1001)
    checkout.write("b.py", "B = 1\n", 1000)
    assert checkout.use() == ()
    assert checkout.content.exists()


def test_an_edit_with_the_time_put_back(checkout: Checkout) -> None:
    """It is doubtful, and stays so: nobody says when the tool reads that file."""
    checkout.write("a.py", "A = 2\n", 1000)
    assert checkout.use() == checkout.use() == ("a.py",)
    checkout.write("a.py", "A = 3\n", 1001)
    assert checkout.use() == ()


def test_an_edit_back_to_the_time_of_long_ago(checkout: Checkout) -> None:
    """The cache may still know what a file was several uses ago."""
    checkout.write("a.py", "A = 2\n", 1001)
    assert checkout.use() == ()
    checkout.write("a.py", "A = 3\n", 1000)
    assert checkout.use() == ("a.py",)


def test_another_size_with_the_same_time(checkout: Checkout) -> None:
    """A tool that compares sizes as well sees that edit itself."""
    checkout.write("a.py", "A = 22\n", 1000)
    assert checkout.use() == ()


def test_a_file_that_another_replaces(checkout: Checkout) -> None:
    """A file that was moved over one of the same size and time is another file."""
    for name in ("x", "y"):
        checkout.write(f"{name}/b.py", f"{name} = 1\n", 1000)
    checkout.use()
    (checkout.top / "x").rename(checkout.top / "z")
    (checkout.top / "y").rename(checkout.top / "x")
    assert "x/b.py" in checkout.use()


def test_edits_while_the_tool_runs(checkout: Checkout) -> None:
    """Of a file that is edited or made meanwhile nobody knows which version the tool read."""
    seen = checkout.seen()
    assert seen.begin() == ()
    checkout.write("a.py", "A = 2\n", 1001)
    checkout.write("b.py", "B = 1\n", 1001)
    seen.end()
    assert sorted(checkout.use()) == ["a.py", "b.py"]


def test_a_use_that_was_killed(checkout: Checkout) -> None:
    """Of a use whose end nobody saw the same holds for all edits since it began."""
    assert checkout.seen().begin() == ()
    checkout.write("a.py", "A = 2\n", 1001)
    checkout.write("b.py", "B = 1\n", 1001)
    assert sorted(checkout.use()) == ["a.py", "b.py"]


def test_many_doubtful_files(checkout: Checkout) -> None:
    """Where much is doubtful, as after a copy of everything, the cache is emptied instead."""
    names = [f"{number}.py" for number in range(101)]
    for name in names:
        checkout.write(name, "A = 1\n", 1000)
    checkout.use()
    for name in names:
        checkout.write(name, "A = 2\n", 1000)
    assert checkout.use() == ()
    assert not checkout.content.exists()
    assert checkout.use() == ()
