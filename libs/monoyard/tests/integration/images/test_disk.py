"""What images take on the disk, and what trials left there that were killed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from monoyard.images.pulls import serve
from monoyard.testing.layouts import write_layout

if TYPE_CHECKING:
    from .conftest import Yard

_ATTEMPTS = 5


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    """The engine."""
    found = docker.from_env()
    yield found
    found.close()


def _ended_process() -> int:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def _pulled(client: docker.DockerClient, place: Path, process: int) -> str:
    """Have the engine pull an image as a trial of a process does; return its name."""
    layout = write_layout(place, {"name": f"{place.name} of {process}"})
    path = f"monoyard-trial-{process}/{place.name}"
    with serve({path: layout}) as address:
        name = f"{address}/{path}@{layout.digest}"
        client.images.pull(name)
    return name


def _is_there(client: docker.DockerClient, name: str) -> bool:
    return any(name in item.attrs["RepoDigests"] for item in client.images.list())


def test_what_killed_trials_left_is_told_and_removed(
    yard: Yard, client: docker.DockerClient, tmp_path: Path
) -> None:
    """An image of a trial whose process has ended goes when asked to; that of another stays."""
    in_use = _pulled(client, tmp_path / "used", os.getpid())
    try:
        # A build of another test may come first and remove it: then it is done with a new one.
        assert any(
            _is_told_and_removed(yard, client, tmp_path / f"left-{number}", in_use)
            for number in range(_ATTEMPTS)
        )
    finally:
        client.images.remove(in_use)


def _is_told_and_removed(yard: Yard, client: docker.DockerClient, place: Path, in_use: str) -> bool:
    left = _pulled(client, place, _ended_process())
    told = yard.checkout.invoke("images.disk")
    assert told.code == 0, told.text
    assert in_use not in told.out
    was_there = _is_there(client, left)
    said = json.loads(yard.checkout.invoke("images.disk", "--prune", "--json").out)
    assert in_use not in said["left"]
    assert not _is_there(client, left)
    assert _is_there(client, in_use)
    if not was_there:
        return False
    assert f"left of a trial that was killed: {left}" in told.out
    assert left not in yard.checkout.invoke("images.disk").out
    if left not in said["left"]:
        return False
    # It was there when the images were counted, and so was the one in use.
    assert said["engine"]["images"]["count"] >= 2
    return True


def test_two_may_remove_at_once(yard: Yard, client: docker.DockerClient, tmp_path: Path) -> None:
    """What another one removed meanwhile is gone, and no error."""
    process = _ended_process()
    left = [_pulled(client, tmp_path / f"left-{number}", process) for number in range(12)]
    words = ("-m", "invoke", "images.disk", "--prune")
    running = [yard.checkout.begin(*words) for _ in range(3)]
    ended = [item.end() for item in running]
    assert [item.code for item in ended] == [0, 0, 0], [item.text for item in ended]
    assert not any(_is_there(client, name) for name in left)


def test_next_build_removes_what_a_killed_one_left(
    yard: Yard, client: docker.DockerClient, tmp_path: Path
) -> None:
    """Nobody has to ask for it."""
    left = _pulled(client, tmp_path / "left", _ended_process())
    yard.service("shop")
    yard.checkout.commit()
    assert yard.checkout.outcomes("images") == {"shop:image": "pass"}
    assert not _is_there(client, left)


def test_without_an_engine_it_is_one_error(yard: Yard) -> None:
    """Where none answers that is said, with the command that starts one."""
    yard.checkout.environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    ended = yard.checkout.invoke("images.disk")
    assert ended.code != 0
    assert "no container engine answers" in ended.err
    assert "invoke tools.start docker" in ended.err
