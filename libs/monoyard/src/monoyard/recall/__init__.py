"""What a checkout has seen, and where that is kept: its state, the runs it remembers, records.

All that a run needs in which nothing has changed, with few imports: see docs/adr/0028.
"""

from monoyard.recall.directories import cache_directory, state_directory
from monoyard.recall.files import blob_id, file_digest
from monoyard.recall.look import SETTINGS_AT_HOME, Look
from monoyard.recall.memory import STATE_DIRECTORY, Memory, RememberedRun
from monoyard.recall.records import Records

__all__ = [
    "SETTINGS_AT_HOME",
    "STATE_DIRECTORY",
    "Look",
    "Memory",
    "Records",
    "RememberedRun",
    "blob_id",
    "cache_directory",
    "file_digest",
    "state_directory",
]
