"""What a deployment takes from this repository: charts, images and history of one commit."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.engine import Engine
from monoyard.bindings.supplying import Supplying
from monoyard.config import IMAGE_SUITE, DeliverySettings
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.config.environments import read_environments
from monoyard.errors import RepositoryError, UsageError
from monoyard.images import ImageWork
from monoyard.supply import Expected, Ruling, content_tag
from monoyard.tools import git, git_refs
from monoyard.workspace import Repository

_FILE: Final = "environment.toml"
_LINK: Final = "120000"
_EXECUTABLE: Final = "100755"
# What alembic itself knows a revision by.
_REVISION: Final = re.compile(rb"^revision\b[^=\n]*=", re.MULTILINE)
_PARENT: Final = re.compile(rb"^down_revision\b[^=\n]*=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CommitTree:
    """The delivery files of one commit, laid out in a directory of their own.

    Attributes:
        top: The directory; paths in it are those from the repository's root.
        environment: The environment, as its file says at that commit.
    """

    top: Path
    environment: EnvironmentSettings


@contextmanager
def laid_out(
    repository: Repository, settings: DeliverySettings, commit: str, name: str
) -> Iterator[CommitTree]:
    """Lay out charts, values and environments as they are at a commit.

    The work tree counts for nothing: what is deployed can be deployed again from the commit alone.

    Args:
        repository: The repository.
        settings: Where charts, values and environments are.
        commit: The commit.
        name: Name of the environment.

    Raises:
        ConfigurationError: The environment's file has faults at that commit.
        UsageError: The commit does not have the environment.
    """
    tree = git.parse_tree(repository.demand(git.list_tree(commit)))
    path = f"{settings.environments}/{name}/{_FILE}"
    if path not in tree:
        raise UsageError(
            f"commit {commit[:12]} has no {path}",
            hint="what is deployed comes from the commit: commit it, or name another one",
        )
    said = repository.read_objects([tree[path][1]])[tree[path][1]] or b""
    environment = read_environments({name: (path, said)}).named(name)
    places = {settings.chart, settings.services, settings.environments, settings.schemas}
    if settings.environment_chart:
        places.add(settings.environment_chart)
    for service in environment.services.values():
        places |= {*([service.chart] if service.chart else ()), *(service.values or ())}
    wanted = {file: entry for file, entry in tree.items() if _is_below(file, places)}
    with tempfile.TemporaryDirectory(prefix="monoyard-deploy-") as directory:
        _write(repository, wanted, Path(directory))
        yield CommitTree(Path(directory), environment)


def _is_below(path: str, places: Iterable[str]) -> bool:
    return any(PurePosixPath(path).is_relative_to(place) for place in places)


def _write(repository: Repository, files: Mapping[str, tuple[str, str]], top: Path) -> None:
    contents = repository.read_objects([oid for _, oid in files.values()])
    for path, (mode, oid) in files.items():
        data = contents[oid]
        if data is None:
            raise RepositoryError(f"{path} is not in this clone", hint="fetch it whole")
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        if mode == _LINK:
            (top / path).symlink_to(data.decode("utf-8", "surrogateescape"))
            continue
        (top / path).write_bytes(data)
        if mode == _EXECUTABLE:
            (top / path).chmod(0o755)


def find_commit(repository: Repository, named: str) -> str:
    """Return the whole id of a commit; HEAD where none is named.

    Raises:
        UsageError: There is none of that name.
    """
    found = repository.ask(git_refs.resolve(named or "HEAD"))
    if found is None:
        raise UsageError(f"there is no commit `{named or 'HEAD'}`", code="unknown-commit")
    return found.decode().strip()


class PublishedImages:
    """The images of the registry, as one environment sees them.

    An image is found by its commit. Only what the last environment trusts gets such a tag, so that
    at a desk, for the commit that is checked out and nothing else, it is found by its key as well:
    that is the same content, by the word of whoever this environment trusts.

    Args:
        supply: Registry and policy.
        policy: Name of the environment in the policy file.
        keys: Returns the keys of the images of the work tree, by service.
    """

    def __init__(
        self, supply: Supplying, policy: str, keys: Callable[[], Mapping[str, str]]
    ) -> None:
        self._supply = supply
        self._policy = policy
        self._read_keys = keys

    @cached_property
    def _keys(self) -> Mapping[str, str]:
        return self._read_keys()

    def repository(self, service: str) -> str:
        """Return what stands in front of the digest in a service's references."""
        return self._supply.registry.repository(service)

    def digest(self, service: str, commit: str) -> str | None:
        """Return the image of a commit; None where none was published."""
        registry = self._supply.registry
        key = self._key(service, commit)
        by_commit = registry.digest(service, commit)
        return by_commit or (registry.digest(service, content_tag(key)) if key else None)

    def examine(self, service: str, digest: str, commit: str) -> Ruling:
        """Return what the environment says of an image."""
        supply = self._supply
        by_commit = supply.registry.digest(service, commit) == digest
        key = "" if by_commit else self._key(service, commit)
        wanted = Expected(service, supply.origin.source, key, "" if key else commit)
        reference = supply.registry.reference(service, digest)
        return supply.admission.examine(reference, wanted, self._policy)

    def _key(self, service: str, commit: str) -> str:
        origin = self._supply.origin
        is_here = origin.is_clean and origin.commit == commit
        return self._keys.get(service, "") if is_here else ""


def image_keys(engine: Engine) -> dict[str, str]:
    """Return the keys of the images of the work tree, by package."""
    plan = engine.plan(engine.selection(parse_arguments([]), (IMAGE_SUITE,)), has_engine=True)
    return {
        planned.task.package: planned.manifest.key
        for planned in plan.selected
        if isinstance(planned.task.work, ImageWork) and planned.manifest is not None
    }


@dataclass(frozen=True, slots=True)
class KnownCommits:
    """What this clone knows of commits.

    Attributes:
        repository: The clone.
        directories: Service to the directory of its package.
    """

    repository: Repository
    directories: Mapping[str, str]

    def is_older(self, commit: str, than: str) -> bool | None:
        """Say whether a commit is an ancestor of another one; None where one is not known here."""
        for name in (commit, than):
            if self.repository.ask(git_refs.resolve(name)) is None:
                return None
        if commit == than:
            return False
        base = self.repository.ask(git_refs.merge_base(commit, [than]))
        return base is not None and base.decode().strip() == commit

    def new_migrations(self, service: str, since: str, commit: str) -> Iterable[str]:
        """Return the files with alembic revisions that are new or another since a commit."""
        directory = self.directories.get(service)
        if directory is None:
            return ()
        before = self._tree(since) if since else {}
        now = self._tree(commit)
        changed = {
            path: oid
            for path, (_, oid) in now.items()
            if path.endswith(".py")
            and PurePosixPath(path).is_relative_to(directory)
            and before.get(path, ("", ""))[1] != oid
        }
        contents = self.repository.read_objects(list(changed.values()))
        return [
            PurePosixPath(path).stem
            for path, oid in changed.items()
            if _REVISION.search(contents[oid] or b"") and _PARENT.search(contents[oid] or b"")
        ]

    def _tree(self, commit: str) -> dict[str, tuple[str, str]]:
        said = self.repository.ask(git.list_tree(commit))
        return {} if said is None else git.parse_tree(said)
