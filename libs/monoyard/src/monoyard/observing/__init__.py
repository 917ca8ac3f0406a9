"""What tasks really do, held against what the plan says of them.

`Audit` wraps the executors of a run: each task then runs by itself with a recorder in its Python
processes, and what it read outside of its key becomes findings of its result. `Steps` says which
tasks of past commits have to end alike because no change between those commits affects them.
"""

from monoyard.observing.audit import Audit
from monoyard.observing.history import Commit, Difference, Judged, Outlook, Pair, Results, Steps

__all__ = ["Audit", "Commit", "Difference", "Judged", "Outlook", "Pair", "Results", "Steps"]
