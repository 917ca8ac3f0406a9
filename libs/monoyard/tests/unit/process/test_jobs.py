"""Programs under the warden: streams, ends, limits."""

import os
import pwd
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Desk, Marked

NOBODY = pwd.getpwnam("nobody")
STUBBORN = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
signal.pause()
signal.pause()
"""
INTERRUPTIBLE = """
import signal
try:
    print("up", flush=True)
    signal.pause()
except KeyboardInterrupt:
    print("interrupted")
"""
DETACHED = """
import os, sys
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(write, str(os.getpid()).encode())
        os.execvp("sleep", ["sleep", "600"])
    os._exit(0)
os.wait()
print(os.read(read, 100).decode())
"""


def test_streams_go_to_their_own_files(desk: "Desk") -> None:
    """What a program prints on each of its two streams is found in that stream's file."""
    ended, stdout, stderr = desk.run("sh", "-c", "echo out; echo err >&2")
    assert (ended.status, stdout, stderr) == (0, b"out\n", b"err\n")


def test_one_file_takes_both_streams(desk: "Desk") -> None:
    """With one file for both streams the lines stand in the order they were printed in."""
    log = desk.directory / "log"
    desk.run("sh", "-c", "echo 1; echo 2 >&2; echo 3", stdout=log, stderr=log)
    assert log.read_bytes() == b"1\n2\n3\n"


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -SEGV $$", -signal.SIGSEGV)]
)
def test_status_is_exit_code_or_negative_signal(desk: "Desk", script: str, status: int) -> None:
    """The status of a program is its exit code, or the negative number of the signal."""
    assert desk.run("sh", "-c", script)[0].status == status


def test_program_that_does_not_exist_is_told(desk: "Desk") -> None:
    """A missing program ends with the shell's status 127 and one line that names it."""
    ended, _, stderr = desk.run("monoyard-no-such-program")
    assert ended.status == 127
    assert stderr == b"cannot run monoyard-no-such-program: No such file or directory\n"


def test_directory_that_does_not_exist_is_told(desk: "Desk") -> None:
    """A missing working directory ends with status 127 and one line that names it."""
    ended, _, stderr = desk.run("true", cwd=desk.directory / "gone")
    assert ended.status == 127
    assert stderr.decode() == f"cannot enter {desk.directory}/gone: No such file or directory\n"


def test_program_sees_only_the_environment_it_was_given(desk: "Desk") -> None:
    """The environment of a program is the job's, with nothing of the warden's."""
    _, stdout, _ = desk.run("/usr/bin/env", env={"ONLY": "this"})
    names = {line.partition("=")[0] for line in stdout.decode().splitlines()}
    assert {"ONLY"} <= names <= {"ONLY", *os.environ, *desk.marked.variable}


def test_program_starts_with_the_usual_signals(
    desk_class: "type[Desk]", tmp_path: Path, marked: "Marked"
) -> None:
    """No signal is blocked or ignored in a program, though the engine may run in the background.

    A shell without job control starts `command &` with SIGINT and SIGQUIT ignored.
    """
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT)}
    for number in usual:
        signal.signal(number, signal.SIG_IGN)
    try:
        desk = desk_class(tmp_path, marked)
        _, stdout, _ = desk.run("cat", "/proc/self/status")
        desk.supervisor.close()
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
    fields = dict(line.split(":\t", 1) for line in stdout.decode().splitlines() if ":\t" in line)
    assert int(fields["SigBlk"], 16) == 0
    assert int(fields["SigIgn"], 16) == 0


def test_invalid_utf8_is_kept_as_it_is(desk: "Desk") -> None:
    """Bytes that are no UTF-8 arrive unchanged."""
    assert desk.run("printf", r"\377\376 a\000b")[1] == b"\xff\xfe a\x00b"


def test_standard_input_is_empty(desk: "Desk") -> None:
    """A program that reads standard input meets its end at once."""
    assert desk.run("cat")[0].status == 0


def test_flood_is_cut_and_counted(desk: "Desk") -> None:
    """Output beyond the limit is dropped and counted, and the program runs to its end."""
    ended, stdout, _ = desk.run(
        "sh", "-c", "head -c 5000000 /dev/zero; echo end >&2", output_limit=1000
    )
    assert ended.status == 0
    assert len(stdout) == 1000
    assert ended.dropped == 5_000_000 - 1000
    assert desk.output(1, "stderr") == b"end\n"


def test_time_limit_stops_a_program(desk: "Desk") -> None:
    """A program whose time has passed gets SIGTERM, and its end says that time ran out."""
    ended = desk.run("sleep", "600", timeout=0.2)[0]
    assert (ended.timed_out, ended.status) == (True, -signal.SIGTERM)
    assert 0.2 <= ended.seconds < 300


def test_program_may_tidy_up_within_the_grace(desk: "Desk") -> None:
    """A program that takes SIGTERM well has until the end of the grace to finish."""
    script = "trap 'echo tidied; exit 3' TERM; echo up; while :; do sleep 0.05; done"
    number = desk.start("sh", "-c", script, timeout=3.0, grace=20.0)
    ended = desk.end_of(number)
    assert (ended.status, ended.timed_out) == (3, True)
    assert desk.output(number) == b"up\ntidied\n"


