"""Versions of the api with one fault each, as small changes of its sources."""

from __future__ import annotations

from dataclasses import dataclass

from .clone import Clone

_SOURCE = "services/api/src/eventflow_api"
_READING = "        found = archive.find(event_id)\n"
_ROUTER = "    router = APIRouter(\n"
_FIRST_IMPORT = "from http import HTTPStatus\n"


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        file: That has it, below the api's sources.
        changes: What stands there, and what instead.
        is_served: It answers requests of users before it is found.
    """

    file: str
    changes: tuple[tuple[str, str], ...]
    is_served: bool = True

    def bring_into(self, clone: Clone) -> str:
        """Commit it; return the commit."""
        for old, new in self.changes:
            clone.replace(f"{_SOURCE}/{self.file}", old, new)
        return clone.commit("A fault")


def _in_reading(imports: str, lines: str, *also: tuple[str, str]) -> Fault:
    body = "".join(f"        {line}\n" for line in lines.splitlines())
    imported = (_FIRST_IMPORT, f"import {imports}\n{_FIRST_IMPORT}")
    return Fault("reading_routes.py", (imported, (_READING, body + _READING), *also))


FAULTS = {
    "its write path fails": Fault(
        "submission_routes.py",
        (("        try:\n            acceptance =", "        raise RuntimeError\n"
          "        try:\n            acceptance ="),),
        is_served=False,
    ),
    "it crashes": Fault(
        "__main__.py",
        # Not where it is built and tried: that is found before anything is published.
        (("import sys\n", "import os\nimport sys\n"),
         ("    try:\n        settings =", '    if "KUBERNETES_SERVICE_HOST" in os.environ:\n'
          "        raise RuntimeError\n    try:\n        settings ="),),
        is_served=False,
    ),
    "it never gets ready": Fault(
        "application.py",
        (('            "database": database_check(engine),',
          '            "database": lambda: 1 / 0,'),),
        is_served=False,
    ),
    # Not by chance: the smoke test asks once or twice, and is not to be the one that finds it.
    "it answers 10 % errors": _in_reading(
        "itertools", "if next(asked) % 10 == 9:\n    raise RuntimeError",
        (_ROUTER, f"    asked = itertools.count()\n{_ROUTER}"),
    ),
    "it is slow": _in_reading("time", "time.sleep(0.3)"),
    "it burns CPU": Fault(
        "__main__.py",
        (("import sys\n", "import sys\nimport threading\n"),
         ("    return serve(", "    threading.Thread(target=_burn, daemon=True).start()\n"
          "    return serve("),
         ('if __name__ ==', "def _burn() -> None:\n    while True:\n        pass\n\n\n"
          "if __name__ =="),),
    ),
    # At 5 % of the load it is asked less often than five times a second, at 25 % more often.
    "it fails from 25 % on": _in_reading(
        "collections, time",
        "times.append(time.monotonic())\n"
        "if len(times) == 50 and times[-1] - times[0] < 10:\n    raise RuntimeError",
        (_ROUTER, f"    times = collections.deque(maxlen=50)\n{_ROUTER}"),
    ),
}  # fmt: skip
