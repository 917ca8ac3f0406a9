"""What tasks really read, held against what their keys cover.

`Audit` wraps the executors of a run: each task then runs by itself with a recorder in its Python
processes, and what it read outside of its key becomes findings of its result.
"""

from monoyard.observing.audit import Audit

__all__ = ["Audit"]
