"""The cache of identity's keys: when it asks, what it keeps, when it gives up."""

import json
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from eventflow_api.jwks import KeyCache, KeyPolicy
from eventflow_servicekit.bearer import TokensUncheckedError

POLICY = KeyPolicy(max_age=300, cooldown=10, stale=3600)


class Identity:
    """Publishes keys, or is away."""

    def __init__(self, *key_ids: str) -> None:
        self.key_ids = list(key_ids)
        self.is_away = False
        self.fetches = 0

    def fetch(self) -> dict[str, Any]:
        """Return the key set, or raise as a refused connection does."""
        self.fetches += 1
        if self.is_away:
            raise httpx.ConnectError("refused")
        public = Ed25519PrivateKey.generate().public_key()
        key = json.loads(OKPAlgorithm.to_jwk(public))
        return {"keys": [{**key, "kid": key_id, "alg": "EdDSA"} for key_id in self.key_ids]}


class Clock:
    """Seconds that tests move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds it was set to."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock at zero."""
    return Clock()


@pytest.fixture
def identity() -> Identity:
    """Return an identity with one key."""
    return Identity("k1")


@pytest.fixture
def cache(identity: Identity, clock: Clock) -> KeyCache:
    """Return an empty cache of the identity's keys."""
    return KeyCache(identity.fetch, POLICY, clock)


def test_keys_are_fetched_once_while_fresh(
    cache: KeyCache, identity: Identity, clock: Clock
) -> None:
    """Many tokens within the maximum age cost one request."""
    for clock.now in range(0, 300, 30):
        assert cache.key("k1") is not None
        cache.check()
    assert identity.fetches == 1


def test_old_keys_are_renewed(cache: KeyCache, identity: Identity, clock: Clock) -> None:
    """After the maximum age a withdrawn key is no longer known."""
    assert cache.key("k1") is not None
    identity.key_ids = ["k2"]
    clock.now = 301
    assert cache.key("k1") is None
    assert cache.key("k2") is not None


def test_new_key_is_known_at_once(cache: KeyCache, identity: Identity, clock: Clock) -> None:
    """A token of a key that was added since is checked without waiting for the maximum age."""
    cache.key("k1")
    identity.key_ids.append("k2")
    clock.now = 11
    assert cache.key("k2") is not None


def test_invented_key_ids_do_not_become_requests(
    cache: KeyCache, identity: Identity, clock: Clock
) -> None:
    """Unknown key ids cause at most one request in each cooldown."""
    for clock.now in range(100):
        assert cache.key(f"made-up-{clock.now}") is None
    assert identity.fetches == 10


def test_keys_are_used_while_identity_is_away(
    cache: KeyCache, identity: Identity, clock: Clock
) -> None:
    """Known keys work until they are stale, then nobody can tell, then it works again."""
    cache.key("k1")
    identity.is_away = True
    clock.now = 3600
    assert cache.key("k1") is not None
    clock.now = 3611
    with pytest.raises(TokensUncheckedError):
        cache.key("k1")
    with pytest.raises(TokensUncheckedError):
        cache.check()
    identity.is_away = False
    clock.now = 3622
    assert cache.key("k1") is not None


def test_nothing_is_known_before_the_first_answer(cache: KeyCache, identity: Identity) -> None:
    """While identity has never answered tokens cannot be checked, which is not the same as bad."""
    identity.is_away = True
    with pytest.raises(TokensUncheckedError):
        cache.key("k1")


@pytest.mark.parametrize("answer", [{}, [], {"keys": []}, {"keys": [{"kty": "?"}]}, {"keys": 7}])
def test_answer_that_is_no_key_set_changes_nothing(
    answer: Any, identity: Identity, clock: Clock
) -> None:
    """A wrong answer leaves the known keys in place."""
    answers: list[Any] = [identity.fetch(), answer]
    cache = KeyCache(lambda: answers.pop(0), POLICY, clock)
    assert cache.key("k1") is not None
    clock.now = 301
    assert cache.key("k1") is not None
    assert answers == []
