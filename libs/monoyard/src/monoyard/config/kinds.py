"""Kinds of settings: each reads a raw TOML or JSON value, and describes itself as JSON schema.

Faults are collected, never raised one by one, so that a person mends a file once. Written by hand
because the planning path may import the standard library only, and the libraries that fit it stop
at the first fault (docs/adr/0003).
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Faults = list[str]
Reader = Callable[[Any, str, Faults], Any]

# They stand in the JSON schema as well: no flags, and a look ahead for a digit that is not 0.
_DURATION = re.compile(r"^(?=.*[1-9])(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+(?:\.[0-9]+)?)s)?$")
_SIZE = re.compile(r"^(?=.*[1-9])([0-9]+(?:\.[0-9]+)?) *([KMGTkmgt][iI]?[bB]|[bB])?$")
_UNITS = {"B": 0, "K": 1, "M": 2, "G": 3, "T": 4}


@dataclass(frozen=True, slots=True)
class Kind:
    """How one setting is read.

    Attributes:
        read: Takes the raw value, its key path and the list that faults are added to; returns the
            value in the form that the program uses.
        schema: The same rule as JSON schema.

    """

    read: Reader
    schema: Mapping[str, Any] = field(default_factory=dict)


def text() -> Kind:
    """Any string."""
    return Kind(_expect(str, "a string"), {"type": "string"})


def flag() -> Kind:
    """`true` or `false`."""
    return Kind(_expect(bool, "true or false"), {"type": "boolean"})


def whole_number(minimum: int = 1) -> Kind:
    """An integer of at least `minimum`."""

    def read(value: Any, path: str, faults: Faults) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            faults.append(f"{path}: expected a whole number of at least {minimum}, not {value!r}")
            return None
        return value

    return Kind(read, {"type": "integer", "minimum": minimum})


def choice(*allowed: str) -> Kind:
    """One of a few words; a near miss gets a suggestion."""

    def read(value: Any, path: str, faults: Faults) -> str | None:
        if value in allowed:
            return str(value)
        faults.append(
            f"{path}: {value!r} is not one of {', '.join(allowed)}{suggest(value, allowed)}"
        )
        return None

    return Kind(read, {"enum": list(allowed)})


def word_or_number(word: str, minimum: int = 1) -> Kind:
    """One word, or an integer of at least `minimum`."""

    def read(value: Any, path: str, faults: Faults) -> str | int | None:
        if value == word or (type(value) is int and value >= minimum):
            result: str | int = value
            return result
        faults.append(
            f"{path}: expected `{word}` or a whole number of at least {minimum}, not {value!r}"
        )
        return None

    forms = [{"enum": [word]}, {"type": "integer", "minimum": minimum}]
    return Kind(read, {"anyOf": forms, "examples": [word, minimum + 1]})


def duration() -> Kind:
    """Seconds as a number, or text such as `90s`, `10m`, `1h30m`; read as seconds."""

    def read(value: Any, path: str, faults: Faults) -> float | None:
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            faults.append(f"{path}: expected a duration such as `90s` or `10m`, not {value!r}")
            return None
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds

    said = {"type": "string", "pattern": _DURATION.pattern}
    forms = [said, {"type": "number", "exclusiveMinimum": 0}]
    return Kind(read, {"anyOf": forms, "examples": ["90s", "10m", "1h30m"]})


def size() -> Kind:
    """Bytes as a number, or text such as `512MiB`; read as bytes (KB and KiB mean 1,024)."""

    def read(value: Any, path: str, faults: Faults) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        match = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            faults.append(f"{path}: expected a size such as `512MiB` or `4GiB`, not {value!r}")
            return None
        unit: int = 1024 ** _UNITS[(match[2] or "B")[0].upper()]
        return math.ceil(float(match[1]) * unit)

    said = {"type": "string", "pattern": _SIZE.pattern}
    forms = [said, {"type": "integer", "minimum": 1}]
    return Kind(read, {"anyOf": forms, "examples": ["512MiB", "4GiB"]})


def matching(pattern: re.Pattern[str], words: str) -> Kind:
    """Text in which a pattern is found; `words` say what that is."""

    def read(value: Any, path: str, faults: Faults) -> str:
        if isinstance(value, str) and pattern.search(value):
            return value
        faults.append(f"{path}: expected {words}, not {value!r}")
        return ""

    return Kind(read, {"type": "string", "pattern": pattern.pattern})


def list_of(kind: Kind) -> Kind:
    """A list whose items are all of one kind; read as a tuple."""

    def read(value: Any, path: str, faults: Faults) -> tuple[Any, ...]:
        if not isinstance(value, list):
            faults.append(f"{path}: expected a list, not {value!r}")
            return ()
        return tuple(kind.read(item, f"{path}[{n}]", faults) for n, item in enumerate(value))

    return Kind(read, {"type": "array", "items": dict(kind.schema)})


def one_or_more(kind: Kind) -> Kind:
    """One value, or a list of them; read as a tuple."""
    many = list_of(kind)

    def read(value: Any, path: str, faults: Faults) -> tuple[Any, ...]:
        if isinstance(value, list):
            items: tuple[Any, ...] = many.read(value, path, faults)
            return items
        return (kind.read(value, path, faults),)

    return Kind(read, {"anyOf": [dict(kind.schema), dict(many.schema)]})


def mapping_of(kind: Kind, names: Iterable[str] = ()) -> Kind:
    """A table from free names, or from a closed set of them, to values of one kind."""
    closed = tuple(names)

    def read(value: Any, path: str, faults: Faults) -> dict[str, Any]:
        if not isinstance(value, dict):
            faults.append(f"{path}: expected a table, not {value!r}")
            return {}
        result = {}
        for name, item in value.items():
            if closed and name not in closed:
                faults.append(f"{path}: unknown name `{name}`{suggest(name, closed)}")
            else:
                result[name] = kind.read(item, f"{path}.{name}", faults)
        return result

    schema: dict[str, Any] = {"type": "object", "additionalProperties": dict(kind.schema)}
    if closed:
        schema["propertyNames"] = {"enum": list(closed)}
    return Kind(read, schema)


def table(build: Callable[..., Any], kinds: Mapping[str, tuple[Kind, str]]) -> Kind:
    """A table with known keys, made into a value.

    Args:
        build: Called with the keys that are present (dashes become underscores).
        kinds: Key to its kind and a sentence that documents it.

    """

    def read(value: Any, path: str, faults: Faults) -> Any:
        if not isinstance(value, dict):
            faults.append(f"{path}: expected a table, not {value!r}")
            return build()
        arguments = {}
        for name, item in value.items():
            if name in kinds:
                arguments[name.replace("-", "_")] = kinds[name][0].read(
                    item, f"{path}.{name}", faults
                )
            else:
                faults.append(f"{path}: unknown key `{name}`{suggest(name, kinds)}")
        return build(**arguments)

    properties = {
        name: {**kind.schema, "description": description}
        for name, (kind, description) in kinds.items()
    }
    return Kind(
        read,
        {"type": "object", "additionalProperties": False, "properties": properties},
    )


def suggest(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean ...?` for a near miss, else nothing."""
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _expect(kind: type, words: str) -> Reader:
    def read(value: Any, path: str, faults: Faults) -> Any:
        if not isinstance(value, kind):
            faults.append(f"{path}: expected {words}, not {value!r}")
            return None
        return value

    return read
