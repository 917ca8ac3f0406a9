"""`invoke compare`: the first input that differs between a laptop and CI."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

MORE = "def test_more() -> None:\n    assert True\n"
SOURCE = "libs/alpha/src/alpha/__init__.py"


def other_machine(checkout: "Checkout", place: Path) -> dict[str, str]:
    """Return the environment of a machine with a store of its own."""
    place.mkdir()
    for shared in ("venvs", "tools"):
        (place / shared).symlink_to((checkout.cache / shared).resolve())
    return {"MONOYARD_CACHE_DIR": str(place)}


def test_files_of_two_machines_name_what_differs(checkout: "Checkout", tmp_path: Path) -> None:
    """Two files of `--json` are enough: neither store has to know what the other run had."""
    laptop, ci = tmp_path / "laptop.json", tmp_path / "ci.json"
    assert checkout.nox("ci", f"--json={laptop}").code == 0
    checkout.write(SOURCE, "def answer() -> int:\n    return 43\n")
    elsewhere = other_machine(checkout, tmp_path / "elsewhere")
    assert checkout.nox("ci", f"--json={ci}", env=elsewhere).code == 1
    third = other_machine(checkout, tmp_path / "third")
    ended = checkout.invoke("compare", str(laptop), str(ci), env=third)
    assert ended.code == 0, ended.text
    runs = [json.loads(path.read_text("utf-8"))["run"] for path in (laptop, ci)]
    assert ended.out.splitlines() == [
        f"A  {runs[0]}  pass, 4 tasks",
        f"B  {runs[1]}  fail, 4 tasks",
        f"changed: {SOURCE}: first difference of 3 tasks: alpha:lint, alpha:unit, beta:unit",
        "same key: 1 task",
    ]
    answer = checkout.invoke("compare", str(laptop), str(ci), "--json", env=third)
    tasks = {task["task"]: task for task in json.loads(answer.out)["tasks"]}
    assert tasks["beta:lint"]["likeness"] == "same"
    assert tasks["beta:unit"]["outcomes"] == ["pass", "pass"]
    assert [one["text"] for one in tasks["alpha:unit"]["differences"]] == [f"changed: {SOURCE}"]


def test_runs_of_this_checkout_are_found_by_their_ids(checkout: "Checkout") -> None:
    """Ids, their beginnings and `latest` name runs, whose inputs this store knows."""
    assert checkout.nox("unit", "beta").code == 0
    first = checkout.record()["run"]
    checkout.write("libs/beta/tests/test_more.py", MORE)
    assert checkout.nox("unit").code == 0
    ended = checkout.invoke("compare", first[:24], "latest")
    assert ended.code == 0, ended.text
    assert ended.out.splitlines()[2:] == [
        "new: libs/beta/tests/test_more.py: first difference of 1 task: beta:unit",
        "only in B: alpha:unit",
        "same key: 0 tasks",
    ]


def test_record_of_ci_brings_its_inputs_along(checkout: "Checkout", tmp_path: Path) -> None:
    """The directory that CI keeps of a run can be compared where its store is not."""
    elsewhere = other_machine(checkout, tmp_path / "elsewhere")
    assert checkout.nox("lint", env={**elsewhere, "CI": "true"}).code == 0
    runs = checkout.top / ".monoyard" / "runs"
    kept = shutil.copytree(next(runs.iterdir()), tmp_path / "kept")
    checkout.root("[tool.ruff]\nline-length = 99\n")
    assert checkout.nox("lint").code == 0
    ended = checkout.invoke("compare", str(kept), "latest")
    assert "settings: tool.ruff.line-length absent -> 99: first difference of 2" in ended.out
    (kept / "inputs.json").unlink()
    ended = checkout.invoke("compare", str(kept), "latest")
    assert ended.code == 0, ended.text
    said = "what its key in A was made from came with no record and is not kept here: 2 tasks: "
    assert said in ended.out


def test_same_key_with_another_outcome_is_told(checkout: "Checkout") -> None:
    """What a key cannot explain, a test that passes now and then, stands out."""
    checkout.write(
        "libs/beta/tests/test_it.py",
        f"""
        from pathlib import Path

        def test_it() -> None:
            assert Path({str(checkout.top.parent / "there")!r}).exists()
        """,
    )
    assert checkout.nox("unit").code == 1
    (checkout.top.parent / "there").touch()
    assert checkout.nox("unit").code == 0
    first = min(path.name for path in (checkout.top / ".monoyard" / "runs").iterdir())
    ended = checkout.invoke("compare", first, "latest")
    assert "same key, another outcome: beta:unit: fail in A, pass in B" in ended.out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "there is no file and no run that begins with `nothing`"),
        ("pyproject.toml", "pyproject.toml is no record of a run"),
    ],
)
def test_what_is_no_run_is_refused(empty: "Checkout", name: str, message: str) -> None:
    """A name that is neither a record nor a run is one usage error."""
    ended = empty.invoke("compare", name, name)
    assert (ended.code, ended.out) == (2, ""), ended.text
    assert message in ended.err
