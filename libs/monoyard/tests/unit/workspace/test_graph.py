"""The dependency graph: closures, ways and rings."""

import itertools
from collections.abc import Mapping

import pytest

from monoyard.workspace import Edge, Graph


def graph(edges: Mapping[str, str], tests: Mapping[str, str] | None = None) -> Graph:
    """Make a graph of packages named by single letters; a string lists who is needed."""
    letters = sorted(
        {*edges, *"".join(edges.values()), *(tests or {}), *"".join((tests or {}).values())}
    )
    found = [
        Edge(source, target, is_test, "declared", f"{source}/pyproject.toml")
        for table, is_test in ((edges, False), (tests or {}, True))
        for source, targets in table.items()
        for target in targets
    ]
    return Graph(letters, found)


def test_closures_follow_tests_one_step_only() -> None:
    """What a package's tests need counts for itself, with all that needs, not for others."""
    made = graph({"a": "b", "b": "c"}, tests={"b": "t", "t": "u"})
    assert made.runtime_closure["a"] == {"b", "c"}
    assert made.closure["a"] == {"b", "c"}
    assert made.closure["b"] == {"c", "t"}
    assert (made.direct["b"], made.runtime["b"]) == (("c", "t"), ("c",))


@pytest.mark.parametrize(
    ("edges", "source", "target", "way"),
    [
        ({"a": "bc", "b": "d", "c": "e", "e": "d"}, "a", "d", "abd"),
        ({"a": "b", "b": "c", "c": "a"}, "a", "c", "abc"),
        ({"a": "b"}, "b", "a", ""),
    ],
)
def test_way_is_the_shortest(edges: dict[str, str], source: str, target: str, way: str) -> None:
    """The chain that explains a dependency is a shortest one; where there is none it is empty."""
    assert "".join(graph(edges).path(source, target)) == way


def test_way_begins_with_a_test_and_goes_on_without() -> None:
    """Only the first step of a chain may be one of tests."""
    made = graph({"b": "c"}, tests={"a": "b", "c": "d"})
    assert made.path("a", "c") == ("a", "b", "c")
    assert made.path("a", "d") == ()


@pytest.mark.parametrize(
    ("edges", "rings"),
    [
        ({"a": "b", "b": "c"}, []),
        ({"a": "b", "b": "a"}, ["aba"]),
        ({"a": "c", "b": "a", "c": "b", "d": "a"}, ["acba"]),
        ({"a": "b", "b": "a", "c": "d", "d": "c"}, ["aba", "cdc"]),
        ({"a": "b", "b": "ac", "c": "b"}, ["abcba"]),
        ({"a": "bc", "b": "a", "c": "a"}, ["abaca"]),
    ],
)
def test_rings_are_whole(edges: dict[str, str], rings: list[str]) -> None:
    """Packages that need each other are one group, told once, along edges that there are."""
    made = graph(edges)
    assert ["".join(ring) for ring in made.cycles] == rings
    steps = [step for ring in made.cycles for step in itertools.pairwise(ring)]
    assert all(target in made.runtime[source] for source, target in steps)


def test_rings_of_tests_are_none() -> None:
    """A package whose tests need a dependent of it can still be built and installed first."""
    made = graph({"a": "b"}, tests={"b": "a"})
    assert made.cycles == ()
    assert made.closure["b"] == {"a"}


def test_members_of_a_ring_share_their_closure() -> None:
    """Within a ring everybody needs everybody else and what any of them needs, but not itself."""
    made = graph({"a": "b", "b": "c", "c": "ad"})
    assert made.runtime_closure == {
        "a": {"b", "c", "d"}, "b": {"a", "c", "d"}, "c": {"a", "b", "d"}, "d": set(),
    }  # fmt: skip


def test_declared_edge_of_sources_explains_best() -> None:
    """Of several edges between two packages the one shown is of sources, and declared."""
    edges = [
        Edge("a", "b", is_test, how, "where")
        for is_test, how in ((True, "declared"), (False, "imported"), (False, "declared"))
    ]
    assert Graph("ab", edges).edge("a", "b") == edges[2]
    assert Graph("ab", edges[:2]).edge("a", "b") == edges[1]
    assert Graph("ab", edges).edge("b", "a") is None


def test_edges_to_strangers_and_to_oneself_do_not_count() -> None:
    """An edge whose end is no package, or is its own beginning, leads nowhere."""
    made = Graph("ab", [Edge("a", name, is_test=False, how="imported", where="") for name in "axb"])
    assert made.direct == {"a": ("b",), "b": ()}
