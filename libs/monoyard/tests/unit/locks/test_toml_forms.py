"""Forms of `uv.lock` and `pylock.toml` beyond those that the fixtures have."""

from __future__ import annotations

import re

import pytest

from monoyard.locks import Lock, closure, parse_lock, slice_entries

UV = 'version = 1\n[[package]]\nname = "a"\nversion = "1"\n'
PYLOCK = 'lock-version = "1.0"\n[[packages]]\nname = "a"\nversion = "1"\ndependencies = []\n'


def uv(more: str = "", head: str = "") -> Lock:
    """Read a `uv.lock` with one entry."""
    return parse_lock("uv.lock", f"{head}{UV}{more}".encode())


def pylock(more: str = "", head: str = "") -> Lock:
    """Read a `pylock.toml` with one entry."""
    return parse_lock("pylock.toml", f"{head}{PYLOCK}{more}".encode())


def value(lock: Lock) -> str:
    """Return what a key says of the entry."""
    found = closure(lock, ["a"])
    assert found.complete, found.reason
    return dict(slice_entries(found))["a"]


@pytest.mark.parametrize(
    "file",
    [
        'wheels = [{ url = "u", hash = "sha256:01" }]\n',
        'wheels = [{ filename = "f", hash = "sha256:01" }]\n',
        'wheels = [{ hash = "sha256:01", url = "u" }]\n',
        'sdist = { url = "u", hash = "sha256:01" }\n',
        'sdist = { filename = "f", hash = "sha256:01" }\n',
    ],
)
def test_every_form_of_a_hash_in_uv_lock_is_in_the_key(file: str) -> None:
    """A hash counts wherever the writer puts it in the table of a file."""
    assert uv(file).distributions["a"].hashes == ("sha256:01",)
    assert value(uv(file)) != value(uv(file.replace("01", "02")))
    assert re.fullmatch("1 [0-9a-f]{16}", value(uv(file)))


@pytest.mark.parametrize(
    "file",
    [
        'wheels = [{ name = "f", hashes = { sha256 = "01" } }]\n',
        'sdist = { name = "f", hashes = { sha256 = "01" } }\n',
        'archive = { url = "u", hashes = { sha256 = "01" } }\n',
    ],
)
def test_every_form_of_a_hash_in_pylock_is_in_the_key(file: str) -> None:
    """Wheels, source distributions and archives are pinned alike."""
    assert pylock(file).distributions["a"].hashes == ("sha256:01",)
    assert value(pylock(file)) != value(pylock(file.replace("01", "02")))


@pytest.mark.parametrize(
    ("source", "version", "is_local"),
    [
        ('git = "https://me:pw@g.example/a#01"', "1 https://g.example/a#01", False),
        ('url = "https://f.example/a.zip"', "1 https://f.example/a.zip", False),
        ('path = "../a.whl"', "1 ../a.whl", False),
        ('registry = "https://pypi.org/simple"', "1", False),
        ('editable = "."', "1", True),
        ('virtual = "."', "1", True),
        ('directory = "a"', "1", True),
    ],
)
def test_uv_sources_are_in_the_version_unless_an_index_or_a_member(
    source: str, version: str, is_local: bool
) -> None:
    """What no hash of an index pins is told apart by its address."""
    found = uv(f"source = {{ {source} }}\n").distributions["a"]
    assert (found.version, found.is_local) == (version, is_local)


@pytest.mark.parametrize(
    ("source", "origin", "is_local"),
    [
        ('vcs = { url = "https://g.example", commit-id = "01" }', "https://g.example 01", False),
        ('vcs = { path = "../a", commit-id = "01" }', "../a 01", False),
        ('archive = { url = "https://f.example/a.zip" }', "https://f.example/a.zip", False),
        ('archive = { path = "a.zip" }', "a.zip", False),
        ('directory = { path = "libs/a" }', "libs/a", True),
        ('index = "https://pypi.org/simple"', "", False),
    ],
)
def test_pylock_sources_are_in_the_version_unless_an_index(
    source: str, origin: str, is_local: bool
) -> None:
    """Every place that PEP 751 knows is read, and only a directory has bytes of its own."""
    found = pylock(f"{source}\n").distributions["a"]
    assert (found.version, found.is_local) == (f"1 {origin}".strip(), is_local)


