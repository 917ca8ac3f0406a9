"""Flags through the OpenFeature client, from a real file that changes."""

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from eventflow_flags import FileProvider, FlagSource

FLAGS: dict[str, dict[str, Any]] = {
    "new-list": {"type": "boolean", "variants": {"on": True, "off": False}, "default": "on"},
    "colour": {"type": "string", "variants": {"a": "red", "b": "blue"}, "default": "b"},
    "size": {"type": "integer", "variants": {"s": 10}, "default": "s"},
    "rate": {"type": "float", "variants": {"r": 2}, "default": "r"},
    "limits": {"type": "object", "variants": {"l": {"day": 5}}, "default": "l"},
    "half": {
        "type": "string",
        "variants": {"old": "old", "new": "new"},
        "default": "old",
        "rollout": {"percentage": 50, "variant": "new"},
    },
    "all": {
        "type": "string",
        "variants": {"old": "old", "new": "new"},
        "default": "old",
        "rollout": {"percentage": 100, "variant": "new"},
    },
    "off": {
        "type": "boolean",
        "variants": {"on": True, "off": False},
        "default": "on",
        "enabled": False,
    },
}


class Clock:
    """Seconds that tests move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds it was set to."""
        return self.now


class Desk:
    """A flag file, the clock of its source, and a client of both."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.writes = 0

    def write(self, flags: object, *, later: bool = True) -> None:
        """Write the file as an editor would, with a new time; `later` moves the clock past it."""
        self.writes += 1
        self.path.write_text(
            flags if isinstance(flags, str) else json.dumps({"version": 1, "flags": flags}),
            encoding="utf-8",
        )
        os.utime(self.path, ns=(self.writes, self.writes))
        if later:
            self.clock.now += 1

    def client(self) -> OpenFeatureClient:
        """Start a provider on the file and return its client."""
        source = FlagSource(self.path, check_seconds=1.0, clock=self.clock)
        api.set_provider_and_wait(FileProvider(source), "test")
        return api.get_client("test")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Yield a desk whose file holds FLAGS; take the provider away afterwards."""
    made = Desk(tmp_path / "flags.json")
    made.write(FLAGS)
    yield made
    api.clear_providers()


def test_every_type_comes_through_the_client(desk: Desk) -> None:
    """Each type's value is the default variant's, and a whole number is a float where asked."""
    client = desk.client()
    assert client.get_boolean_value("new-list", False) is True
    assert client.get_string_value("colour", "none") == "blue"
    assert client.get_integer_value("size", 0) == 10
    rate = client.get_float_value("rate", 0.0)
    assert (rate, type(rate)) == (2.0, float)
    assert client.get_object_value("limits", {}) == {"day": 5}


def test_details_say_which_variant_and_why(desk: Desk) -> None:
    """The details name the variant and tell a fixed value from a share."""
    client = desk.client()
    fixed = client.get_string_details("colour", "none")
    assert (fixed.variant, fixed.reason) == ("b", Reason.STATIC)
    share = client.get_string_details("half", "none", EvaluationContext("user-1"))
    assert share.reason == Reason.SPLIT
    assert share.variant == share.value


def test_callers_of_a_share_are_split_and_keep_their_side(desk: Desk) -> None:
    """Both variants are given out, and each caller gets the same one again."""
    client = desk.client()
    contexts = [EvaluationContext(f"user-{number}") for number in range(50)]
    first = [client.get_string_value("half", "none", context) for context in contexts]
    assert set(first) == {"old", "new"}
    assert [client.get_string_value("half", "none", context) for context in contexts] == first


def test_share_of_all_needs_no_caller(desk: Desk) -> None:
    """A finished rollout works without a targeting key."""
    assert desk.client().get_string_value("all", "none") == "new"


def test_disabled_flag_gives_the_callers_default(desk: Desk) -> None:
    """A disabled flag leaves the value to the caller, and is no error."""
    details = desk.client().get_boolean_details("off", False)
    assert (details.value, details.reason, details.error_code) == (False, Reason.DISABLED, None)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("unknown", ErrorCode.FLAG_NOT_FOUND),
        ("size", ErrorCode.TYPE_MISMATCH),
        ("half", ErrorCode.TARGETING_KEY_MISSING),
    ],
)
def test_fault_gives_the_default_and_is_logged_once(
    desk: Desk, caplog: pytest.LogCaptureFixture, key: str, code: ErrorCode
) -> None:
    """A flag that cannot be resolved is the caller's default; the log says why, once."""
    client = desk.client()
    caplog.set_level(logging.WARNING, "eventflow_flags")
    for _ in range(3):
        details = client.get_string_details(key, "mine")
        assert (details.value, details.error_code) == ("mine", code)
    told = [record for record in caplog.records if record.name.startswith("eventflow_flags")]
    assert [(vars(r)["flag"], vars(r)["reason"]) for r in told] == [(key, str(code))]


def test_changed_file_is_read_without_a_restart(desk: Desk) -> None:
    """A change is seen at the next look, and handlers are told which flags changed."""
    seen: list[list[str] | None] = []
    client = desk.client()

    def note(details: EventDetails) -> None:
        seen.append(details.flags_changed)

    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, note)
    assert client.get_string_value("colour", "none") == "blue"
    desk.write({**FLAGS, "colour": {**FLAGS["colour"], "default": "a"}})
    assert client.get_string_value("colour", "none") == "red"
    assert seen == [["colour"]]


def test_file_is_not_looked_at_for_every_question(desk: Desk) -> None:
    """Within a second of the last look a change is not seen yet."""
    client = desk.client()
    assert client.get_integer_value("size", 0) == 10
    desk.write({}, later=False)
    assert client.get_integer_value("size", 0) == 10
    desk.clock.now += 1
    assert client.get_integer_value("size", 0) == 0


def test_file_that_is_swapped_by_a_link_is_seen(desk: Desk, tmp_path: Path) -> None:
    """A mounted configuration, which is swapped by a link to another file, is read again."""
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text(desk.path.read_text())
    second.write_text(desk.path.read_text().replace('"s": 10', '"s": 20'))
    for file in (first, second):
        os.utime(file, ns=(7, 7))
    desk.path.unlink()
    desk.path.symlink_to(first)
    client = desk.client()
    assert client.get_integer_value("size", 0) == 10
    link = tmp_path / "next"
    link.symlink_to(second)
    link.replace(desk.path)
    desk.clock.now += 1
    assert client.get_integer_value("size", 0) == 20


@pytest.mark.parametrize("text", ["{", "", '{"version": 1, "flags": {"size": {"type": "?"}}}'])
def test_wrong_file_leaves_the_flags_as_they_were(
    desk: Desk, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """A file broken while services run changes nothing but the log, and its repair is taken."""
    client = desk.client()
    caplog.set_level(logging.ERROR, "eventflow_flags")
    for _ in range(3):
        desk.write(text)
        assert client.get_integer_value("size", 0) == 10
    assert len(caplog.records) == 1
    desk.write({"size": {**FLAGS["size"], "variants": {"s": 30}}})
    assert client.get_integer_value("size", 0) == 30


def test_missing_file_gives_defaults_until_it_appears(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a file services start with their defaults, the log says so, and it may come later."""
    caplog.set_level(logging.WARNING, "eventflow_flags")
    desk.path.unlink()
    client = desk.client()
    assert client.get_integer_value("size", 3) == 3
    assert "flag file cannot be read" in caplog.text
    desk.write(FLAGS)
    assert client.get_integer_value("size", 3) == 10
