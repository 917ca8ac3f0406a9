"""Identity's public keys, fetched over HTTP and kept."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import jwt

from eventflow_servicekit.bearer import TokensUncheckedError

_log = logging.getLogger(__name__)

Fetch = Callable[[], object]
"""Returns parsed JSON that should be a key set; raises httpx.HTTPError or ValueError."""


@dataclass(frozen=True)
class KeyPolicy:
    """When keys are asked for again; all in seconds.

    Keys older than `max_age` are renewed, and so they are for an unknown key id, but never twice
    within `cooldown`. While identity does not answer, keys are used until they are `stale` old.
    """

    max_age: float = 300.0
    cooldown: float = 10.0
    stale: float = 3600.0


class KeyCache:
    """The keys by key id; safe to use from several threads. `clock` returns rising seconds."""

    def __init__(
        self, fetch: Fetch, policy: KeyPolicy, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None

    def key(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key called `key_id`, or None when identity has no such key.

        Raises TokensUncheckedError when identity cannot be asked and nothing usable is kept.
        """
        with self._lock:
            if key_id not in self._keys:
                self._renew()
            self._ensure()
            return self._keys.get(key_id)

    def check(self) -> None:
        """Return when tokens can be checked; raise TokensUncheckedError when they cannot."""
        with self._lock:
            self._ensure()

    def _ensure(self) -> None:
        if self._is_older_than(self._policy.max_age):
            self._renew()
        if self._is_older_than(self._policy.stale):
            raise TokensUncheckedError("the keys of identity are not known now")

    def _renew(self) -> None:
        now = self._clock()
        # Made-up key ids must not become requests to identity.
        if self._tried_at is not None and now - self._tried_at < self._policy.cooldown:
            return
        self._tried_at = now
        try:
            answer = self._fetch()
            # What identity answers is data: another shape is no reason to fail.
            fetched = jwt.PyJWKSet.from_dict(answer if isinstance(answer, dict) else {}).keys
        except (httpx.HTTPError, jwt.PyJWTError, ValueError, KeyError, TypeError):
            _log.warning("the keys of identity could not be fetched", exc_info=True)
            return
        self._keys = {key.key_id: key for key in fetched if key.key_id}
        self._fetched_at = now

    def _is_older_than(self, seconds: float) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at > seconds


def fetch_from(client: httpx.Client, url: str) -> Fetch:
    """Return a function that fetches the key set at `url`."""

    def fetch() -> object:
        answer = client.get(url, headers={"Accept": "application/json"})
        return answer.raise_for_status().json()

    return fetch
