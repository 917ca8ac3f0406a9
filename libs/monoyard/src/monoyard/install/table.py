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
        stamp: Go variable that holds the version; the build fills it in.
        minimum: It is taken from PATH, in this version or a newer one.
        hint: How to install what is taken from PATH.
        group: What it is for: `checks` or `images`.
        version: Arguments that print its version.
    """

    name: str
    purpose: str
    found: str
    pins: str = ""
    program: str = ""
    is_go: bool = False
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
)  # fmt: skip
GROUPS: Final = tuple(dict.fromkeys(tool.group for tool in TABLE))
