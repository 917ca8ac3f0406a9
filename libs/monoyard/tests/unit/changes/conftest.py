"""A real git repository, small enough to be made for every test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from monoyard.changes import Base, Changes, Event, find_changes, select_base
from monoyard.workspace import Repository, Workspace, load, take_snapshot


class NoMemo:
    """Remembers nothing."""

    def get_many(self, _namespace: str, _keys: Iterable[str]) -> Mapping[str, bytes]:
        """Know nothing."""
        return {}

    def put_many(self, _namespace: str, _values: Mapping[str, bytes]) -> None:
        """Forget it."""


class Clone:
    """A work tree and the questions of this folder.

    Attributes:
        top: Its directory.
    """

    def __init__(self, top: Path) -> None:
        self.top = top

    def git(self, *arguments: str) -> str:
        """Run git; return what it prints."""
        done = subprocess.run(["git", *arguments], cwd=self.top, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        target = self.top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())

    def commit(self, text: str = "") -> str:
        """Commit everything, with some text in a file at the top if any; return the id."""
        if text:
            self.write("text", text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", text or "all")
        return self.head

    @property
    def head(self) -> str:
        """The id of HEAD."""
        return self.git("rev-parse", "HEAD")

    @property
    def repository(self) -> Repository:
        """The repository as the engine sees it."""
        return Repository.locate(self.top)

    def base(
        self, event: Event | None = None, *, since: str | None = None, default: str | None = None
    ) -> Base:
        """Choose the base."""
        return select_base(
            self.repository, since=since, event=event or Event(), default_branch=default
        )

    def workspace(self) -> Workspace:
        """Read the work tree."""
        return load(take_snapshot(self.repository), NoMemo())

    def changes(self, *, since: str | None = None, event: Event | None = None) -> Changes:
        """Compare the work tree with its base."""
        return find_changes(
            self.repository, self.workspace(), NoMemo(), since=since, event=event or Event()
        )


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """An empty repository on `main`, and a user without settings of their own."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    (tmp_path / ".gitconfig").write_text(
        "[user]\nname = t\nemail = t@example.org\n[init]\ndefaultBranch = main\n", encoding="utf-8"
    )
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    made = Clone(tmp_path / "top")
    made.top.mkdir()
    made.git("init", "--quiet", "--template=")
    return made
