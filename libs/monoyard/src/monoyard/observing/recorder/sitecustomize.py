"""Starts the recorder in a Python process of an audited task, then the site's own customizations.

Python imports the first module of this name that it finds, and the recorder's directory is in front
of the path. What would have been found without it runs as if it were.
"""

from __future__ import annotations

import sys

import monoyard_recorder  # type: ignore[import-not-found]  # it lies beside this file

monoyard_recorder.install()


def _run_the_next() -> None:
    """Import the next module of this name; what it raises is raised to whoever imported this."""
    here = __file__.rpartition("/")[0]
    own = sys.modules.pop(__name__)
    path = sys.path[:]
    sys.path[:] = [place for place in path if place.rstrip("/") != here]
    without = sys.path[:]
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401, PLC0415  the other one
    except ImportError as error:
        if error.name != __name__:
            raise
    finally:
        if sys.path == without:
            sys.path[:] = path
        sys.modules.setdefault(__name__, own)


_run_the_next()
