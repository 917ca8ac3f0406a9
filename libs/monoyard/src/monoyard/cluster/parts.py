"""What the cluster's own images are made of, and how they get into the registry.

Every image is one static program FROM scratch, or a few Debian packages. Its name holds the
content it was made of, so it is made once, and pushed again only to a registry that lacks it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from monoyard.cluster.place import Place
from monoyard.cluster.scratch import Contents, write_layout
from monoyard.errors import ConfigurationError, ToolError
from monoyard.images import Base, DebianLock, resolve, root_of
from monoyard.install import Tools, exclusive
from monoyard.process import Command, capture, clean, kill_running
from monoyard.tools import crane

_Made = TypeVar("_Made")

KUBERNETES_VERSION: Final = "v1.34.4"
ETCD_TAG: Final = "v3.6.16"
HOST_PROGRAMS: Final = ("crane", "kubeadm", "kubectl", "kubelet", "kube-proxy", "registry")

_FORM: Final = "2"  # counted up when equal parts make another image
_AT_ONCE: Final = 2
_LOCK_HEADER: Final = (
    "# What the cluster's images are made of besides its own programs: name, version,\n"
    "# architecture and SHA-256 of every Debian package. `invoke cluster.up` adds missing ones.\n"
)
_NOBODY: Final = 65532
_USER: Final = 10001  # `app`, which the roots of Debian packages have
_RELEASE: Final = "bookworm"


@dataclass(frozen=True, slots=True)
class Part:
    """One image of the cluster.

    Attributes:
        name: Of the image.
        program: Tool that is its only file, at `/NAME`; empty: it is made of packages.
        packages: Debian packages.
        entrypoint: Program and arguments where it is made of packages.
        tag: Fixed by kubeadm; empty: the digest of what it is made of.
        user: Number of the user it runs as.
        with_postgres: The wheel's PostgreSQL is laid over the packages.
    """

    name: str
    program: str = ""
    packages: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    tag: str = ""
    user: int = 0
    with_postgres: bool = False


PARTS: Final = (
    Part(
        "pause", packages=("busybox-static",), entrypoint=("/bin/busybox", "sleep", "infinity"),
        user=_NOBODY,
    ),
    Part("etcd", "etcd", tag=ETCD_TAG),
    Part("kube-apiserver", "kube-apiserver", tag=KUBERNETES_VERSION),
    Part("kube-controller-manager", "kube-controller-manager", tag=KUBERNETES_VERSION),
    Part("kube-scheduler", "kube-scheduler", tag=KUBERNETES_VERSION),
    Part("coredns", "coredns"),
    Part("traefik", "traefik", user=_NOBODY),
    Part("argo-rollouts", "argo-rollouts", user=_NOBODY),
    Part("metrics-server", "metrics-server", user=_NOBODY),
    Part("versitygw", "versitygw", user=_NOBODY),
    Part("prometheus", "prometheus", user=_NOBODY),
    Part(
        "mail", packages=("python3-aiosmtpd", "python3-minimal"), entrypoint=("/usr/bin/python3",),
        user=_NOBODY,
    ),
    Part(
        "postgres", packages=("coreutils", "dash", "libc6", "tzdata", "zlib1g"),
        entrypoint=("/usr/local/pgsql/bin/postgres",), user=_USER, with_postgres=True,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Workshop:
    """Makes the parts.

    Attributes:
        tools: Builds the programs.
        kept: Directory that all checkouts share.
        lock: File that names the Debian packages; written when it is not there.
        announce: Says what is being made.
    """

    tools: Tools
    kept: Path
    lock: Path
    announce: Callable[[str], None]

    def programs(self) -> Mapping[str, Path]:
        """Return every program the cluster needs, built now where one is missing.

        Raises:
            MachineError: One cannot be had.
        """
        names = dict.fromkeys((*HOST_PROGRAMS, *(part.program for part in PARTS if part.program)))
        return self._together(tuple(names), self.tools.ensure)

    def images(self, place: Place, programs: Mapping[str, Path]) -> Mapping[str, str]:
        """Make every image and push it; return the references by the names of the parts.

        Raises:
            MachineError: A package or a program cannot be had, or the registry refuses.
        """
        locked = self._locked()
        layouts = self._together(
            tuple(part.name for part in PARTS),
            lambda name: self._layout(_part(name), programs, locked.get(name, ())),
        )

        def push(name: str) -> str:
            tag = _part(name).tag or layouts[name].name.rpartition("-")[2]
            reference = place.image(f"{name}:{tag}")
            argv = crane.push(programs["crane"], layouts[name], reference)
            done = capture(Command((*argv, "--insecure"), Path("/"), clean(), timeout=600))
            if done.status != 0:
                raise ToolError(f"cannot push {reference}", context=done.last_lines)
            return reference

        return self._together(tuple(layouts), push)

    def _locked(self) -> Mapping[str, tuple[str, ...]]:
        """Return the Debian packages of every part that is made of some, locked now if need be."""
        data = self.lock.read_bytes() if self.lock.is_file() else None
        known = dict(DebianLock.parse(data, str(self.lock)).bases)
        missing = [part for part in PARTS if part.packages and part.name not in known]
        for part in missing:
            self.announce(f"resolving the Debian packages of {part.name}")
            base = Base(part.name, part.packages, release=_RELEASE)
            known[part.name] = resolve(base, self.kept / "images" / "roots")
        if missing:
            self.lock.parent.mkdir(parents=True, exist_ok=True)
            body = DebianLock(known).text().partition("\n\n")[2]
            self.lock.write_text(f"{_LOCK_HEADER}\n{body}", encoding="utf-8")
        return known

    def _layout(self, part: Part, programs: Mapping[str, Path], locked: tuple[str, ...]) -> Path:
        postgres = self.tools.ensure("postgres").parent.parent if part.with_postgres else Path()
        made_of = (
            _FORM, repr(part), *locked, str(postgres),
            programs[part.program].parent.name if part.program else "",
        )  # fmt: skip
        digest = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:16]
        target = self.kept / "cluster" / "images" / f"{part.name}-{digest}"
        with exclusive(target.with_suffix(".lock")):
            if not (target / "index.json").is_file():
                self.announce(f"making the image of {part.name}")
                write_layout(self._contents(part, programs, locked, postgres), target)
        return target

    def _contents(
        self, part: Part, programs: Mapping[str, Path], locked: tuple[str, ...], postgres: Path
    ) -> Contents:
        if part.program:
            entry = f"/{part.name}"
            # Volumes are mounted over directories that the user may write to.
            return Contents(
                (entry,), {entry: programs[part.program]}, {"data": 0o755, "tmp": 0o1777},
                user=part.user, environment={"PATH": "/"},
            )  # fmt: skip
        base = Base(part.name, part.packages, locked, _RELEASE)
        try:
            root = root_of(base, self.kept / "images" / "roots") / "root.tar"
        except ConfigurationError as error:
            raise ConfigurationError(
                error.message,
                context=error.context,
                hint=f"remove {self.lock}: the next `invoke cluster.up` locks what there is now",
            ) from error
        return Contents(
            part.entrypoint, _postgres_files(postgres) if part.with_postgres else {},
            {"data": 0o755}, root, part.user,
            {"PATH": "/usr/local/pgsql/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip

    def _together(
        self, names: tuple[str, ...], make: Callable[[str], _Made]
    ) -> Mapping[str, _Made]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                return dict(zip(names, pool.map(make, names), strict=True))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                kill_running()  # what the other thread waits for
                raise


def _part(name: str) -> Part:
    return next(part for part in PARTS if part.name == name)


def _postgres_files(installed: Path) -> Mapping[str, Path]:
    """Return what the tests' PostgreSQL is made of, at its place in an image.

    Args:
        installed: Directory with `bin`, `lib` and `share`.

    The libraries lie where the programs' own search paths expect them: beside the wheel's package.
    """
    libraries = {path.name: path for path in installed.parent.parent.glob("*.libs")}
    inner = "/usr/local/pgsql"
    return {inner: installed, **{f"/usr/{name}": path for name, path in libraries.items()}}
