"""Runs a plan: scheduler, budget, supervision, records."""

from monoyard.run.budget import Budget, machine_budget
from monoyard.run.events import BatchStarted, Event, Preparing, Stopping, Subscriber, TaskEnded
from monoyard.run.execute import RunRequest, execute, new_run_id
from monoyard.run.keeping import Keeper
from monoyard.run.machinery import BatchSurroundings, Machinery
from monoyard.run.outputs import put_back_outputs
from monoyard.run.overlay import lay_over
from monoyard.run.python_files import python_files
from monoyard.run.records import Records
from monoyard.run.scheduler import Options
from monoyard.run.servers import Postgres
from monoyard.run.summary import RunSummary

__all__ = [
    "BatchStarted",
    "BatchSurroundings",
    "Budget",
    "Event",
    "Keeper",
    "Machinery",
    "Options",
    "Postgres",
    "Preparing",
    "Records",
    "RunRequest",
    "RunSummary",
    "Stopping",
    "Subscriber",
    "TaskEnded",
    "execute",
    "lay_over",
    "machine_budget",
    "new_run_id",
    "put_back_outputs",
    "python_files",
]
