"""Releases of Helm: what was sent to a namespace, revision by revision."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

from monoyard.charts import ChartCall, homeless
from monoyard.delivery import UNREACHABLE
from monoyard.errors import ClusterError, DeliveryError, ToolError
from monoyard.process import Command, Completed, capture, clean
from monoyard.supply import CREDENTIALS
from monoyard.tools import helm
from monoyard.tools.helm import Place, Release

# Over what Helm itself is given, so that it ends by itself and says why.
_GRACE_SECONDS: Final = 30.0
_QUESTION_SECONDS: Final = 60.0
# An API server that has just started refuses everybody, for half a second: see
# `monoyard.delivery.readiness`, which Helm has not.
_PAUSES: Final = (1.0, 2.0)
_UNINSTALLED: Final = "uninstalled"


class Releases(Protocol):
    """The releases of one namespace. A fake and the real Helm pass one conformance suite.

    Every method raises DeliveryError where Helm does not do what it is asked, and ClusterError with
    the code `unreachable` where that is for want of the cluster.
    """

    def all(self, labels: Mapping[str, str]) -> tuple[Release, ...]:
        """Return the newest revision of every release that carries these labels."""

    def history(self, name: str) -> tuple[Release, ...]:
        """Return the revisions of a release, the oldest first; none where there is no release."""

    def manifest(self, name: str, revision: int) -> str:
        """Return what a revision rendered, as YAML."""

    def values(self, name: str, revision: int) -> Mapping[str, Any]:
        """Return the values that a revision was given."""

    def upgrade(self, call: ChartCall, labels: Mapping[str, str], description: str) -> None:
        """Install or upgrade a release, and return when all is sent."""

    def rollback(self, name: str, revision: int) -> None:
        """Send what an earlier revision rendered; that is a new revision."""

    def uninstall(self, name: str) -> None:
        """Remove what a release made; its history stays."""


class HelmReleases:
    """The releases of one namespace, by the real Helm.

    Args:
        program: Helm.
        top: What charts and files of values are relative to.
        place: Where the releases are.
        seconds: For one call that changes something.
        pauses: Seconds to wait before a question that was refused is asked again.
    """

    def __init__(
        self,
        program: Path,
        top: Path,
        place: Place,
        seconds: float,
        pauses: tuple[float, ...] = _PAUSES,
    ) -> None:
        self._program = program
        self._top = top
        self._place = place
        self._seconds = seconds
        self._pauses = pauses
        self._refused: set[tuple[str, ...]] = set()

    @cached_property
    def _major(self) -> int:
        said = self._ask(helm.version(self._program), "helm does not say its version")
        major = helm.parse_version(said.text)[0]
        if major not in helm.ACCEPTED:
            known = " or ".join(map(str, helm.ACCEPTED))
            raise ToolError(f"helm {major} is not understood: {known} is", code="tool-version")
        return major

    def all(self, labels: Mapping[str, str]) -> tuple[Release, ...]:
        """Return the newest revision of every release that carries these labels."""
        argv = helm.releases(self._program, self._place, major=self._major, labels=labels)
        return helm.parse_releases(self._ask(argv, "releases cannot be listed").stdout)

    def history(self, name: str) -> tuple[Release, ...]:
        """Return the revisions of a release, the oldest first; none where there is no release."""
        done = self._read(helm.history(self._program, name, self._place))
        if done.status and helm.is_missing(done.stderr.decode("utf-8", "replace")):
            return ()
        return helm.parse_history(_checked(done, f"the history of {name} cannot be read"), name)

    def manifest(self, name: str, revision: int) -> str:
        """Return what a revision rendered, as YAML."""
        argv = helm.manifest(self._program, name, self._place, revision)
        return self._ask(argv, f"revision {revision} of {name} cannot be read").text

    def values(self, name: str, revision: int) -> Mapping[str, Any]:
        """Return the values that a revision was given."""
        argv = helm.values_of(self._program, name, self._place, revision)
        said = self._ask(argv, f"the values of {name} cannot be read")
        return helm.parse_values(said.stdout)

    def upgrade(self, call: ChartCall, labels: Mapping[str, str], description: str) -> None:
        """Install or upgrade a release, and return when all is sent."""
        argv = helm.upgrade(
            self._program, call.name, call.chart, (*call.files, "-"), self._place,
            major=self._major, labels=labels, description=description, seconds=self._seconds,
        )  # fmt: skip
        self._change(argv, f"{call.name} cannot be upgraded", json.dumps(call.given).encode())

    def rollback(self, name: str, revision: int) -> None:
        """Send what an earlier revision rendered; that is a new revision."""
        argv = helm.rollback(
            self._program, name, revision, self._place, major=self._major, seconds=self._seconds
        )
        self._change(argv, f"{name} cannot be taken back to revision {revision}")

    def uninstall(self, name: str) -> None:
        """Remove what a release made; its history stays."""
        newest = newest_of(self, name)
        if newest is None or newest.status == _UNINSTALLED:
            return  # Helm calls a release that was removed before an error
        argv = helm.uninstall(self._program, name, self._place, seconds=self._seconds)
        self._change(argv, f"{name} cannot be removed")

    def _ask(self, argv: tuple[str, ...], otherwise: str) -> Completed:
        done = self._read(argv)
        _checked(done, otherwise)
        return done

    def _read(self, argv: tuple[str, ...]) -> Completed:
        for pause in self._pauses:
            done = self._run(argv, _QUESTION_SECONDS)
            if not _is_refused(done):
                return done
            time.sleep(pause)
        return self._run(argv, _QUESTION_SECONDS)

    def _change(self, argv: tuple[str, ...], otherwise: str, told: bytes | None = None) -> None:
        """Change something; what is refused for the first time may be refused to everybody.

        It is not simply tried again: whoever asked looks first at what was done.
        """
        done = self._run(argv, self._seconds + _GRACE_SECONDS, told)
        if _is_refused(done) and argv not in self._refused:
            self._refused.add(argv)
            raise _passing(f"{otherwise}: the cluster refuses it", done)
        _checked(done, otherwise)

    def _run(self, argv: tuple[str, ...], seconds: float, told: bytes | None = None) -> Completed:
        with _environment() as environment:
            # A runner that is killed leaves no call behind that goes on without a Lease.
            return capture(
                Command(argv, self._top, environment, seconds, told, dies_with_parent=True)
            )


def newest_of(releases: Releases, name: str) -> Release | None:
    """Return the newest revision of a release; None where there is no release."""
    history = releases.history(name)
    return history[-1] if history else None


@contextmanager
def _environment() -> Iterator[Mapping[str, str]]:
    """Give Helm what kubeconfigs need that fetch credentials by a program of the cloud."""
    with homeless() as environment:
        yield {**clean(CREDENTIALS), **environment}


def _checked(done: Completed, otherwise: str) -> bytes:
    if done.status == 0:
        return done.stdout
    if helm.is_unreachable(_said(done)):
        raise _passing(f"{otherwise}: the cluster does not answer", done)
    raise DeliveryError(otherwise, code="helm", context=_complaints(done))


def _is_refused(done: Completed) -> bool:
    return done.status != 0 and helm.is_refused(_said(done))


def _passing(what: str, done: Completed) -> ClusterError:
    """Return the error of what may be tried again."""
    return ClusterError(what, code=UNREACHABLE, context=_complaints(done))


def _complaints(done: Completed) -> tuple[str, ...]:
    return helm.complaints(_said(done)) or tuple(done.last_lines)


def _said(done: Completed) -> str:
    return done.stderr.decode("utf-8", "replace")
