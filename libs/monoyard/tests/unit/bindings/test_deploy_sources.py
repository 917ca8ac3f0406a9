"""What a deployment takes from a repository and a registry."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from monoyard.bindings.deploy_sources import KnownCommits, PublishedImages, laid_out
from monoyard.bindings.supplying import Supplying
from monoyard.config import DeliverySettings
from monoyard.supply import Expected, Origin, Ruling
from monoyard.workspace import Repository

COMMIT = "1" * 40
ENVIRONMENT = """\
namespace = "shop"
cluster = "local"
[services.api]
chart = "charts/api"
values = ["charts/values.yaml"]
"""


@dataclass
class Tags:
    """A registry of tags, and an admission that keeps what it was asked."""

    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    asked: list[tuple[str, Expected, str]] = field(default_factory=list)

    def repository(self, image: str) -> str:
        """Return what stands in front of the digest."""
        return f"r.example/{image}"

    def reference(self, image: str, digest: str) -> str:
        """Return a reference by digest."""
        return f"r.example/{image}@{digest}"

    def digest(self, image: str, tag: str) -> str | None:
        """Return what a tag names."""
        return self.tags.get((image, tag))

    def examine(self, reference: str, expected: Expected, environment: str) -> Ruling:
        """Keep what was asked."""
        self.asked.append((reference, expected, environment))
        return Ruling(reference, environment, ())


@dataclass
class Supply:
    """What images are asked of."""

    registry: Tags
    admission: Tags
    origin: Origin


def images(tags: Tags, keys: Mapping[str, str], *, is_clean: bool = True) -> PublishedImages:
    """Return the images of a registry, at a desk where a commit is checked out."""
    origin = Origin("source", COMMIT, is_clean, "main", (), "builder")
    supply = cast("Supplying", cast("Any", Supply(tags, tags, origin)))
    return PublishedImages(supply, "dev", lambda: keys)


def test_image_is_found_by_its_commit() -> None:
    """The commit's tag wins, and the image has to be of that commit."""
    tags = Tags({("api", COMMIT): "sha256:a", ("api", "in-key"): "sha256:b"})
    found = images(tags, {"api": "key"})
    assert found.digest("api", COMMIT) == "sha256:a"
    assert found.repository("api") == "r.example/api"
    found.examine("api", "sha256:a", COMMIT)
    assert tags.asked == [("r.example/api@sha256:a", Expected("api", "source", "", COMMIT), "dev")]


def test_image_of_the_clean_work_tree_is_found_by_its_key() -> None:
    """Without such a tag the content counts, and the image has to be of that key."""
    tags = Tags({("api", "in-key"): "sha256:b"})
    found = images(tags, {"api": "key"})
    assert found.digest("api", COMMIT) == "sha256:b"
    found.examine("api", "sha256:b", COMMIT)
    assert tags.asked[0][1] == Expected("api", "source", "key")
    assert found.digest("web", COMMIT) is None


@pytest.mark.parametrize(("is_clean", "commit"), [(False, COMMIT), (True, "2" * 40)])
def test_content_of_another_state_is_none_of_the_commit(is_clean: bool, commit: str) -> None:
    """With uncommitted changes, or for another commit, keys of the work tree say nothing."""
    tags = Tags({("api", "in-key"): "sha256:b"})
    found = images(tags, {"api": "key"}, is_clean=is_clean)
    assert found.digest("api", commit) is None
    found.examine("api", "sha256:b", commit)
    assert tags.asked[0][1] == Expected("api", "source", "", commit)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with a chart of its own, a program and a link in it."""
    top = tmp_path / "shop"
    files = {
        "deploy/environments/dev/environment.toml": ENVIRONMENT,
        "charts/api/Chart.yaml": "name: api\n",
        "charts/api/files/run": "#!/bin/sh\n",
        "charts/values.yaml": "a: 1\n",
        "secret.txt": "not of the delivery",
    }
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text, "utf-8")
    (top / "charts/api/files/run").chmod(0o755)
    (top / "charts/api/link").symlink_to("files/run")
    who = ("-c", "user.name=Jane", "-c", "user.email=jane@example.org")
    for words in (("init", "-qb", "main"), ("add", "-A"), (*who, "commit", "-qm", "one")):
        subprocess.run(("git", *words), cwd=top, check=True)
    return Repository.locate(top)


def test_tree_of_a_commit_is_laid_out(repository: Repository) -> None:
    """Charts and values of services are there as committed, modes and links too; no more."""
    (repository.top / "charts" / "values.yaml").write_text("a: 2\n", "utf-8")
    with laid_out(repository, DeliverySettings(), "HEAD", "dev") as tree:
        assert (tree.top / "charts" / "values.yaml").read_text("utf-8") == "a: 1\n"
        assert (tree.top / "charts" / "api" / "files" / "run").stat().st_mode & 0o111
        assert (tree.top / "charts" / "api" / "link").readlink() == Path("files/run")
        assert not (tree.top / "secret.txt").exists()
        assert tree.environment.namespace == "shop"
    assert not tree.top.exists()


def test_commits_are_compared(repository: Repository) -> None:
    """A commit is not older than itself, and what this clone lacks cannot be compared."""
    commits = KnownCommits(repository, {"api": "services/api"})
    assert commits.is_older("HEAD", "HEAD") is False
    assert commits.is_older("HEAD", "f" * 40) is None
    assert list(commits.new_migrations("web", "", "HEAD")) == []
    assert list(commits.new_migrations("api", "f" * 40, "HEAD")) == []
