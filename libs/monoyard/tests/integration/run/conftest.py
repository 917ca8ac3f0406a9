"""What this folder's tests start from, and the types of the fixtures that it shares."""

from __future__ import annotations

import pytest

from ..checkouts import Checkout, Ended, Running  # noqa: TID252  a folder, not a package

__all__ = ["Checkout", "Ended", "Running"]

ROOT = """
    [project]
    name = "sample"
    version = "0.1.0"
    [tool.monoyard]
    members = ["libs/*"]
"""


@pytest.fixture
def plain(empty: Checkout) -> Checkout:
    """A repository without a lock, so that no venv is needed."""
    empty.write("pyproject.toml", ROOT)
    return empty
