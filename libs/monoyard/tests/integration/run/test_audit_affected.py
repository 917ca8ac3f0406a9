"""`nox -s audit-affected`: what past commits broke or mended that they were not said to affect."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout, Ended

Until = Callable[..., bool]

TABLE = """
    [tool.monoyard.suites.unit]
    command = ["sh", "check.sh"]
"""
READS_ALPHA = "grep -q good ../alpha/data.txt || { echo alpha is bad; exit 1; }\n"
# Its first end is another than all others, wherever it runs: the count is nobody's input.
ENDS_OTHERWISE_ONCE = "echo x >>{count}; test $(wc -l <{count}) -ne {turn}\n"


@pytest.fixture
def history(plain: Checkout) -> Checkout:
    """A repository of two commits and of two packages that declare nothing of each other."""
    for name in ("alpha", "beta"):
        package(plain, name, "exit 0\n")
    write(plain, "libs/alpha/data.txt", "good\n")
    write(plain, "libs/alpha/data.txt", "good, too\n")
    return plain


def package(checkout: Checkout, name: str, script: str) -> None:
    """Write a package with a script for its one suite."""
    manifest = f'[project]\nname = "{name}"\nversion = "0.1.0"\n'
    lines = "".join(f"{line.strip()}\n" for line in TABLE.splitlines())
    checkout.write(f"libs/{name}/pyproject.toml", manifest + lines)
    checkout.write(f"libs/{name}/check.sh", script)


def write(checkout: Checkout, path: str, text: str) -> str:
    """Write a file and commit it with all else; return the commit."""
    checkout.write(path, text)
    checkout.commit()
    return checkout.git("rev-parse", "HEAD").strip()


def audit(checkout: Checkout, *words: str, code: int = 0) -> tuple[dict[str, Any], Ended]:
    """Audit; return what the JSON says, which is there with and without findings."""
    ended = checkout.nox("audit-affected", *words, "--json")
    assert ended.code == code, ended.text
    data: dict[str, Any] = json.loads(ended.out)
    return data, ended


def state(checkout: Checkout) -> tuple[str, ...]:
    """Return what an audit may not change."""
    index = checkout.top / ".git" / "index"
    status = checkout.git("status", "--porcelain=v2", "--branch", "--ignored")
    return (
        status.replace("! __pycache__/\n", ""),  # Python makes it beside the noxfile
        checkout.git("worktree", "list", "--porcelain"),
        checkout.git("for-each-ref"),
        checkout.git("reflog"),
        index.read_bytes().hex(),
        " ".join(sorted(path.name for path in (checkout.top / ".git").iterdir())),
        " ".join(sorted(str(path) for path in (checkout.top / ".monoyard").rglob("*"))),
    )


def test_a_clean_history_passes(history: Checkout) -> None:
    """Where nothing reads what it does not declare, the audit says over what it is sure of that."""
    ended = history.nox("audit-affected")
    assert ended.code == 0, ended.text
    assert ended.out.splitlines()[-1] == (
        "PASS: 1 commit, 1 comparison, nothing ended otherwise outside of what was affected"
    )
    assert "commit 1/1: " in ended.err
    assert ": 1 of 2 tasks affected, 1 to compare" in ended.err


def test_an_undeclared_read_is_found(history: Checkout) -> None:
    """The commit that broke a package it does not affect is named, and so is the one that mended.

    The other tasks run as seldom as they can: the package that each commit affects does not.
    """
    package(history, "beta", READS_ALPHA)
    write(history, "libs/alpha/data.txt", "good\n")
    broken = write(history, "libs/alpha/data.txt", "bad\n")
    still = write(history, "libs/alpha/other.txt", "1\n")
    mended = write(history, "libs/alpha/data.txt", "good\n")
    data, ended = audit(history, code=1)
    told = [
        (item["rule"], item["commit"], item["task"], item["before"], item["after"], item["changed"])
        for item in data["findings"]
    ]
    rule, changed = "outside-affected", ["libs/alpha/data.txt"]
    assert told == [
        (rule, broken, "beta:unit", "pass", "fail", changed),
        (rule, mended, "beta:unit", "fail", "pass", changed),
    ]
    assert data["findings"][0]["lines"][0] == "alpha is bad"
    assert [item["failing"] for item in data["commits"] if item["commit"] == still] == [
        ["beta:unit"]
    ]
    assert f"outside-affected: beta:unit at {broken[:12]} (state): pass -> fail" in ended.err
    assert "what it reads beyond its key: nox -s unit -- beta --audit" in ended.err
    assert "alpha:unit in" not in ended.err


def test_a_declared_read_is_affected(history: Checkout) -> None:
    """The same history is clean where the file is an input."""
    package(history, "beta", READS_ALPHA)
    manifest = (history.top / "libs/beta/pyproject.toml").read_text("utf-8")
    history.write("libs/beta/pyproject.toml", f'{manifest}inputs = ["/libs/alpha/data.txt"]\n')
    write(history, "libs/alpha/data.txt", "good\n")
    write(history, "libs/alpha/data.txt", "bad\n")
    data, ended = audit(history, "--commits=1")
    assert (data["findings"], data["unstable"]) == ([], [])
    assert "PASS (empty): 1 commit, 0 comparisons" in ended.err
    assert "2 of 2 tasks affected, so there is nothing to compare" in ended.err


def test_what_fails_on_both_sides_is_no_finding(history: Checkout) -> None:
    """It is named, because it shows nothing."""
    write(history, "libs/beta/check.sh", "exit 1\n")
    write(history, "libs/alpha/data.txt", "bad\n")
    data, ended = audit(history, "HEAD~1..")
    assert (data["findings"], data["unstable"]) == ([], [])
    assert [item["failing"] for item in data["commits"]] == [["beta:unit"]]
    assert "of these nothing is shown where they failed on both sides: beta:unit" in ended.err


@pytest.mark.parametrize("turn", [1, 2], ids=["before", "after"])
def test_what_fails_now_and_then_is_unstable(history: Checkout, tmp_path: Path, turn: int) -> None:
    """A difference that is gone when both sides run again is told, and fails nothing."""
    script = ENDS_OTHERWISE_ONCE.format(count=tmp_path / "count", turn=turn)
    write(history, "libs/beta/check.sh", script)
    commit = write(history, "libs/alpha/data.txt", "bad\n")
    data, ended = audit(history, "--commits", "1")
    assert data["findings"] == []
    words = ("pass", "fail") if turn == 2 else ("fail", "pass")
    assert [
        (item["commit"], item["task"], item["before"], item["after"]) for item in data["unstable"]
    ] == [(commit, "beta:unit", *words)]
    assert "unstable: beta:unit" in ended.err
    assert len((tmp_path / "count").read_text("utf-8").splitlines()) == 4


def test_results_are_neither_taken_nor_left(history: Checkout, tmp_path: Path) -> None:
    """What is known from the cache runs at the commits; what ran there is known to nobody later."""
    write(history, "libs/beta/check.sh", f"echo x >>{tmp_path / 'count'}\n")
    write(history, "libs/alpha/data.txt", "new\n")
    assert history.outcomes("unit", "beta") == {"beta:unit": "pass"}
    audit(history, "--commits=1")
    assert len((tmp_path / "count").read_text("utf-8").splitlines()) == 3
    write(history, "libs/beta/more.txt", "1\n")
    write(history, "libs/alpha/data.txt", "newer\n")
    audit(history, "--commits=1")
    assert history.outcomes("unit", "beta") == {"beta:unit": "pass"}


def test_each_commit_is_looked_at_afresh(history: Checkout) -> None:
    """What a task left behind at a commit, ignored or not, is gone at the next."""
    history.write(".gitignore", "*.log\n")
    check = "for file in left.log left.txt; do test ! -e $file || exit 1; touch $file; done\n"
    write(history, "libs/beta/check.sh", check)
    for text in ("1\n", "2\n"):
        write(history, "libs/alpha/data.txt", text)
    data, _ = audit(history, "--commits=2")
    assert [item["compared"] for item in data["commits"]] == [1, 1]
    assert [item["failing"] for item in data["commits"]] == [[], []]


def test_faults_of_a_commit_are_told_and_passed_over(history: Checkout) -> None:
    """A manifest that cannot be read ends nothing; its neighbours are compared with others."""
    good = (history.top / "libs/beta/pyproject.toml").read_text("utf-8")
    bad = write(history, "libs/beta/pyproject.toml", "[project\n")
    write(history, "libs/beta/pyproject.toml", good)
    write(history, "libs/alpha/data.txt", "bad\n")
    data, ended = audit(history, "--commits=4")
    problems = {item["commit"]: item["problem"] for item in data["commits"] if item["problem"]}
    assert list(problems) == [bad]
    assert "libs/beta/pyproject.toml: not valid TOML" in problems[bad]
    assert [item["compared"] for item in data["commits"]] == [1, 0, 0, 1]
    assert f"passed over: {bad[:12]} (state): cannot be planned" in ended.err


def test_packages_are_those_of_the_last_commit(history: Checkout) -> None:
    """A package that is named need not be there from the beginning; one that never was is wrong."""
    package(history, "gamma", "exit 0\n")
    history.commit()
    write(history, "libs/alpha/data.txt", "bad\n")
    data, _ = audit(history, "gamma", "--commits=3")
    assert [(item["tasks"], item["compared"]) for item in data["commits"]] == [
        (0, 0),
        (1, 0),
        (1, 1),
    ]
    ended = history.nox("audit-affected", "gama")
    assert (ended.code, ended.err.count("error[")) == (2, 1), ended.text
    assert "there is no package `gama`; did you mean `gamma`?" in ended.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["nowhere..HEAD"], 11, "error[unknown-ref]: there is no commit `nowhere`"),
        (["HEAD..HEAD"], 11, "error[no-commits]: `HEAD..HEAD` names no commit"),
        (["HEAD~1...HEAD"], 2, "error[usage]: `HEAD~1...HEAD` has two sides"),
        (["--commits=none"], 2, "error[usage]: `--commits` is a number of commits from 1"),
    ],
)
def test_a_wrong_range_is_one_clear_error(
    history: Checkout, words: list[str], code: int, message: str
) -> None:
    """Nothing runs, nothing is left."""
    before = state(history)
    ended = history.nox("audit-affected", *words)
    assert (ended.code, ended.err.count("error[")) == (code, 1), ended.text
    assert message in ended.err
    assert "Traceback" not in ended.text
    assert state(history) == before


def test_the_checkout_stays_as_it_is(history: Checkout, tmp_path: Path) -> None:
    """Work trees, index, HEAD, refs and `.monoyard` are as before, and no hook ran."""
    history.outcomes("unit")
    history.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "other"))
    history.write("libs/alpha/data.txt", "staged\n")
    history.git("add", "libs/alpha/data.txt")
    history.write("libs/alpha/data.txt", "edited\n")
    history.write("libs/beta/new.txt", "unknown\n")
    hook = history.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch {tmp_path / 'hooked'}\n")
    hook.chmod(0o755)
    before = state(history)
    data, _ = audit(history)
    assert [item["compared"] for item in data["commits"]] == [1]
    assert state(history) == before
    assert not (tmp_path / "hooked").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_ended_audit_leaves_nothing(
    history: Checkout, tmp_path: Path, until: Until, number: signal.Signals
) -> None:
    """No process and no work tree is left; after SIGKILL the next audit removes the tree."""
    check = f"test -e {tmp_path / 'free'} || {{ touch {tmp_path / 'up'}; exec sleep 600; }}\n"
    write(history, "libs/beta/check.sh", check)
    write(history, "libs/alpha/data.txt", "bad\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    before = state(history)
    running = history.start("audit-affected", "--commits=1", env={"TMPDIR": str(temporary)})
    assert until(lambda: (tmp_path / "up").exists() or running.child.poll() is not None)
    family = running.family()
    assert list(temporary.glob("monoyard-side-*"))
    running.signal(number)
    ended = running.end()
    assert until(lambda: not family.living()), family.living()
    if number is signal.SIGKILL:
        assert list(temporary.glob("monoyard-side-*"))
        (tmp_path / "free").touch()
        audit(history, "--commits=1")
    else:
        assert (ended.code, ended.err.count("error[")) == (130, 1), ended.text
    assert state(history) == before
    assert not list(temporary.glob("monoyard-side-*"))
