"""Layers of one builder spare another one its steps, through a real registry."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.tools import buildx

from ..supply.yard import LocalRegistry, program  # noqa: TID252  a folder, not a package

if TYPE_CHECKING:
    from .conftest import Yard


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[LocalRegistry]:
    """A registry with nothing in it."""
    started = LocalRegistry(tmp_path / "registry")
    yield started
    started.stop()


def enter_ci(yard: Yard, place: Path, cache: str, *, branch: str) -> None:
    """Let a repository be built by a push to a branch in GitHub Actions."""
    event = place / f"{branch}.json"
    event.write_text(json.dumps({"repository": {"default_branch": "main"}}), encoding="utf-8")
    yard.checkout.environment.update(
        CI="true", GITHUB_ACTIONS="true", GITHUB_EVENT_NAME="push", GITHUB_EVENT_PATH=str(event),
        GITHUB_REF=f"refs/heads/{branch}", MONOYARD_IMAGE_CACHE=cache,
    )  # fmt: skip


def executed(yard: Yard) -> Counter[str]:
    """Return how many commands of each stage the last run executed, by the stage's name."""
    log = max((yard.checkout.top / ".monoyard/runs").glob("*/*/bake.log"))
    found: Counter[str] = Counter()
    for step in buildx.steps(log.read_text("utf-8")):
        stage, _, command = step.name.partition("] ")
        if command.startswith("RUN "):
            target, name, _ = stage.split(" ")
            found[name] += not step.is_cached
            found[f"{target} {name}"] += not step.is_cached
    return found


def tags(address: str) -> dict[str, str]:
    """Return the tags of a cache, each with what it stands for."""
    crane = str(program("crane"))

    def ask(*words: str) -> str:
        return subprocess.run((crane, *words), check=True, capture_output=True, text=True).stdout

    return {tag: ask("digest", f"{address}:{tag}").strip() for tag in ask("ls", address).split()}


def test_warm_cache_spares_an_empty_builder_the_dependencies(
    yard: Yard, new_yard: Callable[[], Yard], registry: LocalRegistry, tmp_path: Path
) -> None:
    """One changed service runs its own stage only; bytes are the same with and without a cache."""
    cache = f"{registry.address}/layers"
    lock = (yard.checkout.top / "infra/images/debian.lock").read_text("utf-8")
    other = new_yard()
    other.checkout.write("infra/images/debian.lock", lock)
    for each, branch in ((yard, "main"), (other, "topic")):
        enter_ci(each, tmp_path, cache, branch=branch)
        each.service("shop")
        each.service("post")
    other.checkout.write("libs/shop/src/shop/__init__.py", "def answer():\n    return 43\n")
    yard.checkout.commit()
    assert yard.checkout.outcomes("images") == {"post:image": "pass", "shop:image": "pass"}
    assert yard.checkout.record()["notes"] == []
    cold = executed(yard)
    assert cold["dependencies"] >= 3
    assert cold["application"] == 4
    first = tags(cache)
    assert sorted(first) == ["post.branch-main", "shop.branch-main"]
    other.checkout.commit()
    assert other.checkout.outcomes("images") == {"post:image": "pass", "shop:image": "pass"}
    warm = executed(other)
    assert (warm["dependencies"], warm["application"], warm["[shop application"]) == (0, 2, 2)
    assert set(cold) - set(warm) == set()
    assert other.digest("post") == yard.digest("post")
    assert other.digest("shop") != yard.digest("shop")
    second = tags(cache)
    assert sorted(second.keys() - first.keys()) == ["post.branch-topic", "shop.branch-topic"]
    assert {tag: second[tag] for tag in first} == first


def test_cache_that_is_away_is_told_and_fails_nothing(yard: Yard, tmp_path: Path) -> None:
    """Without its registry a build does all the work, passes, and says what it missed."""
    enter_ci(yard, tmp_path, "127.0.0.1:1/layers", branch="main")
    yard.service("shop")
    yard.checkout.commit()
    assert yard.checkout.outcomes("images") == {"shop:image": "pass"}
    reading, writing = yard.checkout.record()["notes"]
    assert reading.startswith("the layer cache cannot be read, so more was built: ")
    assert writing.startswith("the layer cache cannot be written, so nobody else has it: ")
    assert writing.endswith("connection refused")
