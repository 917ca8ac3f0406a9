"""What a pull request reads of the store, and who reads what it writes."""

from __future__ import annotations

import json

import pytest

from monoyard.changes import read_event

from .repository import Repository, everything_of, readers_of_sources, tasks

BASE = "packages/base/src/base/module.py"
OF_BASE = everything_of("base") | readers_of_sources("core", "app")


def _pull_request(repository: Repository, head: str) -> dict[str, str]:
    sides = {
        side: {"repo": {"full_name": name}}
        for side, name in (("base", "team/product"), ("head", head))
    }
    path = repository.top.parent / "event.json"
    path.write_text(json.dumps({"pull_request": sides}), "utf-8")
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_BASE_REF": "main",
    }


@pytest.mark.parametrize("head", ["stranger/product", "team/product"])
def test_pull_request_reads_what_the_default_branch_wrote(
    repository: Repository, head: str
) -> None:
    """A pull request, from a fork too, runs only what the default branch has not passed."""
    event = _pull_request(repository, head)
    assert read_event(event).is_from_fork == (head != "team/product")
    repository.write(BASE, "VALUE = 2\n")
    repository.commit()
    repository.write("packages/app/README.md", "more\n")
    assert repository.rerun(**event) == OF_BASE | everything_of("app")
    assert repository.run(**event).plan.narrowed


@pytest.mark.parametrize("head", ["stranger/product", "team/product"])
def test_pull_request_writes_nothing_that_others_read(repository: Repository, head: str) -> None:
    """What a pull request passed is replayed by pull requests, and by the default branch never."""
    event = _pull_request(repository, head)
    repository.write(BASE, "VALUE = 2\n")
    repository.commit()
    repository.learn(**event)
    assert repository.rerun(**event) == set()
    assert repository.rerun() == OF_BASE


def test_pull_request_remembers_nothing_for_others(repository: Repository) -> None:
    """What a pull request read out of files is not believed by the default branch."""
    event = _pull_request(repository, "stranger/product")
    repository.write("packages/other/src/other/late.py", "import base.module\n")
    repository.settle()
    assert repository.affected(**event) == {}
    repository.write(BASE, "VALUE = 2\n")
    assert "other:unit" in repository.affected()
    assert repository.affected(**event).keys() >= tasks("base").keys()
