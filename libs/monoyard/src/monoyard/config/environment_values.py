"""What an environment is: the values that its file is read into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LOCAL: Final = "local"
"""What stands for the cluster that `invoke cluster.up` made on this machine."""

LOCAL_STORE: Final = "http://object-store.platform.svc.cluster.local:7070"
"""Address of the object store of that cluster, for its pods."""
STORE_SECRET: Final = "backup-store"  # noqa: S105  the name of one
IDENTITY_SECRET: Final = "backup-identity"  # noqa: S105  likewise
ACCESS_KEY: Final = "access-key"
SECRET_KEY: Final = "secret-key"  # noqa: S105  likewise
IDENTITY_KEY: Final = "identity"

_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class ClusterPin:
    """The one cluster that an environment may be.

    Attributes:
        context: Name of the kubeconfig's context.
        uid: UID of its namespace `kube-system`, which no other cluster has; `local` stands for that
            of the cluster which `invoke cluster.up` made on this machine.
    """

    context: str = ""
    uid: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is the cluster that this machine made."""
        return self.uid == LOCAL


@dataclass(frozen=True, slots=True)
class Deployers:
    """Who may deploy: names that the API server knows."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """An object store with the S3 API, as the cluster's pods reach it.

    Attributes:
        endpoint: Its URL.
        bucket: Name of a bucket.
        secret: Name of the Secret with the keys `access-key` and `secret-key`.
        region: As the store calls it.
    """

    endpoint: str = ""
    bucket: str = ""
    secret: str = STORE_SECRET
    region: str = "us-east-1"


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """What happens to data before it is changed.

    Attributes:
        backup: `with-migrations`, `always` or `never`.
        prove: When a backup is restored to see that it can be: `when-losing` data, or `always`.
        recipients: Public age keys that backups are encrypted to.
        keep: How many backups stay.
        image: What has PostgreSQL's programs and ours need: name of an image of the workspace, or
            a reference by digest.
        variable: Of the services' pods, which holds the database's address.
        scheme: How that address begins, with the driver that the services want named.
        store: Where backups go; None where nobody says.
        identity: Name of the Secret with a private age key as `identity`.
    """

    backup: str = "with-migrations"
    prove: str = "when-losing"
    recipients: tuple[str, ...] = ()
    keep: int = 7
    image: str = ""
    variable: str = "DATABASE_URL"
    scheme: str = "postgresql"
    store: StoreSettings | None = None
    identity: str = IDENTITY_SECRET


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each step of a deployment may take, in seconds."""

    lock: float = 15 * _MINUTE
    backup: float = 15 * _MINUTE
    prove: float = 30 * _MINUTE
    migrate: float = 30 * _MINUTE
    helm: float = 2 * _MINUTE
    rollout: float = 20 * _MINUTE


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How one service is rendered in one environment.

    Attributes:
        chart: Directory from the root; None for the workspace's.
        values: Files of values from the root, the last one wins; None for the usual ones.
        smoke_image: Service of the release whose image its smoke test runs in; empty for its own.
        given: For a chart of its own: path among its values to the word that says what stands
            there; None for the names of the shared chart.
        exceptions: Rules of the policy that do not hold for it, each with a reason.
    """

    chart: str | None = None
    values: tuple[str, ...] | None = None
    smoke_image: str = ""
    given: Mapping[str, str] | None = None
    exceptions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """One environment.

    Attributes:
        name: That of its directory.
        order: Releases go through environments by this number.
        namespace: Where its objects are.
        policy: Name of the environment in the policy file that says which images it accepts.
        cluster: The cluster it is pinned to.
        confirm: A deployment goes on only with the hash of a plan that was reviewed; None: where
            it is the last of several environments.
        max_pause: Seconds that an inconclusive gate may hold a rollout.
        deployers: Who may deploy.
        data: What happens to data.
        timeouts: How long steps may take.
        services: By name.
        secrets: Name of a Secret to the keys that it has to hold.
    """

    name: str = ""
    order: int = 1
    namespace: str = ""
    policy: str = ""
    cluster: ClusterPin | None = None
    confirm: bool | None = None
    max_pause: float = 30 * _MINUTE
    deployers: Deployers = field(default_factory=Deployers)
    data: DataPolicy = field(default_factory=DataPolicy)
    timeouts: Timeouts = field(default_factory=Timeouts)
    services: Mapping[str, ServiceSettings] = field(default_factory=dict)
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
