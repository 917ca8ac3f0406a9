"""The environments of children."""

from monoyard.process import PASSED_THROUGH, clean, for_git, for_remote_git

SOURCE = {
    "PATH": "/bin", "HOME": "/root", "SECRET": "s", "APP_ONE": "1", "APP_TWO": "2",
    "GIT_DIR": "/hook/.git", "GIT_INDEX_FILE": "index.lock", "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_COUNT": "1",
}  # fmt: skip


def test_only_the_list_and_what_is_declared_pass() -> None:
    """A task sees the documented names and declared ones, and nothing else."""
    assert clean(("APP_ONE", "ABSENT"), SOURCE) == {"PATH": "/bin", "HOME": "/root", "APP_ONE": "1"}


def test_star_declares_all_names_that_begin_so() -> None:
    """A declared name with a star passes every name with that beginning."""
    assert set(clean(("APP_*",), SOURCE)) == {"PATH", "HOME", "APP_ONE", "APP_TWO"}


def test_python_settings_of_the_caller_do_not_pass() -> None:
    """What would change an interpreter's mind is not in the documented list."""
    assert not {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CI"} & set(PASSED_THROUGH)


def test_git_is_free_of_a_surrounding_hook() -> None:
    """`GIT_*` of a hook is removed, optional locks and prompts are off, messages are in English."""
    made = for_git(SOURCE)
    assert {name for name in made if name.startswith("GIT_")} == {
        "GIT_CONFIG_GLOBAL", "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT",
    }  # fmt: skip
    assert (made["GIT_OPTIONAL_LOCKS"], made["GIT_TERMINAL_PROMPT"]) == ("0", "0")
    assert made["LC_ALL"] == "C"
    assert made["SECRET"] == "s"


def test_git_that_asks_a_remote_finds_its_way() -> None:
    """What says how a remote is reached passes, and still nothing of a surrounding hook."""
    ways = {"GIT_SSH_COMMAND": "ssh -i key", "GIT_ASKPASS": "askpass", "GIT_CONFIG_KEY_0": "a.b"}
    made = for_remote_git({**SOURCE, **ways})
    assert {name: made.get(name) for name in ways} == ways
    assert made["GIT_CONFIG_COUNT"] == "1"
    assert made["GIT_TERMINAL_PROMPT"] == "0"
    assert not {"GIT_DIR", "GIT_INDEX_FILE"} & made.keys()
