"""What a machine can do to a build: its disk is full, its builder or its engine ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from monoyard.images import engine_problem

if TYPE_CHECKING:
    from .conftest import Yard

SLOW = """\
FROM base AS image
RUN ["python3", "-c", "import time; time.sleep(600)", "{mark}"]
"""


@contextlib.contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[None]:
    """Let a directory lie on a disk of its own while the block runs; what was in it is lost."""
    place.mkdir(parents=True, exist_ok=True)
    size = f"size={megabytes}m"
    argv = ("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place))
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk of a size can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(("umount", "--lazy", str(place)), check=True)


def processes(word: str) -> list[int]:
    """Return the ids of the processes that have a word in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and word.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def is_called(pid: int, name: str) -> bool:
    """Say whether a process runs a program of this name."""
    return Path(f"/proc/{pid}/comm").read_text("utf-8").strip() == name


@pytest.mark.parametrize(("part", "megabytes"), [("", 8), ("buildkit", 48)])
def test_full_disk_is_told_and_leaves_nothing_half_made(
    yard: Yard, part: str, megabytes: int
) -> None:
    """Whether a base or a layer does not fit: one clear error, and the next run is right."""
    yard.service("shop")
    yard.checkout.commit()
    place = yard.checkout.cache / "images" / part
    with small_disk(place, megabytes):
        assert yard.checkout.outcomes("images") == {"shop:image": "error"}
        reason = yard.checkout.result("shop:image")["reason"]
        assert reason.startswith("the disk is full: nothing more fits into "), reason
        assert str(yard.checkout.cache / "images") in reason
    assert yard.checkout.outcomes("images") == {"shop:image": "pass"}
    assert yard.checkout.outcomes("images") == {"shop:image": "cached"}


def test_builder_that_is_killed_is_told_and_started_again(
    yard: Yard, until: Callable[..., bool], tmp_path: Path
) -> None:
    """BuildKit ends in the middle of a step: an error of no image, and the next run is right."""
    yard.service("shop")
    mark = f"step-of-{yard.checkout.top.parent.name}-{os.getpid()}"
    dockerfile = yard.checkout.write("libs/shop/Dockerfile", SLOW.format(mark=mark))
    yard.checkout.commit()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    running = yard.checkout.start("images", env={"TMPDIR": str(temporary)})
    state = str(yard.checkout.cache / "images" / "buildkit" / "root")
    assert until(lambda: processes(mark))
    builders = [
        pid
        for pid in processes(state)
        if Path(f"/proc/{pid}/comm").read_text("utf-8").startswith("buildkitd")
    ]
    assert len(builders) == 1
    os.kill(builders[0], signal.SIGKILL)
    ended = running.end()
    assert ended.code == 1, ended.text
    result = yard.checkout.result("shop:image")
    assert result["outcome"] == "error"
    assert result["reason"].startswith("BuildKit ended in the middle of a build")
    assert until(lambda: not processes(mark), 20)
    dockerfile.unlink()
    assert yard.checkout.outcomes("images") == {"shop:image": "pass"}
    assert not (yard.checkout.cache / "images" / "buildkit" / "temporary").exists()
    assert not list(temporary.glob("buildkit*")), "it has a place of its own for what it mounts"
    mounted = Path("/proc/self/mountinfo").read_text("utf-8")
    assert state not in mounted, "steps of the one that was killed"


BRIDGE = f"yard{os.getpid() % 1_000_000}"


class Engine:
    """A container engine of the test's own.

    Args:
        place: Directory for everything it keeps.
    """

    def __init__(self, place: Path) -> None:
        self.address = f"unix://{place}/docker.sock"
        program = shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if program is None:
            pytest.skip("dockerd is not on PATH")
        self._log = place / "log"
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                (
                    program, f"--host={self.address}",
                    f"--data-root={place / 'data'}", f"--exec-root={place / 'exec'}",
                    f"--pidfile={place / 'pid'}", "--iptables=false",
                    "--ip-forward=false", f"--bridge={BRIDGE}",
                ),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "TMPDIR": str(place)},
            )  # fmt: skip

    @property
    def said(self) -> str:
        """Its log."""
        return self._log.read_text("utf-8", "replace")

    def containers(self) -> list[str]:
        """Return its running containers."""
        client = docker.DockerClient(self.address)
        with contextlib.closing(client):
            return [str(container.id) for container in client.containers.list()]

    def answers(self) -> bool:
        """Say whether it answers; one that does not start here skips the test."""
        if self._child.poll() is not None:
            pytest.skip(f"a second engine does not start here: {self.said.splitlines()[-1:]}")
        return not engine_problem({"DOCKER_HOST": self.address})

    def stop(self) -> None:
        """Stop it, with all its containers."""
        self._child.terminate()
        self._child.wait(60)


@pytest.fixture
def bridge() -> Iterator[None]:
    """A bridge for an engine: one that is told to use none removes `docker0`, another's."""
    for words in (
        ("link", "add", "name", BRIDGE, "type", "bridge"),
        ("address", "add", "192.168.253.1/24", "dev", BRIDGE),
        ("link", "set", BRIDGE, "up"),
    ):
        done = subprocess.run(("ip", *words), check=False, capture_output=True, text=True)
        if done.returncode:
            subprocess.run(("ip", "link", "delete", BRIDGE), check=False, capture_output=True)
            pytest.skip(f"no bridge can be made here: {done.stderr.strip()}")
    yield
    subprocess.run(("ip", "link", "delete", BRIDGE), check=True, capture_output=True)


@pytest.fixture
def own_engine(bridge: None, until: Callable[..., bool]) -> Iterator[Engine]:  # noqa: ARG001
    """An engine that nobody else uses."""
    place = Path("/tmp") / f"monoyard-engine-{os.getpid()}"  # noqa: S108  a socket's path is short
    place.mkdir()
    started = Engine(place)
    try:
        assert until(started.answers, 60), started.said
        yield started
    finally:
        started.stop()
        shutil.rmtree(place, ignore_errors=True)


def test_engine_that_is_stopped_is_told(
    yard: Yard, own_engine: Engine, until: Callable[..., bool]
) -> None:
    """The engine ends while it tries an image: an error of no image, and the next run is right."""
    yard.service("shop", status=500)  # so that its trial goes on
    yard.checkout.commit()
    running = yard.checkout.start("images", env={"DOCKER_HOST": own_engine.address})
    assert until(own_engine.containers)
    own_engine.stop()
    ended = running.end()
    assert ended.code == 1, ended.text
    result = yard.checkout.result("shop:image")
    assert result["outcome"] == "error"
    assert result["reason"].startswith("the container engine went away while an image was tried")
    yard.service("shop")
    assert yard.checkout.outcomes("images") == {"shop:image": "pass"}
