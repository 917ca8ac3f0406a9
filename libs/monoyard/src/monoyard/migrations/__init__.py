"""Everything about database migrations, wherever they run: read, classed, applied, proven."""

from monoyard.migrations.classing import Classifier
from monoyard.migrations.judges import Judges
from monoyard.migrations.monoyard_database.floor import Applied, Fit, fits
from monoyard.migrations.monoyard_database.manifest import compare as compare_manifests
from monoyard.migrations.projects import find_projects
from monoyard.migrations.reading import SCRIPTS, read_history
from monoyard.migrations.telling import explain_lines, history_faults, lint_lines, to_data
from monoyard.migrations.usage import merge_usage, parse_usage, read_usage
from monoyard.migrations.values import (
    Classed,
    ColumnUse,
    Effect,
    History,
    Judgement,
    Lock,
    Review,
    Revision,
    Statement,
    Usage,
)

__all__ = [
    "SCRIPTS",
    "Applied",
    "Classed",
    "Classifier",
    "ColumnUse",
    "Effect",
    "Fit",
    "History",
    "Judgement",
    "Judges",
    "Lock",
    "Review",
    "Revision",
    "Statement",
    "Usage",
    "compare_manifests",
    "explain_lines",
    "find_projects",
    "fits",
    "history_faults",
    "lint_lines",
    "merge_usage",
    "parse_usage",
    "read_history",
    "read_usage",
    "to_data",
]
