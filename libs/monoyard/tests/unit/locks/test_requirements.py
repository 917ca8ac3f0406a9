from __future__ import annotations

from collections.abc import Callable

import pytest

from monoyard.locks import Dependency, Lock, closure

Read = Callable[[str], Lock]


def names(lock: Lock, *roots: str) -> list[str]:
    """Return the names in a closure, as sorted."""
    return [found.name for found in closure(lock, roots).distributions]


@pytest.mark.parametrize(
    ("name", "python", "platform"),
    [
        ("pip-compile.txt", "3.11", None),
        ("pip-compile-line.txt", "3.11", None),
        ("uv-line.txt", "3.11", "linux"),
        ("universal.txt", "3.9", "universal"),
    ],
)
def test_real_locks_are_read_whole(
    real_lock: Read, name: str, python: str, platform: str | None
) -> None:
    """Every form that pip-compile and uv write is read without a doubt, header included."""
    lock = real_lock(name)
    assert (lock.problem, lock.is_readable) == (None, True)
    assert (lock.python, lock.platform) == (python, platform)
    assert lock.distributions["idna"].version == "3.20"
    assert all(found.hashes for found in lock.distributions.values())


def test_annotations_in_both_styles_are_the_same_edges(real_lock: Read) -> None:
    """One-line and multi-line `# via` comments of one resolution give equal closures."""
    split, line = real_lock("pip-compile.txt"), real_lock("pip-compile-line.txt")
    assert split.distributions.keys() == line.distributions.keys()
    for name in split.distributions:
        assert names(split, name) == names(line, name)


def test_inputs_are_parents_too(real_lock: Read) -> None:
    """`-r api.in` in an annotation makes the needs of that input a closure of its own."""
    lock = real_lock("pip-compile.txt")
    assert names(lock, "-r api.in") == names(lock, "httpx[http2]", "click")


def test_hashes_are_sorted_and_complete(requirements: Read) -> None:
    """Hashes are kept wherever they stand: on the line itself or on lines of their own."""
    lock = requirements(
        "a==1 --hash=sha256:cc --hash=sha256:aa  # via -r x.in\n"
        "b==2 \\\n    --hash=sha256:dd \\\n  --hash=sha256:bb\n    # via a\n"
    )
    assert lock.distributions["a"].hashes == ("sha256:aa", "sha256:cc")
    assert lock.distributions["b"].hashes == ("sha256:bb", "sha256:dd")
    assert lock.distributions["a"].dependencies == (Dependency("b"),)


def test_windows_line_ends_change_nothing(requirements: Read) -> None:
    """A checkout with CRLF reads like one with LF."""
    text = "a==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via\n    #   -r x.in\n"
    assert requirements(text.replace("\n", "\r\n")) == requirements(text)


def test_extras_and_markers_are_read(requirements: Read) -> None:
    """The extras of an entry and its marker are kept, and neither is part of the name."""
    found = requirements(
        'Zope.Interface[Test,testing]==6.0 ; python_version < "3.12"\n    # via -r x.in\n'
    ).distributions["zope-interface"]
    assert (found.version, found.extras) == ("6.0", ("test", "testing"))
    assert found.marker == 'python_version < "3.12"'


def test_forks_are_one_distribution_with_all_versions(real_lock: Read) -> None:
    """Two versions for two markers are one value that has both, so neither is overlooked."""
    found = real_lock("universal.txt").distributions["redis"]
    assert found.version == "7.0.1 | 8.1.0"
    assert "python_full_version < '3.10'" in (found.marker or "")


def test_parents_that_are_no_distributions_are_projects(requirements: Read) -> None:
    """A parent with its file in brackets is a project whose direct needs are known."""
    lock = requirements(
        "a==1\n    # via\n    #   b\n    #   shop (services/shop/pyproject.toml:dev)\n"
        "b==1\n    # via shop (services/shop/pyproject.toml)\n"
        "c==1\n    # via -r x.in\n"
    )
    assert names(lock, "shop") == ["a", "b"]


def test_constraints_are_no_parents(requirements: Read) -> None:
    """`-c file` says where a version was bounded, not who needs it."""
    lock = requirements("a==1\n    # via\n    #   -c c.txt\n    #   b\nb==1\n    # via -r x.in\n")
    assert names(lock, "b") == ["a", "b"]
    assert "-c c.txt" not in lock.projects


