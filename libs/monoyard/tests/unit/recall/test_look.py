"""The state of a checkout, in real repositories: equal only where a plan would be equal."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from monoyard.recall import Look, look
from monoyard.workspace import Repository, take_snapshot


class Sure:
    """A memo to which every index was found true before."""

    def get_many(self, _namespace: str, keys: Iterable[str]) -> Mapping[str, bytes]:
        """Return that they are known."""
        return dict.fromkeys(keys, b"1")

    def put_many(self, _namespace: str, values: Mapping[str, bytes]) -> None:
        """Forget."""


class Fresh(Sure):
    """A memo that knows nothing."""

    def get_many(self, _namespace: str, _keys: Iterable[str]) -> Mapping[str, bytes]:
        """Return nothing."""
        return {}


class Checkout:
    """A repository with one committed file, and a home directory of its own."""

    def __init__(self, place: Path) -> None:
        self.top, self.home, self.engine = place / "top", place / "home", place / "engine"
        for directory in (self.top, self.home, self.engine):
            directory.mkdir()
        (self.engine / "part.py").write_text("ONE = 1\n", encoding="utf-8")
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1",
        }  # fmt: skip
        self.git("init", "-q")
        self.write("file.py", "A = 1\n")
        self.commit()

    def git(self, *words: str) -> None:
        """Run git."""
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", *identity, *words], cwd=self.top, check=True, env=self.environment)

    def write(self, path: str, text: str) -> None:
        """Write a file of the work tree."""
        (self.top / path).write_text(text, encoding="utf-8")

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-qm", "all", "--allow-empty")

    def look(self) -> Look:
        """Look at it."""
        return Look.begin(self.top, self.environment)

    def present(self) -> str:
        """Return the state as it is found without a plan."""
        found = self.look()
        try:
            return found.present_state()
        finally:
            found.close()

    def planned(self, memo: Sure | None = None) -> str:
        """Return the state that a plan's tree has."""
        found = self.look()
        try:
            return take_snapshot(Repository.locate(self.top), memo or Sure(), found).state
        finally:
            found.close()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A checkout, and an engine that can be edited."""
    made = Checkout(tmp_path)
    monkeypatch.setattr(look, "_ENGINE", made.engine)
    monkeypatch.setenv("HOME", str(made.home))
    return made


def _edit(checkout: Checkout) -> None:
    checkout.write("file.py", "A = 2\n")


def _edit_in_disguise(checkout: Checkout) -> None:
    before = (checkout.top / "file.py").stat()
    _edit(checkout)
    os.utime(checkout.top / "file.py", ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def _add(checkout: Checkout) -> None:
    checkout.write("new.py", "")


def _stage(checkout: Checkout) -> None:
    _add(checkout)
    checkout.git("add", "-A")


def _branch(checkout: Checkout) -> None:
    checkout.git("branch", "other")


def _switch(checkout: Checkout) -> None:
    checkout.git("switch", "-qc", "other")


def _delete(checkout: Checkout) -> None:
    (checkout.top / "file.py").unlink()


def _make_executable(checkout: Checkout) -> None:
    (checkout.top / "file.py").chmod(0o755)


def _link(checkout: Checkout) -> None:
    (checkout.top / "file.py").unlink()
    (checkout.top / "file.py").symlink_to("elsewhere.py")


def _declare(checkout: Checkout) -> None:
    checkout.environment["DECLARED"] = "1"


def _set_line_ends(checkout: Checkout) -> None:
    checkout.git("config", "core.autocrlf", "input")


def _set_attributes(checkout: Checkout) -> None:
    (checkout.top / ".git/info").mkdir(exist_ok=True)
    (checkout.top / ".git/info/attributes").write_text("* ident\n", encoding="utf-8")


def _set_up_ruff(checkout: Checkout) -> None:
    place = checkout.home / ".config/ruff/ruff.toml"
    place.parent.mkdir(parents=True)
    place.write_text("line-length = 1\n", encoding="utf-8")


def _update_the_engine(checkout: Checkout) -> None:
    place = checkout.engine / "part.py"
    before = place.stat()
    place.write_text("ONE = 2\n", encoding="utf-8")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        _edit, _edit_in_disguise, _add, _stage, Checkout.commit, _branch, _switch, _delete,
        _make_executable, _link, _declare, _set_line_ends, _set_attributes, _set_up_ruff,
        _update_the_engine,
    ],
)  # fmt: skip
def test_what_a_plan_hangs_on(checkout: Checkout, change: Callable[[Checkout], None]) -> None:
    """Whatever can change a plan changes the state, and without a change it stays."""
    before = checkout.present()
    assert before
    assert checkout.present() == before
    change(checkout)
    assert checkout.present() != before


@pytest.mark.parametrize("change", [lambda _: None, _edit, _add, _stage, _delete, _link])
def test_plans_and_looks_agree(checkout: Checkout, change: Callable[[Checkout], None]) -> None:
    """The state that is found is that of the tree that a plan is made from."""
    change(checkout)
    planned = checkout.planned()
    if change is _link:
        assert planned == ""
    else:
        assert planned
        assert planned == checkout.present()


def _hide(checkout: Checkout) -> None:
    checkout.git("update-index", "--assume-unchanged", "file.py")


def _embed(checkout: Checkout) -> None:
    (checkout.top / "inner").mkdir()
    subprocess.run(["git", "init", "-q", checkout.top / "inner"], check=True)
    checkout.write("inner/file.py", "")


def _convert(checkout: Checkout) -> None:
    checkout.write(".gitattributes", "* text=auto\n")


def _skip_checksum(checkout: Checkout) -> None:
    index = checkout.top / ".git/index"
    index.write_bytes(index.read_bytes()[:-20] + bytes(20))


@pytest.mark.parametrize("change", [_hide, _embed, _convert, _set_line_ends, _skip_checksum])
def test_doubtful_trees_have_no_state(
    checkout: Checkout, change: Callable[[Checkout], None]
) -> None:
    """Where index and status do not tell all there is to know, nothing is remembered."""
    change(checkout)
    assert checkout.planned() == ""


def test_an_index_that_may_hide_edits_has_no_state(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the second in which git read a file, an edit in disguise could be overlooked later."""
    now = (checkout.top / "file.py").stat().st_ctime
    monkeypatch.setattr("monoyard.workspace.index_times.time.time", lambda: now)
    assert checkout.planned(Fresh()) == ""
    monkeypatch.setattr("monoyard.workspace.index_times.time.time", lambda: now + 10)
    assert checkout.planned(Fresh())


def test_an_index_that_is_written_meanwhile_is_in_doubt(checkout: Checkout) -> None:
    """What git said of an index that is another by now names no state."""
    found = checkout.look()
    _stage(checkout)
    assert found.present_state() == ""
    found.close()


def test_outside_of_repositories(tmp_path: Path) -> None:
    """Without a repository there is no state, and no error: who needs git will tell."""
    shutil.rmtree(tmp_path / ".git", ignore_errors=True)
    found = Look.begin(tmp_path, os.environ)
    assert found.static == ""
    assert found.place == ()
    assert not found.is_whole
    found.close()
