"""The figures of `nox -s bench` as a table and a plot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from monoyard.report.charts import bars

_NOTHING: Final = "nothing changed, "
_MANY: Final = 1000
_SOME: Final = 200
_COLD: Final = "cold, "


def speed_lines(data: Mapping[str, Any]) -> list[str]:
    """Return a page in Markdown: the ratios that have a budget, and all figures.

    Args:
        data: What `nox -s bench` writes.
    """
    packages = data["packages"]
    overhead = data["scheduler, seconds a task"] * 1000
    return [
        "# What calls cost",
        "",
        "Made by `nox -s bench`, all in one run on this many processors: "
        f"{data['processors']}. Every other tool runs the same commands over the same packages, "
        "and what they print is held against our results.",
        "",
        "| what | packages | ratio | budget |",
        "| --- | ---: | ---: | ---: |",
        *(line for count, found in packages.items() for line in _ratios(count, found)),
        f"| scheduler, for a task | 3000 tasks | {overhead:.2f} ms | 1 ms |",
        "",
        "![seconds in which nothing has changed](speed.svg)",
        "",
        *(line for count, found in packages.items() for line in _figures(count, found)),
    ]


def speed_chart(data: Mapping[str, Any]) -> str:
    """Return the runs in which nothing has changed, as SVG."""
    figures = {
        f"{count}: {name.removeprefix(_NOTHING)}": seconds
        for count, found in data["packages"].items()
        for name, seconds in found["seconds"].items()
        if name.startswith(_NOTHING) or name == "empty nox session"
    }
    return bars("Nothing changed, by packages and tool (seconds)", figures)


def _ratios(count: str, found: Mapping[str, Any]) -> Iterator[str]:
    seconds = found["seconds"]
    ours = seconds["nothing changed, ours"]
    floor = seconds["empty nox session"] + seconds["git status"]
    yield _row("nothing changed / (empty nox session + git status)", count, ours / floor, "2.0")
    if turbo := seconds.get("nothing changed, turbo"):
        yield _row("nothing changed / turbo", count, ours / turbo, "1.0")
    floor = seconds["empty invoke task"] + seconds["git status"]
    affected = seconds["affected, one leaf edited"] / floor
    yield _row("affected / (empty invoke task + git status)", count, affected, "2.0")
    others = [
        value for name, value in seconds.items()
        if name.startswith(_COLD) and name != f"{_COLD}ours"
    ]  # fmt: skip
    if others:
        cold = min(others) / seconds[f"{_COLD}ours"]
        yield _row("fastest other tool / ours, cold", count, cold, "at least 5.0", _SOME)
    memory = found["memory to plan, MB"]
    yield f"| memory to plan | {count} | {memory} MB | 150 MB |"


def _row(what: str, count: str, ratio: float, budget: str, least: int = _MANY) -> str:
    """Return a line of the table; the budget holds from so many packages on."""
    return f"| {what} | {count} | {ratio:.2f} | {budget if int(count) >= least else '-'} |"


def _figures(count: str, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {count} packages"
    yield ""
    cold = found["cold runs"] or 1
    yield f"Seconds: medians of {found['runs']}, of what is cold {cold}."
    yield (
        f"The machine's load before was {found['load before']}: what else it does makes seconds "
        "longer, and ratios of what is timed turn by turn little."
    )
    if not found["cold runs"]:
        yield "The checks of other tools did nothing here, before nothing had changed."
    if found["not measured"]:
        yield f"Not measured: {found['not measured']}."
    yield ""
    yield "| what | seconds |"
    yield "| --- | ---: |"
    yield from (f"| {name} | {value:.2f} |" for name, value in found["seconds"].items())
    yield ""