@pytest.mark.parametrize(
    ("text", "problem", "is_readable"),
    [
        ("a==1\nb==1\n", "no `# via` comments", True),
        ("a==1\n    # via -r x.in\nb==1\n", "b names no parent", True),
        ("a==1\n    # via -c c.txt\n", "a names no parent", True),
        ("a==1\n    # via see below\n", "a names no parent", True),
        ("a>=1\n    # via -r x.in\n", "line 1 does not pin a", True),
        ("a==1.*\n    # via -r x.in\n", "line 1 does not pin a", True),
        ("a\n    # via -r x.in\n", "line 1 does not pin a", True),
        ("-r other.txt\na==1\n    # via -r x.in\n", "includes another file", False),
        ("--constraint=c.txt\na==1\n    # via -r x.in\n", "includes another file", False),
        ("[[package]]\nname = 1\n", "line 1 could not be read", False),
        ("# text\na==1\n    # via -r x.in\n\n{}\n", "line 5 could not be read", False),
    ],
)
def test_doubt_is_named_and_makes_the_closure_everything(
    requirements: Read, text: str, problem: str, is_readable: bool
) -> None:
    """Whatever keeps edges from being known is said, and then nothing is left out."""
    lock = requirements(text)
    assert problem in (lock.problem or "")
    assert lock.is_readable is is_readable
    found = closure(lock, ["a"])
    assert not found.complete
    assert found.reason == f"requirements.txt: {lock.problem}"
    assert {one.name for one in found.distributions} == lock.distributions.keys()


def test_bare_lock_of_pip_compile_is_everything(real_lock: Read) -> None:
    """A real lock made with `--no-annotate` cannot be narrowed."""
    lock = real_lock("pip-compile-bare.txt")
    assert "`# via`" in (lock.problem or "")
    assert len(closure(lock, ["click"]).distributions) == len(lock.distributions)


def test_path_without_a_name_makes_those_who_need_it_doubtful(real_lock: Read) -> None:
    """`-e ./api` could be anybody, so a closure that reaches it is everything; others are not."""
    lock = real_lock("export.txt")
    reached, other = closure(lock, ["shop"]), closure(lock, ["rich"])
    assert (reached.complete, len(reached.distributions)) == (False, len(lock.distributions))
    assert "`./api` has no name" in (reached.reason or "")
    assert other.complete


def test_addresses_keep_their_commit_and_lose_their_password(requirements: Read) -> None:
    """The version of what comes from an address is the address, without the credentials."""
    lock = requirements(
        "--index-url https://me:secret@index.example/simple\n"
        "a @ git+https://me:secret@git.example/a@0123abc\n    # via -r x.in\n"
        "-e git+https://git.example/b@9876fed#egg=B_b\n    # via a\n"
    )
    assert lock.distributions["a"].version == "git+https://git.example/a@0123abc"
    assert lock.distributions["b-b"].version == "git+https://git.example/b@9876fed#egg=B_b"
    assert not lock.distributions["b-b"].is_local
    assert lock.options == ("--index-url https://index.example/simple",)
    assert names(lock, "a") == ["a", "b-b"]


def test_named_local_paths_are_marked(requirements: Read) -> None:
    """A named path takes part in closures; its bytes are known not to be pinned."""
    lock = requirements("a @ file:///srv/a\n    # via b\nb==1\n    # via -r x.in\n")
    assert closure(lock, ["b"]).local_names == ("a",)


def test_own_platform_statement_is_read(requirements: Read) -> None:
    """A comment may say for which platform and Python a lock is."""
    lock = requirements("# python: 3.12\n# platform: linux x86_64\na==1\n    # via -r x.in\n")
    assert (lock.python, lock.platform) == ("3.12", "linux x86_64")


def test_settings_of_one_requirement_count_as_options(requirements: Read) -> None:
    """`--config-settings` changes what is built, so a change of it is a change of the lock."""
    lock = requirements('a==1 --config-settings="x=y"\n    # via -r x.in\n')
    assert lock.distributions["a"].version == "1"
    assert lock.options == ('a==1 --config-settings="x=y"',)
