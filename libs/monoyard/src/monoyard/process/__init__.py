"""The only room that spawns: commands as values, supervision, signals, redaction.

Two ways to run something: `capture` for short questions (git, version probes), and a `Supervisor`
for the tasks of a run, which guarantees that nothing outlives it.
"""

from monoyard.process.capture import (
    Child,
    abandon,
    capture,
    cut_short,
    finish,
    follow,
    kill_running,
    start,
)
from monoyard.process.command import Command, Completed
from monoyard.process.detached import start_detached
from monoyard.process.environment import PASSED_THROUGH, PROXIES, clean, for_git, for_remote_git
from monoyard.process.foreground import run_in_foreground
from monoyard.process.redaction import Secret, redact_argv
from monoyard.process.supervisor import Exit, Job, Supervisor

__all__ = [
    "PASSED_THROUGH",
    "PROXIES",
    "Child",
    "Command",
    "Completed",
    "Exit",
    "Job",
    "Secret",
    "Supervisor",
    "abandon",
    "capture",
    "clean",
    "cut_short",
    "finish",
    "follow",
    "for_git",
    "for_remote_git",
    "kill_running",
    "redact_argv",
    "run_in_foreground",
    "start",
    "start_detached",
]
