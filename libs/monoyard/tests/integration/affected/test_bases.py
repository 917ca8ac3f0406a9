"""Which base a run compares with, at the desk and in CI."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from monoyard.errors import RepositoryError

from .repository import Repository, dependents, tasks

LEAF = "packages/app/src/app/module.py"
EDITED = "import core.module\nVALUE = 2\n"
BASE = "packages/base/src/base/module.py"


def _event(repository: Repository, name: str, payload: object, **more: str) -> dict[str, str]:
    path = repository.top.parent / "event.json"
    path.write_text(json.dumps(payload), "utf-8")
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(path),
        **more,
    }


def test_main_moved_on(repository: Repository) -> None:
    """What happened on the default branch after the fork is not ours."""
    repository.write(LEAF, EDITED)
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.write(BASE, "VALUE = 9\n")
    repository.commit()
    repository.git("checkout", "-q", "work")
    assert repository.affected() == tasks("app")


def test_detached_head(repository: Repository) -> None:
    """A detached HEAD is compared like any other."""
    repository.write(LEAF, EDITED)
    repository.commit()
    repository.git("checkout", "-q", "--detach")
    assert repository.affected() == tasks("app")


def test_linked_worktree_and_sub_directory(repository: Repository) -> None:
    """A linked worktree, asked from a directory inside it, sees its own changes."""
    place = repository.top.parent / "linked"
    repository.git("worktree", "add", "-q", "-b", "second", str(place))
    linked = Repository(place, repository.environment)
    linked.write(LEAF, EDITED)
    inside = Repository(place / "packages", repository.environment)
    assert inside.affected() == tasks("app")
    assert repository.affected() == {}


def test_variables_of_a_hook(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of a surrounding git hook do not lead to another repository."""
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")
    assert repository.affected() == {}


def test_typed_ref_that_does_not_exist(repository: Repository) -> None:
    """A typing mistake in a ref is one clear error, never a selection."""
    with pytest.raises(RepositoryError, match="no commit `mian`"):
        repository.affected(since="mian")


def test_no_repository(tmp_path: Path) -> None:
    """Outside git there is one clear error."""
    with pytest.raises(RepositoryError, match="not in a git repository"):
        Repository(tmp_path, {}).affected()


def test_no_commit_yet(repository: Repository) -> None:
    """Before the first commit everything is selected, with that reason."""
    repository.git("checkout", "-q", "--orphan", "empty")
    assert repository.affected() == repository.everything("BaseUnknown")


def test_shallow_clone_without_the_base(repository: Repository) -> None:
    """In a shallow clone that lacks the base of its event everything is selected."""
    repository.write(LEAF, EDITED)
    repository.commit()
    place = repository.top.parent / "shallow"
    source = f"file://{repository.top}"
    subprocess.run(
        ["git", "clone", "-q", "--depth=1", "--branch=work", source, str(place)],
        env=repository.environment, check=True,
    )  # fmt: skip
    shallow = Repository(place, repository.environment)
    event = _event(repository, "pull_request", {}, GITHUB_BASE_REF="main")
    assert shallow.affected(**event) == repository.everything("BaseUnknown")


def test_unrelated_histories(repository: Repository) -> None:
    """Without a common commit everything is selected."""
    repository.git("checkout", "-q", "--orphan", "alone")
    repository.git("commit", "-qm", "alone")
    assert repository.affected() == repository.everything("BaseUnknown")


def test_pull_request(repository: Repository) -> None:
    """A pull request counts from where it left its target, never from the frozen `base.sha`."""
    repository.write(LEAF, EDITED)
    repository.commit()
    payload = {"pull_request": {"base": {"sha": "0123"}, "head": {}}}
    event = _event(repository, "pull_request", payload, GITHUB_BASE_REF="main")
    assert repository.affected(**event) == tasks("app")


def test_merge_queue(repository: Repository) -> None:
    """A merge queue's entry counts from the commit that the queue built it on."""
    repository.write(BASE, "VALUE = 2\n")
    repository.commit()
    queued = repository.git("rev-parse", "HEAD").strip()
    repository.write(LEAF, EDITED)
    repository.commit()
    group = {"merge_group": {"base_sha": queued, "base_ref": "refs/heads/main"}}
    assert repository.affected(**_event(repository, "merge_group", group)) == tasks("app")


def test_push(repository: Repository) -> None:
    """A push counts from the commit that the branch had before."""
    before = repository.git("rev-parse", "HEAD").strip()
    repository.write(BASE, "VALUE = 2\n")
    repository.commit()
    event = _event(repository, "push", {"before": before})
    assert repository.affected(**event) == tasks("base") | dependents("core", "app")


def test_forced_push(repository: Repository) -> None:
    """A forced push compares the two states, whatever their history."""
    repository.write(LEAF, EDITED)
    repository.commit()
    before = repository.git("rev-parse", "HEAD").strip()
    repository.git("reset", "-q", "--hard", "main")
    repository.write("packages/other/src/other/module.py", "VALUE = 2\n")
    repository.commit()
    event = _event(repository, "push", {"before": before, "forced": True})
    assert repository.affected(**event) == tasks("app", "other")


def test_first_push_of_a_branch(repository: Repository) -> None:
    """The first push of a branch counts from where it left the default branch."""
    repository.write(LEAF, EDITED)
    repository.commit()
    event = _event(repository, "push", {"before": "0" * 40}, GITHUB_REF="refs/heads/work")
    assert repository.affected(**event) == tasks("app")


def test_push_event_with_an_unknown_commit(repository: Repository) -> None:
    """An event that names a commit this clone lacks selects everything."""
    event = _event(repository, "push", {"before": "1" * 40})
    assert repository.affected(**event) == repository.everything("BaseUnknown")
