"""The lock of Debian packages."""

import pytest

from monoyard.errors import ConfigurationError
from monoyard.images import DebianLock
from monoyard.tools import mmdebstrap

ZERO = "0" * 64


def test_lock_reads_what_it_writes() -> None:
    """A lock survives being written and read, whatever the order of its bases."""
    lock = DebianLock({"web": ("nginx 1 amd64 ab",), "python": ("libc6 2 amd64 cd",)})
    assert DebianLock.parse(lock.text().encode(), "debian.lock") == lock


def test_missing_lock_locks_nothing() -> None:
    """A lock that is not there yet has no bases."""
    assert DebianLock.parse(None, "debian.lock").bases == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("python = [", "debian.lock: not valid TOML"),
        ('python = "libc6"', "debian.lock: `python` is no list of packages"),
        ('python = ["libc6 2"]', "debian.lock: `python` is no list of packages"),
        ("python = [1]", "debian.lock: `python` is no list of packages"),
    ],
)
def test_broken_lock_is_one_clear_error(text: str, said: str) -> None:
    """What is no lock is named, with the command that writes a good one."""
    with pytest.raises(ConfigurationError) as raised:
        DebianLock.parse(text.encode(), "debian.lock")
    assert raised.value.context[0].startswith(said)
    assert "invoke images.refresh" in str(raised.value.hint)


def test_changes_name_every_package_that_moved() -> None:
    """Added, removed and updated packages are told with both versions; equal ones are not."""
    old = DebianLock({"python": ("a 1 all 0", "b 1 all 0", "c 1 all 0")})
    new = DebianLock({"python": ("a 1 all 0", "b 2 all 1", "d 1 all 0")})
    assert old.changes(new) == [
        "python: b 1 -> 2", "python: c 1 -> nothing", "python: d nothing -> 1",
    ]  # fmt: skip
    assert old.changes(old) == []


def test_rebuilt_package_of_the_same_version_is_a_change() -> None:
    """Other bytes under a version that stays are told as well."""
    old, new = (DebianLock({"python": (f"a 1 all {digest}",)}) for digest in ("00", "11"))
    assert old.changes(new) == ["python: a 1 has other bytes"]


def test_listing_of_packages() -> None:
    """Names, versions with an epoch, architectures and digests are read from file names."""
    said = f"{ZERO}  zlib1g_1%3a1.2.13_amd64.deb\n{ZERO}  ./tzdata_2026a-0+deb12u1_all.deb\n"
    assert mmdebstrap.parse_listing(said) == (
        ("tzdata", "2026a-0+deb12u1", "all", ZERO), ("zlib1g", "1:1.2.13", "amd64", ZERO),
    )  # fmt: skip
    with pytest.raises(ValueError, match="no package"):
        mmdebstrap.parse_listing("sha256sum: *.deb: No such file\n")


def test_vanished_packages_are_read_from_what_apt_says() -> None:
    """A version that the archive dropped is told from every other failure."""
    said = "Reading...\nE: Version '1.2.3' for 'python3-minimal' was not found\nE: failed\n"
    assert mmdebstrap.vanished(said) == (("python3-minimal", "1.2.3"),)
    assert mmdebstrap.vanished("E: Unable to locate package nope\n") == ()
