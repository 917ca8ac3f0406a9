"""What the imports of a package are remembered by, in real repositories."""

import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from monoyard.workspace import Package, Repository, load, take_snapshot


class Remembered:
    """A memo that lives as long as the test."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, bytes]] = defaultdict(dict)

    def get_many(self, namespace: str, keys: Iterable[str]) -> Mapping[str, bytes]:
        """Return what is known."""
        known = self.values[namespace]
        return {key: known[key] for key in keys if key in known}

    def put_many(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Remember."""
        self.values[namespace].update(values)


def _package(top: Path, memo: Remembered) -> Package:
    """Return the one package of a repository."""
    (package,) = load(take_snapshot(Repository.locate(top), memo), memo).packages.values()
    return package


@pytest.mark.parametrize("places", [("libs/a/b", "libs/a"), ("libs/a", "libs/a/b")])
def test_manifest_that_moves_parts_the_same_files_otherwise(
    tmp_path: Path, places: tuple[str, str]
) -> None:
    """Where a manifest lies parts sources from tests, whatever is remembered of the same files."""
    before, after = (f"{place}/pyproject.toml" for place in places)
    files = {
        "pyproject.toml": '[tool.monoyard]\nmembers = ["libs/*", "libs/*/*"]\n',
        before: '[project]\nname = "a"\n',
        "libs/a/b/tests/x.py": "import other\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    memo = Remembered()
    first = _package(tmp_path, memo)
    (tmp_path / before).rename(tmp_path / after)
    moved, fresh = (_package(tmp_path, used) for used in (memo, Remembered()))
    assert (moved.imports, moved.test_imports) == (fresh.imports, fresh.test_imports)
    assert moved.imports == first.test_imports
    assert moved.test_imports == first.imports
