"""The scheduler: order, budget, needs, stops; every task ends with one result."""

import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from monoyard.errors import InterruptedRunError, MachineError
from monoyard.install import OutputLocks, PostgresServer
from monoyard.process import supervisor
from monoyard.results import Outcome
from monoyard.run import BatchStarted, Budget, Event, Postgres, Stopping, TaskEnded
from monoyard.suites import CommandWork

if TYPE_CHECKING:
    from .conftest import Bench


class Unreachable(Postgres):
    """A server that cannot be prepared."""

    def prepare(self) -> None:
        """Fail as an external server does that nobody answers for."""
        raise MachineError("nobody answers")


class Stillborn(Postgres):
    """A server whose process ends before it is ready."""

    def prepare(self) -> None:
        """Name a directory that never says `ready`."""
        directory = self.tools._venvs._top / "server"  # noqa: SLF001  the test's directory
        directory.mkdir()
        argv = ("sh", "-c", "echo starting; echo no space left")
        self.server = PostgresServer(argv, directory, "postgresql://", None)


def test_every_task_gets_its_result(bench: "Bench") -> None:
    """Tasks pass, fail or cannot be made, each by its own exit status."""
    tasks = (
        bench.task("good"), bench.task("bad", "exit 1"), bench.task("crash", "kill -SEGV $$"),
        bench.task("missing", "exit 127"),
    )  # fmt: skip
    assert bench.outcomes(*tasks) == {
        "good": "pass", "bad": "fail", "crash": "error", "missing": "error",
    }  # fmt: skip


def test_timeout_is_a_failure_that_says_so(bench: "Bench") -> None:
    """A task whose time has passed fails, and the reason tells after how long."""
    results = bench.run(bench.task("slow", "sleep 600", timeout=1.0))
    assert results["slow:unit"].outcome is Outcome.FAIL
    assert results["slow:unit"].reason == "stopped after 1 s (timeout)"


def test_command_that_makes_a_success_of_its_timeout_is_the_last(bench: "Bench") -> None:
    """A command that ends with status 0 when its time has passed fails; no later one hides that."""
    script = "trap 'exit 0' TERM; sleep 600 & wait; exit 1"
    slow = bench.task("slow", timeout=1.0)
    work = CommandWork("slow", "", (("sh", "-c", script), ("true",)))
    results = bench.run(replace(slow, work=work))
    assert results["slow:unit"].outcome is Outcome.FAIL
    assert results["slow:unit"].reason == "stopped after 1 s (timeout)"


def test_needs_run_first(bench: "Bench") -> None:
    """A task starts when all it needs has passed, however long that takes."""
    tasks = (bench.task("top", "true", "left", "right"), bench.task("left", "sleep 0.1", "base"),
             bench.task("right", "true", "base"), bench.task("base", "sleep 0.1"))  # fmt: skip
    assert set(bench.outcomes(*tasks).values()) == {"pass"}
    story = bench.story
    assert story[:2] == ["+base", "-base"]
    assert max(story.index("-left"), story.index("-right")) < story.index("+top")


def test_failed_need_keeps_only_its_followers_from_running(bench: "Bench") -> None:
    """What needs a failed task is not run, with the reason; everything else still is."""
    tasks = (bench.task("bad", "exit 1"), bench.task("next", "true", "bad"),
             bench.task("last", "true", "next"), bench.task("other"))  # fmt: skip
    results = bench.run(*tasks)
    assert results["next:unit"].outcome is results["last:unit"].outcome is Outcome.NOT_RUN
    assert results["next:unit"].reason == "needs bad:unit, which did not pass"
    assert results["last:unit"].reason == "needs next:unit, which did not pass"
    assert results["other:unit"].outcome is Outcome.PASS


