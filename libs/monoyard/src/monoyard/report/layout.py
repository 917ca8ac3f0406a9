"""Places the nodes of a graph in columns, so that edges run from left to right.

After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system
structures" (1981): a column for each rank, points where an edge passes a column, and an order
within columns that goes by the middle of the neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

Edge = tuple[str, str]
Point = tuple[float, float]

ROW: Final = 34.0
_PASSING: Final = 14.0
_BETWEEN: Final = 70.0
_SWEEPS: Final = 8


class _Passing(NamedTuple):
    """Where an edge passes a column: its ends, and the rank of the column."""

    first: str
    last: str
    rank: int


_Item = str | _Passing


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything goes; the origin is the upper left corner.

    Attributes:
        places: Node to the left end and the middle of its height.
        routes: Edge to the points it goes through, from the end of its first node.
        width: Of all.
        height: Of all.
    """

    places: Mapping[str, Point]
    routes: Mapping[Edge, tuple[Point, ...]]
    width: float
    height: float


def lay_out(widths: Mapping[str, float], edges: Iterable[Edge]) -> Layout:
    """Place nodes and edges.

    Args:
        widths: Node to its width.
        edges: Pairs of nodes; a ring of them is drawn with one edge that runs back.
    """
    edges = sorted({(a, b) for a, b in edges if a != b})
    ranks = _ranks(sorted(widths), edges)
    chains = {edge: _chain(edge, ranks) for edge in edges}
    layers = _layers(widths, ranks, chains.values())
    neighbours = _neighbours(chains.values())
    for sweep in range(_SWEEPS):
        _order(layers if sweep % 2 else layers[::-1], neighbours)
    heights = _heights(layers, neighbours)
    lefts, rights = _columns(layers, widths)
    places = {name: (lefts[ranks[name]], heights[name]) for name in widths}
    routes = {}
    for edge, chain in chains.items():
        points = list(_route(chain, widths, ranks, (lefts, rights), heights))
        routes[edge] = tuple(points if chain[0] == edge[0] else points[::-1])
    width = max(rights.values(), default=0.0)
    return Layout(places, routes, width, max(heights.values(), default=0.0) + ROW / 2)


def _ranks(nodes: Iterable[str], edges: Iterable[Edge]) -> dict[str, int]:
    """Return by node the length of the longest way from it; an edge that closes a ring is none."""
    targets: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in edges:
        targets[source].append(target)
    ranks: dict[str, int] = {}
    for root, first in targets.items():
        # A stack of its own: ways may be longer than calls may be deep.
        left = {} if root in ranks else {root: iter(first)}
        while left:
            node = next(reversed(left))
            following = (
                target for target in left[node] if target not in ranks and target not in left
            )
            target = next(following, "")
            if target:
                left[target] = iter(targets[target])
                continue
            del left[node]
            known = (ranks[target] + 1 for target in targets[node] if target in ranks)
            ranks[node] = max(known, default=0)
    return ranks


def _chain(edge: Edge, ranks: Mapping[str, int]) -> tuple[_Item, ...]:
    """Return what an edge goes through, from the higher rank to the lower one."""
    first, last = sorted(edge, key=lambda node: -ranks[node])
    between = range(ranks[first] - 1, ranks[last], -1)
    return (first, *(_Passing(first, last, rank) for rank in between), last)


def _layers(
    nodes: Iterable[str], ranks: Mapping[str, int], chains: Iterable[Sequence[_Item]]
) -> list[list[_Item]]:
    """Return the columns from left to right: the highest rank first."""
    layers: list[list[_Item]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for node in sorted(nodes):
        layers[ranks[node]].append(node)
    for chain in chains:
        for item in chain:
            if isinstance(item, _Passing):
                layers[item.rank].append(item)
    return layers[::-1]


def _neighbours(chains: Iterable[Sequence[_Item]]) -> dict[_Item, list[_Item]]:
    found: dict[_Item, list[_Item]] = {}
    for chain in chains:
        for left, right in pairwise(chain):
            found.setdefault(left, []).append(right)
            found.setdefault(right, []).append(left)
    return found


def _order(layers: Sequence[list[_Item]], neighbours: Mapping[_Item, Sequence[_Item]]) -> None:
    """Sort each column by the middle of its neighbours in the one before."""
    for before, layer in pairwise(layers):
        places = {item: place for place, item in enumerate(before)}
        middles = {}
        for place, item in enumerate(layer):
            known = [places[other] for other in neighbours.get(item, ()) if other in places]
            middles[item] = sum(known) / len(known) if known else float(place)
        layer.sort(key=middles.__getitem__)


def _heights(
    layers: Sequence[Sequence[_Item]], neighbours: Mapping[_Item, Sequence[_Item]]
) -> dict[_Item, float]:
    """Return the middle height of each item: near its neighbours, in order, and not too close."""
    heights: dict[_Item, float] = {}
    for layer in layers:
        at = 0.0
        for item in layer:
            heights[item] = at
            at += _size(item)
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 else layers[::-1]:
            wanted = []
            for item in layer:
                known = [heights[other] for other in neighbours.get(item, ())]
                wanted.append(sum(known) / len(known) if known else heights[item])
            heights.update(zip(layer, _apart(layer, wanted), strict=True))
    least = min(heights.values(), default=0.0) - ROW / 2
    return {item: height - least for item, height in heights.items()}


def _apart(layer: Sequence[_Item], wanted: Sequence[float]) -> list[float]:
    """Return heights near the wanted ones, with room between: half pushed down, half up."""
    gaps = [(_size(a) + _size(b)) / 2 for a, b in pairwise(layer)]
    down, up = list(wanted), list(wanted)
    for place, gap in enumerate(gaps):
        down[place + 1] = max(down[place + 1], down[place] + gap)
    for place in range(len(gaps) - 1, -1, -1):
        up[place] = min(up[place], up[place + 1] - gaps[place])
    return [(first + second) / 2 for first, second in zip(down, up, strict=True)]


def _size(item: _Item) -> float:
    return ROW if isinstance(item, str) else _PASSING


def _columns(
    layers: Sequence[Sequence[_Item]], widths: Mapping[str, float]
) -> tuple[dict[int, float], dict[int, float]]:
    """Return by rank the left and the right end of its column."""
    lefts, rights, at = {}, {}, 0.0
    for place, layer in enumerate(layers):
        rank = len(layers) - 1 - place
        broad = max((widths[item] for item in layer if isinstance(item, str)), default=0.0)
        lefts[rank], rights[rank] = at, at + broad
        at += broad + _BETWEEN
    return lefts, rights


def _route(
    chain: Sequence[_Item],
    widths: Mapping[str, float],
    ranks: Mapping[str, int],
    columns: tuple[Mapping[int, float], Mapping[int, float]],
    heights: Mapping[_Item, float],
) -> Iterator[Point]:
    """Yield the points of an edge: ends of nodes, and both ends of columns that it passes."""
    lefts, rights = columns
    for place, item in enumerate(chain):
        if not isinstance(item, str):
            yield lefts[item.rank], heights[item]
            yield rights[item.rank], heights[item]
        elif place:
            yield lefts[ranks[item]], heights[item]
        else:
            yield lefts[ranks[item]] + widths[item], heights[item]
