"""Runs a plan: scheduler, budget, supervision, records."""

from monoyard.run.budget import Budget, machine_budget
from monoyard.run.comparison import Compared, Likeness, Record, compare, read_record
from monoyard.run.events import (
    AttemptFailed,
    BatchEnded,
    BatchStarted,
    Event,
    Prepared,
    Preparing,
    Stopping,
    Subscriber,
    TaskEnded,
)
from monoyard.run.execute import RunRequest, execute, record_data
from monoyard.run.flaky import FlakyTask, find_flaky
from monoyard.run.inputs import INPUTS_FILE, inputs_data
from monoyard.run.keeping import Keeper
from monoyard.run.machinery import BatchSurroundings, Machinery
from monoyard.run.options import Options
from monoyard.run.outputs import put_back_outputs
from monoyard.run.overlay import lay_over
from monoyard.run.python_files import python_files
from monoyard.run.servers import Postgres
from monoyard.run.summary import RunSummary
from monoyard.run.timeline import Recorder, Share, Stretch, Timeline

__all__ = [
    "INPUTS_FILE",
    "AttemptFailed",
    "BatchEnded",
    "BatchStarted",
    "BatchSurroundings",
    "Budget",
    "Compared",
    "Event",
    "FlakyTask",
    "Keeper",
    "Likeness",
    "Machinery",
    "Options",
    "Postgres",
    "Prepared",
    "Preparing",
    "Record",
    "Recorder",
    "RunRequest",
    "RunSummary",
    "Share",
    "Stopping",
    "Stretch",
    "Subscriber",
    "TaskEnded",
    "Timeline",
    "compare",
    "execute",
    "find_flaky",
    "inputs_data",
    "lay_over",
    "machine_budget",
    "put_back_outputs",
    "python_files",
    "read_record",
    "record_data",
]
