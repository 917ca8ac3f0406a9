"""What runs again and what is replayed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Checkout

ALL = ("alpha:lint", "alpha:unit", "beta:lint", "beta:unit")


def test_first_run_passes_and_second_replays(checkout: "Checkout") -> None:
    """Two packages pass with one verdict, and the second run replays all without a process."""
    first = checkout.nox("ci")
    assert first.code == 0, first.text
    assert "PASS: 4 tasks, 0 from cache, tests: 2 passed" in first.out
    second = checkout.nox("ci")
    assert second.code == 0, second.text
    assert "PASS: 4 tasks, 4 from cache, tests: 2 passed" in second.out
    assert "RUN" not in second.text
    assert checkout.record()["timeline"] == []


def test_edit_runs_what_it_can_break(checkout: "Checkout") -> None:
    """After an edit of beta only beta runs, and each task says which file it ran for."""
    checkout.nox("ci")
    checkout.write("libs/beta/tests/test_more.py", "def test_more() -> None:\n    assert True\n")
    assert checkout.outcomes("ci") == {
        "alpha:lint": "cached", "alpha:unit": "cached", "beta:lint": "pass", "beta:unit": "pass",
    }  # fmt: skip
    assert checkout.result("beta:unit")["why"] == ["new: libs/beta/tests/test_more.py"]


def test_edit_of_a_dependency_reaches_its_dependents(checkout: "Checkout") -> None:
    """A source that breaks another package's test fails there, though that one is unchanged."""
    test = "import alpha\n\n\ndef test_it() -> None:\n    assert alpha.answer() == 42\n"
    checkout.package("beta", "alpha", test=test)
    assert set(checkout.outcomes("ci").values()) == {"pass"}
    checkout.write("libs/alpha/src/alpha/__init__.py", "def answer() -> int:\n    return 43\n")
    assert checkout.outcomes("ci") == {
        "alpha:lint": "pass", "alpha:unit": "fail", "beta:lint": "cached", "beta:unit": "fail",
    }  # fmt: skip


def test_taking_an_edit_back_replays_the_old_result(checkout: "Checkout") -> None:
    """A file that is again what it was is known already: nothing runs."""
    checkout.nox("ci")
    place = checkout.top / "libs/beta/tests/test_it.py"
    before = place.read_text("utf-8")
    place.write_text(before + "\n# a remark\n", encoding="utf-8")
    assert checkout.outcomes("unit")["beta:unit"] == "pass"
    place.write_text(before, encoding="utf-8")
    assert checkout.outcomes("unit")["beta:unit"] == "cached"


def test_failures_are_not_replayed(checkout: "Checkout") -> None:
    """What failed runs again in the next run."""
    checkout.write("libs/beta/tests/test_it.py", "def test_it() -> None:\n    raise ValueError\n")
    assert checkout.outcomes("unit") == {"alpha:unit": "pass", "beta:unit": "fail"}
    assert checkout.outcomes("unit") == {"alpha:unit": "cached", "beta:unit": "fail"}


def test_force_runs_again_and_stores(empty: "Checkout") -> None:
    """`--force` runs what is known, and what it runs is known afterwards."""
    empty.package("alpha")
    assert empty.outcomes("unit", "--force") == {"alpha:unit": "pass"}
    assert empty.outcomes("unit", "--force") == {"alpha:unit": "pass"}
    assert empty.outcomes("unit") == {"alpha:unit": "cached"}


def test_no_cache_neither_reads_nor_stores(empty: "Checkout") -> None:
    """`--no-cache` runs what is known, and leaves nothing for the next run."""
    empty.package("alpha")
    assert empty.outcomes("unit", "--no-cache") == {"alpha:unit": "pass"}
    assert empty.outcomes("unit") == {"alpha:unit": "pass"}
    assert empty.outcomes("unit", "--no-cache") == {"alpha:unit": "pass"}


def test_file_edited_while_its_task_runs_is_not_kept(
    empty: "Checkout",
) -> None:
    """A result whose input changed meanwhile is of neither state: it is not stored, and said so."""
    edited = empty.top / "libs/alpha/data.txt"
    empty.package(
        "alpha",
        test=f"""
        from pathlib import Path


        def test_it() -> None:
            edited = Path({str(edited)!r})
            if edited.read_text() == "before":
                edited.write_text("after!")
        """,
    )
    edited.write_text("before", encoding="utf-8")
    empty.commit()
    first = empty.nox("unit")
    assert first.code == 0, first.text
    note = "alpha:unit: libs/alpha/data.txt changed while it ran, so its result was not kept"
    assert f"note: {note}" in first.out
    edited.write_text("before", encoding="utf-8")
    assert empty.outcomes("unit") == {"alpha:unit": "pass"}
    assert empty.outcomes("unit") == {"alpha:unit": "pass"}, "what the first run read is gone"
    assert empty.outcomes("unit") == {"alpha:unit": "cached"}


def test_json_goes_to_a_file_of_that_name(checkout: "Checkout", tmp_path: Path) -> None:
    """`--json=FILE` writes the run there, and the words stay on standard output."""
    target = tmp_path / "run.json"
    ended = checkout.nox("unit", f"--json={target}")
    run = json.loads(target.read_text("utf-8"))
    assert run["verdict"] == "pass"
    assert [item["task"] for item in run["results"]] == ["alpha:unit", "beta:unit"]
    assert "PASS: 2 tasks" in ended.out


def test_two_worktrees_see_their_own_code(checkout: "Checkout", tmp_path: Path) -> None:
    """Two work trees with one lock and different sources run at once, each with its own code."""
    test = """
    import alpha


    def test_it() -> None:
        assert alpha.answer() == {answer}
        assert alpha.__file__.startswith({top!r})
    """
    other = type(checkout)(tmp_path / "other", checkout.cache)
    checkout.git("worktree", "add", "--quiet", str(other.top))
    for tree, answer in ((checkout, 1), (other, 2)):
        tree.write(
            "libs/alpha/src/alpha/__init__.py", f"def answer() -> int:\n    return {answer}\n"
        )
        tree.write("libs/beta/tests/test_it.py", test.format(answer=answer, top=str(tree.top)))
        (tree.top / "libs/alpha/tests/test_it.py").unlink()
    started = [tree.start("unit", "beta") for tree in (checkout, other)]
    for ended in [running.end() for running in started]:
        assert ended.code == 0, ended.text
        assert "tests: 1 passed" in ended.out
    other.stop()
