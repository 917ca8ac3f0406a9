"""Checks of what is outside of the cluster: programs of this machine, and the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from monoyard.diagnosis.finding import Finding, State
from monoyard.diagnosis.subject import Subject
from monoyard.errors import ConfigurationError, MonoyardError, RegistryError

NOT_YET: Final = "not-yet"
"""Code of the error that a program is fetched or built when it is first used."""


def check_program(name: str, version: Callable[[], str]) -> Iterator[Finding]:
    """See that a program is there, in a version that is understood."""
    try:
        yield Finding("programs", "ok", f"{name}: {version()}")
    except MonoyardError as error:
        state: State = "warning" if error.code == NOT_YET else "problem"
        yield Finding("programs", state, f"{name}: {error.message}", error.hint or "")


def check_registry(subject: Subject) -> Iterator[Finding]:
    """See that the registry answers us, and has the images of the commit."""
    try:
        images = subject.images()
        wanted = list(_wanted(subject))
        missing = [name for name in wanted if images.digest(name, subject.commit) is None]
    except RegistryError as error:
        said = error.message if not error.context else f"{error.message}: {error.context[0]}"
        yield Finding("registry", "problem", said, error.hint or "")
        return
    except ConfigurationError as error:
        yield Finding("registry", "problem", error.message, error.hint or "")
        return
    if missing:
        yield Finding(
            "registry",
            "warning",
            f"it answers, and has no image of {', '.join(missing)} for {subject.commit[:12]}",
            "`nox -s publish` at that commit puts it there",
        )
    else:
        yield Finding("registry", "ok", f"it has all {len(wanted)} images of {subject.commit[:12]}")


def _wanted(subject: Subject) -> Iterator[str]:
    yield from subject.environment.services
    policy = subject.environment.data
    if policy.backup != "never" and policy.image and "@" not in policy.image:
        yield policy.image
