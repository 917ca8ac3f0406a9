"""Tests of one package over several workers: `workers` in a suite's table."""

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

TABLE = "\n[tool.monoyard.suites.unit]\nworkers = {workers}\n"
STOPPING_SECONDS = 90.0
COUNTS_WORKERS = """
    import os

    import pytest


    @pytest.mark.parametrize("number", range(20))
    def test_it(number: int) -> None:
        assert os.environ.get("PYTEST_XDIST_WORKER_COUNT", "none") == "{count}"
"""
# Each of the two waits for the other, so they pass at once or not at all.
MEETS = """
    import pathlib
    import time

    HERE = pathlib.Path(__file__).parent


    def meet(own: str, other: str) -> None:
        (HERE / own).touch()
        while not (HERE / other).exists():
            time.sleep(0.01)
"""
HALF = """
    from {name} import double
    from meeting import meet


    def test_{own}() -> None:
        meet("{own}.up", "{other}.up")
        assert double({number}) == 4
"""
SOURCE = """
def double(number: int) -> int:
    if number < 0:
        return -2 * number
    return 2 * number
"""
MIXED = """
    import os
    import pytest


    def test_good() -> None:
        pass


    @pytest.mark.parametrize("number", [1, 2])
    def test_bad(number: int) -> None:
        assert number == 1


    def test_crash() -> None:
        os._exit(7)


    def test_late() -> None:
        pass
"""
HANGS = """
    import signal
    import subprocess

    import pytest


    @pytest.mark.parametrize("name", ["left", "right"])
    def test_hang(name: str) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        script = f"trap '' TERM INT; touch {name}; while :; do sleep 1; done"
        subprocess.Popen(["sh", "-c", script], start_new_session=True).wait()
"""
# The pytest that deals the tests out ends as soon as it has told that both have begun.
DIES = """
    import os
    import signal

    import pytest

    begun = []


    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(nodeid: str) -> None:
        begun.append(nodeid)
        if "PYTEST_XDIST_WORKER" not in os.environ and len(begun) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
"""

Until = Callable[..., bool]


@pytest.fixture
def halves(empty: "Checkout") -> "Checkout":
    """A package with two modules of tests that pass only at once, and together reach all of it."""
    empty.root("cpus = 2\n\n[tool.coverage.run]\nrelative_files = true\n")
    table = TABLE.format(workers=2) + "coverage = true\n"
    empty.package("alpha", source=SOURCE, table=table)
    (empty.top / "libs/alpha/tests/test_it.py").unlink()
    empty.write("libs/alpha/pytest.toml", '[pytest]\npythonpath = ["tests"]\n')
    empty.write("libs/alpha/tests/meeting.py", MEETS)
    for own, other, number in (("left", "right", 2), ("right", "left", -2)):
        test = HALF.format(name="alpha", own=own, other=other, number=number)
        empty.write(f"libs/alpha/tests/test_{own}.py", test)
    empty.commit()
    return empty


def test_workers_are_as_many_as_the_run_has_room_for(empty: "Checkout") -> None:
    """A task gets the workers it asks for, or fewer where processors or memory are fewer."""
    empty.root('cpus = 2\nmemory = "1GiB"\n')
    for name, workers, count in (
        ("every", '"auto"', "2"),
        ("three", "3", "2"),
        ("one", "1", "none"),
        ("large", '"auto"\nmemory = "600MiB"', "none"),
    ):
        table = TABLE.format(workers=workers)
        empty.package(name, table=table, test=COUNTS_WORKERS.format(count=count))
    assert set(empty.outcomes("unit").values()) == {"pass"}
    assert empty.result("every:unit")["tests"]["passed"] == 20


def test_workers_share_one_result(halves: "Checkout") -> None:
    """What workers do at the same time is one result: its counts, coverage and closing line."""
    ended = halves.nox("tests")
    assert ended.code == 0, ended.text
    assert ended.out.splitlines()[-1].startswith("2 passed in ")
    assert "coverage     alpha 100.0 %\n" in ended.out
    assert halves.result("alpha:unit")["tests"]["passed"] == 2


def test_another_number_of_processors_is_no_reason_to_run_again(empty: "Checkout") -> None:
    """A result holds on a machine with more processors; another setting is told as a reason."""
    empty.package("alpha", table=TABLE.format(workers='"auto"'))
    empty.commit()
    for processors, outcome in ((1, "pass"), (2, "cached")):
        empty.root(f"cpus = {processors}\n")
        assert empty.outcomes("unit") == {"alpha:unit": outcome}
    empty.package("alpha", table=TABLE.format(workers=2))
    assert "workers" in empty.invoke("explain", "alpha:unit").out
    assert empty.outcomes("unit") == {"alpha:unit": "pass"}


