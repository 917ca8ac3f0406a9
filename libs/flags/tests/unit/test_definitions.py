"""Flag files: what is accepted, and how every fault is named."""

import json
from typing import Any

import pytest

from eventflow_flags import FlagFileError, parse_flags


def file_with(**flag: object) -> str:
    """Return a file with one good flag, changed by `flag`."""
    good: dict[str, Any] = {
        "type": "boolean",
        "variants": {"on": True, "off": False},
        "default": "off",
    }
    return json.dumps({"version": 1, "flags": {"f": {**good, **flag}}})


@pytest.mark.parametrize(
    ("kind", "value"),
    [("boolean", True), ("string", "x"), ("integer", 3), ("float", 0.5), ("float", 2)],
)
def test_value_of_the_flags_type_is_accepted(kind: str, value: object) -> None:
    """Each type takes its own values, and a float takes whole numbers too."""
    text = file_with(type=kind, variants={"off": value})
    assert parse_flags(text)["f"].variants == {"off": value}


@pytest.mark.parametrize(
    ("flag", "fault"),
    [
        ({"default": "maybe"}, "flags.f: Value error, there is no variant maybe"),
        ({"type": "integer"}, "flags.f: Value error, variant on is no integer"),
        ({"variants": {"off": 0}}, "flags.f: Value error, variant off is no boolean"),
        (
            {"rollout": {"percentage": 5, "variant": "x"}},
            "flags.f: Value error, there is no variant x",
        ),
        (
            {"rollout": {"percentage": 101, "variant": "on"}},
            "flags.f.rollout.percentage: Input should be less than or equal to 100",
        ),
        ({"defualt": "on"}, "flags.f.defualt: Extra inputs are not permitted"),
        ({"enabled": "no"}, "flags.f.enabled: Input should be a valid boolean"),
    ],
)
def test_wrong_flag_is_named(flag: dict[str, object], fault: str) -> None:
    """A fault names the flag and the part, misspelt names included."""
    with pytest.raises(FlagFileError) as caught:
        parse_flags(file_with(**flag))
    assert caught.value.faults == (fault,)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"version": 2, "flags": {}}', '{"flags": {}}'])
def test_other_file_is_refused(text: str) -> None:
    """What is no flag file of this version is an error."""
    with pytest.raises(FlagFileError):
        parse_flags(text)


def test_all_faults_come_at_once() -> None:
    """Two wrong flags are both named."""
    text = json.dumps({"version": 1, "flags": {"a": {}, "b": 7}})
    with pytest.raises(FlagFileError) as caught:
        parse_flags(text)
    assert {fault.split(":")[0].split(".")[1] for fault in caught.value.faults} == {"a", "b"}
