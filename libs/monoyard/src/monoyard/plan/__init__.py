"""One plan: tasks with keys, causes, cache state and estimates; a value that everything asks."""

from monoyard.plan.causes import (
    LOCK_PARTS,
    BaseUnknown,
    Cause,
    ChangedFile,
    ConfigChanged,
    DependsOn,
    EngineChanged,
    GlobalInput,
    LockChanged,
    NeedAffected,
    NewTask,
    OwnerChanged,
    UnownedFile,
    cause_data,
)
from monoyard.plan.explain import Explanation, difference_line, explain, explain_against
from monoyard.plan.keys import Keys, Manifest, is_engine_file, is_listing
from monoyard.plan.needs import find_makers
from monoyard.plan.plan import Plan, PlannedTask, State, make_plan, remake_manifests
from monoyard.plan.reading import (
    READ_BY_DEFAULT,
    UNREAD_BY_DEFAULT,
    is_unread,
    pattern_for,
)
from monoyard.plan.reads import Reads
from monoyard.plan.schema import plan_schema
from monoyard.plan.selection import Selection
from monoyard.plan.shards import (
    DURATIONS_FILE,
    Division,
    divide,
    durations_document,
    read_durations,
    take,
)
from monoyard.plan.task import (
    EVERY_PROCESSOR,
    Entries,
    Inputs,
    Sourced,
    Task,
    TaskSource,
    gather,
)

__all__ = [
    "DURATIONS_FILE",
    "EVERY_PROCESSOR",
    "LOCK_PARTS",
    "READ_BY_DEFAULT",
    "UNREAD_BY_DEFAULT",
    "BaseUnknown",
    "Cause",
    "ChangedFile",
    "ConfigChanged",
    "DependsOn",
    "Division",
    "EngineChanged",
    "Entries",
    "Explanation",
    "GlobalInput",
    "Inputs",
    "Keys",
    "LockChanged",
    "Manifest",
    "NeedAffected",
    "NewTask",
    "OwnerChanged",
    "Plan",
    "PlannedTask",
    "Reads",
    "Selection",
    "Sourced",
    "State",
    "Task",
    "TaskSource",
    "UnownedFile",
    "cause_data",
    "difference_line",
    "divide",
    "durations_document",
    "explain",
    "explain_against",
    "find_makers",
    "gather",
    "is_engine_file",
    "is_listing",
    "is_unread",
    "make_plan",
    "pattern_for",
    "plan_schema",
    "read_durations",
    "remake_manifests",
    "take",
]
