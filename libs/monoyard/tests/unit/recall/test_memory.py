"""Remembered runs on disk."""

from dataclasses import replace
from pathlib import Path

import pytest

from monoyard.recall import Memory, RememberedRun

RUN = RememberedRun(
    "state", "/store", ("ab" * 32,), ("", "lint 1 of 1 passed"), "PASS: 1 task in ",
    {"run": "", "seconds": 0.0}, b'"notes":[]}', b"<testsuites/>",
)  # fmt: skip


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """An empty memory."""
    return Memory(tmp_path)


def test_what_was_kept_comes_back(memory: Memory) -> None:
    """A run comes back as it was, for the same state and words alone, the latest of them."""
    memory.remember("static", ("ci",), replace(RUN, state="older"))
    memory.remember("static", ("ci",), RUN)
    assert memory.recall("static", ("ci",)) == RUN
    assert memory.recall("static", ("ci", "api")) is None
    assert memory.recall("other", ("ci",)) is None


def test_damage_is_nothing_known(memory: Memory, tmp_path: Path) -> None:
    """A flipped bit or a half-written file is no run."""
    memory.remember("static", ("ci",), RUN)
    (place,) = (tmp_path / "seen").iterdir()
    whole = place.read_bytes()
    for damaged in (whole[:-1], whole.replace(b"PASS", b"FAIL"), b"", b"\n"):
        place.write_bytes(damaged)
        assert memory.recall("static", ("ci",)) is None


def test_the_oldest_go(memory: Memory, tmp_path: Path) -> None:
    """Of many runs the newest eight are kept."""
    for number in range(10):
        memory.remember(str(number), (), RUN)
    assert len(list((tmp_path / "seen").iterdir())) == 8
    assert memory.recall("9", ()) == RUN


def test_a_full_disk_costs_nothing(tmp_path: Path) -> None:
    """Where nothing can be kept, nothing is known the next time."""
    (tmp_path / "seen").write_text("in the way", encoding="utf-8")
    memory = Memory(tmp_path)
    memory.remember("static", (), RUN)
    assert memory.recall("static", ()) is None
