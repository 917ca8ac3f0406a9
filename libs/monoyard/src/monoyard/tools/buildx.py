"""docker buildx: one bake for many images. Tested with 0.37 and BuildKit 0.33."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_STEP: Final = re.compile(r"^#(\d+) (.+)$", re.MULTILINE)
# A bake reads its definition and then builds; each of the two counts its steps from 1.
_BEGIN: Final = re.compile(r"^#0 .*$", re.MULTILINE)
_RULE: Final = "------"
_CACHE: Final = ("importing cache manifest from", "exporting cache to")
_EMPTY: Final = ": not found"
_FAILED: Final = re.compile(r"^(?:ERROR: )?target ([\w.-]+): failed to", re.MULTILINE)

ENVIRONMENT: Final = {
    # The digest is that of the image alone: provenance is attached as a referrer, not in an index.
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    "BUILDX_METADATA_PROVENANCE": "disabled",
    # The definition is our own: it reads generated contexts and writes layouts where it says.
    "BUILDX_BAKE_ENTITLEMENTS_FS": "0",
}
"""Variables that every bake is called with."""

IMAGE: Final = "docker-image://"
"""What stands in front of an image of a registry that is a context."""


@dataclass(frozen=True, slots=True)
class Target:
    """One image, or one stage that others are built on.

    Attributes:
        name: Unique in the bake.
        context: Directory of its files. Its last part is unique on the machine: BuildKit takes
            two directories of one name for the same (docker/buildx#3093).
        dockerfile: The Dockerfile.
        stage: Its stage.
        contexts: Further contexts by name: a directory, `target:NAME`, `docker-image://REF`.
        args: Build arguments.
        secrets: Secret id to file; only the steps that mount one can read it.
        output: Directory that receives an OCI layout; None keeps it in the builder.
        is_timeless: The Dockerfile leaves no file with the time of the build. Otherwise all files
            get SOURCE_DATE_EPOCH, for which every layer is written once more.
        cache_from: References that layers are looked for in, besides the builder's own.
        cache_to: Reference that takes the layers of all stages; empty keeps them in the builder.
    """

    name: str
    context: Path
    dockerfile: Path
    stage: str
    contexts: Mapping[str, str]
    args: Mapping[str, str]
    secrets: Mapping[str, Path]
    output: Path | None = None
    is_timeless: bool = False
    cache_from: tuple[str, ...] = ()
    cache_to: str = ""


def bake(program: Path, builder: str, metadata: Path, targets: Sequence[str]) -> tuple[str, ...]:
    """Return the call that builds targets of a definition on standard input."""
    return (
        str(program), "bake", "--builder", builder, "--progress=plain", "--file=-",
        f"--metadata-file={metadata}", *targets,
    )  # fmt: skip


def create_builder(program: Path, name: str, address: str) -> tuple[str, ...]:
    """Return the call that names a running BuildKit."""
    return (str(program), "create", "--name", name, "--driver", "remote", address)


def definition(targets: Sequence[Target]) -> bytes:
    """Return the definition of targets as bake reads it."""
    return json.dumps({"target": {item.name: _target(item) for item in targets}}).encode()


def failed_targets(said: str) -> tuple[str, ...]:
    """Return the targets that a bake names as failed; the first failure cancels all others."""
    return tuple(dict.fromkeys(_FAILED.findall(said)))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a build.

    Attributes:
        name: What it does, with the target and stage in brackets.
        is_cached: Its result was there.
        error: Why it failed; empty where it did not.
    """

    name: str
    is_cached: bool
    error: str


def steps(said: str) -> tuple[Step, ...]:
    """Return the steps of a bake's progress, in the order in which they began."""
    return tuple(step for part in _BEGIN.split(said) for step in _steps_of_part(part))


def _steps_of_part(said: str) -> Iterable[Step]:
    names: dict[str, str] = {}
    cached = set()
    errors: dict[str, str] = {}
    for number, words in _STEP.findall(said):
        names.setdefault(number, words)
        if words == "CACHED":
            cached.add(number)
        elif words.startswith("ERROR: "):
            errors[number] = words.removeprefix("ERROR: ")
    for number, name in names.items():
        yield Step(name, number in cached, errors.get(number, ""))


@dataclass(frozen=True, slots=True)
class CacheFaults:
    """What a registry's cache did not do, in its own words; empty where it did."""

    reading: str = ""
    writing: str = ""


def cache_faults(said: str) -> CacheFaults:
    """Return the first fault of each kind; a reference that is not there yet is none."""
    reading, writing = (
        [step.error for step in steps(said) if words in step.name and step.error]
        for words in _CACHE
    )
    reading = [error for error in reading if not error.endswith(_EMPTY)]
    return CacheFaults(next(iter(reading), ""), next(iter(writing), ""))


def repeated(said: str) -> tuple[str, ...]:
    """Return what is repeated of failed steps at the end of a bake, and what follows.

    Caches that were not there are repeated as well, and left out here: they fail nothing.
    """
    lines = said.splitlines()
    if _RULE not in lines:
        return ()
    found: list[str] = []
    block: list[str] = []
    is_inside = False
    for line in lines[lines.index(_RULE) :]:
        if line != _RULE:
            (block if is_inside else found).append(line)
            continue
        if is_inside and not any(words in block[0] for words in _CACHE):
            found += [_RULE, *block, _RULE]
        block, is_inside = [], not is_inside
    return tuple(found)


def _target(target: Target) -> dict[str, Any]:
    rewritten = "" if target.is_timeless else "rewrite-timestamp=true,"
    output = "type=cacheonly" if target.output is None else (
        f"type=oci,dest={target.output},tar=false,{rewritten}oci-mediatypes=true"
    )  # fmt: skip
    # Nothing fails because a cache cannot be written; the layers of all stages are kept.
    kept = (
        f"type=registry,ref={target.cache_to},mode=max,image-manifest=true,oci-mediatypes=true,"
        "ignore-error=true"
    )
    return {
        "context": str(target.context),
        "dockerfile": str(target.dockerfile),
        "target": target.stage,
        "contexts": dict(target.contexts),
        "args": dict(target.args),
        "secret": [f"id={name},src={path}" for name, path in sorted(target.secrets.items())],
        "output": [output],
        "cache-from": [f"type=registry,ref={reference}" for reference in target.cache_from],
        "cache-to": [kept] if target.cache_to else [],
    }
