"""What a registry is asked with, and what is said while it is slow."""

from __future__ import annotations

import threading

import pytest

from monoyard.process import clean
from monoyard.supply.progress import telling
from monoyard.supply.registry import CREDENTIALS, slow


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "no_proxy", "DOCKER_CONFIG", "AWS_PROFILE"])
def test_way_and_credentials_reach_the_programs(name: str) -> None:
    """Proxies and credentials are what crane and cosign see, and nothing that nobody declared."""
    assert clean(CREDENTIALS, {name: "set", "SECRET": "set"}) == {name: "set"}


def test_slow_steps_are_told_until_they_end() -> None:
    """As long as something goes on a line says so, again and again; after that none does."""
    said: list[str] = []
    has_said = threading.Event()

    def announce(line: str) -> None:
        said.append(line)
        if len(said) > 1:
            has_said.set()

    before = threading.active_count()
    with telling(announce, "pushing shop", every=0.001):
        assert has_said.wait(60)
    assert threading.active_count() == before
    assert all(line.startswith("still pushing shop, for ") for line in said)


def test_fast_steps_are_not_told() -> None:
    """Nobody reads of what is over at once."""
    said: list[str] = []
    with telling(said.append, "pushing shop", every=3600.0):
        pass
    assert said == []


def test_error_of_a_slow_registry_names_the_setting() -> None:
    """Whoever waits too long learns how to wait longer."""
    error = slow("registry.example.org", 1800.0)
    assert (error.code, error.exit_code) == ("registry-slow", 31)
    assert "push-limit" in str(error.hint)
    assert "registry.example.org did not do within 1800 s" in error.message
