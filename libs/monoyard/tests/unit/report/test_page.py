"""Elements of pages, and charts of runs."""

from xml.etree import ElementTree

import pytest

from monoyard.report.markup import element
from monoyard.report.timeline_chart import timeline_chart
from monoyard.results import Outcome
from monoyard.run import Share, Stretch, Timeline


def test_text_is_no_markup() -> None:
    """Text and attributes are escaped, and control characters and half characters dropped."""
    made = element(
        "p",
        "<a>",
        element("b", "&"),
        "\x00\x1b[1m\x9b\ud800\tend\n",
        "more",
        title='"<\x07',
        class_="x",
    )
    text = ElementTree.tostring(made, "unicode", "html")
    assert text == ('<p title="&quot;<" class="x">&lt;a&gt;<b>&amp;</b>[1m\tend\nmore</p>')


def test_names_of_attributes_have_hyphens() -> None:
    """Underscores stand for hyphens, and `name` is an attribute like others."""
    made = element("meta", http_equiv="x", name="y", for_=1)
    assert made.attrib == {"http-equiv": "x", "name": "y", "for": "1"}


def chart(*stretches: Stretch) -> ElementTree.Element:
    """Return the chart of what ran."""
    return timeline_chart(Timeline(0.0, stretches))


def test_bars_have_a_row_for_each_worker() -> None:
    """A bar is as long as it took and where it began, in the row of its worker."""
    drawn = chart(
        Stretch(1, 1, 0.0, 10.0, ("a:unit",), (Share("a:unit", 10.0, Outcome.PASS),)),
        Stretch(2, 2, 5.0, 10.0, ("b:unit",), (Share("b:unit", 5.0, Outcome.FAIL),), True),
    )  # fmt: skip
    first, second = drawn.findall("./g/rect")
    assert float(second.get("y", "")) > float(first.get("y", ""))
    assert float(first.get("width", "")) == pytest.approx(2 * float(second.get("width", "")), abs=1)
    assert (first.get("class"), second.get("class")) == ("good", "bad critical")
    names = [text.text for text in drawn.findall("./text")]
    assert names == ["0 s", "2 s", "4 s", "6 s", "8 s", "10 s", "worker 1", "worker 2"]


@pytest.mark.parametrize(
    ("end", "ticks"),
    [(0.01, 6), (0.9, 5), (8.0, 9), (61.0, 7), (7200.0, 8)],
)
def test_axis_has_a_few_round_numbers(end: float, ticks: int) -> None:
    """However long a run took, its axis has a few steps of one, two or five."""
    drawn = chart(Stretch(1, 1, 0.0, end, ("a:unit",)))
    assert len(drawn.findall("./line")) == ticks


def test_batches_are_told_in_their_title() -> None:
    """A bar that rests under a pointer says what ran, what came of it and what runs again."""
    tasks = tuple(f"p{number:02}:lint" for number in range(20))
    drawn = chart(
        Stretch(1, 1, 0.0, 2.0, tasks, (Share("p00:lint", 1.0, Outcome.FAIL),), is_critical=True)
    )
    title = (drawn.findtext("./g/title") or "").splitlines()
    assert title[:3] == ["20 tasks, 2.0 s from 0.0 s on", "p00:lint: fail",
                         "p01:lint: runs again by itself"]  # fmt: skip
    assert title[-2:] == ["... and 8 more", "the end of the run waited for it"]
    assert drawn.findtext("./g/text") == "p00:lint +19"