def test_keep_going_runs_also_what_needs_a_failed_task(bench: "Bench") -> None:
    """With `keep_going` a task runs although what it needs failed, but still after it."""
    tasks = (bench.task("next", "true", "bad"), bench.task("bad", "exit 1"))
    assert bench.outcomes(*tasks, keep_going=True) == {"bad": "fail", "next": "pass"}
    assert bench.story == ["+bad", "-bad", "+next", "-next"]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(Outcome.PASS, "pass"), (Outcome.SKIP, "not-run"), (Outcome.FAIL, "not-run")],
)
def test_settled_need_counts(bench: "Bench", outcome: Outcome, expected: str) -> None:
    """A need that was settled before lets its followers run if it passed, and only then."""
    task = bench.task("next", "true", "before")
    assert bench.outcomes(task, settled={"before": outcome}) == {"next": expected}


def test_need_that_is_no_part_of_the_run_is_not_waited_for(bench: "Bench") -> None:
    """A need that was not selected keeps nobody waiting."""
    assert bench.outcomes(bench.task("next", "true", "elsewhere")) == {"next": "pass"}


def test_fail_fast_stops_the_rest(bench: "Bench") -> None:
    """With `fail_fast` the first failure stops what runs, and nothing else is started."""
    late = bench.task("late", cpus=2)  # fits beside nothing, whichever of the others is ready first
    tasks = (bench.task("slow", "sleep 600"), bench.task("bad", "exit 1"), late)
    results = bench.run(*tasks, estimates={"slow": 9.0, "bad": 8.0}, fail_fast=True)
    assert results["bad:unit"].outcome is Outcome.FAIL
    assert {results[f"{name}:unit"].outcome for name in ("slow", "late")} == {Outcome.NOT_RUN}
    assert results["late:unit"].reason == "stopped after the first failure (--fail-fast)"
    assert "late" not in bench.started


def test_budget_of_processors_is_kept(bench: "Bench") -> None:
    """Tasks that together need more processors than there are run one after the other."""
    tasks = [bench.task(name, "sleep 0.05", cpus=2) for name in ("a", "b", "c")]
    bench.run(*tasks)
    assert [step[0] for step in bench.story] == ["+", "-"] * 3


def test_budget_of_memory_is_kept(bench: "Bench") -> None:
    """Tasks that together need more memory than there is run one after the other."""
    tasks = [bench.task(name, "sleep 0.05", memory=60) for name in ("a", "b")]
    bench.run(*tasks, budget=Budget(8, 100))
    assert [step[0] for step in bench.story] == ["+", "-"] * 2


def test_task_beyond_the_budget_runs_alone(bench: "Bench") -> None:
    """A task that needs more than the whole budget runs, when nothing else does."""
    tasks = (bench.task("huge", "sleep 0.05", cpus=64), bench.task("small", "sleep 0.05"))
    assert set(bench.outcomes(*tasks).values()) == {"pass"}
    assert [step[0] for step in bench.story] == ["+", "-"] * 2


def test_tasks_run_side_by_side_within_the_budget(bench: "Bench") -> None:
    """Two tasks run at once where there is room: each waits for a file of the other."""
    script = "touch {0}; until [ -e {1} ]; do sleep 0.02; done"
    first, second = script.format("a", "b"), script.format("b", "a")
    assert set(bench.outcomes(bench.task("a", first), bench.task("b", second)).values()) == {"pass"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_the_run(bench: "Bench", number: signal.Signals) -> None:
    """A signal ends the run; what ran and what was left is not run, what had passed stays so."""
    tasks = (bench.task("quick"), bench.task("slow", "sleep 600", "quick"),
             bench.task("late", "true", "slow"))  # fmt: skip

    def interrupt(event: Event) -> None:
        if isinstance(event, BatchStarted) and event.tasks == ("slow:unit",):
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    bench.listener = interrupt
    with pytest.raises(InterruptedRunError):
        bench.run(*tasks)
    assert bench.story == ["+quick", "-quick", "+slow", "-late", "-slow"]
    assert [event.why for event in bench.events if isinstance(event, Stopping)] == [
        "the run was interrupted"
    ]
    assert signal.getsignal(number) is before


def test_second_signal_kills_at_once(bench: "Bench", monkeypatch: pytest.MonkeyPatch) -> None:
    """A second signal does not wait for the grace of a task that ignores the first one."""
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 600.0)
    stubborn = bench.task("stubborn", "trap '' TERM; touch up; while :; do sleep 0.05; done")
    nudge = bench.task("nudge", f"until [ -e up ]; do sleep 0.02; done; kill -INT {os.getpid()}")

    def again(event: Event) -> None:
        if isinstance(event, Stopping):
            os.kill(os.getpid(), signal.SIGINT)

    bench.listener = again
    with pytest.raises(InterruptedRunError):
        bench.run(stubborn, nudge)
    assert sorted(bench.story[-2:]) == ["-nudge", "-stubborn"]


