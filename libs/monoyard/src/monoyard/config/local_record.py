"""Where the cluster of this machine says what it is: one room writes it, another one reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

LOCAL_RECORD: Final = "cluster.json"
"""Name of the file with the record, in the state directory."""

_VARIABLE: Final = "MONOYARD_CLUSTER_DIR"
_DIRECTORY: Final = "/var/lib/monoyard-cluster"


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """What environments that are pinned to `local` mean.

    Attributes:
        kubeconfig: Absolute path of the file that clients on this machine use.
        context: Context in it.
        uid: UID of its namespace kube-system.
        recipients: Namespace to the public age keys that its backups are encrypted to.
    """

    kubeconfig: str
    context: str
    uid: str
    recipients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes) -> LocalCluster:
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is no such record.
        """
        said = json.loads(data)
        try:
            keys = {name: tuple(keys) for name, keys in said.get("recipients", {}).items()}
            return cls(str(said["kubeconfig"]), str(said["context"]), str(said["uid"]), keys)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"it lacks {error}") from error

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self))


def cluster_directory(variables: Mapping[str, str]) -> Path:
    """Return the state directory of this machine's cluster: there is one, as its ports are."""
    return Path(variables.get(_VARIABLE) or _DIRECTORY).absolute()


def local_record(variables: Mapping[str, str]) -> Path:
    """Return the file with the record.

    `invoke cluster.up` writes it when all else is up, and `invoke cluster.down` removes it with the
    directory. Whoever reads it needs nothing else of the cluster's.
    """
    return cluster_directory(variables) / LOCAL_RECORD
