"""Secrets never reach a log: a type that hides itself, and a filter for command lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_HIDDEN: Final = "[redacted]"
_SENSITIVE = re.compile(r"(?i)(pass(word|phrase|wd)?|secret|token|api[-_]?key|credential)")
_HEADER = re.compile(r"(?i)^(?P<name>(proxy-)?authorization|cookie): .*", re.DOTALL)
_VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_URL_PASSWORD = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://[^/\s:@]*):[^/\s@]+@", re.IGNORECASE)


class Secret:
    """A string that shows itself only through `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself; every call of this method is worth a second look."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({_HIDDEN!r})"

    def __str__(self) -> str:
        return _HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def redact_argv(argv: Iterable[str]) -> tuple[str, ...]:
    """Return the arguments with what looks secret hidden.

    That is: the values of options and variables with a telling name, credentials in HTTP headers,
    and passwords in URLs.
    """
    shown: list[str] = []
    hide_next = False
    for argument in argv:
        if hide_next:
            shown.append(_HIDDEN)
            hide_next = False
            continue
        name, equals, _ = argument.partition("=")
        is_option = name.startswith("-")
        if _SENSITIVE.search(name) and (is_option or (equals and _VARIABLE.match(name))):
            shown.append(f"{name}={_HIDDEN}" if equals else argument)
            hide_next = not equals
        else:
            shown.append(_without_credentials(argument))
    return tuple(shown)


def _without_credentials(argument: str) -> str:
    hidden = _URL_PASSWORD.sub(rf"\g<scheme>:{_HIDDEN}@", argument)
    return _HEADER.sub(rf"\g<name>: {_HIDDEN}", hidden)