def test_server_that_cannot_be_had_fails_every_task_that_needs_it(bench: "Bench") -> None:
    """Where the server cannot be prepared, each task that needs it says why, and the run ends."""
    bench.postgres = bench.server(Unreachable)
    tasks = [bench.task(name, resources=("postgres",)) for name in ("a", "b", "c")]
    results = bench.run(*tasks, bench.task("other"))
    reasons = {result.reason for result in results.values() if result.outcome is Outcome.ERROR}
    assert reasons == {"nobody answers"}
    assert [name for name, result in results.items() if result.outcome is Outcome.PASS] == [
        "other:unit"
    ]


def test_server_that_ends_at_once_fails_every_task_that_needs_it(bench: "Bench") -> None:
    """A server that ends before it is ready is told with its last line, now and later."""
    bench.postgres = bench.server(Stillborn)
    first = bench.task("first", resources=("postgres",))
    later = bench.task("later", "true", "slow", resources=("postgres",))
    results = bench.run(first, bench.task("slow", "sleep 0.5"), later)
    for name in ("first", "later"):
        assert results[f"{name}:unit"].outcome is Outcome.ERROR
        assert results[f"{name}:unit"].reason == "the PostgreSQL server ended: no space left"
    assert not (bench.directory / "server").exists()


def test_output_of_a_failed_task_is_in_its_result(bench: "Bench") -> None:
    """What a failed command printed on either stream is its log."""
    results = bench.run(bench.task("bad", "echo out; echo err >&2; exit 1"))
    assert results["bad:unit"].log == "out\nerr"


def test_two_runs_do_not_build_into_one_directory_at_once(bench: "Bench") -> None:
    """A task that leaves files waits while another run makes those of its package."""
    other = OutputLocks(bench.directory / "state")
    assert other.take(["alpha"])

    def listen(event: Event) -> None:
        if isinstance(event, TaskEnded) and event.result.task == "beta:unit":
            other.give_back("alpha")

    bench.listener = listen
    tasks = (bench.task("alpha", outputs=("dist/**",)), bench.task("beta"))
    outcomes = bench.outcomes(*tasks, estimates={"alpha": 9.0}, budget=Budget(1, 1 << 40))
    assert outcomes == {"alpha": "pass", "beta": "pass"}
    assert bench.story == ["+beta", "-beta", "+alpha", "-alpha"]
    assert other.take(["alpha"])
    other.close()


@pytest.mark.parametrize("script", ["true", "false"])
def test_directory_is_kept_until_its_files_are_known(bench: "Bench", script: str) -> None:
    """Until whoever listens has seen how the task ended no other run builds there; then it may."""
    other = OutputLocks(bench.directory / "state")
    told: list[bool] = []

    def listen(event: Event) -> None:
        if isinstance(event, BatchStarted | TaskEnded):
            told.append(other.take(["alpha"]))

    bench.listener = listen
    bench.run(bench.task("alpha", script, outputs=("dist/**",)))
    assert told == [False, False], "at its beginning and at its end"
    assert other.take(["alpha"])
    other.close()


def test_directory_of_a_run_that_is_stopped_is_free(bench: "Bench") -> None:
    """Whatever ends a run leaves no lock behind."""
    bench.listener = lambda _: os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(InterruptedRunError):
        bench.run(bench.task("alpha", "sleep 60", outputs=("dist/**",)))
    other = OutputLocks(bench.directory / "state")
    assert other.take(["alpha"])
    other.close()
