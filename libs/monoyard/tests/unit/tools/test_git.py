"""git: whole command lines, and parsers of what it prints with NUL separators."""

import os

import pytest

from monoyard.tools import git, git_refs

GIT = (
    "git", "-c", "core.fsmonitor=false", "-c", "core.checkStat=default",
    "-c", "core.trustctime=true", "-c", "core.quotePath=false",
    "-c", "status.relativePaths=false", "-c", "diff.autoRefreshIndex=true",
)  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (git.locate(), "rev-parse --path-format=absolute --show-toplevel --git-common-dir --git-dir"
                       " --show-object-format"),
        (git.list_index(), "ls-files -v -s -z --full-name"),
        (git.status(), "status --porcelain=v2 -z --untracked-files=all --no-renames"
                       " --ignore-submodules=none"),
        (git.check_attributes(), "check-attr -z --stdin text eol crlf ident filter"
                                 " working-tree-encoding"),
        (git.read_config("a", "b"), "config -z --get-regexp ^a$|^b$"),
        (git.changed_since("--x"), "diff --name-only -z --no-renames --no-ext-diff --no-textconv"
                                   " --no-relative --ignore-submodules=none --end-of-options"
                                   " --x --"),
        (git_refs.resolve("--x"), "rev-parse --verify --quiet --end-of-options --x^{commit}"),
        (git_refs.merge_base("HEAD", ["a", "b"]), "merge-base HEAD a b"),
        (git_refs.is_shallow(), "rev-parse --is-shallow-repository"),
        (git_refs.list_refs(),
         "for-each-ref --format=%(refname)_%(symref) refs/heads refs/remotes"),
        (git_refs.current_branch(), "symbolic-ref --quiet HEAD"),
        (git.list_tree("abc"), "ls-tree -r -z --full-tree --end-of-options abc"),
        (git.read_objects(), "cat-file --batch"),
        (git.hash_files(), "hash-object --stdin-paths"),
        (git_refs.list_tips("refs/heads"),
         "for-each-ref --format=%(objectname)_%(refname)_%(symref) refs/heads"),
        (git_refs.list_remotes(), "remote"),
        (git_refs.ask_branches("--x"), "ls-remote --heads -- --x"),
        (git_refs.ask_branches("origin", "fix"), "ls-remote --heads -- origin refs/heads/fix"),
        (git_refs.is_ancestor("aa", "bb"), "merge-base --is-ancestor aa bb"),
        (git_refs.list_history(), "rev-list --parents --timestamp --stdin"),
        (git_refs.list_steps(["aa", "^bb"], 3), "rev-list --first-parent --reverse --max-count=3"
                                           " --no-commit-header --format=%H%x00%P%x00%s aa ^bb --"),
        (git_refs.list_steps(["aa"], None), "rev-list --first-parent --reverse --no-commit-header"
                                       " --format=%H%x00%P%x00%s aa --"),
        (git.add_work_tree("/t", "aa"), "-c core.hooksPath=/dev/null -c submodule.recurse=false"
                                        " worktree add --quiet --detach /t aa"),
        (git.remove_work_tree("/t"), "worktree remove --force --force /t"),
        (git.switch_to("aa"), "-c core.hooksPath=/dev/null -c submodule.recurse=false"
                              " checkout --quiet --force --detach aa"),
        (git.remove_unknown(), "clean -ffdxq"),
    ],
)  # fmt: skip
def test_command_lines(argv: tuple[str, ...], words: str) -> None:
    """Every question is asked with the settings that a user's configuration must not change."""
    assert argv == (*GIT, *(word.replace("_", " ") for word in words.split()))


def test_index_entries_and_hidden_paths() -> None:
    """Entries are `MODE OID`; paths that status does not look at are named, spaces and all."""
    records = (
        b"H 100644 aa 0\ta b.py", b"h 100755 bb 0\tassumed", b"S 100644 cc 0\tsparse",
        b"M 100644 dd 2\tun\xff", b"",
    )  # fmt: skip
    entries, hidden = git.parse_index(b"\0".join(records))
    assert entries == {
        "a b.py": "100644 aa", "assumed": "100755 bb", "sparse": "100644 cc",
        os.fsdecode(b"un\xff"): "100644 dd",
    }  # fmt: skip
    assert hidden == {"assumed", "sparse"}


