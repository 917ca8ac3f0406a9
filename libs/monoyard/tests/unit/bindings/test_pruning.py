"""What `images.prune` is told: digests that run, and how long every image is kept."""

from pathlib import Path

import pytest

from monoyard.bindings.needed_images import read_running
from monoyard.bindings.pruning import read_grace
from monoyard.errors import ConfigurationError, UsageError

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def test_lists_of_digests(tmp_path: Path) -> None:
    """Digests are read with or without a name, from several files, past comments and blanks."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(
        b"\xef\xbb\xbf# staging\r\n\r\n  registry.example.org:5000/shop@" + ONE.encode()
    )
    second.write_text(f"docker-pullable://example.org/shop@{TWO}\n{ONE}\n", encoding="utf-8")
    both = {ONE: str(first), TWO: str(second)}
    assert read_running([f"{first},{second}"]) == read_running([str(first), str(second)]) == both
    assert read_running([]) == {}


@pytest.mark.parametrize(
    "line", ["shop:1.0", "sha256:11", f"{ONE}0", f"{ONE} {TWO}", f"shop@{ONE.upper()}", "\x00"]
)
def test_line_that_is_no_digest_is_an_error(tmp_path: Path, line: str) -> None:
    """Among good lines, one that cannot be understood is not overlooked."""
    path = tmp_path / "list"
    path.write_text(f"{ONE}\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="has a line that is no digest"):
        read_running([str(path)])


def test_list_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    """A file of other bytes cannot be read, which is told like a file that is not there."""
    path = tmp_path / "list"
    path.write_bytes(b"\xff\xfe")
    for name in (str(path), f"{path}-gone"):
        with pytest.raises(ConfigurationError, match="cannot be read, so nothing is removed"):
            read_running([name])


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("7d", 604_800), ("1w", 604_800), ("1w2d3h4m5s", 788_645), ("36h", 129_600), ("0d", 0)],
)
def test_grace_periods(words: str, seconds: float) -> None:
    """Weeks, days, hours, minutes and seconds are understood."""
    assert read_grace(words) == seconds


@pytest.mark.parametrize("words", ["", "7", "d", "-1d", "1d7w", "1.5d", "7 d", "week"])
def test_other_words_are_no_grace_period(words: str) -> None:
    """What is no duration is an error instead of none."""
    with pytest.raises(UsageError, match="`--grace` is a duration"):
        read_grace(words)
