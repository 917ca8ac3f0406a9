"""Everything about database migrations, wherever they run: read, classed, applied, proven."""

from monoyard.migrations.classing import Classifier
from monoyard.migrations.judges import Judges
from monoyard.migrations.projects import find_projects
from monoyard.migrations.reading import read_history
from monoyard.migrations.telling import explain_lines, history_faults, lint_lines, to_data
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
    "Classed",
    "Classifier",
    "ColumnUse",
    "Effect",
    "History",
    "Judgement",
    "Judges",
    "Lock",
    "Review",
    "Revision",
    "Statement",
    "Usage",
    "explain_lines",
    "find_projects",
    "history_faults",
    "lint_lines",
    "read_history",
    "to_data",
]
