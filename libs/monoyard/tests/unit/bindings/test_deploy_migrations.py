"""What a deployment learns of the migrations of a commit, from the work tree."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from monoyard.bindings.deploy_migrations import WorkTreeHistories
from monoyard.bindings.engine import Engine
from monoyard.bindings.migrating import HistoryReader
from monoyard.errors import ToolError
from monoyard.migrations import Classifier, History, Revision
from monoyard.workspace import Package

FILES = {
    "pyproject.toml": '[tool.monoyard]\nmembers = ["libs/*", "services/*"]\n',
    "libs/kit/pyproject.toml": '[project]\nname = "kit"\nversion = "1"\n',
    "libs/kit/src/kit/__init__.py": "",
    "services/api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n'
    'dependencies = ["kit"]\n[tool.alembic]\nscript_location = "migrations"\n',
    "services/web/pyproject.toml": '[project]\nname = "web"\nversion = "1"\n',
    "services/api/migrations/versions/0001_one.py": "",
    "services/api/migrations/versions/0002_two.py": "",
    "uv.lock": "",
}
HISTORY = History(
    (
        Revision("1", (), "/x/versions/0001_one.py"), Revision("2", ("1",), "/x/0002_two.py"),
    ), ("2",), "postgresql",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FakeReader(HistoryReader):
    """A reader of one history, without a venv and without squawk."""

    found: History | None = None

    def history(self, package: Package) -> History:
        """Return the history."""
        assert package.name == "api"
        if self.found is None:
            raise ToolError("the migrations in api cannot be read")
        return self.found

    def classifier(self) -> Classifier:
        """Return one that finds nothing."""
        return Classifier(lambda texts: [[] for _ in texts], lambda group, _: [[] for _ in group])


def _write(top: Path, path: str, text: str) -> None:
    (top / path).parent.mkdir(parents=True, exist_ok=True)
    (top / path).write_text(text, "utf-8")


def _commit(top: Path) -> str:
    who = ("-c", "user.name=Jane", "-c", "user.email=jane@example.org")
    for words in (("add", "-A"), (*who, "commit", "-qm", "change", "--allow-empty")):
        subprocess.run(("git", *words), cwd=top, check=True)
    return subprocess.check_output(("git", "rev-parse", "HEAD"), cwd=top, text=True).strip()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two services; one of them has migrations and needs a library."""
    monkeypatch.setenv("MONOYARD_CACHE_DIR", str(tmp_path / "cache"))
    top = tmp_path / "shop"
    subprocess.run(("git", "init", "-qb", "main", str(top)), check=True)
    for path, text in FILES.items():
        _write(top, path, text)
    return top


def _histories(top: Path, found: History | None = HISTORY) -> WorkTreeHistories:
    engine = Engine(top, print)
    return WorkTreeHistories(engine, FakeReader(engine, found))


def test_pending_revisions_are_classed(shop: Path) -> None:
    """Those whose files are new are classed, after those that the database has."""
    commit = _commit(shop)
    found = _histories(shop).classing("api", commit, {"0002_two"})
    assert found.problem == ""
    assert [item.revision.revision for item in found.classed] == ["2"]
    forked = History(HISTORY.revisions, ("1", "2"))
    assert "alembic merge" in _histories(shop, forked).classing("api", commit, set()).faults[0]


@pytest.mark.parametrize(
    ("path", "is_same"),
    [
        ("services/api/migrations/versions/0001_one.py", False),
        ("services/api/migrations/versions/0003_three.py", False),
        ("libs/kit/src/kit/__init__.py", False),
        ("uv.lock", False),
        ("services/web/src/web.py", True),
        ("docs/page.md", True),
    ],
)
def test_other_code_than_the_commits_says_nothing(shop: Path, path: str, is_same: bool) -> None:
    """Only a work tree with the commit's service, libraries and lock can speak for it."""
    commit = _commit(shop)
    _write(shop, path, "changed = 1\n")
    found = _histories(shop).classing("api", commit, {"0002_two"})
    said = "" if is_same else f"the work tree has other code ({path})"
    assert found.problem == said
    assert bool(found.classed) == is_same
    later = _commit(shop)
    assert _histories(shop).classing("api", later, {"0002_two"}).problem == ""
    assert _histories(shop).classing("api", commit, set()).problem == said


def test_many_differences_are_cut(shop: Path) -> None:
    """The page names a few files, and that there are more."""
    commit = _commit(shop)
    for name in "abcd":
        _write(shop, f"services/api/{name}.py", "")
    assert _histories(shop).classing("api", commit, set()).problem.endswith("c.py and more)")


def test_history_that_cannot_be_read_is_told(shop: Path) -> None:
    """Without a venv, without squawk, or where alembic fails, the reason stands in the plan."""
    commit = _commit(shop)
    found = _histories(shop, None).classing("api", commit, {"0002_two"})
    assert found.problem == "the migrations in api cannot be read"
    assert "has no migrations" in _histories(shop).classing("web", commit, {"x"}).problem
