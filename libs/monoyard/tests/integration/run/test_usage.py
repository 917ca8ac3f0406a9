"""What is typed, and what is wrong with the repository: exit codes and words."""

import ctypes
import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

PR_CAPBSET_DROP = 24  # linux/prctl.h
CAP_DAC_OVERRIDE = 1  # linux/capability.h: root writes where nobody may


@pytest.fixture(scope="module")
def plain(new_checkout: Callable[[], "Checkout"]) -> "Checkout":
    """A committed repository for calls that change nothing."""
    checkout = new_checkout()
    checkout.package("alpha")
    checkout.package("beta", "alpha")
    checkout.commit()
    return checkout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["alpa"], "error[unknown-package]: there is no package `alpa`; did you mean `alpha`?"),
        (["--exclude", "betta"], "there is no package `betta`; did you mean `beta`?"),
        (
            ["--suite", "unti"],
            "error[unknown-suite]: there is no suite `unti`; did you mean `unit`?",
        ),
        (["--fail-fats"], "unknown option `--fail-fats`; did you mean `--fail-fast`?"),
        (["--suite"], "error[usage]: `--suite` needs a value"),
        (["--force=yes"], "error[usage]: `--force` takes no value"),
        (["--force", "--no-cache"], "error[usage]: `--force` stores results and `--no-cache`"),
        (["--env-mode", "open"], "error[usage]: `--env-mode` is strict or loose, not `open`"),
    ],
)
def test_mistyped_words_are_told_with_exit_code_2(
    plain: "Checkout", words: list[str], message: str
) -> None:
    """An unknown package, suite or option ends with 2, one error, and the word that was meant."""
    ended = plain.nox("ci", *words)
    assert ended.code == 2, ended.text
    assert message in ended.err
    assert ended.err.count("error[") == 1
    assert "Traceback" not in ended.text


def test_unknown_ref_is_one_clear_error(plain: "Checkout") -> None:
    """A ref that a person typed and that does not exist ends with 11."""
    ended = plain.nox("ci", "--since", "no-such-ref")
    assert (ended.code, ended.err.count("error[")) == (11, 1), ended.text
    assert "no-such-ref" in ended.err


@pytest.mark.parametrize(
    ("words", "tasks"),
    [
        (["alpha"], {"alpha:lint", "alpha:unit"}),
        (["libs/beta", "--suite", "unit"], {"beta:unit"}),
        (["--suite=lint", "--suite=unit", "--exclude=alpha"], {"beta:lint", "beta:unit"}),
        (["--affected"], set()),
    ],
)
def test_words_choose_tasks(plain: "Checkout", words: list[str], tasks: set[str]) -> None:
    """Packages, suites and exclusions choose the tasks; the rest counts as not selected."""
    ended = plain.nox("ci", *words)
    assert ended.code == 0, ended.text
    selected = {result["task"] for result in plain.record()["results"]}
    assert selected == tasks
    states = {task["id"]: task["state"] for task in plain.record()["plan"]["tasks"]}
    assert {name for name, state in states.items() if state != "not-selected"} == tasks
    assert ("not selected:" in ended.out) is (len(tasks) < 4)
    assert ("nothing was selected" in ended.out) is (not tasks)


def test_fail_fast_leaves_the_rest_undone(empty: "Checkout") -> None:
    """After the first failure `--fail-fast` stops, with 1; what was left counts as not run."""
    empty.package("alpha", test="import time\n\n\ndef test_it() -> None:\n    time.sleep(600)\n")
    empty.package("broken", test="def test_it() -> None:\n    raise ValueError\n")
    ended = empty.nox("unit", "--fail-fast")
    assert ended.code == 1, ended.text
    assert "FAIL: 2 tasks, 1 failed, 1 not run" in ended.out
    assert empty.result("alpha:unit")["outcome"] == "not-run"


def test_keep_going_runs_what_needs_a_failed_task(empty: "Checkout") -> None:
    """Without `--keep-going` a task whose need failed is not run; with it, it is."""
    empty.package(
        "alpha", source="import os\n\n\ndef answer() -> int:\n    return 42\n",
        table='[tool.monoyard.suites.unit]\nneeds = ["lint"]\n',
    )  # fmt: skip
    assert empty.outcomes("ci") == {"alpha:lint": "fail", "alpha:unit": "not-run"}
    assert empty.outcomes("ci", "--keep-going") == {"alpha:lint": "fail", "alpha:unit": "pass"}