def test_workers_take_processors_of_the_run(empty: "Checkout") -> None:
    """Beside a task with as many workers as there are processors nothing else runs."""
    log = empty.top / "log"
    test = f"""
        import time


        def test_it() -> None:
            with open({str(log)!r}, "a") as log:
                log.write("+\\n")
            time.sleep(0.5)
            with open({str(log)!r}, "a") as log:
                log.write("-\\n")
    """
    busy = f'["sh", "-c", "echo + >>{log}; sleep 0.5; echo - >>{log}"]'
    empty.root("cpus = 2\n")
    empty.package("alpha", table=TABLE.format(workers=2), test=test)
    empty.package("beta", table=f"\n[tool.monoyard.suites.unit]\ncommand = {busy}\n")
    assert empty.outcomes("unit") == {"alpha:unit": "pass", "beta:unit": "pass"}
    assert log.read_text("utf-8").split() == ["+", "-"] * 2


def test_failure_and_crash_are_told_of_the_tests_they_belong_to(empty: "Checkout") -> None:
    """A test that fails, and one that ends its worker, are one case each; the others are run."""
    empty.root("cpus = 2\n")
    empty.package("alpha", table=TABLE.format(workers=2), test=MIXED)
    assert empty.outcomes("unit") == {"alpha:unit": "fail"}
    result = empty.result("alpha:unit")
    assert result["tests"]["passed"] == 3
    cases = {case["name"]: case for case in result["cases"]}
    assert sorted(cases) == ["tests/test_it.py::test_bad[2]", "tests/test_it.py::test_crash"]
    bad = cases["tests/test_it.py::test_bad[2]"]
    assert (bad["path"], bad["line"]) == ("libs/alpha/tests/test_it.py", 11)
    assert "crashed while running" in cases["tests/test_it.py::test_crash"]["details"]


def test_all_running_tests_are_named(empty: "Checkout") -> None:
    """When pytest itself dies every test that a worker was in is named, and no worker is left."""
    empty.root("cpus = 2\n")
    empty.package("alpha", table=TABLE.format(workers=2), test=HANGS)
    empty.write("libs/alpha/tests/conftest.py", DIES)
    assert empty.outcomes("unit") == {"alpha:unit": "error"}
    reason = empty.result("alpha:unit")["reason"]
    first, second = (f"tests/test_it.py::test_hang[{name}]" for name in ("left", "right"))
    both = {f"{first} and {second}", f"{second} and {first}"}
    assert reason in {f"crashed with SIGKILL, in {words}" for words in both}
    warning = empty.result("alpha:unit")["findings"][0]["message"]
    assert warning.endswith(" running, which was ended")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_a_run(empty: "Checkout", until: Until, number: signal.Signals) -> None:
    """An interrupt, and SIGKILL of nox, leave no worker and nothing that a worker started."""
    empty.root("cpus = 2\n")
    empty.package("alpha", table=TABLE.format(workers=2), test=HANGS)
    running = empty.start("unit")
    places = [empty.top / "libs/alpha" / name for name in ("left", "right")]
    assert until(
        lambda: all(place.exists() for place in places) or running.child.poll() is not None
    )
    assert all(place.exists() for place in places), running.end().text
    family = running.family()
    running.signal(number)
    ended = running.end(STOPPING_SECONDS)
    assert until(lambda: not family.living(), STOPPING_SECONDS), family.living()
    assert ended.code == (130 if number == signal.SIGINT else -signal.SIGKILL), ended.text


def test_words_for_pytest_run_in_one_process(empty: "Checkout") -> None:
    """In the foreground the terminal belongs to one process, unless its words ask for workers."""
    empty.root("cpus = 2\n")
    test = COUNTS_WORKERS.format(count="{count}")
    empty.package("alpha", table=TABLE.format(workers=2), test=test.format(count="none"))
    ended = empty.nox("unit", "alpha", "--", "-k", "test_it")
    assert ended.code == 0, ended.text
    empty.package("alpha", table=TABLE.format(workers=2), test=test.format(count="2"))
    ended = empty.nox("unit", "alpha", "--", "-n", "2")
    assert ended.code == 0, ended.text


def test_lock_without_xdist_is_one_clear_error(empty: "Checkout") -> None:
    """Where the lock has nothing that deals tests out, the error names what to add."""
    lock = empty.top / "requirements.txt"
    blocks = lock.read_text("utf-8").replace("\\\n", "\0").splitlines(keepends=True)
    kept = [block for block in blocks if not block.startswith("pytest-xdist==")]
    assert len(kept) < len(blocks)
    lock.write_text("".join(kept).replace("\0", "\\\n"), encoding="utf-8")
    empty.package("alpha", table=TABLE.format(workers=2))
    ended = empty.nox("unit")
    assert ended.code == 10, ended.text
    assert "error[configuration]: `workers` needs pytest-xdist, which requirements.txt" in ended.err
    assert "hint: add it to the requirements of the tests, and run `invoke lock`" in ended.err
