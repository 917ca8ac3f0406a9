"""Environments in memory."""

from __future__ import annotations

import pytest

from .yard import Yard


@pytest.fixture
def yard() -> Yard:
    """Return an environment to which nothing was deployed yet."""
    return Yard()
