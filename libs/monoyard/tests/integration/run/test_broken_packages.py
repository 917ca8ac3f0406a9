"""What one package breaks is named, and takes no other package's result with it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout, Ended

TEST = """
import os
import subprocess
import sys
import time


def test_first() -> None:
    assert True


def test_second() -> None:
    {body}
"""
BODIES = {
    "exits": "os._exit(0)",
    "segfaults": "os.kill(os.getpid(), 11)",
    "killed": "os.kill(os.getpid(), 9)",
    "hangs": "time.sleep(600)",
    "floods": "assert not [os.write(1, b'x' * 99_999 + bytes([10])) for _ in range(300)]",
    "garbles": "os.write(1, bytes([255, 254, 0]))",
    "quits": "sys.exit(9)",
    "leaves": "subprocess.Popen(['sleep', '600'], start_new_session=True)",
    "fine": "assert True",
}
CONFTEST = """
import pytest

NAME = "{name}"


@pytest.fixture
def own() -> str:
    return NAME
"""
SECOND = "tests/test_it.py::test_second"


@pytest.fixture(scope="module")
def broken(new_checkout: Callable[[], "Checkout"]) -> "tuple[Checkout, Ended]":
    """One run over packages that break in every way, and one that does not."""
    checkout = new_checkout()
    for name, body in BODIES.items():
        table = '[tool.monoyard.suites.unit]\ntimeout = "20s"\n' if name == "hangs" else ""
        checkout.package(name, test=TEST.format(body=body), table=table)
    checkout.package("unimportable", test="import module_that_nobody_has\n")
    checkout.root('[tool.pytest.ini_options]\naddopts = ["-q", "-s"]\n')
    checkout.commit()
    return checkout, checkout.nox("unit")


@pytest.mark.parametrize(
    ("package", "outcome", "reason"),
    [
        ("exits", "error", f"pytest ended with status 0 and no whole report, in {SECOND}"),
        ("segfaults", "error", f"crashed with SIGSEGV, in {SECOND}"),
        ("killed", "error", f"crashed with SIGKILL, in {SECOND}"),
        ("hangs", "fail", f"stopped after 20 s (timeout), in {SECOND}"),
        ("unimportable", "fail", "errors at collection"),
        ("floods", "fail", ""),
        ("quits", "fail", ""),
        ("garbles", "pass", ""),
        ("leaves", "pass", ""),
        ("fine", "pass", ""),
    ],
)
def test_each_package_has_its_own_result(
    broken: "tuple[Checkout, Ended]", package: str, outcome: str, reason: str
) -> None:
    """A crash, a hang, a flood, bytes that are no text: each is its package's, with its test."""
    result = broken[0].result(f"{package}:unit")
    assert (result["outcome"], result["reason"]) == (outcome, reason)


def test_tests_before_a_crash_are_shown(broken: "tuple[Checkout, Ended]") -> None:
    """The log of a crashed package tells which tests had passed before."""
    assert "tests/test_it.py::test_first PASSED" in broken[0].result("segfaults:unit")["log"]


def test_flood_is_cut_in_the_result(broken: "tuple[Checkout, Ended]") -> None:
    """Of 30 MB of output the result keeps the last part, and says how much was dropped."""
    result = broken[0].result("floods:unit")
    assert len(result["log"]) < 100_000
    assert "further bytes of output were dropped" in result["log"]
    assert len(broken[1].text) < 200_000


def test_left_process_is_told(broken: "tuple[Checkout, Ended]") -> None:
    """A process that a passing test leaves running is ended, and a warning names it."""
    assert "leaves:unit: warning: left `sleep` running, which was ended\n" in broken[1].out


def test_verdict_counts_and_reruns(broken: "tuple[Checkout, Ended]") -> None:
    """The verdict is `error`; each broken package is told once, with the command to rerun it."""
    ended = broken[1]
    assert ended.code == 1
    assert "ERROR: 10 tasks, 4 failed, 3 errors, 0 from cache" in ended.out
    for package in ("exits", "segfaults", "killed"):
        assert ended.out.count(f"rerun: nox -s unit -- {package}\n") == 1
    assert "Traceback" not in ended.err


def test_failing_test_is_told_once_with_its_command(checkout: "Checkout") -> None:
    """A failing test is in the verdict once, with its reason and a command for just that test."""
    test = (
        "def test_sum() -> None:\n    assert 1 + 1 == 3\n\n\ndef test_fine() -> None:\n    pass\n"
    )
    checkout.package("beta", "alpha", test=test)
    ended = checkout.nox("unit")
    assert ended.code == 1
    assert ended.out.count("tests/test_it.py::test_sum: assert (1 + 1) == 3") == 1
    rerun = "rerun: nox -s unit -- beta -- tests/test_it.py::test_sum"
    assert ended.out.count("rerun:") == ended.out.count(rerun) == 1
    again = checkout.nox("unit", "beta", "--", "tests/test_it.py::test_sum")
    assert again.code == 1
    assert "1 failed in" in again.out
    assert "Session unit aborted: beta:unit did not pass" in again.err


