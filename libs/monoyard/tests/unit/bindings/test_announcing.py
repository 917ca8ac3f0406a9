"""What goes on meanwhile is told in whole lines."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from monoyard.bindings.announcing import announce


def test_lines_of_several_threads_stand_apart(capfd: pytest.CaptureFixture[str]) -> None:
    """Whichever thread says something, it has a line of its own."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(announce, ["building one"] * 2000))
    finally:
        sys.setswitchinterval(interval)
    said = capfd.readouterr().err.splitlines()
    assert {*said} == {"building one ..."}
    assert len(said) == 2000
