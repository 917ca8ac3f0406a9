"""What a save affects runs again, until somebody ends it."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Checkout, Running

WRONG = "def answer() -> int:\n    return 41\n"
RIGHT = "def answer() -> int:\n    return 42\n"


class Watching:
    """A session that watches three packages, of which `beta` needs `alpha`.

    Args:
        checkout: Where it runs.
        until: Waits.
    """

    def __init__(self, checkout: Checkout, until: Callable[..., bool]) -> None:
        self.checkout = checkout
        self._until = until
        checkout.package("alpha")
        checkout.package("beta", "alpha")
        checkout.package("gamma")
        checkout.commit()
        self.running: Running = checkout.start("watch")

    def turn(self, number: int) -> dict[str, str]:
        """Return task to outcome of a turn, when it has ended."""
        assert self._until(lambda: len(self._records()) >= number), self.running.end(1).text
        run = self._records()[-1]
        return {item["task"]: item["outcome"] for item in run["results"]}

    def save(self, path: str, text: str) -> None:
        """Save a file at once, as editors do: half a file would be a turn of its own."""
        part = self.checkout.write(".monoyard/part", text)
        part.replace(self.checkout.top / path)

    def save_module(self, package: str, text: str) -> None:
        """Save a module."""
        self.save(f"libs/{package}/src/{package}/__init__.py", text)

    def _records(self) -> list[dict[str, Any]]:
        places = sorted((self.checkout.top / ".monoyard" / "runs").glob("*/run.json"))
        return [json.loads(place.read_bytes()) for place in places]


@pytest.fixture
def watching(empty: Checkout, until: Callable[..., bool]) -> Iterator[Watching]:
    """A session that has begun."""
    yield Watching(empty, until)
    empty.stop()


def test_what_a_save_affects_runs_again(watching: Watching) -> None:
    """Whoever needs a package runs with it, nobody else; a failure ends nothing; Ctrl-C does."""
    all_of = {
        f"{name}:{suite}" for name in ("alpha", "beta", "gamma") for suite in ("lint", "unit")
    }
    assert set(watching.turn(1)) >= all_of
    watching.save_module("gamma", WRONG)
    assert watching.turn(2) == {"gamma:lint": "pass", "gamma:unit": "fail"}
    watching.save_module("alpha", f"{RIGHT}\n\ndef more() -> int:\n    return 1\n")
    third = watching.turn(3)
    assert {name.partition(":")[0] for name in third} == {"alpha", "beta"}
    watching.save_module("gamma", RIGHT)
    assert watching.turn(4)["gamma:unit"] == "pass"
    family = watching.running.family()
    watching.running.signal(signal.SIGINT)
    ended = watching.running.end()
    assert ended.code == 130, ended.text
    assert not family.living()
    told = ended.out.split("libs/alpha/src/alpha/__init__.py changed")
    assert "still failing: gamma:unit" in told[1]
    assert "still failing" not in told[1].partition("gamma/__init__.py changed")[2]
    assert "watchfiles" not in ended.text, "what the watcher itself has to say"


def test_half_a_manifest_is_told_and_watched_further(watching: Watching) -> None:
    """A workspace that cannot be read for a moment ends nothing, and loses nothing."""
    watching.turn(1)
    manifest = (watching.checkout.top / "libs/gamma/pyproject.toml").read_text("utf-8")
    watching.save("libs/gamma/pyproject.toml", "[project")
    stream = watching.running.child.stderr
    assert stream is not None
    said = next(line for line in stream if "error[" in line) + next(iter(stream))
    assert "libs/gamma/pyproject.toml" in said, said
    watching.save("libs/gamma/pyproject.toml", f"{manifest}\n# whole again\n")
    assert any(name.startswith("gamma:") for name in watching.turn(2))


@pytest.mark.parametrize("option", ["--json", "--shard=1/2", "--html=x.html"])
def test_what_is_of_one_run_is_refused(empty: Checkout, option: str) -> None:
    """What would be written over at every save is no option of watching."""
    empty.package("alpha")
    empty.commit()
    ended = empty.nox("watch", option)
    assert ended.code == 2, ended.text
    assert "so it takes no `--" in ended.err
