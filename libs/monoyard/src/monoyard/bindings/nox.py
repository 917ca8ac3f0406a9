"""The nox door: sessions that check and build. With `invoke.py`, the only importer of its host.

# noxfile.py
from pathlib import Path
from monoyard.bindings.nox import register
register(Path(__file__).parent)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import nox

_SUITES: Final = {
    "lint": "ruff, imports against declarations (`-- PACKAGE ...`)",
    "type": "mypy and tsc",
    "unit": "tests without servers",
    "integration": "tests against a real PostgreSQL",
    "contract": "providers against their consumers and their base",
    "build": "wheels and bundles",
}


def register(directory: Path, *, maintains_engine: bool = False) -> None:
    """Register every session for the repository that `directory` lies in.

    Args:
        directory: Where the noxfile is.
        maintains_engine: Add the sessions of the engine's own repository: `docs` and `bench`.

    Nothing is read here: the noxfile is executed again in each child of `nox -j`.
    """
    nox.options.sessions = ["ci"]
    nox.options.error_on_missing_interpreters = False
    _session(
        "ci", "every check of every package, from cache where it can be", _checks(directory, ())
    )
    for suite, summary in _SUITES.items():
        _session(suite, summary, _checks(directory, (suite,)))
    _session("images", "images of services, built and tried", _checks(directory, ("image",)))
    _session(
        "publish",
        "images in the registry: built where missing, attested, signed, tagged",
        _publish(directory),
    )
    _session(
        "scan",
        "code, secrets, dependencies, images: findings, and a verdict (`-- --env NAME`)",
        _scan(directory),
    )
    _session(
        "e2e",
        "tests of the whole system in tests/e2e, on a cluster (`-- WORDS FOR PYTEST`)",
        _end_to_end(directory),
    )
    _session(
        "watch",
        "lint, type and unit again for what a save affects, until Ctrl-C (`-- PACKAGE ...`)",
        _watch(directory),
    )
    _session("fix", "mend what lint can mend", _fix(directory))
    _session(
        "audit-affected",
        "did past commits change what they do not affect? (`-- FROM..TO`, `-- --commits=N`)",
        _audit_affected(directory),
    )
    _session("tests", "every pytest suite, with coverage and one closing line", _tests(directory))
    if maintains_engine:
        _session("docs", "write the reference from what the program knows", _docs(directory))
        _session(
            "bench",
            "measure generated repositories (`-- PACKAGES ... --runs=N --cold=N`, `-- images`)",
            _bench(directory),
        )


def _session(name: str, summary: str, body: Callable[[nox.Session], None]) -> None:
    def run(session: nox.Session) -> None:
        _guarded(session, body)

    run.__doc__ = summary
    run.__name__ = name.replace("-", "_")
    nox.session(name=name, venv_backend="none", allow_parallel=True)(run)


def _checks(directory: Path, suites: tuple[str, ...]) -> Callable[[nox.Session], None]:
    def body(session: nox.Session) -> None:
        from monoyard.bindings.remembering import tell_again
        from monoyard.recall import Look

        words = (session.name, *session.posargs)
        look = Look.begin(directory, os.environ)
        try:
            if tell_again(look, words):
                return
            from monoyard.bindings.arguments import parse_arguments
            from monoyard.bindings.checks import Checks

            Checks(directory, look).run(parse_arguments(session.posargs), suites, words=words)
        finally:
            look.close()

    return body


def _publish(directory: Path) -> Callable[[nox.Session], None]:
    def body(session: nox.Session) -> None:
        from monoyard.bindings.arguments import parse_arguments
        from monoyard.bindings.publishing import publish

        publish(directory, parse_arguments(session.posargs))

    return body


def _scan(directory: Path) -> Callable[[nox.Session], None]:
    def body(session: nox.Session) -> None:
        from monoyard.bindings.arguments import parse_arguments
        from monoyard.bindings.scanning import scan

        scan(directory, parse_arguments(session.posargs))

    return body


def _end_to_end(directory: Path) -> Callable[[nox.Session], None]:
    def body(session: nox.Session) -> None:
        from monoyard.bindings.end_to_end import run_end_to_end

        run_end_to_end(directory, session.posargs)

    return body


def _watch(directory: Path) -> Callable[[nox.Session], None]:
    def body(session: nox.Session) -> None:
        from monoyard.bindings.arguments import parse_arguments
        from monoyard.bindings.watching import watch_checks

        watch_checks(directory, parse_arguments(session.posargs))

    return body


def _fix(directory: Path) -> Callable[[nox.Session], None]:
    def body(session: nox.Session) -> None:
        from monoyard.bindings.arguments import parse_arguments
        from monoyard.bindings.fixing import fix

        fix(directory, parse_arguments(session.posargs))

    return body


def _audit_affected(directory: Path) -> Callable[[nox.Session], None]:
    def body(session: nox.Session) -> None:
        from monoyard.bindings.auditing import audit_affected

        audit_affected(directory, session.posargs)

    return body


def _tests(directory: Path) -> Callable[[nox.Session], None]:
    def body(session: nox.Session) -> None:
        from monoyard.bindings.arguments import parse_arguments
        from monoyard.bindings.testing import run_all_tests

        run_all_tests(directory, parse_arguments(session.posargs))

    return body


def _docs(directory: Path) -> Callable[[nox.Session], None]:
    def body(session: nox.Session) -> None:
        from monoyard.bindings.documenting import write_reference

        for path in write_reference(directory):
            session.log(f"written: {path}")

    return body


def _bench(directory: Path) -> Callable[[nox.Session], None]:
    def body(session: nox.Session) -> None:
        from monoyard.bindings.benching import bench

        bench(directory, session.posargs)

    return body


def _guarded(session: nox.Session, body: Callable[[nox.Session], None]) -> None:
    """Run a session; failed checks end it as nox wants, every other error with its own code."""
    from monoyard.bindings.errors import report
    from monoyard.bindings.parents import stop_without_parent
    from monoyard.errors import ChecksFailedError

    if session.parallel:
        stop_without_parent()
    try:
        body(session)
        sys.stdout.flush()  # here, a reader that went away is still an error of ours to tell
    except ChecksFailedError as error:
        session.error(error.message)
    except Exception as error:  # noqa: BLE001  the error printer of this door
        sys.exit(report(error))
