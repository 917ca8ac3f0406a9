"""A registry on loopback, small images, and publishers with keys of their own."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import platform
import shutil
import socket
import subprocess
import time
import weakref
import zipfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from monoyard.config.policy import Policy, read_policy
from monoyard.images import Layout
from monoyard.plan import Manifest
from monoyard.supply import Built, Origin, Publisher, Registry, Signatures, Wanted
from monoyard.supply.origin import FINDINGS
from monoyard.supply.signing import Attestation
from monoyard.testing.layouts import write_layout

PROGRAMS = (
    "ast-grep", "cosign", "crane", "gitleaks", "hadolint", "osv-scanner", "registry", "ruff",
    "syft",
)  # fmt: skip
SOURCE = "https://git.example.org/shop"
COMMIT = "1" * 40
SEVERE = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
BAD = {
    "PyPI": ("GHSA-aaaa-aaaa-aaaa", "PyPI", "alembic", "2.0"),
    "npm": ("GHSA-nnnn-nnnn-nnnn", "npm", "preact", "12.0.0"),
    "Debian": ("DSA-1-1", "Debian:12", "openssl", "3.0.30-1"),
}
_SETTINGS = """\
version: 0.1
storage:
  filesystem: {{rootdirectory: {place}}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
log: {{level: error}}
"""
_SECONDS = 30.0


def program(name: str) -> Path:
    """Return a program that the run put on PATH."""
    found = shutil.which(name)
    assert found, name
    return Path(found)


class LocalRegistry:
    """A real registry on a port of its own.

    Args:
        place: Directory of its data.
    """

    def __init__(self, place: Path) -> None:
        self.data = place / "data"
        self.data.mkdir(parents=True)
        self.port = self._take_port()
        self._settings = place / "settings.yml"
        text = _SETTINGS.format(place=self.data, port=self.port)
        self._settings.write_text(text, encoding="utf-8")
        self._log = place / "log"
        self._child: subprocess.Popen[bytes] | None = None
        self.start()

    def _take_port(self) -> int:
        """Return a port of the kernel's choice, which nobody else gets while this object lives.

        A socket stays bound to it and does not listen: Linux then lets a server listen there that
        asked for reuse, as those written in Go do, and gives the port to no other program, also
        while the server is stopped. Elsewhere it is given back, and the server takes it at once.
        """
        with socket.socket() as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(("127.0.0.1", 0))
            port = int(bound.getsockname()[1])
            if platform.system() == "Linux":
                weakref.finalize(self, os.close, bound.detach())
        return port

    @property
    def address(self) -> str:
        """What stands in front of the names of images."""
        return f"127.0.0.1:{self.port}/yard"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                (str(program("registry")), "serve", str(self._settings)),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as connection:
                if connection.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(self._log.read_text("utf-8"))

    def stop(self) -> None:
        """Stop it; its data stays."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def put(self, name: str, layout: Layout, tags: Iterable[str]) -> None:
        """Put an image under tags without a process for each step, for tests that need many."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        place = f"/v2/yard/{name}"

        def ask(method: str, path: str, data: bytes = b"", kind: str = "") -> str:
            headers = {"Content-Type": kind or "application/octet-stream"}
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status in {201, 202}, said
            return str(answer.headers["Location"])

        for item in (layout.manifest["config"], *layout.manifest["layers"]):
            upload = ask("POST", f"{place}/blobs/uploads/").partition(f":{self.port}")[2]
            data = layout.blob(item["digest"]).read_bytes()
            ask("PUT", f"{upload}&digest={item['digest']}", data)
        manifest = layout.blob(layout.digest).read_bytes()
        for tag in tags:
            ask("PUT", f"{place}/manifests/{tag}", manifest, layout.manifest["mediaType"])
        connection.close()

    def garbage_collect(self) -> None:
        """Stop it, remove the bytes that no manifest needs any more, and start it again."""
        self.stop()
        subprocess.run(
            (str(program("registry")), "garbage-collect", str(self._settings)),
            check=True, capture_output=True,
        )  # fmt: skip
        self.start()

    def forbid_deletion(self) -> None:
        """Start it again, so that it refuses to remove anything."""
        self.stop()
        text = self._settings.read_text("utf-8").replace("enabled: true", "enabled: false")
        self._settings.write_text(text, encoding="utf-8")
        self.start()

    def blob(self, digest: str) -> Path:
        """Return the file that the registry keeps a blob in."""
        name = digest.removeprefix("sha256:")
        place = self.data / "docker" / "registry" / "v2" / "blobs" / "sha256"
        return place / name[:2] / name / "data"


def key_of(word: str) -> str:
    """Return a key, the same for the same word."""
    return hashlib.sha256(word.encode()).hexdigest()


def wanted(word: str, name: str = "shop") -> Wanted:
    """Return an image to have, whose key follows from a word."""
    parts = {"own files": key_of(f"{word} files")}
    return Wanted(name, Manifest(key_of(word), parts, lambda _: ()), "python")


class Addressed(Protocol):
    """Something that stands in front of a registry."""

    @property
    def address(self) -> str:
        """What stands in front of the names of images."""


@dataclass(frozen=True)
class NumberedCommits:
    """A branch whose commits are numbers, each older than the next.

    Attributes:
        commit: The commit that wants its tags.
    """

    commit: str

    def reason_to_stay(self, commits: Collection[str]) -> str:
        """Return why a tag on an image of these commits stays."""
        return "it is newer" if not commits or max(commits) > self.commit else ""


class Desk:
    """Somebody who publishes, with a key of their own.

    Args:
        place: Directory for the key.
        registry: Where to.
    """

    def __init__(self, place: Path, registry: LocalRegistry) -> None:
        self.place = place
        self.registry = Registry(program("crane"), registry.address)
        self.signatures = Signatures(program("cosign"), place / "signing", place, "generated")
        place.mkdir()
        (place / "key.pub").write_bytes(self.signatures.public_key)

    def attached(self, image: str, digest: str) -> list[str]:
        """Return the digests of what is attached to an image, as the registry lists them."""
        reference = f"{self.registry.repository(image)}:{digest.replace(':', '-')}"
        said = subprocess.run(
            (str(self.registry.program), "manifest", reference), check=True, capture_output=True
        ).stdout
        return sorted(item["digest"] for item in json.loads(said)["manifests"])

    def sign_only(self, digest: str) -> None:
        """Sign an image of `shop` with the right key, and say nothing of its origin."""
        policy = self.policy(prod='trusts = ["own"]')
        reference = self.registry.reference("shop", digest)
        signer = self.signatures.signer(policy.signers["own"])
        self.signatures.attach(reference, (), signer)

    def attach_findings(self, digest: str, found: Mapping[str, Any]) -> None:
        """Sign what was found in an image of `shop`."""
        signer = self.signatures.signer(self.policy(prod='trusts = ["own"]').signers["own"])
        reference = self.registry.reference("shop", digest)
        self.signatures.attach(reference, (Attestation(FINDINGS, found),), signer)

    def policy(self, more: str = "", **environments: str) -> Policy:
        """Return a policy; each environment is told the rest of its table."""
        text = '[signers.own]\nkey = "key.pub"\n'
        text += '[signers.nobody]\nidentity = "nobody"\nissuer = "https://example.org"\n'
        if (self.place / "other.pub").is_file():
            text += '[signers.other]\nkey = "other.pub"\n'
        for name, table in environments.items():
            text += f"[environments.{name}]\n{table}\n"
        return read_policy((text + more).encode(), "policy.toml")

    def origin(self, **changes: object) -> Origin:
        """Return where its images come from, a clean commit on main unless told otherwise."""
        said: dict[str, object] = {
            "source": SOURCE, "commit": COMMIT, "is_clean": True, "branch": "main", "tags": (),
            "builder": "https://example.org/desk", **changes,
        }  # fmt: skip
        return Origin(**said)  # type: ignore[arg-type]  # a test may say anything

    def publisher(self, policy: Policy | None = None, **changes: object) -> Publisher:
        """Return a publisher."""
        policy = policy or self.policy(prod='trusts = ["own"]')
        origin = self.origin(**changes)
        line = NumberedCommits(origin.commit)
        return Publisher(self.registry, self.signatures, policy, origin, line)

    def through(self, proxy: Addressed) -> Publisher:
        """Return a publisher that goes through a proxy."""
        policy = self.policy(prod='trusts = ["own"]')
        registry = Registry(program("crane"), proxy.address)
        origin = self.origin()
        line = NumberedCommits(origin.commit)
        return Publisher(registry, self.signatures, policy, origin, line)

    def built(self, content: str, tests: Mapping[str, str] | None = None) -> Built:
        """Return what was built for an image: a layout with one file."""
        number = len(list(self.place.glob("layout-*")))
        layout = write_layout(self.place / f"layout-{number}", content)
        sbom = {"spdxVersion": "SPDX-2.3", "name": content, "packages": []}
        return Built(layout, 1_700_000_000.0, sbom, tests or {})

    def takes_key_of(self, other: Desk) -> None:
        """Sign with the key of another desk from now on, without sharing its locks."""
        shutil.rmtree(self.place / "signing")
        shutil.copytree(other.place / "signing", self.place / "signing")
        shutil.copy(other.place / "key.pub", self.place / "key.pub")
        self.signatures = Signatures(
            program("cosign"), self.place / "signing", self.place, "generated"
        )

    def trusts(self, other: Desk) -> None:
        """Let the signer `other` of policies be another desk."""
        shutil.copy(other.place / "key.pub", self.place / "other.pub")


def copy_tag(registry: Registry, image: str, source: str, target: str) -> None:
    """Set a tag behind everybody's back."""
    subprocess.run(
        (str(registry.program), "tag", f"{registry.repository(image)}@{source}", target),
        check=True, capture_output=True, env=dict(os.environ),
    )  # fmt: skip


def write_database(
    place: Path,
    *names: str,
    fixed: dict[str, str] | None = None,
    package: str = "",
    fixed_in: str = "",
) -> str:
    """Write a database of some ecosystems, each with one bad package; return its directory.

    Args:
        place: The directory.
        names: Ecosystems.
        fixed: The version that mends the package, where it is another one.
        package: The Debian package that is bad, instead of openssl.
        fixed_in: The version that mends that.
    """
    for name in names:
        identity, ecosystem, bad, version = BAD[name]
        version = (fixed or {}).get(name, version)
        if name == "Debian" and package:
            bad, version = package, fixed_in
        span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": version}]}
        record = {
            "schema_version": "1.6.0", "id": identity, "modified": "2026-11-01T00:00:00Z",
            "aliases": [f"CVE-2026-{len(bad)}"], "summary": f"{bad} is bad",
            "severity": [{"type": "CVSS_V3", "score": SEVERE}],
            "affected": [
                {"package": {"ecosystem": ecosystem, "name": bad}, "ranges": [span]}
            ],
        }  # fmt: skip
        target = place / "osv-scalibr" / name / "all.zip"
        target.parent.mkdir(parents=True)
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr(f"{identity}.json", json.dumps(record))
    return str(place)
