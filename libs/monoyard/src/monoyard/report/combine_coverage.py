"""Combines coverage data of many packages; run by the interpreter that has coverage.

Standard input is a JSON object: `top`, `config` (coverage's settings, or null) and `data`, pairs of
a package's directory and a data file with paths relative to it. Standard output is a JSON object:
`xml`, a Cobertura report, and `files`, path from the top to the numbers of statements, of covered
ones, of branches and of covered ones.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from coverage import Coverage, CoverageData

_NUMBERS = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def main() -> None:
    """Do what standard input asks for."""
    asked = json.load(sys.stdin)
    os.chdir(asked["top"])
    total = CoverageData(no_disk=True)
    for directory, file in asked["data"]:
        data = CoverageData(file)
        data.read()
        total.update(data, map_path=partial(_place, asked["top"], directory))
    answer: dict[str, object] = {"files": {}, "xml": ""}
    if total.measured_files():
        answer = _report(total, asked["config"])
    json.dump(answer, sys.stdout)


def _place(top: str, directory: str, path: str) -> str:
    """Return a measured path as it is called from the top."""
    return os.path.relpath(os.path.join(top, directory, path), top)  # noqa: PTH118  lexical


def _report(total: CoverageData, config: str | None) -> dict[str, object]:
    measured = Coverage(data_file=None, config_file=config or False)
    measured.set_option("run:relative_files", True)
    measured.set_option("run:branch", True)
    measured.get_data().update(total)
    with tempfile.TemporaryDirectory() as name:
        numbers, xml = Path(name, "coverage.json"), Path(name, "coverage.xml")
        measured.json_report(outfile=str(numbers), ignore_errors=True)
        measured.xml_report(outfile=str(xml), ignore_errors=True)
        files = json.loads(numbers.read_text("utf-8"))["files"]
        return {
            "files": {
                path: [said["summary"][number] for number in _NUMBERS]
                for path, said in files.items()
            },
            "xml": xml.read_text("utf-8"),
        }


if __name__ == "__main__":
    main()
