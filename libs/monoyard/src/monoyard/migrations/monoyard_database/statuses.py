"""Exit statuses that mean the same in several programs; each of them explains all of its own."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FAILED: Final = 6  # it was tried, and what was tried did not work
DIFFERS: Final = 7  # what there is is not what the backup says
NOTHING: Final = 8  # nothing could be tried: no connection, no program
UNFIT: Final = 16  # a version of the service does not work with the migrated copy
STOPPED: Final = 143  # by SIGTERM, as a shell tells it
