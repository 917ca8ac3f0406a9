"""What consumers expect: files read, requests filled in, differences told."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from eventflow_servicekit.testing.expectations import Answer, play, read_expectations

CONTRACT: dict[str, Any] = {
    "consumer": "page",
    "provider": "shop",
    "interactions": [
        {
            "name": "read the second page",
            "given": [
                {"request": {"method": "GET", "path": "/"}, "keep": {"next": "/pages/1/cursor"}}
            ],
            "request": {
                "method": "GET",
                "path": "/",
                "query": {"cursor": "{next}"},
                "headers": {"Authorization": "Bearer {token}"},
            },
            "response": {"status": 200, "body": {"required": ["items"]}},
        }
    ],
}


class Provider:
    """Answers every request with the same body and notes what was asked."""

    def __init__(self, status: int = 200, **body: Any) -> None:
        self.answer = Answer(status, {"pages": [{}, {"cursor": "c2"}], **body})
        self.asked: list[Mapping[str, Any]] = []

    def send(self, request: Mapping[str, Any]) -> Answer:
        """Note `request` and answer."""
        self.asked.append(request)
        return self.answer


def played(tmp_path: Path, provider: Provider) -> tuple[str, ...]:
    """Play the contract's one interaction and return its faults."""
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(CONTRACT), encoding="utf-8")
    (interaction,) = read_expectations([path, tmp_path / "absent.json"], "shop")
    return play(interaction, provider.send, {"token": "t1"})


def test_kept_values_and_variables_are_filled_in(tmp_path: Path) -> None:
    """A request gets values of earlier answers and of the given variables."""
    provider = Provider(items=[])
    assert played(tmp_path, provider) == ()
    assert provider.asked[1]["query"] == {"cursor": "c2"}
    assert provider.asked[1]["headers"] == {"Authorization": "Bearer t1"}


def test_other_status_is_a_fault(tmp_path: Path) -> None:
    """An answer with another status is told with both."""
    (fault,) = played(tmp_path, Provider(status=404, items=[]))
    assert fault.startswith("status 404 instead of 200")


def test_other_shape_is_a_fault(tmp_path: Path) -> None:
    """An answer that lacks an expected field is told with its place."""
    assert played(tmp_path, Provider()) == ("body at $: 'items' is a required property",)


def test_contract_with_another_provider_is_left_alone(tmp_path: Path) -> None:
    """Expectations of other services are not played here."""
    path = tmp_path / "other.json"
    path.write_text(json.dumps({**CONTRACT, "provider": "bank"}), encoding="utf-8")
    assert list(read_expectations([path], "shop")) == []


def test_unknown_placeholder_is_an_error(tmp_path: Path) -> None:
    """A name that nobody gave a value is an error, not an empty text."""
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(CONTRACT), encoding="utf-8")
    (interaction,) = read_expectations([path], "shop")
    with pytest.raises(KeyError, match="token"):
        play(interaction, Provider(items=[]).send, {})
