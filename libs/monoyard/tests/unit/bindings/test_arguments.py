"""The words after `--`."""

import pytest

from monoyard.bindings.arguments import Arguments, Shard, parse_arguments
from monoyard.errors import UsageError


@pytest.mark.parametrize(
    ("words", "parsed"),
    [
        ("", Arguments()),
        ("api libs/a", Arguments(packages=("api", "libs/a"))),
        ("--suite unit api --suite=lint", Arguments(packages=("api",), suites=("unit", "lint"))),
        ("--exclude a --exclude=b", Arguments(exclude=("a", "b"))),
        ("--since HEAD~1 --affected", Arguments(since="HEAD~1", affected=True)),
        ("--fail-fast --keep-going", Arguments(fail_fast=True, keep_going=True)),
        ("--force", Arguments(force=True)),
        ("--no-cache", Arguments(use_cache=False)),
        ("--env-mode loose", Arguments(env_mode="loose", use_cache=False)),
        ("--shard 2/4", Arguments(shard=Shard(2, 4))),
        ("--shard=1/1@0123abcd", Arguments(shard=Shard(1, 1, "0123abcd"))),
        ("--profile", Arguments(profile="")),
        ("--profile=t.json --sarif f.sarif", Arguments(profile="t.json", sarif="f.sarif")),
        ("--html=run.html", Arguments(html="run.html")),
        ("--retries 2", Arguments(retries=2)),
        ("--audit", Arguments(audit="")),
        ("--audit=fail api", Arguments(audit="fail", packages=("api",))),
        ("--json", Arguments(json="")),
        ("--json=run.json api", Arguments(json="run.json", packages=("api",))),
        ("--help", Arguments(wants_help=True)),
        ("api -- -k name --pdb", Arguments(packages=("api",), tool=("-k", "name", "--pdb"))),
        ("--", Arguments(tool=())),
        ("-- a -- b", Arguments(tool=("a", "--", "b"))),
    ],
)
def test_words_are_understood(words: str, parsed: Arguments) -> None:
    """Packages and options mix freely; a second `--` hands the rest to the tool."""
    assert parse_arguments(words.split()) == parsed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--suit unit", "unknown option `--suit`; did you mean `--suite`?"),
        ("-x", "unknown option `-x`"),
        ("--suite integrations", "there is no suite `integrations`; did you mean `integration`?"),
        ("api --since", "`--since` needs a value"),
        ("--affected=yes", "`--affected` takes no value"),
        ("--shard 0/3", "`--shard` is K/N with K from 1 to N, not `0/3`"),
        ("--shard 4/3", "`--shard` is K/N with K from 1 to N, not `4/3`"),
        ("--shard 3", "`--shard` is K/N with K from 1 to N, not `3`"),
        ("--shard 1/2@x", "`--shard` is K/N with K from 1 to N, not `1/2@x`"),
        ("--retries -1", "`--retries` is a number from 0 to 10, not `-1`"),
        ("--retries=11", "`--retries` is a number from 0 to 10, not `11`"),
        ("--env-mode=free", "`--env-mode` is strict or loose, not `free`"),
        ("--audit=no", "`--audit` is that alone or `--audit=fail`, not `--audit=no`"),
        ("--audit --no-cache", "`--audit` does not go with `--no-cache`, which makes no keys"),
        ("--audit --env-mode loose", "`--audit` does not go with `--env-mode loose`"),
        ("--audit --force", "`--audit` does not go with `--force`, which stores results"),
        ("--audit -- -x", "`--audit` does not go with `--`, which hands a suite to the terminal"),
        ("--force --no-cache", "`--force` stores results and `--no-cache` does not: use one of"),
    ],
)
def test_mistakes_are_told(words: str, message: str) -> None:
    """What is not understood is one usage error that names the word."""
    with pytest.raises(UsageError) as caught:
        parse_arguments(words.split())
    assert caught.value.message.startswith(message)