def test_program_that_ignores_the_stop_is_killed(desk: "Desk") -> None:
    """A program that ignores SIGTERM is killed when the grace has passed."""
    number = desk.python(STUBBORN, grace=0.3)
    desk.says(number, b"up")
    desk.supervisor.stop(number)
    ended = desk.end_of(number)
    assert (ended.status, ended.stopped, ended.timed_out) == (-signal.SIGKILL, True, False)


def test_second_stop_kills_at_once(desk: "Desk") -> None:
    """A second request to stop does not wait for the grace."""
    number = desk.python(STUBBORN, grace=600.0)
    desk.says(number, b"up")
    desk.supervisor.stop(number)
    desk.supervisor.stop(number)
    assert desk.end_of(number).status == -signal.SIGKILL


def test_stop_right_after_the_start_is_heard(desk: "Desk") -> None:
    """A stop that comes before the program is executed ends it all the same, without a kill."""
    numbers = [desk.start("sleep", "600", grace=600.0) for _ in range(20)]
    for number in numbers:
        desk.supervisor.stop(number)
    assert {desk.end_of(number).status for number in numbers} == {-signal.SIGTERM}


def test_stop_signal_can_be_chosen(desk: "Desk") -> None:
    """The stop asks with the job's own signal, as PostgreSQL wants SIGINT for a fast end."""
    number = desk.python(INTERRUPTIBLE, stop_signal=signal.SIGINT)
    desk.says(number, b"up")
    desk.supervisor.stop(number)
    assert desk.end_of(number).status == 0
    assert desk.output(number) == b"up\ninterrupted\n"


def test_what_a_program_leaves_behind_is_ended_and_named(desk: "Desk", marked: "Marked") -> None:
    """A grandchild in a session of its own is ended with the program, and its name is told."""
    number = desk.python(DETACHED)
    ended = desk.end_of(number)
    assert ended.status == 0
    assert ended.leftovers == ("sleep",)
    assert int(desk.output(number)) not in marked.living()


def test_what_ends_by_itself_is_no_leftover(desk: "Desk") -> None:
    """A child that outlives its parent by a moment is not told."""
    assert desk.run("sh", "-c", "sleep 0.05 &")[0].leftovers == ()


def test_output_of_leftovers_is_no_reason_to_wait(desk: "Desk") -> None:
    """A child that holds the streams open does not keep a program that has ended from ending."""
    ended, stdout, _ = desk.run("sh", "-c", "echo done; sleep 600 &")
    assert (ended.status, stdout) == (0, b"done\n")
    assert ended.seconds < 300


def test_directory_is_removed_after_any_end(desk: "Desk") -> None:
    """The directory named by `remove` is gone when the end arrives, also after a crash."""
    place = desk.directory / "data"
    place.mkdir()
    (place / "file").touch()
    desk.run("sh", "-c", "kill -ABRT $$", remove=place)
    assert not place.exists()


def test_directory_is_made_where_it_is_not_there(desk: "Desk") -> None:
    """A job's directory is there when it starts, for it alone, or it does not start."""
    place = desk.directory / "deep" / "data"
    ended, out, _ = desk.run("stat", "--format=%a", str(place), remove=place)
    assert (ended.status, out) == (0, b"700\n")
    assert not place.exists()
    (desk.directory / "file").touch()
    ended, _, err = desk.run("true", remove=desk.directory / "file" / "data")
    assert ended.status == 127
    assert b"cannot make " in err


def test_memory_is_the_peak_of_the_largest_process(desk: "Desk") -> None:
    """Peak memory is told in bytes: a program that fills 64 MiB needs at least those."""
    ended = desk.end_of(desk.python("b = bytearray(b'x') * (64 << 20)"))
    assert 64 << 20 < ended.max_rss < 1 << 30


def test_jobs_run_at_the_same_time(desk: "Desk") -> None:
    """Jobs of one warden run side by side: each waits for a file that the other one writes."""
    wait = "until [ -e $0 ]; do sleep 0.02; done"
    first = desk.start("sh", "-c", f"touch a; {wait}", "b")
    second = desk.start("sh", "-c", f"touch b; {wait}", "a")
    assert desk.end_of(first).status == desk.end_of(second).status == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a job as another user")
def test_job_runs_as_another_user(desk: "Desk") -> None:
    """A job with a user runs as that user, in that user's group and in no other one."""
    _, stdout, _ = desk.run("cat", "/proc/self/status", user=NOBODY.pw_uid, cwd=Path("/"))
    fields = dict(line.split(":\t", 1) for line in stdout.decode().splitlines())
    assert fields["Uid"].split() == [str(NOBODY.pw_uid)] * 4
    assert fields["Gid"].split() == [str(NOBODY.pw_gid)] * 4
    assert fields["Groups"].split() == []


def test_long_requests_arrive_whole(desk: "Desk") -> None:
    """A request larger than a pipe arrives whole."""
    words = ["x" * 1000] * 400
    _, stdout, _ = desk.run(sys.executable, "-c", "import sys; print(len(sys.argv))", *words)
    assert int(stdout) == 401


def test_closing_stops_what_still_runs(
    desk: "Desk", marked: "Marked", until: Callable[..., bool]
) -> None:
    """`close` returns when every job has been stopped, within its grace."""
    desk.start("sleep", "600")
    assert until(marked.living)
    desk.supervisor.close()
    assert marked.living() == []
