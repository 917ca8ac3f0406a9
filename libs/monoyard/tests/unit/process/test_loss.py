"""Kills from outside: whoever of engine, warden and keeper dies, no task is left running."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.errors import MachineError

if TYPE_CHECKING:
    from .conftest import Desk, Marked

# A supervising parent: prints its warden's id when its task is up, then waits to be killed.
PARENT = """
    import os, sys, time
    from pathlib import Path
    from monoyard.process import Job, Supervisor

    supervisor = Supervisor(Path(sys.executable), env=dict(os.environ))
    place = Path(sys.argv[1])
    script = "trap '' TERM; setsid sleep 600 & echo up > up; wait; sleep 600"
    supervisor.start(
        Job(1, place, dict(os.environ), argv=("sh", "-c", script), grace=0.3, remove=place)
    )
    while not (place / "up").exists():
        time.sleep(0.01)
    print(supervisor.pid, flush=True)
    time.sleep(600)
"""


def keeper_of(desk: "Desk", task: int) -> int:
    """Return the process id of a task's keeper: the child of the warden above it."""
    pid = task
    while (parent := parent_of(pid)) != desk.supervisor.pid:
        pid = parent
    return pid


def parent_of(pid: int) -> int:
    """Return the process id of a parent."""
    return int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])


def task_of(desk: "Desk", number: int) -> int:
    """Return the process id that a job printed as its first line."""
    return int(desk.says(number, b"\n").split()[0])


def test_killed_parent_leaves_nothing_running(
    tmp_path: Path, marked: "Marked", until: Callable[..., bool]
) -> None:
    """After SIGKILL of the supervising process its tasks, their children and files are gone."""
    place = tmp_path / "data"
    place.mkdir()
    with subprocess.Popen(
        (sys.executable, "-c", textwrap.dedent(PARENT), str(place)),
        env={**os.environ, **marked.variable},
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        assert int(parent.stdout.readline()) > 0
        assert until(lambda: len(marked.living()) >= 5)
        parent.kill()
    assert marked.all_ended()
    assert until(lambda: not place.exists())


def test_killed_keeper_is_a_lost_job(
    desk: "Desk", marked: "Marked", until: Callable[..., bool]
) -> None:
    """SIGKILL of a keeper ends its task and what that started, and the job counts as lost.

    The job's directory goes as well, though the keeper cannot remove it any more.
    """
    place = desk.directory / "data"
    other = desk.start("sleep", "600")
    assert until(marked.living)  # only what is executed carries the mark
    number = desk.start("sh", "-c", "echo $$; setsid sleep 600 & wait", remove=place)
    task = task_of(desk, number)
    assert place.is_dir()
    os.kill(keeper_of(desk, task), signal.SIGKILL)
    ended = desk.end_of(number)
    assert (ended.lost, ended.status) == (True, -signal.SIGKILL)
    assert not place.exists()
    assert task not in marked.living()
    assert len(marked.living()) == 1, "the other job's task, and nothing else"
    desk.supervisor.stop(other)
    assert desk.end_of(other).lost is False


def test_killed_warden_is_one_clear_error(desk: "Desk", marked: "Marked") -> None:
    """SIGKILL of the warden is told as a fault of the machine, and its tasks are ended."""
    number = desk.start("sh", "-c", "echo $$; setsid sleep 600 & wait")
    task_of(desk, number)
    os.kill(desk.supervisor.pid, signal.SIGKILL)
    with pytest.raises(MachineError, match="supervises the tasks was killed") as caught:
        desk.end_of(number)
    assert caught.value.code == "supervisor-killed"
    assert caught.value.hint is not None
    assert marked.all_ended()
    desk.supervisor.stop(number)  # the pipe is closed, and nobody is left to stop


@pytest.mark.parametrize(
    "user",
    [
        None,
        pytest.param(
            65534,
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user"),
        ),
    ],
)
def test_task_dies_with_its_keeper_without_the_warden(
    desk: "Desk", marked: "Marked", user: int | None
) -> None:
    """The kernel ends a task whose keeper was killed, also one that runs as another user."""
    number = desk.start("sh", "-c", "echo $$; exec sleep 600", user=user, cwd=Path("/"))
    keeper = keeper_of(desk, task_of(desk, number))
    os.kill(desk.supervisor.pid, signal.SIGSTOP)
    try:
        os.kill(keeper, signal.SIGKILL)
        assert marked.all_ended()
    finally:
        os.kill(desk.supervisor.pid, signal.SIGCONT)
