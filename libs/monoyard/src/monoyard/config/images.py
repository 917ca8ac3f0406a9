"""The tables that say how images are made: one for the workspace, one for each package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from monoyard.config.kinds import (
    Kind,
    duration,
    flag,
    list_of,
    mapping_of,
    table,
    text,
    whole_number,
)

IMAGE_SUITE: Final = "image"


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """What a package says of its image; None means "not said", so that layers can be merged."""

    enabled: bool | None = None
    base: str | None = None
    build_base: str | None = None
    entrypoint: tuple[str, ...] | None = None
    include: tuple[str, ...] | None = None
    port: int | None = None
    health: str | None = None
    health_command: tuple[str, ...] | None = None
    environment: Mapping[str, str] | None = None

    def over(self, other: ImageSettings) -> ImageSettings:
        """Return the settings in which this layer's values win over `other`'s."""
        merged: dict[str, Any] = {
            item.name: mine if (mine := getattr(self, item.name)) is not None
            else getattr(other, item.name)
            for item in fields(self)
        }  # fmt: skip
        return ImageSettings(**merged)


@dataclass(frozen=True, slots=True)
class BaseSettings:
    """What a base image is made of: Debian packages, or an upstream image by digest."""

    packages: tuple[str, ...] = ()
    image: str | None = None


@dataclass(frozen=True, slots=True)
class ImagesSettings:
    """What the workspace says of its images."""

    debian: str = "bookworm"
    lock: str = "infra/images/debian.lock"
    registry: str = "127.0.0.1:5000"
    push_limit: float = 1800.0
    cache: str = ""
    key: str = "generated"
    source: str = ""
    policy: str = "infra/images/policy.toml"
    vulnerabilities: str = ""
    rules: str = "infra/images/rules/sgconfig.yml"
    bases: Mapping[str, BaseSettings] = field(default_factory=dict)


_IMAGE_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "enabled": (flag(), "false makes no image of this service."),
    "base": (text(), "Name of the base image in the workspace's `images.bases`."),
    "build-base": (
        text(),
        "Name of a base image that brings a C compiler and build backends: third-party "
        "distributions of the lock are built on it where there is no wheel. The image itself "
        "stays on `base`.",
    ),
    "entrypoint": (
        list_of(text()),
        "Program and arguments that start it (default: `python3 -m` and its first module).",
    ),
    "include": (
        list_of(text()),
        "Files put below `/srv` beside the installed packages, such as migrations; globs from "
        "the package's directory.",
    ),
    "port": (whole_number(), "Port it listens on (default: 8000); told to it as `PORT`."),
    "health": (text(), "Path that answers 200 when it lives (default: `/health/live`)."),
    "health-command": (
        list_of(text()),
        "Program and arguments that end with 0 when it lives, for what does not speak HTTP; they "
        "run in the container, instead of `health`.",
    ),
    "environment": (
        mapping_of(text()),
        "Variables it is started with when the image is tried; the image does not hold them. "
        "`{random}` becomes 32 random characters, `{ed25519-key}` a new private key in PEM.",
    ),
}  # fmt: skip

_BASE_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "packages": (
        list_of(text()), "Debian packages it is made of; their versions stand in the lock.",
    ),
    "image": (text(), "An upstream image by digest, `NAME@sha256:...`, instead of packages."),
}  # fmt: skip

_IMAGES_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "debian": (text(), "Release that Debian packages come from (default: `bookworm`)."),
    "lock": (
        text(),
        "Lock of the Debian packages (default: `infra/images/debian.lock`), written by "
        "`invoke images.refresh`.",
    ),
    "registry": (
        text(),
        "Registry that images are published in, with a prefix of their names if it wants one "
        "(default: `127.0.0.1:5000`). `MONOYARD_REGISTRY` overrides it.",
    ),
    "push-limit": (
        duration(), "Time after which the push of one image has failed (default: `30m`).",
    ),
    "cache": (
        text(),
        "Place in a registry, `HOST/NAME`, that keeps the layers of builds for other builders, "
        "under one tag per image and branch. CI writes its own branch's; everybody reads those "
        "of the own and of the default branch. `MONOYARD_IMAGE_CACHE` overrides it; `off` means "
        "none.",
    ),
    "key": (
        text(),
        "What images are signed with: a private key file of cosign, a KMS address such as "
        "`awskms:///alias/release`, `keyless`, or `generated` (default), a key of this machine. "
        "`MONOYARD_COSIGN_KEY` overrides it.",
    ),
    "source": (
        text(),
        "Address of the repository, as provenance names it (default: that of the remote `origin`).",
    ),
    "policy": (
        text(),
        "File that says which images each environment accepts (default: "
        "`infra/images/policy.toml`).",
    ),
    "vulnerabilities": (
        text(),
        "Database of known vulnerabilities: a directory from the root with "
        "`osv-scalibr/ECOSYSTEM/all.zip`, or `download` to fetch it from osv.dev. "
        "`MONOYARD_OSV_DATABASE` overrides it.",
    ),
    "rules": (
        text(),
        "Configuration of ast-grep with the repository's own security rules (default: "
        "`infra/images/rules/sgconfig.yml`); none where there is no such file.",
    ),
    "bases": (
        mapping_of(table(BaseSettings, _BASE_KINDS)),
        "Base images by name; Python services are built on `python` and pages on `page`, unless "
        "they say otherwise.",
    ),
}  # fmt: skip

IMAGE_TABLE: Final = table(ImageSettings, _IMAGE_KINDS)
IMAGES_TABLE: Final = table(ImagesSettings, _IMAGES_KINDS)
