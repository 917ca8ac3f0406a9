"""Short commands: both streams, standard input, timeouts, and nothing left running."""

import os
import pwd
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.errors import InterruptedRunError, MachineError, ToolError
from monoyard.process import Command, Completed, capture, clean, kill_running, run_in_foreground

if TYPE_CHECKING:
    from .conftest import Marked


def command(*argv: str, **settings: Any) -> Command:
    """Return a command in the root directory with the clean environment."""
    return Command(argv, **{"cwd": Path("/"), "env": clean(), **settings})


def test_both_streams_and_the_status_come_back() -> None:
    """A command's streams and its exit code are returned, whatever the code is."""
    done = capture(command("sh", "-c", "cat; echo err >&2; exit 3", stdin=b"in"))
    assert (done.status, done.stdout, done.stderr) == (3, b"in", b"err\n")


def test_large_streams_do_not_block() -> None:
    """More than a pipe holds, on all three streams at once, passes through."""
    data = bytes(1 << 20)
    done = capture(command("tee", "/dev/stderr", stdin=data))
    assert len(done.stdout) == len(done.stderr) == len(data)


def test_stopped_threads_start_nothing_more() -> None:
    """A thread that waited when all was killed takes nothing up; the main one may go on."""
    lock = threading.Lock()
    said: list[str] = []

    def install() -> None:
        with lock:
            try:
                capture(command("true"))
            except InterruptedRunError as error:
                said.append(error.message)

    with lock:
        waiting = threading.Thread(target=install)
        waiting.start()
        kill_running()
    waiting.join()
    assert said == ["the run was asked to stop"]
    assert capture(command("true")).status == 0
    later = threading.Thread(target=install)
    later.start()
    later.join()
    assert len(said) == 1


@pytest.mark.parametrize("dies_with_parent", [False, True])
def test_timeout_ends_the_whole_group(marked: "Marked", *, dies_with_parent: bool) -> None:
    """When its time has passed a command is killed with its children, and the error names it."""
    slow = command(
        "sh", "-c", "sleep 600 & wait", timeout=0.2, env={**clean(), **marked.variable},
        dies_with_parent=dies_with_parent,
    )  # fmt: skip
    with pytest.raises(ToolError, match=r"`sh -c sleep.*` did not answer within 0\.2 s") as caught:
        capture(slow)
    assert caught.value.code == "tool-timeout"
    assert marked.all_ended()


def test_missing_program_is_told() -> None:
    """A program that is not there is a fault of the machine, named, with what to do."""
    with pytest.raises(MachineError, match="cannot run `no-such-program`: No such file") as caught:
        capture(command("no-such-program"))
    assert (caught.value.code, bool(caught.value.hint)) == ("program-missing", True)


def test_bound_command_keeps_its_streams_and_status() -> None:
    """A command that dies with its parent answers like any other one."""
    done = capture(command("sh", "-c", "echo out; exit 4", dies_with_parent=True))
    assert (done.status, done.stdout) == (4, b"out\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a command as another user")
def test_command_runs_as_another_user() -> None:
    """A command with a user runs as that user, in that user's group and in no other one."""
    nobody = pwd.getpwnam("nobody")
    done = capture(command("sh", "-c", "id -u; id -G", user=nobody.pw_uid))
    assert done.text.split() == [str(nobody.pw_uid), str(nobody.pw_gid)]


def test_running_commands_of_other_threads_can_be_killed(
    marked: "Marked", until: Callable[..., bool]
) -> None:
    """`kill_running` ends a command that another thread waits for."""
    found: list[Completed] = []
    slow = command("sleep", "600", env={**clean(), **marked.variable})
    waiting = threading.Thread(target=lambda: found.append(capture(slow)))
    waiting.start()
    assert until(marked.living)
    while waiting.is_alive():
        kill_running()
        waiting.join(0.01)
    assert [done.status for done in found] == [-signal.SIGKILL]


def test_text_and_last_lines_survive_bytes_that_are_no_text() -> None:
    """Output that is not UTF-8 is shown with replacement characters, the last ten lines of it."""
    done = capture(command("printf", r"\377\n%s\n" + "x\n" * 10, "é"))
    assert done.text.splitlines()[:2] == ["�", "é"]
    assert done.last_lines == ("x",) * 10


def test_last_lines_prefer_standard_error() -> None:
    """The last lines are those of standard error where there are some."""
    assert capture(command("sh", "-c", "echo out; echo err >&2")).last_lines == ("err",)


def test_foreground_command_has_the_streams(capfd: pytest.CaptureFixture[str]) -> None:
    """A command in the foreground prints on our own streams and returns its status."""
    assert run_in_foreground(command("sh", "-c", "echo here; exit 6")) == 6
    assert capfd.readouterr().out == "here\n"


def test_foreground_command_hears_interrupts_and_we_go_on() -> None:
    """SIGINT while a command has the terminal reaches it, and ours is as it was afterwards."""
    before = signal.getsignal(signal.SIGINT)
    script = "import os, signal; os.kill(os.getppid(), signal.SIGINT); os.kill(os.getpid(), 2)"
    status = run_in_foreground(command(sys.executable, "-c", script))
    assert status == -signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is before


def test_missing_foreground_program_is_told() -> None:
    """A program that is not there is a fault of the machine, also in the foreground."""
    with pytest.raises(MachineError, match="cannot run `no-such-program`"):
        run_in_foreground(command("no-such-program"))
