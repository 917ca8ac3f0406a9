"""What stands after `--` of `nox -s audit-affected`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from monoyard.bindings.arguments import Arguments, parse_arguments
from monoyard.errors import UsageError

HELP: Final = """\
usage: nox -s audit-affected -- [FROM..TO] [PACKAGE ...] [OPTION ...]

Runs, at commits of the past, the tasks that they do not affect, in a work tree of its own and
without the cache. A task that ends otherwise than at the commit before is told, and is an error.

FROM..TO           the commits after FROM up to TO (each may be left out: HEAD), by first parents;
                   without it the last 10 up to HEAD
--commits N        only the last N of them
PACKAGE            name, project name or path, as the last commit has it; none means all
--suite SUITE      only this suite (repeat for more): lint, type, unit, integration, contract, build
--exclude PACKAGE  leave this package out (repeat for more)
--json[=FILE]      the audit as JSON, to standard output or to a file
--help             this text
"""
_COMMITS: Final = "--commits"
_DEFAULT: Final = 10
_TAKEN: Final = frozenset({"packages", "suites", "exclude", "json", "wants_help"})


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of history, along first parents.

    Attributes:
        first: The commit after which it begins; empty for no such limit.
        last: The commit with which it ends.
        limit: How many of its last commits count; None for all.
    """

    first: str = ""
    last: str = "HEAD"
    limit: int | None = _DEFAULT

    def __str__(self) -> str:
        return f"{self.first}..{self.last}" if self.first else self.last


def read_words(words: Sequence[str]) -> tuple[Span, Arguments]:
    """Return which commits are meant, and the other words.

    Raises:
        UsageError: A word is not understood, or of no use here.
    """
    spans, limits, others = [], [], []
    waiting = iter(words)
    for word in waiting:
        name, equals, value = word.partition("=")
        if name == _COMMITS:
            limits.append(_count(value if equals else next(waiting, "")))
        elif ".." in word and not word.startswith("-") and ".." not in word.split("/"):
            spans.append(_span(word))
        else:
            others.append(word)
    if len(spans) > 1:
        raise UsageError("one FROM..TO is enough", hint="see `--help`")
    arguments = parse_arguments(others)
    usual = Arguments()
    for field in reversed(fields(Arguments)):  # `--env-mode loose` implies `--no-cache`
        name = field.name
        if name not in _TAKEN and getattr(arguments, name) != getattr(usual, name):
            raise UsageError(f"`audit-affected` takes no {_option(name)}", hint="see `--help`")
    if "image" in arguments.suites:
        raise UsageError("an audit makes no images: their builders see what their keys cover")
    span = spans[0] if spans else Span()
    return replace(span, limit=limits[-1]) if limits else span, arguments


def _option(field: str) -> str:
    names = {"tool": "words for a tool", "use_cache": "`--no-cache`: that is what it does anyway"}
    return names.get(field, f"`--{field.replace('_', '-')}`")


def _count(value: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,5}", value, re.ASCII):
        raise UsageError(f"`{_COMMITS}` is a number of commits from 1, not `{value}`")
    return int(value)


def _span(word: str) -> Span:
    first, _, last = word.partition("..")
    if last.startswith("."):
        raise UsageError(
            f"`{word}` has two sides; a piece of history is FROM..TO", hint="with two dots"
        )
    if not (first or last):
        raise UsageError("`..` alone names no commits", hint="`--commits N` is the last N")
    return Span(first or "HEAD", last or "HEAD", None)
