"""What programs on PATH say of their version, asked once for each state of their file."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from monoyard.process import Command, capture, clean

# ELF, and Mach-O of one and of several processors. A script may be a shim that starts another
# program tomorrow although its own file stays as it is, so it is asked every time.
_COMPILED: Final = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_SECONDS: Final = 30.0


class Probes:
    """Answers that stay between runs.

    Args:
        file: Where they are kept; one that is lost or damaged is made anew.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, Any] | None = None

    def ask(self, program: str, arguments: Sequence[str]) -> str:
        """Return what a program prints for some arguments.

        Args:
            program: Its path.
            arguments: Such as `--version`.
        """
        state = _state(program)
        if state is None:
            return _run(program, arguments)
        key = json.dumps([program, *arguments])
        kept = self._read().get(key)
        if isinstance(kept, dict) and kept.get("state") == state and "said" in kept:
            return str(kept["said"])
        said = _run(program, arguments)
        if _state(program) == state:
            self._keep(key, {"state": state, "said": said})
        return said

    def _read(self) -> dict[str, Any]:
        if self._known is None:
            try:
                found = json.loads(self._file.read_bytes())
            except (OSError, ValueError):
                found = {}
            self._known = found if isinstance(found, dict) else {}
        return self._known

    def _keep(self, key: str, answer: dict[str, Any]) -> None:
        known = self._read()
        known[key] = answer
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor, place = tempfile.mkstemp(dir=self._file.parent, prefix=self._file.name)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(known, file)
            Path(place).replace(self._file)
        except OSError:
            return  # then it is asked again the next time


def _run(program: str, arguments: Sequence[str]) -> str:
    return capture(Command((program, *arguments), Path("/"), clean(), timeout=_SECONDS)).text


def _state(program: str) -> list[Any] | None:
    """Return what changes with a compiled program's file; None for one that has to be asked."""
    try:
        path = Path(program).resolve(strict=True)
        status = path.stat()
        with path.open("rb") as file:
            begins = file.read(4)
    except OSError:
        return None
    if begins not in _COMPILED:
        return None
    return [str(path), status.st_size, status.st_mtime_ns, status.st_ino]
