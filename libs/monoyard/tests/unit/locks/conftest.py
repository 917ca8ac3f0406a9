from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monoyard.locks import Lock, parse_lock

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def real_lock() -> Callable[[str], Lock]:
    """Read one of the locks that the real tools made."""
    return lambda name: parse_lock(name, (FIXTURES / name).read_bytes())


@pytest.fixture(scope="session")
def requirements() -> Callable[[str], Lock]:
    """Read text as a requirements file."""
    return lambda text: parse_lock("requirements.txt", text.encode())
