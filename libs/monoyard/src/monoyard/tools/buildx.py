"""docker buildx: one bake for many images. Tested with 0.37 and BuildKit 0.33."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_FAILED: Final = re.compile(r"^(?:ERROR: )?target ([\w.-]+): failed to", re.MULTILINE)

ENVIRONMENT: Final = {
    # The digest is that of the image alone: provenance is attached as a referrer, not in an index.
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    "BUILDX_METADATA_PROVENANCE": "disabled",
    # The definition is our own: it reads generated contexts and writes layouts where it says.
    "BUILDX_BAKE_ENTITLEMENTS_FS": "0",
}
"""Variables that every bake is called with."""


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
    """

    name: str
    context: Path
    dockerfile: Path
    stage: str
    contexts: Mapping[str, str]
    args: Mapping[str, str]
    secrets: Mapping[str, Path]
    output: Path | None = None


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


def _target(target: Target) -> dict[str, Any]:
    # `rewrite-timestamp` sets the times of all files to SOURCE_DATE_EPOCH.
    output = "type=cacheonly" if target.output is None else (
        f"type=oci,dest={target.output},tar=false,rewrite-timestamp=true,oci-mediatypes=true"
    )  # fmt: skip
    return {
        "context": str(target.context),
        "dockerfile": str(target.dockerfile),
        "target": target.stage,
        "contexts": dict(target.contexts),
        "args": dict(target.args),
        "secret": [f"id={name},src={path}" for name, path in sorted(target.secrets.items())],
        "output": [output],
    }
