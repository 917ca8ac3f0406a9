"""Output that the real tools printed once; paths lie below `/repository`."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def recorded() -> Callable[[str], bytes]:
    """Return the recorded output of a name."""
    return lambda name: (Path(__file__).parent / "recorded" / name).read_bytes()
