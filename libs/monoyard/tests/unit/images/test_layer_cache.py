"""Which layers of other builders a run reads, and which it writes."""

import subprocess
from pathlib import Path

import pytest

from monoyard.changes import Event
from monoyard.errors import ConfigurationError
from monoyard.images import LayerCache, find_layer_cache
from monoyard.workspace import Repository

GITHUB = {"GITHUB_ACTIONS": "true"}
PLACE = "127.0.0.1:5000/yard/layers"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository on `main`."""
    words = ("git", "init", "--quiet", "--initial-branch=main", str(tmp_path))
    subprocess.run(words, check=True)
    return Repository.locate(tmp_path)


def find(
    repository: Repository, event: Event, *, is_ci: bool = True, address: str = PLACE
) -> LayerCache | None:
    """Return the cache of a run in GitHub Actions, or at a desk."""
    environment = GITHUB if is_ci else {}
    return find_layer_cache(
        address, repository, event, environment, default_branch="main", is_ci=is_ci
    )


@pytest.mark.parametrize(
    ("event", "reads", "writes"),
    [
        (Event("push", branch="main"), ("main",), "main"),
        (Event("push", branch="topic"), ("topic", "main"), "topic"),
        (Event("pull-request", "main", branch="topic"), ("topic", "main"), "topic"),
        (Event("pull-request", "next", branch="main"), ("main",), ""),
        (Event("pull-request", "main", is_from_fork=True), ("main",), ""),
        (Event("merge-queue", "main"), ("main",), ""),
        (Event(), ("main",), ""),
    ],
)
def test_branch_writes_its_own_and_only_main_writes_main(
    repository: Repository, event: Event, reads: tuple[str, ...], writes: str
) -> None:
    """Forks, queues and events of no branch read what the default branch left and write none."""
    assert find(repository, event) == LayerCache(PLACE, reads, writes)


def test_branch_with_the_tag_of_the_default_branch_reads_only(repository: Repository) -> None:
    """A name that becomes the default branch's tag must not write what everybody reads."""
    found = find_layer_cache(
        PLACE, repository, Event("push", branch="rel/1"), GITHUB, default_branch="rel-1", is_ci=True
    )
    assert found == LayerCache(PLACE, ("rel/1", "rel-1"))
    assert found.sources("api") == (f"{PLACE}:api.branch-rel-1",)


def test_desk_reads_only(repository: Repository) -> None:
    """What is not committed yet must not reach other builders."""
    assert find(repository, Event(), is_ci=False) == LayerCache(PLACE, ("main",))


def test_references_name_image_and_branch() -> None:
    """Each image has a tag of its own for each branch, and no tag is longer than tags may be."""
    cache = LayerCache(PLACE, ("a/b", "main"), "a/b")
    assert cache.sources("api") == (f"{PLACE}:api.branch-a-b", f"{PLACE}:api.branch-main")
    assert cache.target("api") == f"{PLACE}:api.branch-a-b"
    assert LayerCache(PLACE, ("main",)).target("api") == ""
    long = LayerCache("r/c", ("x" * 300,), "x" * 300)
    assert len(long.target("api").removeprefix("r/c:")) == 128


@pytest.mark.parametrize("address", ["", "off"])
def test_no_address_is_no_cache(repository: Repository, address: str) -> None:
    """Nothing is read or written where no registry is named."""
    assert find(repository, Event(), address=address) is None


@pytest.mark.parametrize("address", ["host", "host/name:tag", "http://host/name", "host/na me,x=y"])
def test_address_that_is_none_is_a_clear_error(repository: Repository, address: str) -> None:
    """A tag, a scheme, or what would be another option of the builder is refused."""
    with pytest.raises(ConfigurationError) as raised:
        find(repository, Event(), address=address)
    assert "MONOYARD_IMAGE_CACHE" in str(raised.value.hint)
