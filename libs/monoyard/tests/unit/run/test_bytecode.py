"""Bytecode that Python would take for that of a file which was edited since."""

from __future__ import annotations

import os
import py_compile
from pathlib import Path

import pytest

from monoyard.run.python_files import drop_doubtful_bytecode

_LONG_AGO = 1_000_000_000


def _compiled(top: Path, name: str, mode: py_compile.PycInvalidationMode) -> Path:
    """Write a module and its bytecode, and let the latter be older than the former's record."""
    source = top / f"{name}.py"
    source.write_text("A = 1\n", encoding="utf-8")
    os.utime(source, (_LONG_AGO, _LONG_AGO))
    bytecode = Path(str(py_compile.compile(str(source), invalidation_mode=mode)))
    os.utime(bytecode, (_LONG_AGO + 10, _LONG_AGO + 10))
    return bytecode


@pytest.mark.parametrize(
    ("mode", "stays"),
    [("TIMESTAMP", False), ("UNCHECKED_HASH", False), ("CHECKED_HASH", True)],
)
@pytest.mark.parametrize("name", ["module", "dotted.name"])
def test_bytecode_that_is_older_than_its_source(
    tmp_path: Path, mode: str, name: str, *, stays: bool
) -> None:
    """It goes, unless Python holds it against the contents."""
    bytecode = _compiled(tmp_path, name, py_compile.PycInvalidationMode[mode])
    drop_doubtful_bytecode(tmp_path, [f"{name}.py"])
    assert bytecode.exists() == stays


def test_bytecode_that_python_refuses(tmp_path: Path) -> None:
    """What Python makes anew by itself stays: it may be somebody's who lets nobody remove it."""
    bytecode = _compiled(tmp_path, "module", py_compile.PycInvalidationMode.TIMESTAMP)
    (tmp_path / "module.py").write_text("A = 22\n", encoding="utf-8")
    drop_doubtful_bytecode(tmp_path, ["module.py"])
    assert bytecode.exists()


def test_bytecode_that_is_younger_than_its_source(tmp_path: Path) -> None:
    """It stays, and so does that of no file."""
    source = tmp_path / "module.py"
    source.write_text("A = 1\n", encoding="utf-8")
    bytecode = Path(str(py_compile.compile(str(source))))
    other = bytecode.with_name("gone.cpython-311.pyc")
    other.touch()
    later = source.stat().st_ctime + 3600
    os.utime(bytecode, (later, later))
    drop_doubtful_bytecode(tmp_path, ["module.py"])
    assert bytecode.exists()
    assert other.exists()


def test_bytecode_that_may_be_of_an_edit_before(tmp_path: Path) -> None:
    """Bytecode that was written within moments of an edit may be of what was there before it."""
    source = tmp_path / "module.py"
    source.write_text("A = 1\n", encoding="utf-8")
    bytecode = Path(str(py_compile.compile(str(source))))
    later = source.stat().st_ctime + 1
    os.utime(bytecode, (later, later))
    drop_doubtful_bytecode(tmp_path, ["module.py"])
    assert not bytecode.exists()
