"""The tools from the invoke door."""

from typing import TYPE_CHECKING

from monoyard.install import TABLE

# Others may be on PATH, in the pinned version or in another one.
SURELY_FETCHED = sum(bool(tool.pins) or tool.is_packed for tool in TABLE)

if TYPE_CHECKING:
    from .conftest import Checkout


def test_tools_are_listed_and_fetched_by_name(empty: "Checkout") -> None:
    """Every tool has a line; one that is not here is fetched when asked for, with its version."""
    fresh = {"MONOYARD_CACHE_DIR": str(empty.top.parent / "fresh")}
    listed = empty.invoke("tools.list", env=fresh)
    assert listed.code == 0, listed.text
    assert [line.split()[0] for line in listed.out.splitlines()] == [tool.name for tool in TABLE]
    absent = listed.out.count("fetched when first used")
    assert absent >= SURELY_FETCHED
    ended = empty.invoke("tools.setup", "--", "pip-compile", env=fresh)
    assert ended.code == 0, ended.text
    assert ended.err == "installing pip-compile ...\n"
    assert "pip-compile, version 7." in ended.out
    assert ended.out.count("fetched when first used") == absent - 1


def test_unknown_tool_is_told(empty: "Checkout") -> None:
    """A tool that does not exist is a usage error with the one that was meant."""
    ended = empty.invoke("tools.setup", "--", "ruf")
    assert (ended.code, ended.out) == (2, ""), ended.text
    assert "there is no tool `ruf`; did you mean `ruff`?" in ended.err