def test_packages_never_meet(empty: "Checkout") -> None:
    """Equal module names, `from conftest import`, registries and fixtures stay in their package."""
    test = """
        import os

        from conftest import NAME
        from shared import REGISTRY


        def test_it(own: str) -> None:
            REGISTRY.append(NAME)
            os.environ["SEEN"] = os.environ.get("SEEN", "") + NAME
            assert (own, REGISTRY, os.environ["SEEN"]) == (NAME, [NAME], NAME)
    """
    for name in ("alpha", "beta", "gamma"):
        empty.package(name, test=test)
        empty.write(f"libs/{name}/tests/conftest.py", CONFTEST.format(name=name))
        empty.write(f"libs/{name}/tests/shared.py", "REGISTRY: list[str] = []\n")
    assert set(empty.outcomes("unit").values()) == {"pass"}


def test_fatal_type_error_names_its_package_and_others_are_checked(empty: "Checkout") -> None:
    """A file that mypy cannot parse fails its package; the others are checked, never passed."""
    empty.root("[tool.mypy]\nstrict = true\n")
    empty.package("alpha")
    empty.package("broken", source="def answer( -> int:\n    return 42\n")
    empty.package("wrong", source='def answer() -> int:\n    return "42"\n')
    outcomes = empty.outcomes("type")
    assert outcomes == {"alpha:type": "pass", "broken:type": "fail", "wrong:type": "fail"}
    (fatal,) = empty.result("broken:type")["findings"]
    assert (fatal["path"], fatal["line"]) == ("libs/broken/src/broken/__init__.py", 1)
    (finding,) = empty.result("wrong:type")["findings"]
    assert (finding["rule"], finding["line"]) == ("return-value", 2)


def test_type_error_outside_of_every_package_is_told(empty: "Checkout") -> None:
    """An error in a stub of nobody's package, for which mypy ends with 1, is no pass."""
    empty.root('[tool.mypy]\nstrict = true\nmypy_path = ["stubs"]\n')
    empty.write("stubs/third.pyi", "def made() -> Missing: ...\n")
    empty.package("alpha")
    source = "import third\n\n\ndef answer() -> int:\n    return int(third.made())\n"
    empty.package("beta", "alpha", source=source)
    assert "fail" in empty.outcomes("type").values()
    (finding,) = empty.result("beta:type")["findings"]
    assert (finding["path"], finding["rule"]) == ("stubs/third.pyi", "name-defined")


def test_settings_that_install_stubs(empty: "Checkout") -> None:
    """Settings with which mypy installs stubs and hides what it finds make nothing pass."""
    empty.root("[tool.mypy]\ninstall_types = true\nnon_interactive = true\n")
    empty.package("alpha", source="def answer() -> int:\n    return ''\n")
    assert empty.outcomes("type") == {"alpha:type": "fail"}


def test_type_error_in_a_package_that_is_not_checked(empty: "Checkout") -> None:
    """Who imports a package without the suite fails with its errors, and is told the way out."""
    settings = "[tool.mypy]\nstrict = true\n"
    silenced = '[[tool.mypy.overrides]]\nmodule = "alpha.*"\nignore_errors = true\n'
    empty.root(settings)
    off = "[tool.monoyard.suites.type]\nenabled = false\n"
    empty.package("alpha", source="def answer():\n    return 42\n", table=off)
    empty.package("beta", "alpha", source="import alpha\n\nVALUE = alpha\n", test="")
    assert empty.outcomes("type") == {"beta:type": "fail"}
    (finding,) = empty.result("beta:type")["findings"]
    assert finding["path"] == "libs/alpha/src/alpha/__init__.py"
    assert "`alpha` has no suite `type`" in finding["message"]
    assert "`ignore_errors`" in finding["message"]
    empty.root(settings + silenced)
    assert empty.outcomes("type") == {"beta:type": "pass"}


def test_settings_ruff_cannot_read_are_one_packages_fault(empty: "Checkout") -> None:
    """A package whose own ruff settings are broken fails alone; the others are linted."""
    empty.package("alpha")
    empty.package("broken")
    empty.package("messy", source="import os\n\n\ndef answer() -> int:\n    return 42\n")
    empty.package("torn", source="def answer( -> int:\n    return 42\n")
    empty.write("libs/broken/ruff.toml", "line-length = 'wide'\n")
    assert empty.outcomes("lint") == {
        "alpha:lint": "pass", "broken:lint": "error", "messy:lint": "fail", "torn:lint": "fail",
    }  # fmt: skip
    findings = empty.result("torn:lint")["findings"]
    assert {item["rule"] for item in findings} == {"invalid-syntax"}
    assert len(findings) == len({item["line"] for item in findings}), "each is told once"
    assert "libs/broken/ruff.toml" in empty.result("broken:lint")["log"]
