"""Tries an image in a container engine: it starts, answers, is not root, and stops when told to."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import os
import re
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
from docker.errors import APIError, DockerException, ImageLoadError
from docker.models.containers import Container

from monoyard.errors import MachineError
from monoyard.images.archives import write_archive
from monoyard.images.layouts import Layout
from monoyard.images.machine_faults import refuse_full_disk

_LABEL: Final = "dev.monoyard.trial"
_TRIED: Final = "monoyard-trial"
_PULLED: Final = re.compile(rf"127\.0\.0\.1:\d+/{_TRIED}-(\d+)/")
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10
_PAUSE: Final = 0.1
_OK: Final = 200
_LOOPBACK: Final = "127.0.0.1"
_AWAY: Final = "the container engine went away while an image was tried"
_MEMORY: Final = "512m"
# An Ed25519 private key in PKCS #8 is these bytes and the 32 of the key (RFC 8410, section 7).
_KEY_PREFIX: Final = bytes.fromhex("302e020100300506032b657004220420")


@dataclass(frozen=True, slots=True)
class Trial:
    """How an image is tried.

    Attributes:
        reference: `HOST:PORT/NAME@DIGEST` to pull, for an engine on this machine.
        layout: The same image.
        port: Port it listens on.
        health: Path that answers 200.
        environment: Variables it is started with; `{random}` becomes 32 random characters and
            `{ed25519-key}` a new private key in PEM, so that no secret is written down.
        health_command: Program and arguments that end with 0 in it, instead of `health`.
    """

    reference: str
    layout: Layout
    port: int
    health: str
    environment: Mapping[str, str]
    health_command: tuple[str, ...] = ()


def engine() -> docker.DockerClient:
    """Return a client of the engine that `DOCKER_HOST` names, or the usual one.

    Raises:
        MachineError: None answers.
    """
    try:
        client = docker.from_env(timeout=120)
        client.ping()
    except DockerException as error:
        raise MachineError(
            f"no container engine answers: {error}", hint="`invoke tools.start docker`"
        ) from error
    return client


class Trials:
    """Runs images; what it started is gone when it ends, stopped or not.

    Args:
        client: The engine.
        host: Name of the machine that the engine is on; empty for this one.
    """

    def __init__(self, client: docker.DockerClient, host: str = "") -> None:
        self._client = client
        self._host = host
        self._is_stopped = threading.Event()

    def run(self, trial: Trial) -> str:
        """Run an image as a cluster would, with nothing that it can write but `/tmp`.

        Returns:
            What is wrong with it, with its last output; empty when it passed.

        Raises:
            MachineError: The engine ended, has no room for it, or is not well.
        """
        try:
            with (
                self._loaded(trial) if self._host else self._pulled(trial) as reference,
                _container(self._client, trial, reference, self._host) as container,
            ):
                problem = _watch(container, trial, self._host or _LOOPBACK, self._is_stopped)
        except APIError as error:
            said = str(error.explanation or error)
            if error.is_server_error():
                raise _lost("the container engine cannot run an image", said) from error
            problem = f"the engine refused it: {said}"
        except ImageLoadError as error:
            raise _lost("the container engine cannot take an image", str(error)) from error
        except OSError as error:  # that is what a lost connection is to the engine's client
            raise _lost(_AWAY, str(error)) from error
        # An engine that is being stopped ends its containers first.
        if problem and not self._is_stopped.is_set():
            self._check_engine(problem)
        return problem

    def _check_engine(self, problem: str) -> None:
        try:
            self._client.ping()
        except (DockerException, OSError) as error:
            raise _lost(_AWAY, problem) from error

    @contextlib.contextmanager
    def _pulled(self, trial: Trial) -> Iterator[str]:
        """Have an image in the engine while the block runs; yield its name there."""
        try:
            self._client.images.pull(trial.reference)
        except APIError as error:
            said = str(error.explanation or error)
            refuse_full_disk(said, Path(self._client.info()["DockerRootDir"]))
            raise
        with self._removing(trial.reference):
            yield trial.reference

    @contextlib.contextmanager
    def _loaded(self, trial: Trial) -> Iterator[str]:
        """Do as `_pulled`, with an engine that reaches nothing of this machine."""
        name = f"{_TRIED}:{secrets.token_hex(16)}"
        with self._removing(name), tempfile.TemporaryFile() as archive:
            write_archive(trial.layout, name, archive)
            archive.seek(0)
            self._client.images.load(archive)
            yield name

    @contextlib.contextmanager
    def _removing(self, name: str) -> Iterator[None]:
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                self._client.images.remove(name)

    def stop(self) -> None:
        """End all trials of this process at once, from another thread than theirs."""
        self._is_stopped.set()
        with contextlib.suppress(OSError):
            self._remove(lambda owner: owner == _owner())

    def remove_abandoned(self) -> None:
        """Remove what processes of this machine left that were killed in the middle of a trial."""
        self._remove(_has_ended)
        for name in left_images(self._client):
            with contextlib.suppress(APIError):
                self._client.images.remove(name)

    def _remove(self, wanted: Callable[[str], bool]) -> None:
        for container in _labelled(self._client):
            if wanted(str(container.labels.get(_LABEL))):
                with contextlib.suppress(APIError):
                    container.remove(force=True, v=True)


def trial_name(package: str) -> str:
    """Return what an image is called in the engine while this process tries it there."""
    return f"{_TRIED}-{os.getpid()}/{package}"


def left_containers(client: docker.DockerClient) -> list[Container]:
    """Return the containers of trials whose processes have ended."""
    return [item for item in _labelled(client) if _has_ended(str(item.labels.get(_LABEL)))]


def left_images(client: docker.DockerClient) -> list[str]:
    """Return the names of images that trials had pulled whose processes have ended."""
    summaries: list[dict[str, Any]] = client.api.images()
    names = [name for item in summaries for name in item.get("RepoDigests") or ()]
    found = ((name, _PULLED.match(name)) for name in names)
    return sorted(
        name for name, match in found if match and _has_ended(f"{match[1]}@{socket.gethostname()}")
    )


def _labelled(client: docker.DockerClient) -> list[Container]:
    """Return the containers of trials; another run may be removing one of its own just now."""
    found: list[Container] = client.containers.list(
        all=True, filters={"label": _LABEL}, ignore_removed=True
    )
    return found


def _lost(message: str, said: str) -> MachineError:
    hint = "see that the engine is well, and run this again"
    return MachineError(message, code="engine-lost", context=(said,), hint=hint)


def _owner() -> str:
    return f"{os.getpid()}@{socket.gethostname()}"


def _has_ended(owner: str) -> bool:
    """Say whether a process has ended; one of another machine is none of ours to judge."""
    pid, _, host = owner.partition("@")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@contextlib.contextmanager
def _container(
    client: docker.DockerClient, trial: Trial, reference: str, host: str
) -> Iterator[Container]:
    port = f"{trial.port}/tcp"
    container = client.containers.create(
        reference,
        environment={**_filled(trial.environment), "HOST": "0.0.0.0", "PORT": str(trial.port)},  # noqa: S104  inside the container
        ports={port: None if host else (_LOOPBACK, 0)},
        read_only=True,
        tmpfs={"/tmp": "size=64m"},  # noqa: S108  the container's
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=_MEMORY,
        labels={_LABEL: _owner()},
    )
    try:
        yield container
    finally:
        with contextlib.suppress(OSError):
            container.remove(force=True, v=True)


def _filled(environment: Mapping[str, str]) -> dict[str, str]:
    key = base64.b64encode(_KEY_PREFIX + secrets.token_bytes(32)).decode()
    pem = f"-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n"
    words = {"{random}": secrets.token_hex(16), "{ed25519-key}": pem}
    return {
        name: functools.reduce(lambda text, word: text.replace(*word), words.items(), value)
        for name, value in environment.items()
    }


def _watch(container: Container, trial: Trial, host: str, is_stopped: threading.Event) -> str:
    container.start()
    problem = _await_health(container, trial, host, is_stopped) or _user_problem(container)
    if problem:
        return f"{problem}\n{_output(container)}"
    began = time.monotonic()
    # The engine kills it a little later than it is judged, so that the two can be told apart.
    container.stop(timeout=_STOP_SECONDS + 5)
    took = time.monotonic() - began
    status = container.wait()["StatusCode"]
    if took > _STOP_SECONDS:
        return f"it took {took:.0f} s to stop on SIGTERM, more than {_STOP_SECONDS} s"
    if status:
        return f"it ended with status {status} on SIGTERM\n{_output(container)}"
    return ""


def _await_health(
    container: Container, trial: Trial, host: str, is_stopped: threading.Event
) -> str:
    deadline = time.monotonic() + _START_SECONDS
    said = "nothing answered"
    while time.monotonic() < deadline and not is_stopped.is_set():
        container.reload()
        if container.status != "running":
            return f"it ended before it answered (status {container.wait()['StatusCode']})"
        is_healthy, said = _is_healthy(container, trial, host, said)
        if is_healthy:
            return ""
        time.sleep(_PAUSE)
    asked = " ".join(trial.health_command) or trial.health
    wanted = "end with 0" if trial.health_command else "answer 200"
    return f"{asked} did not {wanted} within {_START_SECONDS:.0f} s: {said}"


def _is_healthy(container: Container, trial: Trial, host: str, said: str) -> tuple[bool, str]:
    """Ask once; return what was said, which is what was said before where nothing can be asked."""
    if trial.health_command:
        done = container.exec_run(list(trial.health_command))
        return done.exit_code == 0, f"status {done.exit_code}"
    bound = container.ports.get(f"{trial.port}/tcp")
    if not bound:
        return False, said
    status, said = _ask(host, int(bound[0]["HostPort"]), trial.health)
    return status == _OK, said


def _ask(host: str, port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()
    return status, f"status {status}"


def _user_problem(container: Container) -> str:
    """Say whether anything in the container runs as root."""
    said: Any = container.top(ps_args="-eo uid,pid,args")
    users = {row[0] for row in said["Processes"]}
    return "it runs as root" if "0" in users else ""


def _output(container: Container) -> str:
    said: bytes = container.logs(tail=40)
    return said.decode("utf-8", "replace")
