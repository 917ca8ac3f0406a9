"""Tasks shared among machines: `--shard`, and the matrix that names the shards."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

ALL = ["alpha:lint", "alpha:unit", "beta:lint", "beta:unit"]


def matrix(checkout: "Checkout", shards: int) -> list[dict[str, Any]]:
    """Return the rows of a matrix, as a workflow reads it."""
    ended = checkout.invoke("plan", "--shards", str(shards), "--json")
    assert ended.code == 0, ended.text
    assert ended.out.count("\n") == 1
    rows: list[dict[str, Any]] = json.loads(ended.out)["include"]
    return rows


def test_shards_of_the_matrix_run_everything_once(checkout: "Checkout") -> None:
    """The shards of a matrix run all tasks, each in one of them, whatever is known to the store."""
    rows = matrix(checkout, 3)
    assert checkout.nox("lint").code == 0
    assert checkout.nox("unit", "alpha").code == 0
    assert matrix(checkout, 3) == rows
    ran: list[str] = []
    for row in rows:
        outcomes = checkout.outcomes("ci", "--force", "--shard", row["shard"])
        assert len(outcomes) == row["tasks"]
        ran += outcomes
    assert sorted(ran) == ALL
    assert set(checkout.outcomes("ci").values()) == {"cached"}


def test_shard_says_what_it_is_part_of(checkout: "Checkout") -> None:
    """The verdict of a shard tells how it was divided, and what others have is not selected."""
    ended = checkout.nox("lint", "--shard", "1/2")
    assert ended.code == 0, ended.text
    assert "note: shard 1/2: 1 of 2 tasks, about " in ended.out
    assert "divided by estimates, for monoyard-durations.json names none" in ended.out
    assert "not selected: beta:lint: another shard has it" in ended.out
    assert "PASS: 1 task," in ended.out
    planned = checkout.invoke("plan", "--", "--shard", "2/2", "--suite", "lint")
    assert "run   beta:lint" in planned.out
    assert "alpha" not in planned.out


def test_need_runs_in_the_shard_that_needs_it(checkout: "Checkout") -> None:
    """A task and the one it needs are one shard's, which is the only one with work."""
    checkout.root('[tool.monoyard.suites.unit]\nneeds = ["lint"]\n')
    checkout.package("beta", "alpha")
    shards = [checkout.outcomes("ci", "--shard", f"{number}/3") for number in (1, 2, 3)]
    assert [sorted(shard) for shard in shards] == [ALL[:2], ALL[2:], []]
    assert "PASS (empty)" in checkout.nox("ci", "--shard", "3/3").out
    assert [row["tasks"] for row in matrix(checkout, 3)] == [2, 2]


def test_recorded_durations_divide(checkout: "Checkout") -> None:
    """The table that `invoke durations` writes is what tasks are divided by from then on."""
    assert checkout.nox("ci").code == 0
    ended = checkout.invoke("durations")
    assert (ended.code, ended.out) == (0, "monoyard-durations.json: 4 of 4 tasks\n"), ended.text
    place = checkout.top / "monoyard-durations.json"
    table = json.loads(place.read_text("utf-8"))
    assert sorted(table["seconds"]) == ALL
    table["seconds"] = {"alpha:lint": 60, "alpha:unit": 30, "beta:lint": 20, "beta:unit": 10}
    place.write_text(json.dumps(table), encoding="utf-8")
    ended = checkout.nox("ci", "--shard", "1/2")
    assert "shard 1/2: 1 of 4 tasks, about 1 min 00 s of work, divided by 4 durations" in ended.out
    assert "PASS: 1 task, 1 from cache" in ended.out


def test_stores_of_all_shards_are_one_verdict(checkout: "Checkout", tmp_path: Path) -> None:
    """What shards on machines of their own have packed is replayed together as one whole run."""
    machines = {name: tmp_path / name.replace("/", "of") for name in ("1/2", "2/2", "last")}
    for cache in machines.values():
        cache.mkdir()
        for shared in ("venvs", "tools"):
            (cache / shared).symlink_to((checkout.cache / shared).resolve())
    env = {"MONOYARD_CACHE_DIR": str(machines["last"])}
    for shard in ("1/2", "2/2"):
        own = {"MONOYARD_CACHE_DIR": str(machines[shard])}
        assert checkout.nox("ci", "--shard", shard, env=own).code == 0
        packed = str(machines[shard] / "store.tar")
        assert checkout.invoke("cache.pack", packed, env=own).code == 0
        assert checkout.invoke("cache.unpack", packed, env=env).code == 0
    assert checkout.outcomes("ci", env=env) == dict.fromkeys(ALL, "cached")


def test_shard_of_another_division_is_refused(checkout: "Checkout") -> None:
    """A machine that would divide otherwise than the matrix says so, and runs nothing."""
    shard = matrix(checkout, 2)[0]["shard"]
    checkout.package("gamma")
    ended = checkout.nox("ci", "--shard", shard)
    assert ended.code == 2, ended.text
    assert "error[shards-differ]: this machine divides the tasks otherwise" in ended.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nox", "ci", "--shard", "0/3"], "`--shard` is K/N with K from 1 to N, not `0/3`"),
        (["nox", "ci", "--shard=4/3"], "`--shard` is K/N with K from 1 to N, not `4/3`"),
        (["invoke", "plan", "--shards", "0"], "`--shards` is a number from 1 to 256, not `0`"),
        (["invoke", "plan", "--shards", "two"], "`--shards` is a number from 1 to 256, not `two`"),
        (["invoke", "plan", "--shards", "2", "--", "--shard", "1/2"], "use one of them"),
    ],
)
def test_shards_that_cannot_be_are_refused(
    empty: "Checkout", words: list[str], message: str
) -> None:
    """A shard or a number of shards that there cannot be is one usage error."""
    door, *rest = words
    ended = empty.nox(*rest) if door == "nox" else empty.invoke(*rest)
    assert (ended.code, ended.out) == (2, ""), ended.text
    assert message in ended.err
