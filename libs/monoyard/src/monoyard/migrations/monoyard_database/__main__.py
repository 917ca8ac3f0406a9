"""`python monoyard_database VERB ...`: runs one of the programs in this directory.

The directory may have any name and lie anywhere, such as in a mounted ConfigMap. Nothing beside it
is put on the module path: a service's own modules may have the names of these.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_NAME = "monoyard_database"
_VERBS = (
    "backup", "backups", "fetch", "heads", "manifest", "mark", "migrate", "mirror", "models",
    "prove", "read", "records", "recover", "replace", "restore", "save", "serve", "trial",
)  # fmt: skip


def main(words: list[str]) -> int:
    """Run the program that the first word names; return its exit status, 2 where there is none."""
    if not words or words[0] not in _VERBS:
        sys.stderr.write(f"usage: python {_NAME} {'|'.join(_VERBS)} ...\n")
        return 2
    if sys.path and Path(sys.path[0]).resolve() == _HERE:
        del sys.path[0]
    spec = importlib.util.spec_from_file_location(
        _NAME, _HERE / "__init__.py", submodule_search_locations=[str(_HERE)]
    )
    if spec is None:
        return 2
    sys.modules[_NAME] = importlib.util.module_from_spec(spec)
    module = importlib.import_module(f"{_NAME}.{words[0]}")
    return int(module.main(words[1:]))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
