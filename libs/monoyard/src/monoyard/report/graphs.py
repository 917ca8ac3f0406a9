"""Graphs as SVG: the packages, and what the changes of a plan do to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from monoyard.plan import Cause, DependsOn, Plan
from monoyard.report.layout import Edge, Layout, Point, lay_out
from monoyard.report.markup import element
from monoyard.report.words import count

STYLE: Final = """
.graph { --ink: #1f2328; --line: #8c959f; --paper: #ffffff; --hot: #b35900; --warm: #fff4e5;
  font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media (prefers-color-scheme: dark) {
  .graph { --ink: #e6edf3; --line: #6e7681; --paper: #0d1117; --hot: #f0a050; --warm: #33240f; } }
.graph text { fill: var(--ink); }
.graph .edge { fill: none; stroke: var(--line); }
.graph .edge.weak { stroke-dasharray: 4 3; }
.graph .tip { fill: var(--line); }
.graph .node rect { fill: var(--paper); stroke: var(--line); }
.graph .node.affected rect { fill: var(--warm); stroke: var(--hot); stroke-width: 2.5; }
.graph .node.affected text { font-weight: bold; }
.graph .node.cause rect { stroke: none; fill: none; }
.graph .node.cause text { fill: var(--hot); }
"""
_CHARACTER: Final = 7.9
_HEIGHT: Final = 24.0
_MARGIN: Final = 16.0
_LEGEND: Final = 30.0
_LONGEST: Final = 44
_CAUSES_SHOWN: Final = 4
_TITLE_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Node:
    """A node.

    Attributes:
        label: What stands in it.
        title: What a pointer that rests on it is told.
        kind: `plain`, `affected` or `cause`.
    """

    label: str
    title: str
    kind: str = "plain"


def packages_svg(plan: Plan) -> str:
    """Return the graph of packages as an SVG file, affected ones marked, with their causes."""
    graph = plan.workspace.graph
    causes = causes_by_package(plan)
    nodes = {name: _package(name, causes.get(name, ())) for name in plan.workspace.packages}
    edges = {
        (source, target): "weak" if target not in graph.runtime[source] else ""
        for source in graph.packages
        for target in graph.direct[source]
    }
    since = plan.base.how if plan.base.commit else f"an unknown base: {plan.base.unknown}"
    legend = (
        f"{len(causes)} of {count(len(nodes), 'package')} affected (bold) since {since}; "
        "dashed: for tests only"
    )
    drawn = draw(nodes, edges, "Packages and what they need", legend)
    drawn.insert(0, element("style", STYLE))
    return ElementTree.tostring(drawn, encoding="unicode") + "\n"


def causes_graph(plan: Plan) -> Element | None:
    """Return what changed and whom it reaches; None where nothing is affected."""
    found = causes_by_package(plan)
    nodes: dict[str, Node] = {}
    edges: dict[Edge, str] = {}
    for package, causes in found.items():
        nodes[package] = _package(package, causes)
        own = [cause for cause in causes if not isinstance(cause, DependsOn)]
        for cause in own[:_CAUSES_SHOWN]:
            key = f"cause {_words(cause)}"
            nodes.setdefault(key, Node(_shortened(_words(cause)), str(cause), "cause"))
            edges[package, key] = ""
        if rest := [str(cause) for cause in own[_CAUSES_SHOWN:]]:
            key = "\n".join(
                ("more", *rest)
            )  # what several packages have in common stands there once
            nodes[key] = Node(f"and {len(rest)} more", _lines(rest), "cause")
            edges[package, key] = ""
        for needed in causes:
            if isinstance(needed, DependsOn):
                edges.update(dict.fromkeys(pairwise(needed.through), ""))
                key, words = f"cause {needed.path}", f"{needed.path} changed"
                nodes.setdefault(key, Node(_shortened(needed.path), words, "cause"))
                edges[needed.through[-1], key] = ""
    for name in {name for edge in edges for name in edge} - nodes.keys():
        nodes[name] = _package(name, ())
    return draw(nodes, edges, "What changed, and whom it reaches", "") if nodes else None


def causes_by_package(plan: Plan) -> dict[str, tuple[Cause, ...]]:
    """Return the affected packages with the causes of all their tasks, each once."""
    found: dict[str, dict[Cause, None]] = {}
    for planned in plan.affected:
        found.setdefault(planned.task.package, {}).update(dict.fromkeys(planned.causes))
    return {name: tuple(causes) for name, causes in found.items()}


def draw(nodes: Mapping[str, Node], edges: Mapping[Edge, str], title: str, legend: str) -> Element:
    """Return a graph as an `svg` element.

    Args:
        nodes: Name to node.
        edges: Pair of names to `weak` or nothing.
        title: What it shows.
        legend: A line below it; may be empty.
    """
    widths = {name: len(node.label) * _CHARACTER + 16 for name, node in nodes.items()}
    layout = lay_out(widths, edges)
    width = max(layout.width, len(legend) * _CHARACTER) + 2 * _MARGIN
    height = layout.height + 2 * _MARGIN + (_LEGEND if legend else 0)
    moved = element("g", transform=f"translate({_MARGIN} {_MARGIN})")
    moved.extend(_edge(route, edges[edge]) for edge, route in layout.routes.items())
    moved.extend(_box(name, node, layout, widths[name]) for name, node in nodes.items())
    if legend:
        moved.append(element("text", legend, x=0, y=f"{layout.height + _LEGEND:.0f}"))
    return element(
        "svg", element("title", title), moved,
        xmlns="http://www.w3.org/2000/svg", class_="graph", role="img",
        viewBox=f"0 0 {width:.0f} {height:.0f}", width=f"{width:.0f}", height=f"{height:.0f}",
    )  # fmt: skip


def _edge(points: Sequence[Point], kind: str) -> Element:
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (x + to_x) / 2
        path.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
    x, y = points[-1]
    back = -7 if points[-2][0] <= x else 7
    tip = f"M{x:.1f} {y:.1f}l{back} -3.5v7z"
    return element(
        "g",
        element("path", d="".join(path), class_=f"edge {kind}".strip()),
        element("path", d=tip, class_="tip"),
    )


def _box(name: str, node: Node, layout: Layout, width: float) -> Element:
    x, y = layout.places[name]
    box = element(
        "rect", x=f"{x:.1f}", y=f"{y - _HEIGHT / 2:.1f}", width=f"{width:.1f}", height=_HEIGHT, rx=4
    )
    label = element("text", node.label, x=f"{x + 8:.1f}", y=f"{y + 4.5:.1f}")
    return element("g", element("title", node.title), box, label, class_=f"node {node.kind}")


def _package(name: str, causes: Sequence[Cause]) -> Node:
    if not causes:
        return Node(name, f"{name}: not affected")
    return Node(name, f"{name}: affected\n{_lines(map(str, causes))}", "affected")


def _lines(lines: Iterable[str]) -> str:
    shown = list(lines)
    more = [f"... and {len(shown) - _TITLE_LINES} more"] if len(shown) > _TITLE_LINES else []
    return "\n".join([*shown[:_TITLE_LINES], *more])


def _words(cause: Cause) -> str:
    """Return the file that changed, or what else did."""
    return getattr(cause, "path", "") or str(cause)


def _shortened(words: str) -> str:
    return words if len(words) <= _LONGEST else f"...{words[3 - _LONGEST :]}"
