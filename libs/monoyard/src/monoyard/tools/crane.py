"""crane: reads, pushes and tags images in a registry. Tested with 0.22.

It brings the usual credentials (docker's configuration and its helpers), plain HTTP for loopback
only, and repeats what a registry refuses for the moment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ABSENT: Final = re.compile(r"\b(MANIFEST_UNKNOWN|NAME_UNKNOWN|404 Not Found)\b")
_SIGNS: Final = (
    (re.compile(r"\b(UNAUTHORIZED|DENIED|401 Unauthorized|403 Forbidden)\b"), "credentials"),
    (re.compile(r"\b(UNSUPPORTED|405 Method Not Allowed)\b"), "unsupported"),
    (re.compile(r"\b(TOOMANYREQUESTS|429 Too Many Requests)\b"), "too-many-requests"),
    (re.compile(r"connection refused|no such host|i/o timeout|network is unreachable|EOF"), "down"),
    (re.compile(r"\b5\d\d [A-Z]|\bstatus code 5\d\d\b"), "broken"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a registry did not do what it was asked.

    Attributes:
        kind: `absent`, `credentials`, `unsupported`, `too-many-requests`, `down`, `broken` or
            `other`.
        line: What was said last.
    """

    kind: str
    line: str


def digest(program: Path, reference: str) -> tuple[str, ...]:
    """Return the call that prints the digest a reference stands for."""
    return (str(program), "digest", reference)


def manifest(program: Path, reference: str) -> tuple[str, ...]:
    """Return the call that prints a manifest."""
    return (str(program), "manifest", reference)


def blob(program: Path, reference: str) -> tuple[str, ...]:
    """Return the call that prints a blob, named by digest."""
    return (str(program), "blob", reference)


def push(program: Path, layout: Path, reference: str) -> tuple[str, ...]:
    """Return the call that uploads a layout; a reference by digest sets no tag."""
    return (str(program), "push", str(layout), reference)


def tag(program: Path, reference: str, name: str) -> tuple[str, ...]:
    """Return the call that gives an image of the registry a further tag."""
    return (str(program), "tag", reference, name)


def list_tags(program: Path, repository: str) -> tuple[str, ...]:
    """Return the call that prints the tags of a repository, a line each."""
    return (str(program), "ls", repository)


def delete(program: Path, reference: str) -> tuple[str, ...]:
    """Return the call that removes a manifest by digest."""
    return (str(program), "delete", reference)


def validate(program: Path, reference: str) -> tuple[str, ...]:
    """Return the call that fetches an image whole and compares every byte with its digests."""
    return (str(program), "validate", "--remote", reference)


def refusal(said: str) -> Refusal:
    """Return what standard error of a failed call means."""
    lines = [line for line in said.strip().splitlines() if line.startswith("Error:")]
    line = (lines or said.strip().splitlines() or ["it said nothing"])[-1]
    line = line.removeprefix("Error:").strip()
    for sign, kind in _SIGNS:
        if sign.search(line):
            return Refusal(kind, line)
    return Refusal("absent" if _ABSENT.search(said) else "other", line)
