"""What the settings of TypeScript's compiler lead to outside their package.

They are JSON with remarks, so what they name is looked for in the text: a name too many makes a
task run once more, one too few would replay what is no longer true.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final

from monoyard.workspace import Package, Workspace

_NAMED: Final = re.compile(rb'"(\.\.?/[^"*\n]*)[^"\n]*"')
_FILE: Final = re.compile(r"(?:^|/)[jt]sconfig[^/]*\.json$")

OuterSettings = tuple[tuple[str, ...], frozenset[str]]
"""Files from the top, and packages."""


def outer_settings(
    workspace: Workspace, package: Package
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return what `tsconfig.json` and its like of a package lead to.

    Returns:
        Files of other packages that they extend, at any distance, and other packages that they
        refer to or take files from.
    """
    queue = [path for path in workspace.files[package.name] if _FILE.search(path)]
    seen = set(queue)
    packages = set[str]()
    for path in queue:
        data = workspace.tree.read(path) or b""
        for name in _NAMED.findall(data):
            named = posixpath.normpath(
                posixpath.join(posixpath.dirname(path), name.decode("utf-8", "replace"))
            )
            found = [item for item in (named, f"{named}.json") if item in workspace.tree.entries]
            if not found:
                owner = workspace.owner(f"{named}/tsconfig.json")
                packages.update({owner} if owner and workspace.tree.under(named) else ())
            elif found[0].endswith(".json") and found[0] not in seen:
                seen.add(found[0])
                queue.append(found[0])
            else:
                packages.update(filter(None, [workspace.owner(found[0])]))
    files = sorted(path for path in seen if workspace.owner(path) not in {None, package.name})
    return tuple(files), frozenset(packages - {package.name})
