"""The committed JSON Schema and the command that keeps it current."""

from pathlib import Path

import pytest

from eventflow_events.json_schema import main


def test_written_schema_is_current(tmp_path: Path) -> None:
    """What --write wrote, --check accepts."""
    path = tmp_path / "events.schema.json"
    assert main(["--write"], path=path) == 0
    assert main(["--check"], path=path) == 0


def test_other_schema_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check fails for a schema that is missing or different, and names the file."""
    path = tmp_path / "events.schema.json"
    assert main(["--check"], path=path) == 1
    path.write_text("{}", encoding="utf-8")
    assert main(["--check"], path=path) == 1
    assert "events.schema.json is not current" in capsys.readouterr().err
