"""Puts together what publishing and verifying need: registry, key, policy, origin."""

from __future__ import annotations

from dataclasses import dataclass

from monoyard.bindings.engine import Engine
from monoyard.config import Policy, read_policy
from monoyard.supply import KEYLESS, Origin, Registry, Signatures, find_origin, own_identity


@dataclass(frozen=True, slots=True)
class Supplying:
    """Where images go, who signs them, and who has to believe that.

    Attributes:
        registry: The registry.
        signatures: Signs and verifies.
        policy: What each environment accepts.
        origin: The commit at hand.
    """

    registry: Registry
    signatures: Signatures
    policy: Policy
    origin: Origin

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
        origin = find_origin(
            engine.repository, engine.environment, settings.source, identity=identity
        )
        policy = read_policy(engine.workspace.tree.read(settings.policy), settings.policy)
        cosign = engine.tools.ensure("cosign")
        return cls(
            find_registry(engine),
            Signatures(cosign, place, top, key),
            policy,
            origin,
        )


def find_registry(engine: Engine) -> Registry:
    """Return the registry that the settings or the environment name.

    Raises:
        MachineError: crane cannot be had.
    """
    named = engine.environment.get("MONOYARD_REGISTRY")
    address = named or engine.workspace.settings.images.registry
    return Registry(engine.tools.ensure("crane"), address)