def test_a_uv_entry_without_a_version_is_its_source() -> None:
    """A member with a dynamic version has none in the lock, and nothing is invented."""
    text = 'version = 1\n[[package]]\nname = "a"\nsource = { git = "https://g.example/a#01" }\n'
    found = parse_lock("uv.lock", text.encode()).distributions["a"]
    assert found.version == "https://g.example/a#01"
    bare = parse_lock("uv.lock", b'version = 1\n[[package]]\nname = "a"\n').distributions["a"]
    assert bare.version == ""


def test_markers_of_an_entry_are_in_the_key() -> None:
    """For which interpreters an entry counts decides what is installed."""
    forked = "resolution-markers = [\"os_name == 'nt'\", \"os_name == 'posix'\"]\n"
    assert uv(forked).distributions["a"].marker == "os_name == 'nt' | os_name == 'posix'"
    assert value(uv(forked)) != value(uv())
    assert value(uv(forked)) != value(uv(forked.replace("nt", "java")))
    marked = "marker = \"os_name == 'nt'\"\n"
    assert pylock(marked).distributions["a"].marker == "os_name == 'nt'"
    assert value(pylock(marked)) != value(pylock())


def test_other_files_of_one_fork_are_in_the_key() -> None:
    """The hash of any version of a name counts, though the versions stay."""
    fork = '[[package]]\nname = "a"\nversion = "2"\nsdist = { url = "u", hash = "sha256:01" }\n'
    assert value(uv(fork)) != value(uv(fork.replace("01", "02")))


def test_a_fork_on_this_machine_makes_the_name_local() -> None:
    """Where one of several entries is a directory, its bytes are not pinned."""
    lock = uv('[[package]]\nname = "a"\nversion = "2"\nsource = { directory = "a" }\n')
    assert closure(lock, ["a"]).local_names == ("a",)


@pytest.mark.parametrize("groups", [("test",), ("lint", "test")])
def test_groups_and_extras_add_to_what_a_package_needs(groups: tuple[str, ...]) -> None:
    """Dependencies, extras and every group of a root are in its closure together."""
    needed = "".join(f'{group} = [{{ name = "{group}" }}]\n' for group in groups)
    others = "".join(f'[[package]]\nname = "{name}"\n' for name in ("b", "c", *groups))
    lock = uv(
        'dependencies = [{ name = "b" }]\n[package.optional-dependencies]\nx = [{ name = "c" }]\n'
        f"[package.dev-dependencies]\n{needed}{others}"
    )
    found = closure(lock, ["a[x]"])
    assert {one.name for one in found.distributions} == {"a", "b", "c", *groups}
    assert found.missing == ()


@pytest.mark.parametrize(
    ("head", "platform"),
    [
        ("", None),
        ('environments = ["one", "two"]\n', "one | two"),
        ('supported-markers = ["one"]\nenvironments = ["two"]\n', "one"),
    ],
)
def test_uv_says_for_which_platforms_it_was_made(head: str, platform: str | None) -> None:
    """The declared environments are kept as text."""
    assert uv(head=head).platform == platform


def test_pylock_says_for_what_it_was_made() -> None:
    """Its Python and its environments are kept as text."""
    lock = pylock(head='requires-python = ">=3.11"\nenvironments = ["one", "two"]\n')
    assert (lock.python, lock.platform, lock.path) == (">=3.11", "one | two", "pylock.toml")


NOT_TEXTS = "`environments` is not a list of strings"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("pylock.toml", "packages = []\n", "its lock-version is '', known is 1"),
        ("pylock.toml", PYLOCK.replace('"1"', "1"), "`version` is not a string"),
        ("pylock.toml", f'environments = "one"\n{PYLOCK}', NOT_TEXTS),
        ("uv.lock", f'environments = "one"\n{UV}', NOT_TEXTS),
        ("uv.lock", f"environments = [1]\n{UV}", NOT_TEXTS),
        ("uv.lock", f"{UV}wheels = 1\n", "`wheels` is not a list"),
        ("uv.lock", "version = 1\n", "it locks nothing"),
    ],
)
def test_a_wrong_shape_is_said_in_one_sentence(name: str, text: str, problem: str) -> None:
    """The sentence names the key that is not as the format has it."""
    lock = parse_lock(name, text.encode())
    assert (lock.path, lock.problem, lock.is_readable) == (name, problem, False)
