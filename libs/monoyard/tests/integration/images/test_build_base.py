"""Distributions without a wheel, built on a base with a compiler."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from .conftest import BASES

if TYPE_CHECKING:
    from .conftest import Yard

# A compiler is large, and a base of it is packed and unpacked.
PATIENCE_SECONDS = 1200.0
# The hash is that of the source distribution alone, so that no wheel of it is taken.
LOCKED = """\
markupsafe==3.0.2 \\
    --hash=sha256:ee55d3edf80167e48ea11a923c7386f4669df67d7994554387f84e7d8b0a2bf0
"""
COMPILER = """
[tool.monoyard.images.bases.compiler]
packages = [
    "gcc", "libc6-dev", "libpython3.11-stdlib", "python3-dev", "python3-minimal",
    "python3-setuptools", "python3-wheel",
]
"""
TABLE = """
[tool.monoyard.image]
build-base = "compiler"
"""


def test_compiled_distribution_is_built_and_its_compiler_left_behind(
    yard: Yard, new_yard: Callable[[], Yard]
) -> None:
    """The compiled part works in the image, which holds no compiler, and has the same bytes."""
    yard.checkout.root(BASES + COMPILER)
    ended = yard.checkout.invoke("images.refresh")
    assert ended.code == 0, ended.text
    other = new_yard()
    other.checkout.root(BASES + COMPILER)
    lock = (yard.checkout.top / "infra/images/debian.lock").read_text("utf-8")
    other.checkout.write("infra/images/debian.lock", lock)
    for each in (yard, other):
        each.service("shop", more=TABLE)
        place = each.checkout.top / "libs/shop/src/shop/__main__.py"
        text = place.read_text("utf-8")
        place.write_text(f"import markupsafe._speedups\n{text}", encoding="utf-8")
        each.checkout.write("shop.txt", LOCKED)
        each.checkout.commit()
        ended = each.checkout.start("images").end(PATIENCE_SECONDS)
        assert ended.code == 0, ended.text
    assert yard.digest("shop") == other.digest("shop")
    (image,) = json.loads(yard.checkout.invoke("images.list", "--json").out)["images"]
    assert image["base"] == "python"
    (size, unit) = image["size"].split(" ")
    assert unit == "MB"
    assert float(size) < 60
