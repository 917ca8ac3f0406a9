"""Graphs in columns."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monoyard.report.layout import ROW, Layout, lay_out

NAMES = [f"node{number}" for number in range(9)]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, float], set[tuple[str, str]]]:
    """Draw nodes with widths and edges between them, rings and edges to oneself too."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    widths = {name: draw(st.floats(10, 200)) for name in names}
    ends = st.sampled_from(names)
    return widths, draw(st.sets(st.tuples(ends, ends), max_size=20))


def columns(layout: Layout) -> dict[float, list[float]]:
    """Return by column the heights of its nodes, in order."""
    found: dict[float, list[float]] = {}
    for x, y in layout.places.values():
        found.setdefault(x, []).append(y)
    return {x: sorted(heights) for x, heights in found.items()}


@given(graph=graphs())
def test_nodes_have_room(graph: tuple[dict[str, float], set[tuple[str, str]]]) -> None:
    """No two nodes overlap, and all lie within the picture."""
    widths, edges = graph
    layout = lay_out(widths, edges)
    assert layout.places.keys() == widths.keys()
    for heights in columns(layout).values():
        assert all(below - above >= ROW - 0.01 for above, below in pairwise(heights))
    for name, (x, y) in layout.places.items():
        assert x >= 0
        assert x + widths[name] <= layout.width + 0.01
        assert ROW / 2 - 0.01 <= y <= layout.height - ROW / 2 + 0.01
    lefts = sorted({x for x, _ in layout.places.values()})
    for left, right in pairwise(lefts):
        broad = max(widths[name] for name, (x, _) in layout.places.items() if x == left)
        assert left + broad < right


@given(graph=graphs())
def test_edges_join_their_nodes(graph: tuple[dict[str, float], set[tuple[str, str]]]) -> None:
    """Every edge but those to oneself begins at its first node and ends at its second."""
    widths, edges = graph
    layout = lay_out(widths, edges)
    assert layout.routes.keys() == {(a, b) for a, b in edges if a != b}
    for (first, last), route in layout.routes.items():
        ends = {first: route[0], last: route[-1]}
        for name, (x, y) in ends.items():
            left, middle = layout.places[name]
            assert y == middle
            assert x in {left, left + widths[name]}


def test_edges_run_from_left_to_right() -> None:
    """Without rings what is needed stands to the right, a long edge between what it passes."""
    edges = {("a", "b"), ("b", "c"), ("a", "c")}
    layout = lay_out(dict.fromkeys("abc", 50.0), edges)
    lefts = [layout.places[name][0] for name in "abc"]
    assert lefts == sorted(set(lefts))
    for route in layout.routes.values():
        assert [x for x, _ in route] == sorted(x for x, _ in route)
    assert len(layout.routes["a", "c"]) == 4
    assert layout.routes["a", "c"][1][1] != layout.places["b"][1]


def test_ring_has_one_edge_that_runs_back() -> None:
    """In a ring one edge runs from right to left, and the others as ever."""
    layout = lay_out(dict.fromkeys("abc", 50.0), {("a", "b"), ("b", "c"), ("c", "a")})
    back = [route for route in layout.routes.values() if route[0][0] > route[-1][0]]
    assert len(back) == 1


def test_long_chains_are_laid_out() -> None:
    """A chain longer than calls may be deep is no matter."""
    names = [f"n{number:04}" for number in range(3000)]
    layout = lay_out(dict.fromkeys(names, 10.0), set(pairwise(names)))
    assert len(columns(layout)) == 3000


def test_nothing_is_laid_out() -> None:
    """Without nodes there is nothing to place."""
    assert lay_out({}, ()).places == {}
