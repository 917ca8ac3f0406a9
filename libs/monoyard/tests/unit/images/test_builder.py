"""What a builder makes of what a bake says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from monoyard.images.builder import Builder
from monoyard.images.buildkit import Daemon
from monoyard.images.order import Made
from monoyard.tools import buildx
from monoyard.tools.buildx import Target

BASE = f"registry.example/python@sha256:{'0' * 64}"
REFUSED = f"{BASE}: not found"
LAST = f"ERROR: target post: failed to solve: failed to resolve source metadata for {REFUSED}"
STEP = f"#4 [shop context base] load metadata for {BASE}\n#4"
TOLD = f"{STEP} ERROR: {REFUSED}\n{LAST}\n"
CANCELED = f"{STEP} CANCELED\n{LAST}\n"
PROGRAM = """\
#!{python}
import json
import sys

if sys.argv[1] == "bake":
    targets = json.load(sys.stdin)["target"]
    lost = [name for name in targets if name in {lost}]
    sys.stderr.write({said} if lost else "")
    sys.exit(1 if lost else 0)
"""


@pytest.fixture
def targets(tmp_path: Path) -> list[Target]:
    """Two images on an upstream base, and one on another."""
    return [
        Target(name, tmp_path, tmp_path / "Dockerfile", "image", {"base": base}, {}, {})
        for name, base in (
            ("post", f"{buildx.IMAGE}{BASE}"),
            ("shop", f"{buildx.IMAGE}{BASE}"),
            ("page", "oci-layout:///base@sha256:1"),
        )
    ]


def bake(place: Path, targets: list[Target], said: str, *lost: str) -> dict[str, Made]:
    """Bake with a buildx that says something as long as it is to build certain targets."""
    program = place / "buildx"
    text = PROGRAM.format(python=sys.executable, lost=json.dumps(lost), said=json.dumps(said))
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    daemon = _Alive(place / "socket", place, ())
    return Builder(program, daemon, place, place / "log").bake(targets)


class _Alive(Daemon):
    """A daemon that nobody calls, and that answers."""

    def is_alive(self) -> bool:
        return True


@pytest.mark.parametrize("said", [TOLD, CANCELED], ids=["its-step", "the-last-line"])
def test_base_that_cannot_be_had_is_an_error_of_all_on_it(
    tmp_path: Path, targets: list[Target], said: str
) -> None:
    """No image is blamed for its base, whichever line tells of it; others are built."""
    found = bake(tmp_path, targets, said, "post", "shop")
    assert set(found) == {"post", "shop"}
    for made in found.values():
        assert made.is_error
        assert made.problem.startswith(f"base image {BASE} cannot be had: not found (")


def test_image_that_fails_is_named_and_others_are_built(
    tmp_path: Path, targets: list[Target]
) -> None:
    """A step of its own that fails is the image's fault, and nobody else's."""
    said = "#8 [shop 2/3] RUN false\n#8 ERROR: code: 1\nERROR: target shop: failed to solve: x\n"
    found = bake(tmp_path, targets, said, "shop")
    assert {name: made.is_error for name, made in found.items()} == {"shop": False}
