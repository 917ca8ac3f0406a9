from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from monoyard.bindings.adopting import adopt

if TYPE_CHECKING:
    from .conftest import Found

FILES = {
    "libs/plain/pyproject.toml": '[project]\nname = "plain"\n',
    "libs/shared.toml": "",
    "libs/notes/deep/one.txt": "",
    "libs/notes/two.txt": "",
    "scripts/release.py": "",
    "scripts/more/notes.txt": "",
    "README.md": "",
    "cliff.toml": "",
}


def test_table_offers_what_would_select_everything(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file without an owner is a line to uncomment; a directory of such files is one line."""
    engine = found(FILES)
    top = engine.repository.top
    monkeypatch.setenv("MONOYARD_CACHE_DIR", str(engine.kept))
    adopt(top, dry_run=False)
    text = (top / "monoyard.toml").read_text("utf-8")
    assert tomllib.loads(text) == {"files": {}}
    uncommented = "".join(
        line.removeprefix("# ") for line in text.splitlines(keepends=True) if " = []" in line
    )
    assert tomllib.loads(uncommented) == {
        "libs/notes/**": [],
        "libs/shared.toml": [],
        "scripts/**": [],
        "cliff.toml": [],
    }


def test_dry_run_writes_nothing(
    found: Found, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--dry-run` says what is found and leaves the repository as it was."""
    engine = found({**FILES, "template/pyproject.toml": '[project]\nname = "$name"\n'})
    top = engine.repository.top
    monkeypatch.setenv("MONOYARD_CACHE_DIR", str(engine.kept))
    adopt(top, dry_run=True)
    said = capsys.readouterr().out
    assert "packages: 1 (1 python)" in said
    assert "note: template/pyproject.toml: `$name` is no project name" in said
    assert "would write: monoyard.toml" in said
    assert not {"noxfile.py", "tasks.py", "monoyard.toml"} & {item.name for item in top.iterdir()}


def test_long_list_is_cut_on_the_screen_only(
    found: Found, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of many files that select everything the first are shown; the table has them all."""
    engine = found({f"note-{number:02}": "" for number in range(14)})
    top = engine.repository.top
    monkeypatch.setenv("MONOYARD_CACHE_DIR", str(engine.kept))
    adopt(top, dry_run=False)
    assert "note-10, note-11 and 2 more\n" in capsys.readouterr().out
    assert '# "note-13" = []' in (top / "monoyard.toml").read_text("utf-8")


def test_files_that_exist_are_left_alone(
    found: Found, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A noxfile of the repository's own stays; what it would need is printed."""
    engine = found({**FILES, "noxfile.py": "import nox\n"})
    top = engine.repository.top
    monkeypatch.setenv("MONOYARD_CACHE_DIR", str(engine.kept))
    adopt(top, dry_run=False)
    assert (top / "noxfile.py").read_text("utf-8") == "import nox\n"
    assert "kept: noxfile.py; to use monoyard, add to it:" in capsys.readouterr().out
