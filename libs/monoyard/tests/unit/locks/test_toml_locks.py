from __future__ import annotations

from collections.abc import Callable

import pytest

from monoyard.locks import Lock, closure, parse_lock

Read = Callable[[str], Lock]


def names(lock: Lock, *roots: str) -> set[str]:
    """Return the names in a closure."""
    return {found.name for found in closure(lock, roots).distributions}


def test_uv_lock_is_read_whole(real_lock: Read) -> None:
    """A real `uv.lock` gives versions, hashes, members and the Python it is for."""
    lock = real_lock("uv.lock")
    assert (lock.kind, lock.python, lock.problem) == ("uv", ">=3.9", None)
    assert lock.distributions["shop"].is_local
    assert lock.distributions["shop-api"].is_local
    idna = lock.distributions["idna"]
    assert (idna.version, len(idna.hashes)) == ("3.20", 2)
    assert all(hash_.startswith("sha256:") for hash_ in idna.hashes)


def test_uv_hashes_are_those_of_the_export(real_lock: Read) -> None:
    """Both files of one resolution accept the same hashes, so none is lost while reading."""
    lock, export = real_lock("uv.lock"), real_lock("export.txt")
    for name, found in export.distributions.items():
        if not found.is_anonymous:
            assert lock.distributions[name].hashes == found.hashes


def test_uv_forks_are_one_distribution(real_lock: Read) -> None:
    """Several versions of a name are one value with the edges of all."""
    found = real_lock("uv.lock").distributions["pytest"]
    assert found.version == "8.4.2 | 9.2.0"
    assert {"tomli", "pluggy", "colorama"} <= {edge.name for edge in found.dependencies}


def test_uv_markers_of_edges_are_kept(real_lock: Read) -> None:
    """The condition of an edge is kept as text, and the edge is followed whatever it says."""
    lock = real_lock("uv.lock")
    edges = {edge.name: edge.marker for edge in lock.distributions["click"].dependencies}
    assert edges == {"colorama": "sys_platform == 'win32'"}
    assert names(lock, "click") == {"click", "colorama"}


def test_uv_extras_count_only_when_asked_for(real_lock: Read) -> None:
    """An extra brings its dependencies to those who ask for it, through members as well."""
    lock = real_lock("uv.lock")
    assert "h2" not in names(lock, "httpx")
    assert "h2" in names(lock, "httpx[http2]")
    assert "h2" in names(lock, "shop-api")
    assert "six" not in names(lock, "shop-api")
    assert "six" in names(lock, "shop-api[fast]")


def test_extras_of_others_are_not_followed() -> None:
    """An edge without an extra does not bring the extra's dependencies, one with it does."""
    text = (
        'version = 1\n[[package]]\nname = "plain"\ndependencies = [{ name = "b" }]\n'
        '[[package]]\nname = "full"\ndependencies = [{ name = "b", extra = ["X"] }]\n'
        '[[package]]\nname = "b"\n[package.optional-dependencies]\nx = [{ name = "c" }]\n'
        '[[package]]\nname = "c"\n'
    )
    lock = parse_lock("uv.lock", text.encode())
    assert names(lock, "plain") == {"plain", "b"}
    assert names(lock, "full") == {"full", "b", "c"}


def test_forks_with_other_needs_and_hashes_are_put_together() -> None:
    """Whatever any version of a name needs or accepts belongs to its closure."""
    text = (
        'version = 1\n[[package]]\nname = "a"\nversion = "1"\ndependencies = [{ name = "b" }]\n'
        'sdist = { url = "u", hash = "sha256:01" }\n'
        '[[package]]\nname = "a"\nversion = "2"\ndependencies = [{ name = "c" }]\n'
        'sdist = { url = "u", hash = "sha256:02" }\n'
        '[[package]]\nname = "b"\nversion = "1"\n[[package]]\nname = "c"\nversion = "1"\n'
    )
    lock = parse_lock("uv.lock", text.encode())
    assert names(lock, "a") == {"a", "b", "c"}
    assert lock.distributions["a"].hashes == ("sha256:01", "sha256:02")


