"""What ran when, and what the end of a run waited for."""

from collections.abc import Iterable

from monoyard.results import Outcome, TaskResult
from monoyard.run import (
    AttemptFailed,
    BatchEnded,
    BatchStarted,
    Event,
    Prepared,
    Recorder,
    Share,
    TaskEnded,
    Timeline,
)

from .conftest import Bench


def told(*stretches: tuple[str, float, float]) -> Timeline:
    """Return the timeline of tasks with their beginnings and ends."""
    events: list[tuple[float, int, Event]] = []
    for batch, (task, began, ended) in enumerate(stretches, start=1):
        events.append((began, 1, BatchStarted((task,), batch, began)))
        events.append((ended, 0, BatchEnded(batch, ended)))
    return record(event for _, _, event in sorted(events, key=lambda item: item[:2]))


def record(events: Iterable[Event]) -> Timeline:
    """Return the timeline of events."""
    recorder = Recorder(0.0)
    for event in events:
        recorder(event)
    return recorder.timeline()


def path(timeline: Timeline) -> str:
    """Return the tasks of the critical path."""
    return "".join(item.tasks[0] for item in timeline.critical)


def test_tasks_are_put_on_the_first_free_worker() -> None:
    """What runs at once is on different workers, and one that is free is used again."""
    timeline = told(("a", 0, 4), ("b", 0, 2), ("c", 2, 3), ("d", 3, 5), ("e", 4, 6))
    workers = {item.tasks[0]: item.worker for item in timeline.stretches}
    assert workers == {"a": 1, "b": 2, "c": 2, "d": 2, "e": 1}


def test_critical_path_goes_back_from_the_last_end() -> None:
    """Each stretch of the path began when the one before it ended; what ran beside is not on it."""
    assert path(told(("a", 0, 4), ("b", 0, 2), ("c", 2, 3), ("d", 4, 9), ("e", 3, 8))) == "ad"
    assert path(told(("a", 0, 4), ("b", 0, 2), ("c", 2.001, 9))) == "bc"
    assert path(told(("a", 0, 1), ("b", 5, 6))) == "ab"
    assert path(told()) == ""


def test_what_came_of_a_stretch_is_told() -> None:
    """A batch has the seconds and outcomes of its tasks, an attempt that failed too."""
    failed = TaskResult("a:unit", Outcome.FAIL, seconds=1.5)
    timeline = record(
        (
            Prepared(("a:unit",), 0.0, 1.0), Prepared(("b:unit",), 0.0, 0.001),
            BatchStarted(("a:unit", "b:unit"), 1, 1.0), BatchEnded(1, 3.0),
            AttemptFailed(failed, 1, 3.0, 1),
            TaskEnded(TaskResult("b:unit", Outcome.PASS, seconds=0.5), 1, 3.0),
            TaskEnded(TaskResult("c:unit", Outcome.SKIP), 0, 3.0),
        )
    )  # fmt: skip
    (stretch,) = timeline.stretches
    assert stretch.shares == (
        Share("a:unit", 1.5, Outcome.FAIL), Share("b:unit", 0.5, Outcome.PASS),
    )  # fmt: skip
    assert timeline.to_data()[0] == {
        "task": "a:unit", "batch": 1, "worker": 1, "began": 1.0, "end": 3.0, "seconds": 1.5,
        "outcome": "fail", "is_critical": True,
    }  # fmt: skip
    assert timeline.preparations == (Prepared(("a:unit",), 0.0, 1.0),)


def test_scheduler_tells_every_batch(bench: Bench) -> None:
    """Whatever becomes of tasks, each batch that began ends, before its results are told."""
    tasks = (bench.task("good"), bench.task("bad", "exit 1"), bench.task("next", "true", "bad"),
             bench.task("last", "true", "good"))  # fmt: skip
    recorder = Recorder(0.0)
    bench.listener = recorder
    bench.run(*tasks)
    stretches = {item.tasks[0]: item for item in recorder.timeline().stretches}
    assert stretches.keys() == {"good:unit", "bad:unit", "last:unit"}
    assert stretches["bad:unit"].shares[0].outcome is Outcome.FAIL
    assert stretches["last:unit"].began >= stretches["good:unit"].ended
    assert stretches["last:unit"].is_critical
