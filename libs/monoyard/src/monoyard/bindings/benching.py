"""`nox -s bench`: what calls cost, beside nox, git and other tools in the same run."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.benching_images import bench_images
from monoyard.bindings.benching_scheduler import seconds_per_task
from monoyard.bindings.benching_speed import SpeedBench
from monoyard.errors import UsageError
from monoyard.report.benchmarks import speed_chart, speed_lines

_USAGE: Final = "nox -s bench -- [PACKAGES ... | images] [--runs=N] [--cold=N] [--json=FILE]"
_PLACE: Final = "docs/benchmarks/speed.json"


@dataclass(frozen=True, slots=True)
class _Wanted:
    counts: tuple[int, ...] = (50,)
    runs: int = 5
    cold: int = 5
    target: str = _PLACE


def bench(directory: Path, words: Sequence[str]) -> None:
    """Generate repositories, measure, write the figures with a table and a plot of them.

    Args:
        directory: The repository that asks.
        words: `images` and what `bench_images` takes, or numbers of packages (default 50),
            `--runs=N` for medians of so many (default 5), `--cold=N` for those of runs in which
            nothing is known (default 5; with 0 the checks of other tools do nothing), and
            `--json=FILE`, in which figures of other numbers of packages stay.

    Raises:
        UsageError: A word is neither.
    """
    if words[:1] == ["images"]:
        bench_images(directory, words[1:])
        return
    wanted = _read(words)
    target = directory / wanted.target
    target.parent.mkdir(parents=True, exist_ok=True)
    data: dict[str, Any] = {"version": 1, "processors": os.cpu_count(), "packages": {}}
    if target.is_file():
        data["packages"] = json.loads(target.read_text("utf-8"))["packages"]
    data["scheduler, seconds a task"] = seconds_per_task(wanted.runs)
    for count in wanted.counts:
        load = round(os.getloadavg()[0], 1)
        with tempfile.TemporaryDirectory() as place:
            bench_of = SpeedBench(directory, Path(place), count, wanted.runs, wanted.cold)
            data["packages"][str(count)] = {"load before": load, **bench_of.measure()}
        data["packages"] = dict(sorted(data["packages"].items(), key=lambda item: int(item[0])))
        target.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    data = json.loads(target.read_text("utf-8"))
    lines = speed_lines(data)
    target.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    target.with_suffix(".svg").write_text(speed_chart(data), encoding="utf-8")
    print("\n".join(lines))


def _read(words: Sequence[str]) -> _Wanted:
    wanted, counts = _Wanted(), []
    for word in words:
        name, _, value = word.partition("=")
        if name == "--json" and value:
            wanted = replace(wanted, target=value)
        elif name == "--runs" and _is_positive(value):
            wanted = replace(wanted, runs=int(value))
        elif name == "--cold" and value.isdecimal():
            wanted = replace(wanted, cold=int(value))
        elif _is_positive(word):
            counts.append(int(word))
        else:
            raise UsageError(f"`bench` does not understand `{word}`", hint=_USAGE)
    return replace(wanted, counts=tuple(counts)) if counts else wanted


def _is_positive(word: str) -> bool:
    return word.isdecimal() and int(word) > 0