def test_faults_of_the_configuration_are_told_together(empty: "Checkout") -> None:
    """Unknown keys, wrong values and broken TOML of all files are listed at once, with 10."""
    empty.root("[tool.monoyard.suites.unit]\ntimeuot = '1m'\ntimeout = 'soon'\n")
    empty.package("alpha", table="[tool.monoyard]\nrole = 'servise'\n")
    empty.package("beta", table="[tool.monoyard\n")
    ended = empty.nox("ci")
    assert ended.code == 10, ended.text
    assert "error[configuration]: the configuration has 4 faults" in ended.err
    for fault in (
        "tool.monoyard.suites.unit: unknown key `timeuot`; did you mean `timeout`?",
        "tool.monoyard.suites.unit.timeout: expected a duration such as `90s` or `10m`",
        "'servise' is not one of lib, service; did you mean `service`?",
        "libs/beta/pyproject.toml: not valid TOML: ",
    ):
        assert ended.err.count(fault) == 1, ended.err
    assert "Traceback" not in ended.text


def test_broken_root_is_told(empty: "Checkout") -> None:
    """A root table that is no TOML is one error with its line, and exit code 10."""
    empty.write("pyproject.toml", "[tool.monoyard\nmembers = 1\n")
    ended = empty.nox("ci")
    assert (ended.code, ended.err.count("error[")) == (10, 1), ended.text
    assert "pyproject.toml: not valid TOML: " in ended.err
    assert "line 1" in ended.err


def test_directory_without_repository_is_told(empty: "Checkout") -> None:
    """Where there is no git repository the run ends with 11 and says so."""
    empty.package("alpha")
    shutil.rmtree(empty.top / ".git")
    ended = empty.nox("ci", env={"GIT_CEILING_DIRECTORIES": str(empty.top.parent)})
    assert (ended.code, ended.err.count("error[")) == (11, 1), ended.text
    assert "git repository" in ended.err
    assert "Traceback" not in ended.text


def test_read_only_cache_is_used_as_far_as_it_goes(empty: "Checkout") -> None:
    """With a cache that cannot be written, what is known is replayed and the rest still runs."""
    empty.package("alpha")
    empty.package("beta")
    empty.nox("unit")
    empty.write("libs/beta/tests/test_more.py", "def test_more() -> None:\n    assert True\n")
    places = [empty.cache, *(path for path in (empty.cache / "store").rglob("*"))]
    places += [empty.cache / "store"]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    try:
        ended = empty.nox("unit", preexec_fn=obey_permissions)
    finally:
        for place in places:
            place.chmod(0o755 if place.is_dir() else 0o644)
    assert ended.code == 0, ended.text
    assert "PASS: 2 tasks, 1 from cache" in ended.out
    assert "Traceback" not in ended.text
    assert "note: the cache cannot be written, results of this run" in ended.out
    assert empty.outcomes("unit")["beta:unit"] == "pass", "nothing could be stored"


def obey_permissions() -> None:
    """Let permission bits count for root, too."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def test_missing_cache_parent_is_one_clear_error(plain: "Checkout", tmp_path: Path) -> None:
    """A cache directory that cannot exist is a fault of the machine, told in one error."""
    (tmp_path / "file").touch()
    ended = plain.nox("unit", env={"MONOYARD_CACHE_DIR": str(tmp_path / "file" / "cache")})
    assert 20 <= ended.code < 30, ended.text
    assert "Traceback" not in ended.text
    assert str(tmp_path / "file") in ended.err


def test_quick_runs_leave_a_long_one_its_record(empty: "Checkout") -> None:
    """A run that ends removes surplus records, but not that of a run that is still going."""
    empty.package("alpha")
    place = empty.top / ".monoyard" / "runs"
    for number in range(25):
        (place / f"0000-{number:02d}").mkdir(parents=True)
    with (place / "0000-00" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert empty.outcomes("lint") == {"alpha:lint": "pass"}
    names = sorted(path.name for path in place.iterdir())
    assert names[:-1] == ["0000-00", *(f"0000-{number:02d}" for number in range(6, 25))]
    assert (place / names[-1] / "run.json").is_file()
