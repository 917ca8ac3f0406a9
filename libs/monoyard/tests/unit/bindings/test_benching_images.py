"""What `nox -s bench -- images` understands, and the table it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from monoyard.bindings.benching_images import bench_images, describe_figures
from monoyard.errors import UsageError


@pytest.mark.parametrize("word", ["--runs=0", "--images=x", "--json=", "50", "--what=1"])
def test_unknown_words_are_refused(word: str, tmp_path: Path) -> None:
    """Nothing is generated for a word that is not understood."""
    with pytest.raises(UsageError, match="does not understand"):
        bench_images(tmp_path, [word])
    assert list(tmp_path.iterdir()) == []


def test_ratios_follow_from_the_figures() -> None:
    """The table is made of the figures alone, so that it can be made again."""
    seconds = {
        "first publication": 100.0, "nothing changed": 3.0, "one registry probe": 0.5,
        "nothing changed, one image": 2.0,
        "empty nox session": 0.9, "git status": 0.1,
    }  # fmt: skip
    builds = {
        "one line, nox -s images": 12.0, "one line, plain bake": 4.0,
        "size, nox -s images (MiB)": 90.0, "size, one stage on debian (MiB)": 180.0,
    }  # fmt: skip
    data = {"images": 50, "runs": 5, "seconds": seconds, "builds": builds, "not measured": ""}
    lines = describe_figures(data)
    assert "| nothing changed / one registry probe | 6.0 |" in lines
    assert "| nothing changed / the same of one image | 1.50 |" in lines
    assert "| nothing changed / (empty nox session + git status + one probe) | 2.00 |" in lines
    assert "| nox -s images / plain bake | 3.0 |" in lines
    assert "| size / one stage on debian | 0.50 |" in lines
    lines = describe_figures({**data, "builds": {}, "not measured": "no engine answers"})
    assert "Not measured: no engine answers." in lines
