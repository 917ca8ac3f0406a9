"""Temporary directories of tests."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Checkout

TEST = """
    from pathlib import Path


    def test_it(tmp_path: Path) -> None:
        Path("{place}").write_text(str(tmp_path), encoding="utf-8")
        (tmp_path / "left").write_text("behind", encoding="utf-8")
"""


def test_packages_share_no_temporary_directory(empty: "Checkout", tmp_path: Path) -> None:
    """Cleaning up after earlier runs, as pytest does, never reaches what another process uses.

    The directories go with the processes that made them.
    """
    for name in ("alpha", "beta"):
        empty.package(name, test=TEST.format(place=tmp_path / name))
    empty.commit()
    assert empty.outcomes("unit") == {"alpha:unit": "pass", "beta:unit": "pass"}
    alpha, beta = (Path((tmp_path / name).read_text("utf-8")) for name in ("alpha", "beta"))
    roots = {place.parents[2] for place in (alpha, beta)}
    assert len(roots) == 2
    assert all(root.name.startswith("monoyard-") for root in roots)
    assert not any(root.exists() for root in roots)
