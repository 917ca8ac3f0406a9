"""Where images come from: the commit, and the statements that are made about it.

Formats: in-toto statements with SLSA provenance v1, the in-toto test result v0.1, and a statement
of our own that a new commit has the same image.
"""

from __future__ import annotations

import datetime
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from monoyard import __version__
from monoyard.changes import Branches, Event
from monoyard.plan import Manifest
from monoyard.tools import git, git_refs
from monoyard.workspace import Repository, Tree

PROVENANCE: Final = "https://slsa.dev/provenance/v1"
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
REUSE: Final = "https://monoyard.dev/attestations/reuse/v1"
SBOM: Final = "spdxjson"
FINDINGS: Final = "vuln"

_BUILD_TYPE: Final = "https://monoyard.dev/build-types/image/v1"
_BUILDERS: Final = "https://monoyard.dev/builders"
_INPUTS: Final = "inputs: "
_UNMERGED: Final = ("pull-request", "merge-queue")
_SUBMODULE: Final = "160000"
_HEXADECIMAL: Final = re.compile(r"^[0-9a-f]{64}$")
_REMOTE: Final = re.compile(
    r"^(?:[a-z+]+://)?(?:[^@/]*@)?(?P<host>[^/:]+)(?::\d+)?[:/]+(?P<path>.+)$"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What an image is made from.

    Attributes:
        source: Address of the repository.
        commit: HEAD.
        is_clean: Nothing differs from HEAD, so that the commit tells the whole.
        branch: Name of the branch, or empty where none is known.
        is_default_branch: It is the default branch.
        tags: git tags of the commit.
        builder: Who builds, as provenance names it.
    """

    source: str
    commit: str
    is_clean: bool
    branch: str
    tags: tuple[str, ...]
    builder: str
    is_default_branch: bool = False


def find_origin(
    repository: Repository,
    environment: Mapping[str, str],
    branches: Branches,
    source: str,
    *,
    tree: Tree,
    event: Event,
    identity: str,
) -> Origin:
    """Ask git and the environment what is built here, and by whom.

    Args:
        repository: The git repository.
        environment: Tells the builder in CI.
        branches: What is built, and which branch is the default.
        source: Address from the settings, or empty.
        tree: What keys are made from. It is clean if it is that of the commit; git alone knows
            neither what it was told to take for unchanged, nor what was checked out meanwhile.
        event: What the run is about. What is not merged yet is not of the default branch, whatever
            its own branch is called elsewhere.
        identity: Identity of a keyless signature, which then is the builder; empty with a key.

    Raises:
        RepositoryError: There is no commit.
    """
    head, status = repository.demand_at_once([git_refs.resolve("HEAD"), git.status()])
    differing = git.parse_status(status)
    tags = (repository.ask(git_refs.tags_at_head()) or b"").decode("utf-8", "replace").split()
    remote = (repository.ask(git_refs.remote_address("origin")) or b"").decode("utf-8", "replace")
    where = "ci" if environment.get("CI") else "laptop"
    commit = head.decode().strip()
    is_default = bool(branches.own) and branches.own == branches.default
    is_unmerged = is_default and event.kind in _UNMERGED
    return Origin(
        source=source or public_address(remote.strip()) or _first_commit(repository),
        commit=commit,
        is_clean=not differing.changed
        and not differing.untracked
        and _is_tree_of(commit, tree, repository),
        branch="" if is_unmerged else branches.own,
        tags=tuple(tags),
        builder=identity or f"{_BUILDERS}/{where}/slsa-build-1",
        is_default_branch=is_default and not is_unmerged,
    )


def _is_tree_of(commit: str, tree: Tree, repository: Repository) -> bool:
    """Say whether what was read is what a commit has; of altered line ends git's word counts."""
    listed = git.parse_tree(repository.demand(git.list_tree(commit)))
    there = {path: f"{mode} {oid}" for path, (mode, oid) in listed.items() if mode != _SUBMODULE}
    here = {path: entry for path, entry in tree.entries.items() if not entry.startswith(_SUBMODULE)}
    return there.keys() == here.keys() and all(
        here[path] == entry for path, entry in there.items() if path not in tree.altered
    )


def public_address(remote: str) -> str:
    """Return the address of a remote without credentials; nothing for one on this machine."""
    match = _REMOTE.match(remote)
    if match is None or remote.startswith(("/", ".", "file:")):
        return ""
    return f"https://{match['host']}/{posixpath.normpath(match['path']).removesuffix('.git')}"


def _first_commit(repository: Repository) -> str:
    """Return what names a repository without an address: the commit that it began with."""
    found = repository.demand(git_refs.first_commits()).decode().split()
    return f"urn:git:{min(found)}"


def provenance(
    origin: Origin, image: str, manifest: Manifest, base: str, built_at: float
) -> dict[str, Any]:
    """Return the SLSA provenance of an image: level 1, for the builder writes it itself.

    Args:
        origin: Where it comes from.
        image: Its name, which is that of its package.
        manifest: Key and parts: the digests of all that it was made from.
        base: Its base image, by digest where it is an upstream one, else by name.
        built_at: Unix seconds at which it was ready.
    """
    materials = [
        {"name": f"{_INPUTS}{part}", "digest": {"sha256": digest}}
        for part, digest in manifest.parts.items()
        if _HEXADECIMAL.match(digest)
    ]
    commits = [{"uri": f"git+{origin.source}", "digest": {"gitCommit": origin.commit}}]
    ready = datetime.datetime.fromtimestamp(built_at, datetime.UTC).isoformat(timespec="seconds")
    return {
        "buildDefinition": {
            "buildType": _BUILD_TYPE,
            "externalParameters": {"source": origin.source, "image": image, "key": manifest.key},
            "internalParameters": {"base": base, "hasUncommittedChanges": not origin.is_clean},
            "resolvedDependencies": [*(commits if origin.is_clean else ()), *materials],
        },
        "runDetails": {
            "builder": {"id": origin.builder, "version": {"monoyard": __version__}},
            "metadata": {"finishedOn": ready},
        },
    }


def reuse(origin: Origin, image: str, key: str) -> dict[str, Any]:
    """Return the statement that a commit has the same image as an earlier one."""
    return {"source": origin.source, "image": image, "key": key, "commit": origin.commit}


def passed_tests(keys: Mapping[str, str]) -> dict[str, Any]:
    """Return the test result of tasks that passed, each under its key."""
    return {
        "result": "PASSED",
        "configuration": [
            {"name": task, "digest": {"sha256": key}} for task, key in sorted(keys.items())
        ],
        "passedTests": sorted(keys),
    }


@dataclass(frozen=True, slots=True)
class Claim:
    """What a provenance says.

    Attributes:
        source: Address of the repository.
        image: Name of the image.
        key: Its key.
        commit: Commit it was built from, or empty.
        builder: Who built it.
        parts: The digests behind the key, by the name of the part.
    """

    source: str
    image: str
    key: str
    commit: str
    builder: str
    parts: Mapping[str, str] = field(default_factory=dict)


def read_provenance(statement: Mapping[str, Any]) -> Claim:
    """Return what the predicate of a statement claims; what is missing or odd becomes empty."""
    definition = _at(statement, "predicate", "buildDefinition")
    said = _at(definition, "externalParameters")
    return Claim(
        source=str(said.get("source", "")),
        image=str(said.get("image", "")),
        key=str(said.get("key", "")),
        commit=_commit(definition.get("resolvedDependencies")),
        builder=str(_at(statement, "predicate", "runDetails", "builder").get("id", "")),
        parts=_parts(definition.get("resolvedDependencies")),
    )


def read_reuse(statement: Mapping[str, Any]) -> Claim:
    """Return what a statement of reuse claims, the builder left out."""
    said = _at(statement, "predicate")
    names = ("source", "image", "key", "commit")
    source, image, key, commit = (str(said.get(name, "")) for name in names)
    return Claim(source, image, key, commit, builder="")


def _commit(dependencies: object) -> str:
    if isinstance(dependencies, Iterable):
        for item in dependencies:
            if isinstance(item, dict) and (commit := _at(item, "digest").get("gitCommit")):
                return str(commit)
    return ""


def _parts(dependencies: object) -> dict[str, str]:
    found = {}
    for item in dependencies if isinstance(dependencies, list) else ():
        name = str(item.get("name", "")) if isinstance(item, dict) else ""
        if name.startswith(_INPUTS):
            found[name.removeprefix(_INPUTS)] = str(_at(item, "digest").get("sha256", ""))
    return found


def _at(data: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    found: Any = data
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
