"""Puts together what publishing and verifying need: registry, key, policy, origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from monoyard.bindings.engine import Engine
from monoyard.bindings.registry_place import registry_address
from monoyard.changes import find_branches
from monoyard.config.policy import Policy, read_policy
from monoyard.supply import (
    KEYLESS,
    Admission,
    Database,
    Origin,
    Registry,
    Remembered,
    Scanners,
    Signatures,
    find_origin,
    own_identity,
)


@dataclass(frozen=True, slots=True)
class Supplying:
    """Where images go, who signs them, and who has to believe that.

    Attributes:
        registry: The registry.
        signatures: Signs and verifies.
        policy: What each environment accepts.
        origin: The commit at hand.
        memory: What was accepted before.
        scanners: Look for what is known to be wrong.
        database: Returns the known vulnerabilities.
    """

    registry: Registry
    signatures: Signatures
    policy: Policy
    origin: Origin
    memory: Remembered
    scanners: Scanners
    database: Callable[[], Database]

    @property
    def admission(self) -> Admission:
        """What environments think of images."""
        return Admission(
            self.registry, self.signatures, self.policy, self.scanners, self.database, self.memory
        )

    @classmethod
    def of(cls, engine: Engine) -> Supplying:
        """Return what the settings and the environment say; tools are fetched where needed.

        Raises:
            ConfigurationError: The policy has faults.
            MachineError: A tool cannot be had.
            RepositoryError: There is no commit yet.
        """
        settings = engine.workspace.settings.images
        key = engine.environment.get("MONOYARD_COSIGN_KEY") or settings.key
        place, top = engine.kept / "signing", engine.repository.top
        identity = own_identity(engine.environment) if key == KEYLESS else ""
        branches = find_branches(
            engine.repository,
            engine.event,
            engine.environment,
            engine.workspace.settings.default_branch,
        )
        origin = find_origin(
            engine.repository, engine.environment, branches, settings.source,
            tree=engine.workspace.tree, event=engine.event, identity=identity,
        )  # fmt: skip
        policy = read_policy(engine.workspace.tree.read(settings.policy), settings.policy)
        cosign = engine.tools.ensure("cosign")
        registry = find_registry(engine)
        return cls(
            registry,
            Signatures(cosign, place, top, key),
            policy,
            origin,
            Remembered(registry, engine.store.memo),
            Scanners(top, engine.tools.ensure),
            partial(find_database, engine),
        )


def find_registry(engine: Engine) -> Registry:
    """Return the registry that the settings or the environment name.

    Raises:
        MachineError: crane cannot be had.
    """
    return Registry(
        engine.tools.ensure("crane"),
        registry_address(engine),
        engine.workspace.settings.images.push_limit,
        engine.announce,
    )


def vulnerabilities(engine: Engine) -> str:
    """Return what names the database of known vulnerabilities."""
    settings = engine.workspace.settings.images
    return engine.environment.get("MONOYARD_OSV_DATABASE") or settings.vulnerabilities


def find_database(engine: Engine) -> Database:
    """Return the known vulnerabilities.

    Raises:
        MachineError: There are none, so that nothing can be said.
    """
    kept = engine.kept / "vulnerabilities"
    return Database.find(vulnerabilities(engine), engine.repository.top, kept)
