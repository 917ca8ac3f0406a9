"""A bounded load: how often what is asked, who answered, and what was lost."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx

if TYPE_CHECKING:
    from .site import Site

_MOST = 100_000  # requests of one load
_PATIENCE_SECONDS = 10.0
_TOKEN_SECONDS = 120.0
_OK = 200
_FAULT = 500


@dataclass(frozen=True)
class Target:
    """What is asked.

    Attributes:
        service: Who is to answer.
        path: Below the environment's host.
        rate: Requests a second.
        needs_token: Only whoever signed in is answered.
    """

    service: str
    path: str
    rate: float
    needs_token: bool = False


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Attributes:
        service: Who was asked.
        at: When it was sent, in seconds of `time.time`.
        seconds: How long it took.
        status: Of HTTP; 0 where nothing came.
        version: The ReplicaSet of the pod that answered: name of service and hash.
        problem: Why nothing came.
    """

    service: str
    at: float
    seconds: float
    status: int
    version: str = ""
    problem: str = ""

    @property
    def is_lost(self) -> bool:
        """Nothing came, or that it does not work."""
        return self.status == 0 or self.status >= _FAULT


@dataclass
class Load:
    """Asks targets at their rates, each from threads of its own, until it is stopped.

    Attributes:
        site: Where they are.
        targets: What is asked.
        answers: What came so far.
    """

    site: Site
    targets: Sequence[Target]
    answers: list[Answer] = field(default_factory=list)
    _is_over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Ask as long as the block takes."""
        threads = [threading.Thread(target=self._ask, args=(target,)) for target in self.targets]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._is_over.set()
            for thread in threads:
                thread.join()

    def lost(self, service: str = "") -> list[Answer]:
        """Return what was lost, of one service or of all."""
        return [item for item in self.of(service) if item.is_lost]

    def of(self, service: str = "", since: float = 0.0, until: float = 2e10) -> list[Answer]:
        """Return what was sent to a service, or to all, within a time."""
        return [
            item
            for item in list(self.answers)
            if item.service == (service or item.service) and since <= item.at < until
        ]

    def versions(self, service: str, since: float = 0.0, until: float = 2e10) -> Counter[str]:
        """Return how many requests each version of a service answered within a time."""
        return Counter(item.version for item in self.of(service, since, until) if item.version)

    def _ask(self, target: Target) -> None:
        token, renewed = "", 0.0
        due = time.monotonic()
        with self.site.client() as client:
            while not self._is_over.is_set() and len(self.answers) < _MOST:
                if target.needs_token and time.monotonic() - renewed > _TOKEN_SECONDS:
                    token, renewed = self.site.sign_in(), time.monotonic()
                self.answers.append(_answer(client, target, token))
                # What was missed is not made up for: that would be another load.
                due = max(due + 1 / target.rate, time.monotonic() - 1)
                self._is_over.wait(max(0.0, due - time.monotonic()))


def _answer(client: httpx.Client, target: Target, token: str) -> Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    at, began = time.time(), time.monotonic()
    try:
        said = client.get(target.path, headers=headers, timeout=_PATIENCE_SECONDS)
    except httpx.HTTPError as error:
        return Answer(target.service, at, time.monotonic() - began, 0, problem=repr(error))
    pod = said.headers.get("X-Served-By", "")
    seconds = time.monotonic() - began
    return Answer(target.service, at, seconds, said.status_code, pod.rpartition("-")[0])
