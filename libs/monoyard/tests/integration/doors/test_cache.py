"""The store from the invoke door: what it holds, and how CI carries it from run to run."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout


@pytest.fixture(scope="module")
def kept(new_checkout: Callable[[], "Checkout"]) -> "Checkout":
    """A repository of one package whose two tasks have passed."""
    checkout = new_checkout()
    checkout.package("alpha")
    checkout.commit()
    assert checkout.nox("ci").code == 0
    return checkout


def test_packed_results_are_replayed_elsewhere(
    kept: "Checkout", tmp_path: Path, installed: Path
) -> None:
    """What one machine packs, another one that unpacks it replays, and a cleared store does not."""
    archive = tmp_path / "store.tar"
    assert kept.invoke("cache.pack", str(archive)).code == 0
    other = tmp_path / "other"
    other.mkdir()
    for name in ("venvs", "tools"):
        (other / name).symlink_to(installed / name)
    variables = {"MONOYARD_CACHE_DIR": str(other)}
    assert "results    0\n" in kept.invoke("cache.status", env=variables).out
    unpacked = kept.invoke("cache.unpack", str(archive), env=variables)
    assert unpacked.code == 0, unpacked.text
    status = kept.invoke("cache.status", env=variables)
    assert f"directory  {other}\n" in status.out
    assert "results    2\n" in status.out
    assert set(kept.outcomes("ci", env=variables).values()) == {"cached"}
    cleared = kept.invoke("cache.clear", env=variables)
    assert cleared.out.startswith("removed 2 results, "), cleared.text
    assert set(kept.outcomes("ci", env=variables).values()) == {"pass"}
    assert set(kept.outcomes("ci").values()) == {"cached"}


def test_first_run_of_a_repository_has_no_archive(kept: "Checkout", tmp_path: Path) -> None:
    """`--if-exists` begins with an empty store; without it a missing file is a usage error."""
    missing = str(tmp_path / "none.tar")
    ended = kept.invoke("cache.unpack", missing, "--if-exists")
    assert ended.code == 0, ended.text
    assert f"there is no {missing}: beginning with an empty store" in ended.err
    ended = kept.invoke("cache.unpack", missing)
    assert (ended.code, ended.err) == (2, f"error[usage]: there is no file {missing}\n")


@pytest.mark.parametrize("damage", ["cut", "foreign"])
def test_damaged_archive_is_refused_whole(kept: "Checkout", tmp_path: Path, damage: str) -> None:
    """An archive that is cut off, or none at all, is one error, and the store stays as it is."""
    archive = tmp_path / "store.tar"
    kept.invoke("cache.pack", str(archive))
    data = archive.read_bytes()
    archive.write_bytes(data[: len(data) // 2] if damage == "cut" else b"words")
    before = kept.invoke("cache.status").out
    ended = kept.invoke("cache.unpack", str(archive))
    assert ended.code == 20, ended.text
    assert f"error[cache-archive]: {archive} was not imported" in ended.err
    assert "Traceback" not in ended.err
    assert kept.invoke("cache.status").out == before
