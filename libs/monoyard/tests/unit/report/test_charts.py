"""Plots that are kept beside their figures."""

from __future__ import annotations

from xml.etree import ElementTree

from monoyard.report.charts import bars


def test_bars_are_as_long_as_their_figures() -> None:
    """The longest fills the room, the others follow in proportion, and names are escaped."""
    drawn = ElementTree.fromstring(bars("a < b", {"one & two": 2.0, "half": 1.0, "none": 0.0}))  # noqa: S314  our own
    space = "{http://www.w3.org/2000/svg}"
    widths = [float(item.attrib["width"]) for item in drawn.findall(f"{space}rect")][1:]
    assert widths[0] == 2 * widths[1]
    assert widths[2] == 1.0
    texts = [item.text for item in drawn.findall(f"{space}text")]
    assert texts == ["a < b", "one & two", "2.00", "half", "1.00", "none", "0.00"]


def test_no_figures_are_no_bars() -> None:
    """An empty table is a title and nothing else."""
    assert bars("nothing", {}).count("<text") == 1
