"""Where things are kept."""

import sys
from pathlib import Path

import pytest

from monoyard.recall import cache_directory, state_directory


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"MONOYARD_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/monoyard"),
    ],
)
def test_cache_directory_can_be_chosen(environment: dict[str, str], place: str) -> None:
    """The variable of our own wins, then the XDG one."""
    assert cache_directory(environment) == Path(place)


def test_cache_directory_is_the_platforms_usual_one() -> None:
    """Without a variable it is where the platform keeps caches, below the home directory."""
    usual = "Library/Caches" if sys.platform == "darwin" else ".cache"
    assert cache_directory({"HOME": "/c"}) == Path("/c") / usual / "monoyard"


def test_state_directory_is_ignored_by_git(tmp_path: Path) -> None:
    """The checkout's own state carries a file that makes git ignore it; making it twice is fine."""
    assert state_directory(tmp_path) == state_directory(tmp_path) == tmp_path / ".monoyard"
    assert (tmp_path / ".monoyard" / ".gitignore").read_text("utf-8") == "*\n"
