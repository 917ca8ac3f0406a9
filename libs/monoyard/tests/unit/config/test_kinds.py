"""Single settings: what is accepted, what it becomes, what is said of the rest."""

from typing import Any

import pytest

from monoyard.config.kinds import (
    Faults,
    Kind,
    choice,
    duration,
    flag,
    list_of,
    mapping_of,
    one_or_more,
    size,
    suggest,
    text,
    whole_number,
    word_or_number,
)


def read(kind: Kind, value: Any) -> tuple[Any, Faults]:
    """Read a value under the key path `key`."""
    faults: Faults = []
    return kind.read(value, "key", faults), faults


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("2h", 7200.0), ("0.5s", 0.5),
        ("1h2m3s", 3723.0), (45, 45.0), (1.5, 1.5),
    ],
)  # fmt: skip
def test_durations_become_seconds(value: object, seconds: float) -> None:
    """A duration is a number of seconds, or hours, minutes and seconds in that order."""
    assert read(duration(), value) == (seconds, [])


@pytest.mark.parametrize(
    "value",
    ["", "90", "s", "1m1h", "-1s", "1d", " 1s", "1s\n", "0s", "0h0m", 0, -3, True, None, []],
)
def test_everything_else_is_no_duration(value: object) -> None:
    """Whatever is no positive time is a fault that shows the forms there are."""
    assert read(duration(), value)[1] == [
        f"key: expected a duration such as `90s` or `10m`, not {value!r}"
    ]


@pytest.mark.parametrize(
    ("value", "size_in_bytes"),
    [
        ("512MiB", 512 << 20), ("4GiB", 4 << 30), ("1.5 KiB", 1536), ("2gb", 2 << 30),
        ("64B", 64), ("100", 100), (4096, 4096), ("1TB", 1 << 40),
    ],
)  # fmt: skip
def test_sizes_become_bytes(value: object, size_in_bytes: int) -> None:
    """A size is a number of bytes, or a number with a unit; KB and KiB mean 1,024 bytes."""
    assert read(size(), value) == (size_in_bytes, [])


@pytest.mark.parametrize(
    "value", ["", "big", "1.2.3MB", "-1MB", "1EB", "0", "0MiB", "1MB\n", 0, -1, True, 1.5]
)
def test_everything_else_is_no_size(value: object) -> None:
    """Whatever is no positive size is a fault that shows the forms there are."""
    assert read(size(), value)[1] == [
        f"key: expected a size such as `512MiB` or `4GiB`, not {value!r}"
    ]


@pytest.mark.parametrize(
    ("kind", "value", "fault"),
    [
        (text(), 3, "key: expected a string, not 3"),
        (flag(), "yes", "key: expected true or false, not 'yes'"),
        (flag(), 1, "key: expected true or false, not 1"),
        (whole_number(), 0, "key: expected a whole number of at least 1, not 0"),
        (whole_number(), True, "key: expected a whole number of at least 1, not True"),
        (whole_number(), 1.0, "key: expected a whole number of at least 1, not 1.0"),
        (word_or_number("auto"), 0, "key: expected `auto` or a whole number of at least 1, not 0"),
        (
            word_or_number("auto"),
            "all",
            "key: expected `auto` or a whole number of at least 1, not 'all'",
        ),
        (
            word_or_number("auto"),
            True,
            "key: expected `auto` or a whole number of at least 1, not True",
        ),
        (choice("lib", "service"), "tool", "key: 'tool' is not one of lib, service"),
        (
            choice("lib", "service"),
            ["lib"],
            "key: ['lib'] is not one of lib, service; did you mean `lib`?",
        ),
        (list_of(text()), "one", "key: expected a list, not 'one'"),
        (list_of(text()), ["one", 2], "key[1]: expected a string, not 2"),
        (one_or_more(text()), 2, "key: expected a string, not 2"),
        (one_or_more(text()), [2], "key[0]: expected a string, not 2"),
        (mapping_of(text()), [], "key: expected a table, not []"),
        (mapping_of(text()), {"a": 1}, "key.a: expected a string, not 1"),
        (mapping_of(text(), ("unit",)), {"lint": "x"}, "key: unknown name `lint`"),
    ],
)
def test_fault_names_key_and_value(kind: Kind, value: object, fault: str) -> None:
    """A value of the wrong kind is one fault with its key path, what is expected, what is there."""
    assert read(kind, value)[1] == [fault]


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        (one_or_more(text()), "one", ("one",)),
        (one_or_more(text()), ["one", "two"], ("one", "two")),
        (list_of(text()), [], ()),
        (mapping_of(text(), ("unit",)), {"unit": "x"}, {"unit": "x"}),
        (whole_number(0), 0, 0),
        (word_or_number("auto"), "auto", "auto"),
        (word_or_number("auto"), 3, 3),
        (choice("lib", "service"), "lib", "lib"),
    ],
)
def test_values_take_the_form_the_program_uses(kind: Kind, value: object, result: object) -> None:
    """Lists become tuples, one value becomes a tuple of one, the rest stays as it is."""
    assert read(kind, value) == (result, [])


def test_near_miss_is_suggested() -> None:
    """A word close to a known one suggests that; any other suggests nothing."""
    assert suggest("timeuot", ("timeout", "cpus")) == "; did you mean `timeout`?"
    assert suggest("xyz", ("timeout", "cpus")) == ""
