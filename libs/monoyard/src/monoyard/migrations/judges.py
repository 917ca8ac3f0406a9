"""Runs the two programs that read SQL: PostgreSQL's grammar, and squawk."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from monoyard.errors import ToolError
from monoyard.process import Command, capture, clean
from monoyard.tools import squawk
from monoyard.tools.squawk import Parsed, Remark

_SCRIPTS: Final = Path(__file__).parent / "monoyard_database"
_SECONDS: Final = 120.0
_FOUND: Final = (0, 1)  # 1: there are remarks


class Judges:
    """Asks squawk and the grammar; both stand in one venv.

    Args:
        program: squawk.
    """

    def __init__(self, program: Path) -> None:
        self._program = program

    def grammar(self, texts: Sequence[str]) -> Sequence[Sequence[Parsed]]:
        """Return the statements of each text.

        Raises:
            ToolError: The parser failed, which is another thing than a text it refuses.
        """
        if not texts:
            return ()
        argv = squawk.grammar(self._program, _SCRIPTS / "parse_sql.py")
        said = self._ask(argv, json.dumps(list(texts)), ok=(0,))
        try:
            return squawk.parse_grammar(said)
        except (ValueError, TypeError) as error:
            raise ToolError("the SQL parser gave no answer", context=(str(error),)) from error

    def lint(self, statements: Sequence[str], in_transaction: bool) -> Sequence[Sequence[Remark]]:
        """Return squawk's remarks for each of some statements that run together.

        Raises:
            ToolError: squawk failed.
        """
        lines, starts = 1, []
        for sql in statements:
            starts.append(lines)
            lines += sql.count("\n") + 1
        text = "".join(f"{sql};\n" for sql in statements)
        result: list[list[Remark]] = [[] for _ in statements]
        if not statements:
            return result
        argv = squawk.check(self._program, in_transaction=in_transaction)
        said = self._ask(argv, text, ok=_FOUND)
        try:
            remarks = squawk.parse(said)
        except (ValueError, KeyError) as error:
            raise ToolError("squawk gave no answer", context=(str(error),)) from error
        for remark in remarks:
            place = sum(start <= remark.line for start in starts) - 1
            result[max(place, 0)].append(remark)
        return result

    def _ask(self, argv: tuple[str, ...], text: str, *, ok: tuple[int, ...]) -> bytes:
        # Elsewhere than in the repository: squawk reads a settings file of its directory.
        with tempfile.TemporaryDirectory(prefix="monoyard-sql-") as place:
            done = capture(
                Command(argv, Path(place), clean(), timeout=_SECONDS, stdin=text.encode())
            )
        if done.status not in ok:
            raise ToolError(f"`{Path(argv[0]).name}` failed", context=done.last_lines)
        return done.stdout
