"""The recorder in real Python processes: what it writes down, and what it leaves as it was."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from monoyard.observing.records import MODULE, RECORDER, VARIABLE, Records, Watching, read_records


class Watched:
    """A repository in which programs run with a recorder."""

    def __init__(self, directory: Path) -> None:
        self.top = directory / "repository"
        self.top.mkdir()
        self.place = directory / "records"
        self.outside = self.top / ".state"
        (self.top / "data.txt").write_text("text", encoding="utf-8")
        (self.top / "module.py").write_text("VALUE = 1\n", encoding="utf-8")
        variables = {"HOME": "/home/somebody", "LANG": None}
        marked = frozenset({self.top / "settings.toml"})
        Watching(self.top, (self.outside,), marked, variables).write(self.place)

    def run(self, program: str, *, status: int = 0, path: str = "", module: bool = False) -> str:
        """Run a program in the repository, and return its output."""
        file = self.top / "program.py"
        file.write_text(textwrap.dedent(program), encoding="utf-8")
        words = ("-m", MODULE, "program") if module else (str(file),)
        done = subprocess.run(
            (sys.executable, *words), cwd=self.top, check=False, capture_output=True, text=True,
            env={
                VARIABLE: str(self.place), "HOME": "/home/somebody", "OTHER": "1",
                "PYTHONPATH": f"{RECORDER}:{path}" if path else str(RECORDER),
            },
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done.stdout

    @property
    def records(self) -> Records:
        """What was written down by now."""
        return read_records(self.place)

    @property
    def read(self) -> dict[str, str]:
        """Path from the top to the line of the program that read it; without the program itself."""
        return self.short(self.records.reads)

    def short(self, found: dict[str, str]) -> dict[str, str]:
        """Return records with paths from the top, without the program itself."""
        short = {
            path.removeprefix(f"{self.top}/"): reader.rpartition("/")[2]
            for path, reader in found.items()
        }
        return {path: reader for path, reader in short.items() if "program" not in path}


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A repository with two files."""
    return Watched(tmp_path)


def test_what_is_read_is_told_with_who_read_it(watched: Watched) -> None:
    """Files by any way to open them, imports and databases, each with the line of the program."""
    watched.run(
        """\
        import os, pathlib
        open("data.txt").close()

        import module
        for name in ("one", "two"):
            pathlib.Path(os.getcwd(), name).exists()
        try:
            os.open(b"missing", os.O_RDONLY)
        except FileNotFoundError:
            pass
        os.listdir()
        list(pathlib.Path("..", "repository").iterdir())
        """
    )
    records = watched.records
    read = {path: reader for path, reader in watched.read.items() if not path.endswith(".pyc")}
    assert read == {
        "data.txt": "program.py:2", "module.py": "program.py:4", "missing": "program.py:8",
    }  # fmt: skip
    assert watched.short(records.questions) == {"one": "program.py:6", "two": "program.py:6"}
    assert records.listings == {str(watched.top): f"{watched.top}/program.py:11"}


def test_what_a_program_makes_itself_is_told_as_made(watched: Watched) -> None:
    """What it wrote, moved or made before is no question to the repository."""
    watched.run(
        """\
        import os, pathlib, sqlite3
        pathlib.Path("made.txt").write_text("x")
        pathlib.Path("made.txt").read_text()
        os.rename("made.txt", "moved.txt")
        os.mkdir("folder")
        sqlite3.connect("base.db").close()
        """
    )
    made = {path.removeprefix(f"{watched.top}/") for path in watched.records.written}
    assert made == {"made.txt", "moved.txt", "folder", "base.db"}
    assert watched.read == {}


def test_directories_that_do_not_count(watched: Watched) -> None:
    """What is elsewhere, and in the directories that are named, leaves no line."""
    watched.outside.mkdir()
    watched.run("import os\nos.listdir('.state')\nos.stat('/')\nopen('/dev/null').close()\n")
    assert watched.records.listings == {}
    assert watched.records.questions == {}


def test_variables_with_the_values_that_the_task_got(watched: Watched) -> None:
    """Reading a watched one is told, also for a home; copies and what was set before are not."""
    watched.run(
        """\
        import os
        dict(os.environ), {**os.environ}, os.environ.copy(), list(os.environ.items())
        os.environ | {}
        os.environ["OTHER"]
        """
    )
    assert watched.records.variables == {}
    watched.run("import os\nos.environ['HOME'] = '/tmp'\nos.environ['HOME']\n")
    assert watched.records.variables == {}
    watched.run("import os, pathlib\nos.environ.get('LANG')\npathlib.Path.home()\n")
    assert watched.short(watched.records.variables) == {
        "LANG": "program.py:2", "HOME": "program.py:3",
    }  # fmt: skip


