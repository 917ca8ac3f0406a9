"""What stands after `--`: packages, options, and after a second `--` words for the tool.

The same words mean the same at both doors. Parsed by hand because packages and options mix freely,
`--json` takes its value only with `=`, and the planning path may not import argparse for it twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monoyard.config import SUITES, suggest
from monoyard.errors import UsageError
from monoyard.images import SUITE as IMAGE

HELP = """\
usage: nox -s SESSION -- [PACKAGE ...] [OPTION ...] [-- WORDS FOR THE TOOL]

PACKAGE            name, project name or path; none means all
--suite SUITE      only this suite (repeat for more): lint, type, unit, integration, contract, build
--exclude PACKAGE  leave this package out (repeat for more)
--since REF        only what the changes since REF can break
--affected         only what the changes of this branch can break
--fail-fast        stop at the first task that does not pass
--keep-going       run tasks although the ones they need failed
--force            run again and store the results
--no-cache         neither read nor store results
--env-mode MODE    strict (default) clears the environment; loose passes it on, without the cache
--coverage         combine coverage, and hold packages to their minimum (always in CI)
--json[=FILE]      the run as JSON, to standard output or to a file
--help             this text

A second `--` hands the rest to the tool, in the foreground and uncached:
nox -s unit -- api -- -k name --pdb
"""
_FLAGS = (
    "--affected",
    "--fail-fast",
    "--keep-going",
    "--force",
    "--no-cache",
    "--help",
    "--json",
    "--coverage",
)
_VALUES = ("--suite", "--exclude", "--since", "--env-mode")


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
        json: None without `--json`, empty for standard output, else a file.
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
    json: str | None = None
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
    if parsed.force and not parsed.use_cache:
        raise UsageError("`--force` stores results and `--no-cache` does not: use one of them")
    return replace(parsed, use_cache=False) if parsed.env_mode == "loose" else parsed


def _split(words: list[str]) -> tuple[list[str], tuple[str, ...] | None]:
    if "--" not in words:
        return words, None
    place = words.index("--")
    return words[:place], tuple(words[place + 1 :])


def _with_option(parsed: Arguments, name: str, value: str, *, has_value: bool) -> Arguments:
    if name not in _FLAGS + _VALUES:
        raise UsageError(
            f"unknown option `{name}`{suggest(name, _FLAGS + _VALUES)}", hint="see `--help`"
        )
    if has_value and name in _FLAGS and name != "--json":
        raise UsageError(f"`{name}` takes no value")
    match name:
        case "--suite":
            if value not in (known := (*SUITES, IMAGE)):
                raise UsageError(
                    f"there is no suite `{value}`{suggest(value, known)}", code="unknown-suite"
                )
            return replace(parsed, suites=(*parsed.suites, value))
        case "--exclude":
            return replace(parsed, exclude=(*parsed.exclude, value))
        case "--since":
            return replace(parsed, since=value)
        case "--env-mode":
            if value not in {"strict", "loose"}:
                raise UsageError(f"`--env-mode` is strict or loose, not `{value}`")
            return replace(parsed, env_mode=value)
        case "--json":
            return replace(parsed, json=value)
        case "--no-cache":
            return replace(parsed, use_cache=False)
        case "--help":
            return replace(parsed, wants_help=True)
        case _:
            return _with_flag(parsed, name)


def _with_flag(parsed: Arguments, name: str) -> Arguments:
    match name:
        case "--affected":
            return replace(parsed, affected=True)
        case "--fail-fast":
            return replace(parsed, fail_fast=True)
        case "--coverage":
            return replace(parsed, coverage=True)
        case "--keep-going":
            return replace(parsed, keep_going=True)
        case _:
            return replace(parsed, force=True)
