"""Modules in forks of a warm interpreter: as `python -m`, and strangers to each other."""

import json
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Desk, Marked

REPORT = """
    import json, os, sys
    import registry
    registry.seen.append(sys.argv[1])
    print(json.dumps({
        "argv": sys.argv[1:], "name": __name__, "file": os.path.basename(sys.argv[0]),
        "own": os.environ.get("OWN"), "cwd": os.getcwd(), "path": sys.path[:1],
        "seen": registry.seen, "registry": registry.__file__, "stdin": sys.stdin.read(),
        "warm": "xml.dom.minidom" in sys.modules, "pid": os.getpid(),
    }))
"""


@pytest.fixture
def warm(desk_class: "type[Desk]", tmp_path: Path, marked: "Marked") -> Iterator["Desk"]:
    """A warden that has loaded a module no other module of these tests loads."""
    made = desk_class(tmp_path, marked, preload=("xml.dom.minidom", "no_such_module"))
    yield made
    made.supervisor.close()


def package(place: Path, **sources: str) -> tuple[str, ...]:
    """Write modules into a directory and return it as a search path."""
    place.mkdir(exist_ok=True)
    for name, source in sources.items():
        (place / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
    return (str(place),)


def run(desk: "Desk", path: tuple[str, ...], *arguments: str, **settings: Any) -> Any:
    """Run the module `report` and return what it says."""
    number = desk.start(module="report", arguments=arguments, path=path, **settings)
    assert desk.end_of(number).status == 0, desk.output(number, "stderr")
    return json.loads(desk.output(number))


def test_module_is_run_as_by_python_m(warm: "Desk", tmp_path: Path) -> None:
    """A module gets its arguments, environment, directory, search path and an empty input."""
    path = package(tmp_path / "one", report=REPORT, registry="seen = []")
    said = run(warm, path, "-k", "a b", env={"OWN": "mine"}, cwd=tmp_path / "one")
    assert said["argv"] == ["-k", "a b"]
    assert (said["name"], said["file"]) == ("__main__", "report.py")
    assert (said["own"], said["stdin"]) == ("mine", "")
    assert (said["cwd"], said["path"]) == (str(tmp_path / "one"), [str(tmp_path / "one")])


def test_modules_never_meet(warm: "Desk", tmp_path: Path) -> None:
    """Two jobs with a module of the same name each get their own, and share no state."""
    first = package(tmp_path / "one", report=REPORT, registry="seen = ['one']")
    second = package(tmp_path / "two", report=REPORT, registry="seen = ['two']")
    assert run(warm, first, "a")["seen"] == ["one", "a"]
    said = run(warm, second, "b")
    assert (said["seen"], said["own"]) == (["two", "b"], None)
    assert said["registry"] == str(tmp_path / "two" / "registry.py")
    assert run(warm, first, "c")["seen"] == ["one", "c"]


def test_forks_start_warm(warm: "Desk", tmp_path: Path) -> None:
    """What the warden has loaded is there in the fork, and a module it could not load is not."""
    path = package(tmp_path / "one", report=REPORT, registry="seen = []")
    assert run(warm, path, "a")["warm"] is True


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("raise SystemExit(5)", 5),
        ("import os; os._exit(9)", 9),
        ("import os; os.kill(os.getpid(), 11)", -signal.SIGSEGV),
        ("raise ValueError('my words')", 1),
    ],
)
def test_module_ends_as_a_process_does(
    warm: "Desk", tmp_path: Path, source: str, status: int
) -> None:
    """However a module ends, the warden says how, and serves the next job."""
    path = package(tmp_path / "one", ending=source)
    number = warm.start(module="ending", path=path)
    assert warm.end_of(number).status == status
    if status == 1:
        assert warm.output(number, "stderr").endswith(b"ValueError: my words\n")
    assert warm.run("true")[0].status == 0


def test_module_hears_an_interrupt(warm: "Desk", tmp_path: Path) -> None:
    """SIGINT raises KeyboardInterrupt in a forked module, as in any Python program."""
    path = package(
        tmp_path / "one",
        waiting="""
            import signal
            try:
                print("up", flush=True)
                signal.pause()
            except KeyboardInterrupt:
                print("interrupted")
        """,
    )
    number = warm.start(module="waiting", path=path, stop_signal=signal.SIGINT)
    warm.says(number, b"up")
    warm.supervisor.stop(number)
    assert warm.end_of(number).status == 0
    assert warm.output(number) == b"up\ninterrupted\n"


def test_last_words_of_a_module_are_kept(warm: "Desk", tmp_path: Path) -> None:
    """Output that was not flushed, and what `atexit` prints, is in the file."""
    path = package(
        tmp_path / "one", ending="import atexit; atexit.register(print, 'bye'); print('hello')"
    )
    number = warm.start(module="ending", path=path)
    warm.end_of(number)
    assert warm.output(number) == b"hello\nbye\n"


def test_module_can_start_interpreters_of_its_own(warm: "Desk", tmp_path: Path) -> None:
    """`sys.executable` in a fork is the warden's interpreter and can be started."""
    path = package(
        tmp_path / "one",
        ending="""
            import subprocess, sys
            subprocess.run([sys.executable, "-c", "print('child')"], check=True)
            print(sys.executable)
        """,
    )
    number = warm.start(module="ending", path=path)
    assert warm.end_of(number).status == 0, warm.output(number, "stderr")
    assert warm.output(number).decode().split() == ["child", sys.executable]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("", 0, b""),
        ("import sys; sys.exit()", 0, b""),
        ("import sys; sys.exit(7)", 7, b""),
        ("import sys; sys.exit('no luck')", 1, b"no luck\n"),
        ("raise ValueError('wrong')", 1, b"ValueError: wrong\n"),
        ("import os; os.kill(os.getpid(), 11)", -11, b""),
    ],
)
def test_module_ends_as_with_python_m(
    desk: "Desk", tmp_path: Path, body: str, status: int, said: bytes
) -> None:
    """The exit status and the last words of a module are those of `python -m`."""
    path = package(tmp_path / "modules", leaving=body)
    number = desk.start(module="leaving", path=path)
    assert desk.end_of(number).status == status
    assert desk.output(number, "stderr").endswith(said)


def test_what_waits_for_the_end_of_a_module_is_done(desk: "Desk", tmp_path: Path) -> None:
    """Threads are waited for, `atexit` functions are called, buffered words are written."""
    body = """
        import atexit, sys, threading, time

        atexit.register(print, "last")
        threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
        sys.stdout.write("first\\n")
    """
    path = package(tmp_path / "modules", leaving=body)
    number = desk.start(module="leaving", path=path)
    assert desk.end_of(number).status == 0
    assert desk.output(number) == b"first\nthread\nlast\n"
