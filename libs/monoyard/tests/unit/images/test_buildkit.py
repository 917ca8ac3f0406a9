"""What a BuildKit is started with, by a program that stands for it, and what it leaves."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from monoyard.images.buildkit import buildkit

PROGRAM = """\
#!{python}
import os
import pathlib
import signal
import socket
import sys
import tempfile

left = pathlib.Path(tempfile.mkdtemp(prefix="buildkit-mount"))
(left / "file").write_text("")
socket_ = socket.socket(socket.AF_UNIX)
socket_.bind(sys.argv[sys.argv.index("--addr") + 1].removeprefix("unix://"))
socket_.listen()
signal.pause()
"""


@pytest.mark.parametrize("is_killed", [False, True])
def test_builder_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_killed: bool
) -> None:
    """What it makes for itself is in its own state, and gone when it ends or is started again."""
    program = tmp_path / "buildkitd"
    program.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    everybodys, state = tmp_path / "tmp", tmp_path / "state"
    everybodys.mkdir()
    monkeypatch.setenv("TMPDIR", str(everybodys))
    with buildkit(program, state) as daemon:
        assert daemon.is_alive()
        (left,) = state.glob("*/buildkit-mount*")
        assert (left / "file").is_file()
    assert not list(state.rglob("buildkit-mount*"))
    if is_killed:  # an earlier one that nobody was there to clear away after
        left.mkdir(parents=True)
        with buildkit(program, state):
            assert not left.exists()
    assert not list(everybodys.glob("buildkit*"))


def test_builder_starts_where_temporary_files_lie_deep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory whose name leaves no room for the address of a socket is not taken for it."""
    program = tmp_path / "buildkitd"
    program.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with buildkit(program, tmp_path / "state") as daemon:
        assert daemon.is_alive()
