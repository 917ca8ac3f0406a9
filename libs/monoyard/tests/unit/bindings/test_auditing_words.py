"""Which commits and tasks `nox -s audit-affected` is asked about."""

from __future__ import annotations

import pytest

from monoyard.bindings.arguments import Arguments
from monoyard.bindings.auditing_words import Span, read_words
from monoyard.errors import UsageError


@pytest.mark.parametrize(
    ("words", "span", "arguments"),
    [
        ("", Span("", "HEAD", 10), Arguments()),
        ("--commits=3", Span("", "HEAD", 3), Arguments()),
        ("--commits 3 api", Span("", "HEAD", 3), Arguments(packages=("api",))),
        ("v1..v2", Span("v1", "v2", None), Arguments()),
        ("..origin/main", Span("HEAD", "origin/main", None), Arguments()),
        ("v1.. --commits=2", Span("v1", "HEAD", 2), Arguments()),
        ("../libs/a --suite unit", Span(), Arguments(packages=("../libs/a",), suites=("unit",))),
        ("--exclude=a --json=f..json", Span(), Arguments(exclude=("a",), json="f..json")),
        ("--help", Span(), Arguments(wants_help=True)),
    ],
)  # fmt: skip
def test_words_are_understood(words: str, span: Span, arguments: Arguments) -> None:
    """A range is told from packages; without one the last ten commits count, with one all of it."""
    assert read_words(words.split()) == (span, arguments)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--commits=0", "`--commits` is a number of commits from 1, not `0`"),
        ("--commits=few", "`--commits` is a number of commits from 1, not `few`"),
        ("--commits", "`--commits` is a number of commits from 1, not ``"),
        ("v1...v2", "`v1...v2` has two sides"),
        ("v1..v2 v3..v4", "one FROM..TO is enough"),
        ("--since=v1", "`audit-affected` takes no `--since`"),
        ("--force", "`audit-affected` takes no `--force`"),
        ("--fail-fast", "`audit-affected` takes no `--fail-fast`"),
        ("--no-cache", "`audit-affected` takes no `--no-cache`: that is what it does anyway"),
        ("--env-mode loose", "`audit-affected` takes no `--env-mode`"),
        ("--audit", "`audit-affected` takes no `--audit`"),
        ("-- -k name", "`audit-affected` takes no words for a tool"),
        ("--suite image", "an audit makes no images"),
        ("--comits=3", "unknown option `--comits`"),
    ],
)
def test_mistakes_are_told(words: str, message: str) -> None:
    """What is not understood, or of no use here, is one usage error that names it."""
    with pytest.raises(UsageError) as caught:
        read_words(words.split())
    assert caught.value.message.startswith(message)
