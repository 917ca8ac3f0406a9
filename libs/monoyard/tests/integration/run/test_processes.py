"""How many processes the tests of packages get, and what they share."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

SHARED = '[tool.monoyard.suites.unit]\nisolation = "shared"\n'
REMEMBERS = """
    import os
    import sys


    def test_it() -> None:
        seen = sys.modules.setdefault("seen_by_tests", type(sys)("seen_by_tests"))
        seen.packages = [*getattr(seen, "packages", []), {name!r}]
        assert len(seen.packages) == {count}
"""
CRASHES = """
    import os


    def test_it() -> None:
        os._exit(7)
"""
COUNTS_WORKERS = """
    import os

    import pytest


    @pytest.mark.parametrize("number", range(40))
    def test_it(number: int) -> None:
        assert os.environ["PYTEST_XDIST_WORKER_COUNT"] == "{count}"
"""


def test_shared_packages_meet_in_one_process(empty: "Checkout") -> None:
    """Packages that ask for it share one process, and each has its own counts and failures."""
    empty.package("alpha", table=SHARED, test=REMEMBERS.format(name="alpha", count=1))
    empty.package("beta", table=SHARED, test=REMEMBERS.format(name="beta", count=2))
    empty.package("gamma", table=SHARED, test="def test_wrong() -> None:\n    assert 1 + 1 == 3\n")
    empty.package("delta", test=REMEMBERS.format(name="delta", count=1))
    empty.commit()
    outcomes = empty.outcomes("unit")
    assert outcomes == {
        "alpha:unit": "pass", "beta:unit": "pass", "delta:unit": "pass", "gamma:unit": "fail",
    }  # fmt: skip
    (case,) = empty.result("gamma:unit")["cases"]
    assert case["name"] == "tests/test_it.py::test_wrong"
    assert (case["path"], case["line"]) == ("libs/gamma/tests/test_it.py", 2)
    assert empty.result("alpha:unit")["tests"]["passed"] == 1
    again = empty.outcomes("unit")
    assert again == dict.fromkeys(outcomes, "cached") | {"gamma:unit": "fail"}


def test_crash_of_a_shared_process_is_one_packages(empty: "Checkout") -> None:
    """When a shared process dies each package runs by itself, and the crash is its own."""
    for name in ("alpha", "beta"):
        empty.package(name, table=SHARED)
    empty.package("broken", table=SHARED, test=CRASHES)
    assert empty.outcomes("unit") == {
        "alpha:unit": "pass", "beta:unit": "pass", "broken:unit": "error",
    }  # fmt: skip


def test_xdist_gets_the_share_of_the_task(empty: "Checkout") -> None:
    """`-n auto` means as many workers as the package's table gives it processors."""
    table = '[tool.monoyard.suites.unit]\nargs = ["-n", "auto"]\ncpus = {}\n'
    empty.package("alpha", table=table.format(2), test=COUNTS_WORKERS.format(count=2))
    empty.package("beta", table=table.format(1), test=COUNTS_WORKERS.format(count=1))
    assert empty.outcomes("unit") == {"alpha:unit": "pass", "beta:unit": "pass"}
    assert empty.result("alpha:unit")["tests"]["passed"] == 40


def test_runs_at_once_share_the_processors(empty: "Checkout", tmp_path: Path) -> None:
    """Two sessions at once, as with `nox -j`, keep no more tasks busy than the budget has room."""
    log = tmp_path / "log"
    busy = f'["sh", "-c", "echo + >>{log}; sleep 0.2; echo - >>{log}"]'
    empty.root("cpus = 1\n")
    suites = ("unit", "integration")
    table = "".join(f"[tool.monoyard.suites.{suite}]\ncommand = {busy}\n" for suite in suites)
    for name in ("alpha", "beta"):
        empty.package(name, table=table)
    empty.commit()
    running = [empty.start(suite) for suite in suites]
    for ended in [item.end() for item in running]:
        assert ended.code == 0, ended.text
    assert log.read_text("utf-8").split() == ["+", "-"] * 4


def test_run_inside_a_task_works_in_its_share(empty: "Checkout") -> None:
    """A task that starts a run of its own does not wait for the processor that it holds."""
    path = f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}"
    inner = json.dumps(
        ["env", path, sys.executable, "-m", "nox", "-f", "../../noxfile.py", "-s", "lint"]
    )
    empty.root("cpus = 1\n")
    empty.package("alpha", table=f"[tool.monoyard.suites.unit]\ncommand = {inner}\nenv = ['*']\n")
    empty.commit()
    assert empty.outcomes("unit", "--no-cache") == {"alpha:unit": "pass"}


@pytest.mark.parametrize("settings", ["", "[tool.pytest.ini_options]\naddopts = '-q'\n"])
def test_nothing_beside_or_above_a_package_is_collected(empty: "Checkout", settings: str) -> None:
    """Pytest looks at the package alone: neither at its siblings nor above the repository."""
    empty.root(settings)
    empty.package("alpha")
    empty.package("broken", source="raise SystemExit('imported')\n", test="raise SystemExit\n")
    (empty.top.parent / "conftest.py").write_text("raise SystemExit('above')\n", encoding="utf-8")
    empty.write("libs/broken/conftest.py", "raise SystemExit('beside')\n")
    assert empty.outcomes("unit", "alpha") == {"alpha:unit": "pass"}


def test_conftest_between_settings_and_package_counts(empty: "Checkout") -> None:
    """A `conftest.py` from the directory of pytest's settings down is loaded, as pytest would."""
    empty.root("[tool.pytest.ini_options]\naddopts = '-q'\n")
    fixture = "import pytest\n\n\n@pytest.fixture\ndef shared() -> int:\n    return 7\n"
    empty.write("libs/conftest.py", fixture)
    empty.package("alpha", test="def test_it(shared: int) -> None:\n    assert shared == 7\n")
    empty.commit()
    assert empty.outcomes("unit") == {"alpha:unit": "pass"}
    empty.write("libs/conftest.py", fixture.replace("7", "8"))
    assert empty.outcomes("unit") == {"alpha:unit": "fail"}
