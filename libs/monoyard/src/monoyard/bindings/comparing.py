"""`invoke compare`: what differs between two runs, such as one here and one in CI."""

from __future__ import annotations

from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.engine import Engine
from monoyard.recall import Records
from monoyard.report.comparisons import comparison_data, comparison_lines
from monoyard.run import Record, compare, read_record


def show_comparison(directory: Path, first: str, second: str, target: str | None) -> None:
    """Print what differs between two runs.

    Args:
        directory: A directory of the repository.
        first: A file of `--json`, a directory of a record, or the id of a run of this checkout;
            the beginning of one is enough, and `latest` is the newest.
        second: The same.
        target: Where JSON goes, as `answer` takes it.

    Raises:
        UsageError: There is no such run.
    """
    engine = Engine(directory, announce)
    records = Records(engine.state / "runs")
    a, b = _read(first, records), _read(second, records)
    found = compare(a, b, engine.store)
    answer(comparison_lines(a, b, found), comparison_data(a, b, found), target)


def _read(name: str, records: Records) -> Record:
    path = Path(name)
    if path.is_dir():
        path /= "run.json"
    return read_record(path if path.exists() else records.find(name) / "run.json")