def test_processes_of_a_program(watched: Watched) -> None:
    """Children, forks and workers of multiprocessing are recorded; what cannot be is named."""
    watched.run(
        """\
        import multiprocessing, os, subprocess, sys

        def work(name):
            open(name).close()

        if __name__ == "__main__":
            for name in ("fork", "spawn"):
                open(name, "w").close()
            for method in ("fork", "spawn"):
                child = multiprocessing.get_context(method).Process(target=work, args=("data.txt",))
                child.start()
                child.join()
            subprocess.run([sys.executable, "-c", "open('module.py')"], check=True)
            subprocess.run(["true"], check=True)
            subprocess.run([sys.executable, "-c", ""], check=True, env={})
        """
    )
    assert {"data.txt", "module.py"} <= watched.read.keys()
    assert watched.records.programs == {"true"}
    assert watched.records.has_unwatched_python


@pytest.mark.parametrize(
    ("end", "status"),
    [("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", -signal.SIGKILL), ("os.abort()", -6)],
)
def test_sudden_ends(watched: Watched, end: str, status: int) -> None:
    """What was read is known, however the process ended."""
    watched.run(f"import os\nopen('data.txt').close()\n{end}\n", status=status)
    assert "data.txt" in watched.read


def test_no_descriptor_is_held(watched: Watched) -> None:
    """A program that closes every descriptor, or has none left, goes on; nothing is lost."""
    watched.run(
        """\
        import os, resource
        os.closerange(3, 1000)
        fresh = os.open("module.py", os.O_RDONLY)
        assert fresh == 3, fresh
        resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))
        try:
            open("data.txt")
        except OSError:
            pass
        os.close(fresh)
        os.stat("module.py")
        """
    )
    assert {"data.txt", "module.py"} <= watched.read.keys()


def test_exceptions_of_the_program_are_its_own(watched: Watched) -> None:
    """Errors of calls and of signal handlers come through; strange arguments are no matter."""
    watched.run(
        """\
        import os, signal

        class Strange:
            def __fspath__(self):
                raise LookupError

        for path, expected in ((Strange(), LookupError), (1.5, TypeError), ("no", OSError)):
            try:
                os.stat(path)
            except expected:
                continue
            raise AssertionError(path)

        class Alarm(Exception):
            pass

        def ring(*_):
            raise Alarm

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        try:
            number = 0
            while True:
                number += 1
                os.access(f"file{number}", os.R_OK)
        except Alarm:
            pass
        """
    )


def test_functions_stay_what_they_were(watched: Watched) -> None:
    """Wrapped functions are among those that take descriptors, can be pickled, and bind nothing."""
    watched.run(
        """\
        import os, pickle, shutil
        assert os.stat in os.supports_dir_fd and os.stat in os.supports_fd
        assert shutil.rmtree.avoids_symlink_attacks
        assert pickle.loads(pickle.dumps(os.stat)) is os.stat

        class Holder:
            look = os.stat

        assert Holder().look("data.txt").st_size == 4
        assert type(os.environ).__name__ == "_Environ"
        assert os.stat(0) and os.stat("data.txt", follow_symlinks=False)
        """
    )


def test_other_customizations_of_the_site_run(watched: Watched, tmp_path: Path) -> None:
    """A `sitecustomize` that would have been found is run, under its own name."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text("HERE = 1\n", encoding="utf-8")
    said = watched.run(
        "import sys, sitecustomize\nprint(sitecustomize.HERE, len(sys.path))\n", path=str(other)
    )
    without = watched.run("import sys, sitecustomize\nprint(len(sys.path))\n")
    assert said.split() == ["1", str(int(without) + 1)]


def test_modules_in_a_fork(watched: Watched) -> None:
    """`-m monoyard_recorder MODULE` runs the module as `-m MODULE` does."""
    said = watched.run(
        "import sys\nopen('data.txt').close()\nprint(__name__, sys.argv)\n", module=True
    )
    assert said == f"__main__ ['{watched.top}/program.py']\n"
    assert "data.txt" in watched.read


def test_marked_files_tell_both_readers(watched: Watched, tmp_path: Path) -> None:
    """A tool's reading of a settings file does not hide that the repository's own code reads it."""
    for name in ("settings.toml", "other.toml"):
        (watched.top / name).write_text("", encoding="utf-8")
    tool = tmp_path / "tool"
    tool.mkdir()
    reading = "open('settings.toml').close()\nopen('other.toml').close()\n"
    (tool / "sitecustomize.py").write_text(reading, encoding="utf-8")
    watched.run(f"\n\n{reading}", path=str(tool))
    assert watched.read["settings.toml"] == "program.py:3"
    assert not watched.read["other.toml"]


def test_records_that_a_kill_cut_short(watched: Watched) -> None:
    """The last line without its end is left out."""
    (watched.place / "1").write_bytes(b"r/a\0b:1\0\nr/c\0d")
    assert watched.records.reads == {"/a": "b:1"}
    assert not watched.records.programs
