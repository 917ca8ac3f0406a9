"""What the `conftest.py` above a package brings into its tests besides itself.

pytest puts the directory of a `conftest.py` on `sys.path`, so one of an outer package may import
that package's files, and they the distributions and packages which that one needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from monoyard.workspace import Workspace, scan_imports

# Names that are no absolute imports: `from . import x`, `pytest_plugins = ["x"]`.
_OTHER_NAMES: Final = re.compile(rb"^\s*(?:from\s+\.|pytest_plugins\b)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OuterConftests:
    """What counts for the tests of a package.

    Attributes:
        owned: Those that belong to packages; one that no package owns counts for everybody.
        around: Packages of which one of those imports something.
        imports: Dotted names that all of them import.
    """

    owned: tuple[str, ...] = ()
    around: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()


class ConftestReader:
    """Reads the `conftest.py` of one workspace, each once.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[str, OuterConftests] = {}

    def read(self, paths: Iterable[str]) -> OuterConftests:
        """Return what some `conftest.py`, from the top, bring with them together."""
        found = [self._read_one(path) for path in paths]
        return OuterConftests(
            tuple(path for item in found for path in item.owned),
            frozenset(name for item in found for name in item.around),
            frozenset(dotted for item in found for dotted in item.imports),
        )

    def _read_one(self, path: str) -> OuterConftests:
        if path not in self._known:
            data = self._workspace.tree.read(path) or b""
            imports = frozenset(scan_imports(data))
            owner = self._workspace.owner(path)
            if owner is None:
                self._known[path] = OuterConftests(imports=imports)
            else:
                tops = {dotted.partition(".")[0] for dotted in imports}
                own = _module_names(self._workspace.files[owner])
                brings = bool(_OTHER_NAMES.search(data)) or not tops.isdisjoint(own)
                around = frozenset({owner} if brings else ())
                self._known[path] = OuterConftests((path,), around, imports)
        return self._known[path]


def _module_names(paths: Iterable[str]) -> set[str]:
    """Return the names of files and directories, as modules are named."""
    return {name.partition(".")[0] for path in paths for name in path.split("/")}
