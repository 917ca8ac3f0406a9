"""What every cluster of ours has besides Kubernetes itself, declared as manifests."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.cluster.authority import Authority
from monoyard.cluster.client import Client
from monoyard.cluster.control import fill
from monoyard.cluster.place import DNS_ADDRESS, Place
from monoyard.errors import ToolError
from monoyard.tools.kubectl import Trouble

_HERE: Final = Path(__file__).parent / "manifests"
_SECONDS: Final = 240.0
_PAUSE: Final = 0.5  # seconds between two looks: nothing tells when it is so far
_WORD_EVERY: Final = 10.0
_NAMED: Final = 3
_ARGO_IMAGE: Final = re.compile(r"image: quay\.io/argoproj/argo-rollouts:\S+")
_VOLUMES: Final[Mapping[str, int]] = {"postgres": 10001, "object-store": 65532}


@dataclass(frozen=True, slots=True)
class Addons:
    """Applies the manifests, and waits until what they declare is ready.

    Attributes:
        place: The state directory.
        client: Asks the cluster.
        names: What the ingress answers to, besides names of localhost.
        announce: Says what is waited for.
    """

    place: Place
    client: Client
    names: tuple[str, ...]
    announce: Callable[[str], None]

    def apply(self, images: Mapping[str, str], programs: Mapping[str, Path]) -> None:
        """Make what is declared; what is there already stays as it is.

        Args:
            images: References by the names of the parts.
            programs: Their programs; some bring definitions along.

        Raises:
            ToolError: The API server refuses one.
        """
        for name, user in _VOLUMES.items():
            volume = self.place.directory / "volumes" / name
            volume.mkdir(parents=True, exist_ok=True)
            volume.chmod(0o700)
            os.chown(volume, user, user)
        authority = Authority(self.place, self.names)
        authority.ensure()
        for namespace, text in _shipped(programs, images, self._values(images, authority)):
            self.client.apply(text, namespace)

    def await_ready(self) -> None:
        """Wait until the node, every pod and every API service is ready.

        Raises:
            ToolError: Something was not ready in time; the context says what, and why.
        """
        deadline = time.monotonic() + _SECONDS
        next_word, told = time.monotonic() + _WORD_EVERY, ""
        troubles: tuple[Trouble, ...] = ()
        while time.monotonic() < deadline:
            troubles = self.client.troubles()
            if not troubles:
                return
            if time.monotonic() >= next_word and (words := _named(troubles)) != told:
                next_word, told = time.monotonic() + _WORD_EVERY, words
                self.announce(f"waiting for {words}")
            time.sleep(_PAUSE)
        raise ToolError(
            f"the cluster is not ready after {_SECONDS:.0f} s",
            code="cluster-not-ready",
            context=tuple(
                f"{item.name}: {item.reason}" for item in self.client.explained(troubles)
            ),
            hint="`invoke cluster.status` explains; `invoke cluster.up` goes on",
        )

    def _values(self, images: Mapping[str, str], authority: Authority) -> Mapping[str, str]:
        return {
            **{f"IMAGE:{name}": reference for name, reference in images.items()},
            "DIRECTORY": str(self.place.directory),
            "DNS_ADDRESS": DNS_ADDRESS,
            "POSTGRES_PASSWORD": self.password("postgres"),
            "S3_PASSWORD": self.password("object-store"),
            "TLS_CERTIFICATE": authority.secret("tls.crt"),
            "TLS_KEY": authority.secret("tls.key"),
        }

    def password(self, name: str) -> str:
        """Return a password, made when it is first asked for and kept as long as the cluster."""
        path = self.place.directory / "secrets" / name
        if not path.is_file():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        return path.read_text("utf-8")


def _shipped(
    programs: Mapping[str, Path], images: Mapping[str, str], values: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield (namespace, manifests): definitions before what uses them."""
    traefik = programs["traefik"].with_name("kubernetes-crd-definition-v1.yml")
    argo = programs["argo-rollouts"].with_name("install.yaml").read_text("utf-8")
    yield "", (_HERE / "00-platform.yaml").read_text("utf-8")
    yield "", traefik.read_text("utf-8")
    for path in sorted(_HERE.glob("*.yaml")):
        yield "", filled(path, values)
    argo = _ARGO_IMAGE.sub(f"image: {images['argo-rollouts']}", argo)
    yield "argo-rollouts", argo.replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent")


def _named(troubles: Sequence[Trouble]) -> str:
    names = ", ".join(trouble.name for trouble in troubles[:_NAMED])
    return names + (f" and {len(troubles) - _NAMED} more" if len(troubles) > _NAMED else "")


def filled(path: Path, values: Mapping[str, str]) -> str:
    """Return a shipped manifest with every name replaced.

    `CONTENT` stands for the file's own digest: a pod that carries it is made anew when the settings
    beside it in the file change.
    """
    text = path.read_text("utf-8")
    content = hashlib.sha256(text.encode()).hexdigest()[:16]
    return fill(text, {**values, "CONTENT": content})
