"""Processes that are found again."""

import os
import shutil
from pathlib import Path

import pytest

from monoyard.cluster.records import Records, began, end, mount_namespace_of, of_namespace

SLEEP = shutil.which("sleep") or "sleep"


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Records in an empty directory."""
    return Records(tmp_path)


def test_a_program_is_started_once_and_found_again(records: Records) -> None:
    """A second start returns the first one's process; after stopping there is none."""
    pid = records.start("one", (SLEEP, "600"))
    try:
        assert Records(records.directory).start("one", (SLEEP, "600")) == pid
    finally:
        assert records.stop("one")
    assert records.living("one") is None
    assert not records.stop("one"), "it was gone"


def test_a_number_that_is_anothers_by_now_is_not_ours(records: Records) -> None:
    """A record whose start time does not fit is of a process that has ended."""
    records.directory.joinpath("one.pid").write_text(f"{os.getpid()} 1", encoding="utf-8")
    assert records.living("one") is None
    records.directory.joinpath("one.pid").write_text("nonsense", encoding="utf-8")
    assert records.living("one") is None


def test_what_refuses_to_end_is_killed(records: Records) -> None:
    """A process that ignores SIGTERM is gone after the grace."""
    pid = records.start("deaf", ("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"))
    while "deaf" not in records.last_lines("deaf"):
        os.sched_yield()
    end((pid,), grace=0.2)
    assert not began(pid)


def test_a_killed_program_is_told_by_its_last_words(records: Records) -> None:
    """What a program wrote last is there after it has ended."""
    pid = records.start("one", ("sh", "-c", "echo first; echo last >&2; kill -9 $$"))
    os.waitpid(pid, 0)
    assert records.living("one") is None
    assert records.last_lines("one", 1) == ("last",)
    assert records.last_lines("never") == ()


def test_processes_of_a_namespace_are_this_one_and_its_children() -> None:
    """Our own namespace holds us; one that does not exist holds nobody."""
    assert os.getpid() in of_namespace(mount_namespace_of("self"))
    assert of_namespace("mnt:[1]") == set()


def test_ending_nobody_is_quick() -> None:
    """A process that is gone already is not waited for."""
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    end((pid,))
    assert not began(pid)
