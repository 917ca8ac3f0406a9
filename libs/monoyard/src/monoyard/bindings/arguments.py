"""What stands after `--`: packages, options, and after a second `--` words for the tool.

The same words mean the same at both doors. Parsed by hand because packages and options mix freely,
`--json` and `--profile` take their value only with `=`, and the planning path may not import
argparse for it twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from monoyard.config import IMAGE_SUITE, SUITES, suggest
from monoyard.errors import UsageError

HELP = """\
usage: nox -s SESSION -- [PACKAGE ...] [OPTION ...] [-- WORDS FOR THE TOOL]

PACKAGE            name, project name or path; none means all
--suite SUITE      only this suite (repeat for more): lint, type, unit, integration, contract, build
--exclude PACKAGE  leave this package out (repeat for more)
--since REF        only what the changes since REF can break
--affected         only what the changes of this branch can break
--shard K/N        the K-th of N parts of the tasks, to share them among machines
--fail-fast        stop at the first task that does not pass
--keep-going       run tasks although the ones they need failed
--retries N        run tasks that fail up to N times more; one that then passes is flaky, not clean
--force            run again and store the results
--audit[=fail]     run all anew, and tell what tasks read that their keys do not cover; with `fail`
                   that is an error
--no-cache         neither read nor store results
--env-mode MODE    strict (default) clears the environment; loose passes it on, without the cache
--coverage         combine coverage, and hold packages to their minimum (always in CI)
--env NAME         scan: the environment that has to accept what is found
--history          scan: look for secrets in all of history, not in the change alone
--json[=FILE]      the run as JSON, to standard output or to a file
--profile[=FILE]   a trace of the run for Perfetto or chrome://tracing (default: in its record)
--html FILE        the run as one page: failures, timeline, causes, hits and misses
--sarif FILE       what lint and type found, as SARIF
--help             this text

A second `--` hands the rest to the tool, in the foreground and uncached:
nox -s unit -- api -- -k name --pdb
"""
_FLAGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "--affected": {"affected": True},
    "--fail-fast": {"fail_fast": True},
    "--keep-going": {"keep_going": True},
    "--force": {"force": True},
    "--no-cache": {"use_cache": False},
    "--help": {"wants_help": True},
    "--coverage": {"coverage": True},
    "--history": {"history": True},
}
_VALUES: Final = {
    "--suite": "suites", "--exclude": "exclude", "--since": "since", "--env-mode": "env_mode",
    "--env": "env", "--html": "html", "--retries": "retries", "--sarif": "sarif",
    "--shard": "shard",
}  # fmt: skip
_REPEATED: Final = frozenset({"--suite", "--exclude"})
_FILES: Final = {"--json": "json", "--profile": "profile"}
_AUDIT: Final = "--audit"
_OPTIONS: Final = (*_FLAGS, *_VALUES, *_FILES, _AUDIT)
_SHARD: Final = re.compile(r"([0-9]{1,4})/([0-9]{1,4})(?:@([0-9a-f]{8}))?", re.ASCII)
_KNOWN: Final = {"--suite": (*SUITES, IMAGE_SUITE), "--env-mode": ("strict", "loose")}


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of the tasks.

    Attributes:
        number: Which, from 1.
        of: How many there are.
        proof: What `Division.proof` has to be; empty where nobody says.
    """

    number: int
    of: int
    proof: str = ""

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True, slots=True)
class Arguments:
    """The parsed words.

    Attributes:
        packages: Names as typed.
        suites: Suite names.
        exclude: Package names as typed.
        since: Ref, or None.
        affected: Only what changes can break.
        fail_fast: Stop at the first failure.
        keep_going: Run although needs failed.
        force: Run again and store.
        use_cache: False with `--no-cache`.
        coverage: Combine coverage.
        env_mode: `strict` or `loose`.
        env: Name of an environment, or empty.
        history: All commits instead of those since the base.
        json: None without `--json`, empty for standard output, else a file.
        profile: None without `--profile`, empty for a file in the record, else a file.
        html: File for a page, or empty.
        sarif: File for findings, or empty.
        retries: How often a task that fails runs once more.
        shard: The part of the tasks to take, or None for all.
        audit: None without `--audit`, else empty or `fail`.
        tool: Words after a second `--`, or None without one.
        wants_help: `--help` was given.
    """

    packages: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    since: str | None = None
    affected: bool = False
    fail_fast: bool = False
    keep_going: bool = False
    force: bool = False
    use_cache: bool = True
    coverage: bool = False
    env_mode: str = "strict"
    env: str = ""
    history: bool = False
    json: str | None = None
    profile: str | None = None
    html: str = ""
    sarif: str = ""
    retries: int = 0
    shard: Shard | None = None
    audit: str | None = None
    tool: tuple[str, ...] | None = None
    wants_help: bool = False