def test_status() -> None:
    """Changed, unmerged and untracked paths are told apart; names may hold spaces and newlines."""
    ids = "N... 100644 100644 100644 aa bb"
    unmerged = "N... 100644 100644 100644 100644 aa bb cc"
    output = f"1 .M {ids} a b.py\0u UU {unmerged} both.py\0? new\nline\0? sub/\0".encode()
    found = git.parse_status(output)
    assert found.changed == {"a b.py", "both.py"}
    assert found.untracked == {"new\nline", "sub/"}
    assert git.parse_status(b"") == git.WorkTreeStatus(frozenset(), frozenset())


def test_attributes() -> None:
    """A path counts as altered when any attribute is set to something else than unset."""
    output = b"a\0text\0unspecified\0a\0eol\0unset\0b\0text\0auto\0c\0filter\0lfs\0"
    assert git.parse_attributes(output) == {"b", "c"}


def test_configuration() -> None:
    """The last of several values wins, and a value may hold newlines."""
    output = b"core.autocrlf\ntrue\0core.x\na\nb\0core.autocrlf\nfalse\0"
    assert git.parse_config(output) == {"core.autocrlf": "false", "core.x": "a\nb"}


def test_paths_and_trees() -> None:
    """Lists of paths and of tree entries keep names that are not UTF-8."""
    odd = os.fsdecode(b"\xff")
    assert git.parse_paths(b"a b\0\xff\0") == {"a b", odd}
    assert git.parse_tree(b"100644 blob aa\ta\tb\x00120000 blob bb\t\xff\0") == {
        "a\tb": ("100644", "aa"), odd: ("120000", "bb"),
    }  # fmt: skip


def test_objects() -> None:
    """Objects come back whole whatever bytes they hold, and a missing one is None."""
    output = b"aa blob 5\nx\ny\0z\nbb missing\ncc blob 0\n\n"
    names = ["aa", "bb", "cc"]
    assert git.parse_objects(output, names) == {"aa": b"x\ny\0z", "bb": None, "cc": b""}


def test_tips() -> None:
    """Branches go by their own name, wherever they are; a remote's default is no branch."""
    output = (
        b"aa refs/heads/fix/a \nbb refs/remotes/origin/HEAD refs/remotes/origin/main\n"
        b"bb refs/remotes/origin/main \ncc refs/remotes/svn \n"
    )
    assert git_refs.parse_tips(output) == (("fix/a", "aa"), ("main", "bb"), ("svn", "cc"))


def test_branches_of_a_remote() -> None:
    """What a remote says of its branches is read without their place; tags are never asked for."""
    assert git_refs.parse_branches(b"aa\trefs/heads/fix/a\nbb\trefs/heads/main\n") == (
        ("fix/a", "aa"), ("main", "bb"),
    )  # fmt: skip
    assert git_refs.parse_branches(b"") == ()


def test_history() -> None:
    """Each commit has its time and its first parent, the first one none."""
    parents, times = git_refs.parse_history(b"30 cc bb aa\n20 bb aa\n10 aa\n")
    assert parents == {"cc": "bb", "bb": "aa", "aa": ""}
    assert times == {"cc": 30.0, "bb": 20.0, "aa": 10.0}


def test_time_of_a_commit() -> None:
    """The committer's time counts, whatever the message says."""
    content = (
        b"tree aa\nauthor A <a@b> 1 +0000\ncommitter B <c> d> 20 -0130\n\ncommitter x> 3 +0000"
    )
    assert git_refs.commit_time(content) == 20.0
    assert git_refs.commit_time(b"") is None


def test_steps_of_history() -> None:
    """A step is a commit, its first parent and its subject; the first of all has no parent."""
    output = b"aa\0\0begin\nbb\0aa\0a \xff subject\ncc\0bb dd\0Merge\n"
    assert git_refs.parse_steps(output) == [
        ("aa", "", "begin"), ("bb", "aa", "a \ufffd subject"), ("cc", "bb", "Merge"),
    ]  # fmt: skip
