from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monoyard.locks import OPTIONS_LABEL, Closures, Lock, closure, parse_lock, slice_entries

Read = Callable[[str], Lock]
Graph = dict[str, frozenset[str]]

# Roots as the inputs of the fixtures have them; through extras other closures differ on purpose.
ROOTS = ["httpx[http2]", "click", "redis", "rich", "pytest", "h2", "anyio", "idna", "h11"]


def names(lock: Lock, *roots: str) -> set[str]:
    """Return the names in a closure that must be complete."""
    found = closure(lock, roots)
    assert found.complete
    return {one.name for one in found.distributions}


@pytest.mark.parametrize("name", ["universal.txt", "export.txt"])
def test_annotations_and_uv_lock_agree(real_lock: Read, name: str) -> None:
    """For every pair of roots, `# via` comments lead where the edges of `uv.lock` lead."""
    by_edges, by_comments = real_lock("uv.lock"), real_lock(name)
    for pair in combinations(ROOTS, 2):
        assert names(by_comments, *pair) == names(by_edges, *pair)


@pytest.mark.parametrize("name", ["pip-compile.txt", "pip-compile-line.txt", "uv-line.txt"])
def test_locks_for_one_platform_hold_their_part_of_it(real_lock: Read, name: str) -> None:
    """Closures of a lock for one platform are those of `uv.lock` without what it leaves out."""
    universal, here = real_lock("uv.lock"), real_lock(name)
    for root in ROOTS:
        assert names(here, root) <= names(universal, root)
    assert names(here, "rich") == {"rich", "markdown-it-py", "mdurl", "pygments"}
    assert names(here, "httpx[http2]") == names(universal, "httpx[http2]") - {"exceptiongroup"}


def test_missing_roots_are_named(real_lock: Read) -> None:
    """What the lock does not have is a finding, in the words of the requirement."""
    found = closure(real_lock("pip-compile.txt"), ["nope>=1", "click", "also-not[x]"])
    assert found.missing == ("also-not[x]", "nope>=1")
    assert [one.name for one in found.distributions] == ["click"]
    assert closure(real_lock("uv.lock"), ["click", "httpx[http2]"]).missing == ()
    assert closure(real_lock("pip-compile.txt"), ["click[any]"]).missing == ()


def test_names_are_compared_as_the_index_does(real_lock: Read) -> None:
    """Case, dots and underscores do not matter, nor do specifiers and markers of a root."""
    lock = real_lock("pip-compile.txt")
    assert names(lock, "Markdown_It.Py>=1; python_version > '3'") == {"markdown-it-py", "mdurl"}


def test_no_roots_need_nothing(real_lock: Read) -> None:
    """A package without third-party requirements has an empty, complete closure."""
    found = closure(real_lock("pip-compile.txt"), [])
    assert (found.distributions, found.complete) == ((), True)


def test_cycles_end() -> None:
    """Distributions that need each other are in each other's closures."""
    lock = parse_lock("r.txt", b"a==1\n    # via b\nb==1\n    # via\n    #   a\n    #   -r x.in\n")
    assert names(lock, "a") == names(lock, "b") == {"a", "b"}


def test_slice_names_versions_and_what_stands_behind_them(requirements: Read) -> None:
    """A slice changes with version, hashes, marker and options, and with nothing else."""
    text = "a==1 --hash=sha256:aa\n    # via -r x.in\nb==2\n    # via -r x.in\n"
    first = slice_entries(closure(requirements(text), ["a"]))
    assert [label for label, _ in first] == ["a"]
    assert first[0][1].startswith("1 ")
    assert first == slice_entries(closure(requirements(text.replace("b==2", "b==3")), ["a"]))
    for old, new in [("aa", "ab"), ("a==1", "a==2"), ("aa", "aa ; os_name == 'nt'")]:
        assert slice_entries(closure(requirements(text.replace(old, new, 1)), ["a"])) != first
    with_option = slice_entries(closure(requirements(f"--pre\n{text}"), ["a"]))
    assert with_option[0][0] == OPTIONS_LABEL
    assert with_option[1:] == first


def test_version_without_hashes_is_the_value(requirements: Read) -> None:
    """Where there are no hashes the value is the version alone."""
    lock = requirements("a==1\n    # via -r x.in\n")
    assert slice_entries(closure(lock, ["a"])) == (("a", "1"),)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Return a graph of up to nine distributions, cycles and islands included."""
    nodes = [f"p{index}" for index in range(draw(st.integers(1, 9)))]
    edges = st.frozensets(st.sampled_from(nodes), max_size=4)
    return {node: draw(edges) - {node} for node in nodes}


def as_requirements(graph: Graph, style: str) -> bytes:
    """Write a graph as pip-compile does; every distribution is also a direct need."""
    lines = []
    for node in graph:
        parents = ["-r x.in", *(parent for parent in graph if node in graph[parent])]
        lines.append(f"{node}==1 \\\n    --hash=sha256:aa")
        if style == "line":
            lines.append(f"    # via {', '.join(parents)}")
        elif len(parents) == 1:
            lines.append(f"    # via {parents[0]}")
        else:
            lines += ["    # via", *(f"    #   {parent}" for parent in parents)]
    return "\n".join(lines).encode()


def as_uv_lock(graph: Graph) -> bytes:
    """Write a graph as uv does."""
    text = "version = 1\n"
    for node, children in graph.items():
        edges = ", ".join(f'{{ name = "{child}" }}' for child in sorted(children))
        text += f'[[package]]\nname = "{node}"\nversion = "1"\ndependencies = [{edges}]\n'
    return text.encode()


def reachable(graph: Graph, roots: list[str]) -> set[str]:
    """Return what the roots lead to, by the plainest search there is."""
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += graph[node]
    return seen


@settings(max_examples=100)
@given(graph=graphs(), style=st.sampled_from(["line", "split"]), data=st.data())
def test_any_graph_reads_the_same_from_both_formats(
    graph: Graph, style: str, data: st.DataObject
) -> None:
    """Comments, edges and a plain search agree for any graph and any roots."""
    roots = data.draw(st.lists(st.sampled_from(sorted(graph)), max_size=4))
    expected = reachable(graph, roots)
    assert names(parse_lock("r.txt", as_requirements(graph, style)), *roots) == expected
    assert names(parse_lock("uv.lock", as_uv_lock(graph)), *roots) == expected


@settings(max_examples=50)
@given(graph=graphs(), data=st.data())
def test_one_lost_comment_never_narrows(graph: Graph, data: st.DataObject) -> None:
    """Without the comment of any one entry, every closure still holds all that it should."""
    lines = as_requirements(graph, "line").decode().split("\n")
    lost = data.draw(st.sampled_from([i for i, line in enumerate(lines) if "# via" in line]))
    del lines[lost]
    lock = parse_lock("r.txt", "\n".join(lines).encode())
    closures = Closures(lock)
    for node in graph:
        found = {one.name for one in closures.of([node]).distributions}
        assert found >= reachable(graph, [node])
