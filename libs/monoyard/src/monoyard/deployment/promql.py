"""Which series a PromQL query asks for; as much of its grammar as that takes.

Prometheus can parse a query itself, but only since version 3, and not before it is reached. The
parser on PyPI (`promql-parser`) knows the grammar of version 2.45, and refuses a query in which
arguments of an analysis still stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

UNKNOWN: Final = "\N{INVERTED QUESTION MARK}"
"""Stands in a query for what nobody knows yet."""

_TOKEN: Final = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)"""
    r"|(?P<comment>\#[^\n]*)|(?P<range>\[[^\]]*\])"
    r"|(?P<number>[0-9][\w.]*)|(?P<word>[a-zA-Z_:][a-zA-Z0-9_:.]*)|(?P<sign>=~|!~|!=|>=|<=|==|\S)"
)
_AGGREGATING: Final = frozenset({"by", "without"})
_GROUPING: Final = _AGGREGATING | {"group_left", "group_right", "ignoring", "on"}
_WORDS: Final = _GROUPING | {
    "and", "atan2", "bool", "end", "inf", "nan", "offset", "or", "start", "unless",
}  # fmt: skip
_NAME: Final = "__name__"
_UNITS: Final = {
    "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0,
}  # fmt: skip
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)")
_SIGNS: Final = frozenset({"=", "!=", "=~", "!~"})


@dataclass(frozen=True, slots=True)
class Selector:
    """A part of a query that names series.

    Attributes:
        metric: Name of the metric; empty where the selector has none, or a pattern.
        matchers: Label, sign and value of each condition; values as they stand, in their quotes.
    """

    metric: str
    matchers: tuple[tuple[str, str, str], ...] = ()

    def loose(self, of: frozenset[tuple[str, str, str]]) -> str:
        """Return a selector with some of the matchers, as PromQL."""
        kept = ",".join("".join(item) for item in self.matchers if item in of)
        return f"{self.metric}{{{kept}}}" if kept else self.metric


@dataclass(frozen=True, slots=True)
class Floor:
    """A part of a query that asks for so many of something, or there is no answer.

    Attributes:
        counted: What is counted, as PromQL.
        least: How many there have to be.
        window: Seconds in which they have to come; 0 where it does not say.
    """

    counted: str
    least: float
    window: float


def floors(query: str) -> tuple[Floor, ...]:
    """Return what `... and COUNTED >= LEAST` a query ends with, by which little is no answer."""
    return tuple(floor for part in _parts(query) if (floor := _floor(part)) is not None)


def selectors(query: str) -> tuple[Selector, ...]:
    """Return what a query names, in its order; a name that stands for a function is none."""
    return tuple(_selectors([(m.lastgroup or "", m.group()) for m in _TOKEN.finditer(query)]))


def widest(found: tuple[Selector, ...]) -> dict[str, Selector]:
    """Return one selector for each metric, with the conditions that all of its selectors have.

    Only what is to be equal to something known counts: other conditions may well leave nothing,
    such as that on the requests that failed.
    """
    by_name: dict[str, list[Selector]] = {}
    for item in found:
        if item.metric:
            by_name.setdefault(item.metric, []).append(item)
    wide = {}
    for name, items in by_name.items():
        common = [
            matcher
            for matcher in dict.fromkeys(items[0].matchers)
            if matcher[1] == "="
            and UNKNOWN not in matcher[2]
            and all(matcher in item.matchers for item in items)
        ]
        wide[name] = Selector(name, tuple(common))
    return wide


def seconds_of(duration: str) -> float:
    """Return a duration of Prometheus or of Go (`1h30m`, `500ms`) in seconds; 0 for none."""
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(duration))


def _parts(query: str) -> Iterator[str]:
    """Yield what stands between the `and` of a query that are in no parentheses."""
    depth, begin = 0, 0
    for match in _TOKEN.finditer(query):
        said = match.group()
        if match.lastgroup in ("sign", "word"):
            depth += (said in ("(", "{")) - (said in (")", "}"))
            if not depth and said.lower() == "and":
                yield query[begin : match.start()]
                begin = match.end()
    yield query[begin:]


def _floor(part: str) -> Floor | None:
    depth, found = 0, None
    tokens = list(_TOKEN.finditer(part))
    for place, match in enumerate(tokens):
        said = match.group()
        depth += (said in ("(", "{")) - (said in (")", "}"))
        if not depth and said in (">", ">=") and place == len(tokens) - 2:
            found = match
    if found is None or tokens[-1].lastgroup != "number":
        return None
    try:
        least = float(tokens[-1].group())
    except ValueError:  # a duration
        return None
    counted = part[: found.start()].strip()
    return Floor(counted, least, max(_windows(counted), default=0.0))


def _windows(expression: str) -> Iterator[float]:
    before = ""
    for match in _TOKEN.finditer(expression):
        said = match.group()
        if match.lastgroup == "range" or before.lower() == "offset":
            yield seconds_of(said.strip("[]").partition(":")[0])
        before = said


def _selectors(tokens: list[tuple[str, str]]) -> Iterator[Selector]:
    tokens = [item for item in tokens if item[0] not in ("comment", "range")]
    place = 0
    while place < len(tokens):
        kind, said = tokens[place]
        following = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        if kind == "word" and said.lower() in _GROUPING and following == "(":
            place = _after(tokens, place + 1, ")")
        elif kind == "word" and following == "{":
            end = _after(tokens, place + 1, "}")
            yield _selector(said, tokens[place + 2 : end - 1])
            place = end
        elif said == "{":
            end = _after(tokens, place, "}")
            yield _selector("", tokens[place + 1 : end - 1])
            place = end
        else:
            is_function = following == "(" or following.lower() in _AGGREGATING
            if kind == "word" and not is_function and said.lower() not in _WORDS:
                yield Selector(said)
            place += 1


def _selector(metric: str, inside: list[tuple[str, str]]) -> Selector:
    matchers = tuple(
        (inside[place - 1][1], said, inside[place + 1][1])
        for place, (_, said) in enumerate(inside)
        if said in _SIGNS and 0 < place < len(inside) - 1
    )
    if not metric:
        named = [value for label, sign, value in matchers if (label, sign) == (_NAME, "=")]
        named += [said for kind, said in inside[:1] if kind == "text"]  # `{"a.b"}`, since 3.0
        metric = named[0][1:-1] if named else ""
    return Selector(metric, tuple(item for item in matchers if item[0] != _NAME))


def _after(tokens: list[tuple[str, str]], place: int, closing: str) -> int:
    """Return the place behind the next closing sign; groups of labels do not nest."""
    while place < len(tokens) and tokens[place][1] != closing:
        place += 1
    return place + 1
