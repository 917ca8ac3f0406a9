"""The table of external tools as data: what each is for, where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Tool:
    """One external tool.

    Attributes:
        name: What the suites ask for.
        purpose: One line for `invoke tools.list`.
        found: How it is found, in words.
        pins: File of hash-locked requirements under `install/pins`, or empty.
        program: Path of the program inside the venv.
        is_go: It is built from the pinned modules below `install/pins/go`.
        pin: Name of its pin, where one builds several programs.
        files: Files of its module that are kept beside it, such as manifests.
        is_packed: It is put into an image of its own, so it is not taken from PATH: a program there
            may need libraries, and has no such files beside it.
        stamp: Go variable that holds the version, or several assignments; the build fills it in.
        minimum: It is taken from PATH, in this version or a newer one.
        hint: How to install what is taken from PATH.
        group: What it is for: `checks`, `images` or `cluster`.
        version: Arguments that print its version.
    """

    name: str
    purpose: str
    found: str
    pins: str = ""
    program: str = ""
    is_go: bool = False
    pin: str = ""
    files: tuple[str, ...] = ()
    is_packed: bool = False
    stamp: str = ""
    minimum: tuple[int, ...] = ()
    hint: str = ""
    group: str = "checks"
    version: tuple[str, ...] = ("--version",)


_LOCK_OR_PIN: Final = "the workspace's lock, else the engine's pin"
_PIN: Final = "the engine's pin"
_GO_PIN: Final = "PATH in the pinned version, else the engine's pin, built from Go modules"


def _image_tool(name: str, purpose: str, stamp: str, *version: str) -> Tool:
    return Tool(
        name, purpose, _GO_PIN, is_go=True, stamp=stamp, group="images",
        version=version or ("version",),
    )  # fmt: skip


def _cluster_tool(
    name: str,
    purpose: str,
    stamp: str = "",
    *version: str,
    pin: str = "",
    files: tuple[str, ...] = (),
    is_packed: bool = True,
) -> Tool:
    found = "the engine's pin, built from Go modules" if is_packed else _GO_PIN
    return Tool(
        name, purpose, found, is_go=True, pin=pin, files=files, is_packed=is_packed, stamp=stamp,
        group="cluster", version=version or ("--version",),
    )  # fmt: skip


_TRAEFIK_DOCS: Final = "docs/content/reference/dynamic-configuration"
_COMPONENT: Final = "k8s.io/component-base/version."
_KUBERNETES: Final = (
    f"{_COMPONENT}gitVersion={{version}} {_COMPONENT}gitMajor={{major}} "
    f"{_COMPONENT}gitMinor={{minor}}"
)


def _kubernetes(name: str, purpose: str, *version: str, is_packed: bool = False) -> Tool:
    return _cluster_tool(
        name, purpose, _KUBERNETES, *version, pin="kubernetes", is_packed=is_packed
    )


TABLE: Final = (
    Tool("uv", "makes venvs, builds wheels", "beside the engine"),
    Tool("ruff", "lint of Python", _LOCK_OR_PIN, "ruff.txt", "bin/ruff"),
    Tool("mypy", "types of Python", _LOCK_OR_PIN, "mypy.txt", "bin/mypy"),
    Tool(
        "coverage", "combined coverage", _PIN, "coverage.txt", "bin/python",
        version=("-m", "coverage", "--version"),
    ),
    Tool("pip-compile", "locks", _PIN, "pip-tools.txt", "bin/pip-compile"),
    Tool("actionlint", "lint of GitHub workflows", _GO_PIN, is_go=True, version=("-version",)),
    Tool("node", "TypeScript packages", _PIN, "node.txt", "node/node"),
    Tool("squawk", "judges the SQL of migrations", _PIN, "squawk.txt", "bin/squawk"),
    Tool(
        "postgres", "the database of integration tests",
        "the engine's pin, or MONOYARD_POSTGRES_URL", "postgres.txt", "postgres",
    ),
    Tool(
        "docker", "talks to the container engine", "PATH, 20.10 or newer", minimum=(20, 10),
        hint="Debian: apt-get install docker.io; elsewhere: docs.docker.com/engine/install",
        group="images",
    ),
    _image_tool("buildx", "builds images", "github.com/docker/buildx/version.Version"),
    _image_tool(
        "buildkitd", "executes the builds", "github.com/moby/buildkit/version.Version", "--version"
    ),
    _image_tool(
        "registry", "keeps images on this machine",
        "github.com/distribution/distribution/v3/version.version", "--version",
    ),
    _image_tool(
        "crane", "pushes and tags images",
        "github.com/google/go-containerregistry/cmd/crane/cmd.Version",
    ),
    _image_tool(
        "cosign", "signs, attests, verifies", "sigs.k8s.io/release-utils/version.gitVersion"
    ),
    _image_tool("syft", "lists what an image is made of", "main.version"),
    _image_tool(
        "osv-scanner", "finds known vulnerabilities",
        "github.com/google/osv-scanner/v2/internal/version.OSVVersion", "--version",
    ),
    Tool(
        "ast-grep", "refuses patterns of code", _PIN, "ast-grep.txt", "bin/ast-grep",
        group="images",
    ),
    Tool("hadolint", "lint of Dockerfiles", _PIN, "hadolint.txt", "bin/hadolint", group="images"),
    _image_tool(
        "gitleaks", "finds secrets", "github.com/zricethezav/gitleaks/v8/version.Version"
    ),
    Tool(
        "helm", "renders and installs charts", _GO_PIN, is_go=True,
        stamp="helm.sh/helm/v4/internal/version.version", version=("version",),
    ),
    Tool(
        "kubeconform", "holds manifests against schemas", _GO_PIN, is_go=True,
        stamp="main.version", version=("-v",),
    ),
    _kubernetes("kubeadm", "sets up a control plane", "version", "--output=short"),
    _kubernetes("kubectl", "asks a cluster", "version", "--client"),
    _kubernetes("kubelet", "runs the pods of a node"),
    _kubernetes("kube-apiserver", "the cluster's API", is_packed=True),
    _kubernetes("kube-controller-manager", "keeps what is declared", is_packed=True),
    _kubernetes("kube-scheduler", "gives pods their node", is_packed=True),
    _kubernetes("kube-proxy", "addresses of services"),
    _cluster_tool("etcd", "keeps the cluster's objects"),
    _cluster_tool("coredns", "names of services", "", "-version"),
    _cluster_tool(
        "traefik", "ingress and weights", "github.com/traefik/traefik/v3/pkg/version.Version",
        "version", files=(f"{_TRAEFIK_DOCS}/kubernetes-crd-definition-v1.yml",),
    ),
    _cluster_tool(
        "argo-rollouts", "rollouts step by step",
        "github.com/argoproj/argo-rollouts/utils/version.version", "version",
        files=("manifests/install.yaml",),
    ),
    _cluster_tool(
        "prometheus", "keeps measurements", "github.com/prometheus/common/version.Version"
    ),
    _cluster_tool("metrics-server", "what pods use", f"{_COMPONENT}gitVersion"),
    _cluster_tool("versitygw", "object store with an S3 API", "main.Version"),
)  # fmt: skip
GROUPS: Final = tuple(dict.fromkeys(tool.group for tool in TABLE))
