"""A person at a terminal: a live board while checks run, tests that have the keyboard."""

from typing import TYPE_CHECKING

import pytest

from .terminals import CONTROL_C, Terminal

if TYPE_CHECKING:
    from .conftest import Checkout

WAITS = """
    import time
    from pathlib import Path


    def test_it() -> None:
        print("begun", flush=True)
        while not Path("go").exists():
            time.sleep(0.02)
"""
ASKS = """
    import sys


    def test_asks() -> None:
        assert sys.stdin.isatty()
        assert sys.stdout.isatty()
        assert input("who is there? ") == "Ada"


    def test_fails() -> None:
        answer = 42
        assert answer == 41
"""
SERVER = '[tool.monoyard.suites.unit]\nresources = ["postgres"]\n'
USES_SERVER = """
    import psycopg


    def test_server(postgres_url: str) -> None:
        with psycopg.connect(postgres_url) as connection:
            assert connection.execute("SELECT 6 * 7").fetchone() == (42,)


    def test_other() -> None:
        raise AssertionError
"""
MOVES_THE_CURSOR = "\x1b["


@pytest.fixture
def waiting(empty: "Checkout") -> "Checkout":
    """A package whose test waits for a file `go`, and one whose test fails at once."""
    empty.package("patient", test=WAITS)
    empty.package("wrong", test="def test_sum() -> None:\n    assert 1 + 1 == 3\n")
    empty.write(".gitignore", "__pycache__/\ngo\n")
    empty.commit()
    return empty


def go(checkout: "Checkout") -> None:
    """Let the waiting test end."""
    (checkout.top / "libs" / "patient" / "go").touch()


def test_board_shows_what_runs_and_failures_scroll_by(waiting: "Checkout") -> None:
    """On a terminal a board tells what runs and what is left; in the end the verdict stands."""
    with Terminal(waiting, "-m", "nox", "-s", "unit") as terminal:
        terminal.wait_for("FAIL  wrong:unit (1 failed)")
        terminal.wait_for("1 task left")
        assert "running  patient:unit" in terminal.text
        go(waiting)
        assert terminal.end() == 1
    assert MOVES_THE_CURSOR in terminal.raw
    assert "FAIL: 2 tasks, 1 failed, 0 from cache, tests: 1 failed, 1 passed" in terminal.text
    assert "RUN " not in terminal.text


def test_ci_gets_lines_even_on_a_terminal(waiting: "Checkout") -> None:
    """Where CI is set there is no board: one line for each thing that happens."""
    go(waiting)
    with Terminal(waiting, "-m", "nox", "-s", "unit", CI="true") as terminal:
        assert terminal.end() == 1
    assert "RUN   patient:unit\n" in terminal.text
    assert "PASS  patient:unit (1 passed) in " in terminal.text
    assert MOVES_THE_CURSOR not in terminal.raw


def test_control_c_takes_the_board_away_and_stops(waiting: "Checkout") -> None:
    """The keys that interrupt reach every process of the terminal, and the run ends with 130."""
    with Terminal(waiting, "-m", "nox", "-s", "unit", "--", "patient") as terminal:
        terminal.wait_for("running  patient:unit")
        terminal.type(CONTROL_C)
        assert terminal.end() == 130
    assert "stopping: the run was interrupted" in terminal.text
    assert waiting.result("patient:unit")["outcome"] == "not-run"


@pytest.fixture
def asking(empty: "Checkout") -> "Checkout":
    """A package of which one test asks a question and another one fails."""
    empty.package("alpha", test=ASKS)
    empty.commit()
    return empty


def test_words_for_pytest_get_the_keyboard(asking: "Checkout") -> None:
    """After a second `--` pytest takes its own words and has the terminal to itself."""
    words = ("-m", "nox", "-s", "unit", "--", "alpha", "--", "-s", "-k", "asks")
    with Terminal(asking, *words) as terminal:
        terminal.wait_for("who is there? ")
        terminal.type("Ada\n")
        assert terminal.end() == 0, terminal.text
    assert "1 passed, 1 deselected" in terminal.text


def test_debugger_opens_where_a_test_failed(asking: "Checkout") -> None:
    """`--pdb` hands the failed test over to the person, and the session fails afterwards."""
    words = ("-m", "nox", "-s", "unit", "--", "alpha", "--", "--pdb", "-k", "fails")
    with Terminal(asking, *words) as terminal:
        terminal.wait_for("(Pdb) ")
        terminal.type("p answer * 100\n")
        terminal.wait_for("4200")
        terminal.type("q\n")
        assert terminal.end() == 1
    assert "alpha:unit did not pass" in terminal.text


def test_control_c_reaches_the_test_in_the_foreground(waiting: "Checkout") -> None:
    """An interrupt is for pytest, which says where it was; the session then tells what failed."""
    words = ("-m", "nox", "-s", "unit", "--", "patient", "--", "-s")
    with Terminal(waiting, *words) as terminal:
        terminal.wait_for("begun")
        terminal.type(CONTROL_C)
        assert terminal.end() == 1
    assert "KeyboardInterrupt" in terminal.text
    assert "patient:unit did not pass" in terminal.text


def test_words_for_pytest_find_the_database(empty: "Checkout") -> None:
    """A package that needs PostgreSQL has it in the foreground, too."""
    empty.package("alpha", table=SERVER, test=USES_SERVER)
    ended = empty.nox("unit", "alpha", "--", "-k", "server")
    assert ended.code == 0, ended.text
    assert "1 passed, 1 deselected" in ended.out


@pytest.mark.parametrize(
    ("words", "counted"),
    [
        (["tests/deep/"], "1 passed"),
        (["tests/deep/test_deep.py::test_deep"], "1 passed"),
        (["-k", "tests"], "2 passed"),
    ],
)
def test_words_that_name_tests_replace_the_suite(
    empty: "Checkout", words: list[str], counted: str
) -> None:
    """A file, a directory or a node narrows the run to it; other words keep the suite's paths."""
    empty.package("alpha")
    empty.write("libs/alpha/tests/deep/test_deep.py", "def test_deep() -> None:\n    pass\n")
    empty.write("libs/alpha/tests/integration/test_more.py", "def test_more() -> None:\n    pass\n")
    ended = empty.nox("unit", "alpha", "--", *words)
    assert ended.code == 0, ended.text
    assert f" {counted} in " in ended.out


@pytest.mark.parametrize(
    ("session", "words", "message"),
    [
        ("lint", ["alpha"], "words for the tool go to pytest suites only, not to alpha:lint"),
        ("contract", [], "words for the tool go to pytest suites only: nothing was selected"),
    ],
)
def test_words_without_tests_are_refused(
    empty: "Checkout", session: str, words: list[str], message: str
) -> None:
    """Words for a tool where no suite of tests is selected are a usage error with an example."""
    empty.package("alpha")
    ended = empty.nox(session, *words, "--", "-x")
    assert ended.code == 2, ended.text
    assert message in ended.err
    assert (
        "hint: name a suite of tests and its packages: nox -s unit -- api -- -k name" in ended.err
    )
