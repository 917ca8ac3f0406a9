"""`nox -s tests`: every test of the repository, and one closing line that other tools read."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Checkout

FAILING = "def test_sum() -> None:\n    assert 1 + 1 == 3\n"


def closing(checkout: "Checkout", *words: str) -> tuple[int, str]:
    """Return the exit code of the session and its last line without the time."""
    ended = checkout.nox("tests", *words)
    line = ended.out.splitlines()[-1]
    said, _, time = line.rpartition(" in ")
    assert re.fullmatch(r"\d+\.\d\ds", time), ended.text
    return ended.code, said


def test_all_suites_of_tests_are_counted_in_one_line(empty: "Checkout") -> None:
    """Unit and integration tests of all packages are counted, whether they ran or are replayed."""
    empty.package("alpha")
    empty.write("libs/alpha/tests/unit/test_unit.py", "def test_unit() -> None:\n    pass\n")
    empty.write("libs/alpha/tests/integration/test_more.py", "def test_more() -> None:\n    pass\n")
    empty.package("beta", "alpha")
    empty.commit()
    for words, is_cached in (((), False), ((), True), (("--no-cache",), False)):
        assert closing(empty, *words) == (0, "3 passed")
        assert {item["is_cached"] for item in empty.record()["results"]} == {is_cached}
    assert empty.record()["plan"]["tasks"][0]["state"] == "not-selected", "lint is no test"
    empty.write("libs/beta/tests/test_wrong.py", FAILING)
    assert closing(empty) == (1, "1 failed, 3 passed")


def test_session_without_tests_fails(empty: "Checkout") -> None:
    """A session that found no test says so and ends with 1; asked for help it runs none."""
    empty.package("alpha")
    (empty.top / "libs/alpha/tests/test_it.py").unlink()
    empty.commit()
    assert closing(empty) == (1, "no tests ran")
    assert empty.nox("tests", "--help").out.startswith("usage: nox -s SESSION")