def test_uv_groups_belong_to_the_root_alone() -> None:
    """The groups of a member are for those who work on it, not for those who depend on it."""
    text = (
        'version = 1\n[[package]]\nname = "a"\nsource = { editable = "a" }\n'
        'dependencies = [{ name = "b" }]\n'
        '[[package]]\nname = "b"\nsource = { editable = "b" }\n'
        '[package.dev-dependencies]\ntest = [{ name = "c" }]\n'
        '[[package]]\nname = "c"\nversion = "1"\nsource = { registry = "r" }\n'
    )
    lock = parse_lock("uv.lock", text.encode())
    assert names(lock, "a") == {"a", "b"}
    assert names(lock, "b") == {"b", "c"}


def test_unknown_extra_of_uv_is_missing(real_lock: Read) -> None:
    """An extra that the lock does not have is a finding; the rest of the closure stays."""
    found = closure(real_lock("uv.lock"), ["click[nope]"])
    assert found.missing == ("click[nope]",)
    assert [one.name for one in found.distributions] == ["click", "colorama"]


def test_uv_address_is_part_of_the_version() -> None:
    """What comes from git is another version for every commit, without the credentials."""
    text = (
        'version = 1\n[[package]]\nname = "a"\nversion = "1"\n'
        'source = { git = "https://me:pw@git.example/a?rev=main#0123abc" }\n'
    )
    found = parse_lock("uv.lock", text.encode()).distributions["a"]
    assert found.version == "1 https://git.example/a?rev=main#0123abc"


def test_uv_edge_to_nowhere_makes_the_closure_everything() -> None:
    """A lock that needs what it does not hold is doubtful, and says what is lacking."""
    text = (
        'version = 1\n[[package]]\nname = "a"\nversion = "1"\ndependencies = [{ name = "gone" }]\n'
        '[[package]]\nname = "b"\nversion = "1"\n'
    )
    found = closure(parse_lock("uv.lock", text.encode()), ["a"])
    assert found.reason == "uv.lock: it needs gone and does not lock it"
    assert len(found.distributions) == 2


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.pip.toml"])
def test_pylock_without_edges_is_everything(real_lock: Read, name: str) -> None:
    """The files of uv and pip record no dependencies, so every closure is the whole lock."""
    lock = real_lock(name)
    assert lock.kind == "pylock"
    assert "does not record what anyio depends on" in (lock.problem or "")
    assert lock.is_readable
    assert lock.distributions["idna"].hashes
    assert len(closure(lock, ["click"]).distributions) == len(lock.distributions)


def test_pylock_with_all_edges_is_a_graph() -> None:
    """Where every entry says what it depends on, closures are told apart."""
    text = (
        'lock-version = "1.0"\nenvironments = ["sys_platform == \'linux\'"]\n'
        '[[packages]]\nname = "A"\nversion = "1"\ndependencies = [{ name = "b" }]\n'
        '[[packages]]\nname = "b"\nversion = "2"\ndependencies = []\n'
        '[[packages]]\nname = "c"\nversion = "3"\ndependencies = []\n'
        'vcs = { type = "git", url = "https://u:p@git.example/c", commit-id = "0123abc" }\n'
    )
    lock = parse_lock("pylock.api.toml", text.encode())
    assert names(lock, "a") == {"a", "b"}
    assert lock.platform == "sys_platform == 'linux'"
    assert lock.distributions["c"].version == "3 https://git.example/c 0123abc"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("uv.lock", "version = 1\n[[package", "not valid TOML"),
        ("uv.lock", "version = 9\n", "format version is 9"),
        ("uv.lock", "version = 1\n", "locks nothing"),
        ("uv.lock", "version = 1\npackage = 3\n", "`package` is not a list of tables"),
        ("uv.lock", 'version = 1\n[[package]]\nversion = "1"\n', "an entry has no `name`"),
        ("uv.lock", 'version = 1\n[[package]]\nname = "a"\nwheels = 1\n', "`wheels` is not"),
        ("uv.lock", 'version = 1\n[[package]]\nname = "a"\nsource = 1\n', "`source` is not"),
        ("pylock.toml", 'lock-version = "2.0"\n', "lock-version is '2.0'"),
        ("pylock.toml", 'lock-version = "1.0"\npackages = [1]\n', "`packages` is not"),
        ("pylock.toml", 'lock-version = "1.0"\n[[packages]]\nversion = "1"\n', "no `name`"),
    ],
)
def test_wrong_shapes_are_a_problem_and_no_exception(name: str, text: str, problem: str) -> None:
    """A lock of another shape says what is wrong with it and is not used."""
    lock = parse_lock(name, text.encode())
    assert problem in (lock.problem or "")
    assert not lock.is_readable