def parse_arguments(words: Sequence[str]) -> Arguments:
    """Parse the words after `--`.

    Raises:
        UsageError: An option is unknown, lacks its value, or contradicts another.
    """
    ours, tool = _split(list(words))
    parsed = Arguments(tool=tool)
    position = 0
    while position < len(ours):
        word = ours[position]
        position += 1
        if not word.startswith("-"):
            parsed = replace(parsed, packages=(*parsed.packages, word))
            continue
        name, equals, value = word.partition("=")
        if name in _VALUES and not equals:
            if position == len(ours):
                raise UsageError(f"`{name}` needs a value", hint="see `--help`")
            value = ours[position]
            position += 1
        parsed = _with_option(parsed, name, value, has_value=bool(equals))
    _check_audit(parsed)
    if parsed.force and not parsed.use_cache:
        raise UsageError("`--force` stores results and `--no-cache` does not: use one of them")
    return replace(parsed, use_cache=False) if parsed.env_mode == "loose" else parsed


def refuse_audit(arguments: Arguments, verb: str, reason: str) -> None:
    """Refuse `--audit` where nothing can be audited.

    Raises:
        UsageError: It was asked for.
    """
    if arguments.audit is not None:
        raise UsageError(
            f"`{verb}` takes no `--audit`: {reason}",
            hint="`nox -s ci -- --audit` audits the checks",
        )


def _check_audit(parsed: Arguments) -> None:
    if parsed.audit is None:
        return
    for is_given, name, reason in (
        (not parsed.use_cache, "--no-cache", "makes no keys to hold against what is read"),
        (parsed.env_mode == "loose", "--env-mode loose", "makes no keys either"),
        (parsed.force, "--force", "stores results, and an audit does not"),
        (parsed.tool is not None, "--", "hands a suite to the terminal, where nothing is recorded"),
    ):
        if is_given:
            raise UsageError(f"`--audit` does not go with `{name}`, which {reason}")


def _split(words: list[str]) -> tuple[list[str], tuple[str, ...] | None]:
    if "--" not in words:
        return words, None
    place = words.index("--")
    return words[:place], tuple(words[place + 1 :])


def _with_option(parsed: Arguments, name: str, value: str, *, has_value: bool) -> Arguments:
    if name not in _OPTIONS:
        raise UsageError(f"unknown option `{name}`{suggest(name, _OPTIONS)}", hint="see `--help`")
    if name in _FILES:
        file: dict[str, Any] = {_FILES[name]: value}
        return replace(parsed, **file)
    if name == _AUDIT:
        if value not in {"", "fail"}:
            raise UsageError(f"`--audit` is that alone or `--audit=fail`, not `--audit={value}`")
        return replace(parsed, audit=value)
    if name in _FLAGS:
        if has_value:
            raise UsageError(f"`{name}` takes no value")
        return replace(parsed, **_FLAGS[name])
    _check_value(name, value)
    if name == "--shard":
        return replace(parsed, shard=_shard(value))
    if name == "--retries":
        return replace(parsed, retries=_retries(value))
    field = _VALUES[name]
    said: Any = (*getattr(parsed, field), value) if name in _REPEATED else value
    return replace(parsed, **{field: said})


def _shard(value: str) -> Shard:
    found = _SHARD.fullmatch(value)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(
            f"`--shard` is K/N with K from 1 to N, not `{value}`",
            hint="`--shard 2/4` is the second of four; `invoke plan --shards 4` shows them all",
        )
    return Shard(int(found[1]), int(found[2]), found[3] or "")


def _retries(value: str) -> int:
    if not re.fullmatch("[0-9]|10", value, re.ASCII):
        raise UsageError(f"`--retries` is a number from 0 to 10, not `{value}`")
    return int(value)


def _check_value(name: str, value: str) -> None:
    known = _KNOWN.get(name, (value,))
    if value in known:
        return
    if name == "--suite":
        raise UsageError(
            f"there is no suite `{value}`{suggest(value, known)}", code="unknown-suite"
        )
    raise UsageError(f"`{name}` is {' or '.join(known)}, not `{value}`")


def question_of(words: Sequence[str], since: str | None) -> Arguments:
    """Read the words of a question to the plan.

    Args:
        words: What stands after `--`.
        since: Ref to count changes from, where an option of its own says it.

    Raises:
        UsageError: One is unknown, or meant for a tool.
    """
    arguments = parse_arguments([*(("--since", since) if since else ()), *words])
    if arguments.tool is not None:
        raise UsageError("a question has no tool to hand words to")
    return arguments
