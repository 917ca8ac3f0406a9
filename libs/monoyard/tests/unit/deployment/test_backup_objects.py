"""What backups and proofs need in the cluster, and what they are not given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monoyard.config.environment_values import StoreSettings
from monoyard.deployment.backing_up import backup_objects, saving
from monoyard.deployment.backups import Backup
from monoyard.deployment.job_pods import JobObjects
from monoyard.deployment.jobs import BACKUP, PROVE, Wanted
from monoyard.deployment.migration_objects import Revisions, migration_objects
from monoyard.deployment.proving import proof_objects
from monoyard.deployment.trials import Trial
from monoyard.errors import DeliveryError

IMAGE, TOOLS = "registry.example/api@sha256:11", "registry.example/tools@sha256:22"
KEY = "prod/api/7-20261122T101112Z"
OF = Backup(
    "it is migrated", TOOLS, "postgres", StoreSettings("https://s3.example", "shop"),
    ("age1inside", "age1outside"), 7, "APP_DB", "postgresql+asyncpg", "backup-identity",
    "r-one loses orders",
)  # fmt: skip
GUARDED = Revisions(("r-one",), {}, {"r-one": ["orders", "users.note"]})


def _secret(name: str, key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": name, "key": key}}


def _rendered(**changes: Any) -> list[dict[str, Any]]:
    """Return what the chart of a team may come to whose pods run as a user of their own."""
    container = {
        "name": "main", "image": IMAGE,
        "env": [
            {"name": "HOST", "value": "db.example"},
            {"name": "TOKEN", "valueFrom": _secret("token", "token")},
            {"name": "APP_DB", "valueFrom": _secret("db", "url")},
        ],
        "volumeMounts": [{"name": "tls", "mountPath": "/etc/tls"}],
        **changes,
    }  # fmt: skip
    pod = {
        "serviceAccountName": "api",
        "securityContext": {"runAsNonRoot": True, "runAsUser": 999, "fsGroup": 999},
        "imagePullSecrets": [{"name": "registry"}],
        "containers": [container],
        "volumes": [{"name": "tls", "secret": {"secretName": "tls"}}],
    }
    labels = {"app": "api"}
    spec = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}  # fmt: skip
    template = {"metadata": {"labels": labels}, "spec": pod}
    return [
        {"kind": "NetworkPolicy", "metadata": {"name": "api"}, "spec": spec},
        {"kind": "Deployment", "metadata": {"name": "api"}, "spec": {
            "selector": {"matchLabels": labels}, "template": template}},
    ]  # fmt: skip


def _backup(**changes: Any) -> JobObjects:
    wanted = Wanted("prod", "api", 7, IMAGE, 90, BACKUP)
    words = saving(OF, KEY, ["prod/api/6-x"], {"service": "api"})
    return backup_objects(wanted, OF, words, _rendered(**changes), bool)


def _proof(revisions: Revisions | None = GUARDED) -> JobObjects:
    wanted = Wanted("prod", "api", 7, IMAGE, 90, PROVE)
    return proof_objects(wanted, (OF, KEY), _rendered(), bool, revisions)


def _pod(made: JobObjects) -> dict[str, Any]:
    pod: dict[str, Any] = made.job["spec"]["template"]["spec"]
    return pod


def _named(made: JobObjects) -> dict[str, dict[str, Any]]:
    pod = _pod(made)
    return {item["name"]: item for item in (*pod.get("initContainers", ()), *pod["containers"])}


def _policies(made: JobObjects) -> list[Any]:
    return [thing["spec"]["egress"] for kind, thing in made.ahead if kind.name == "NetworkPolicy"]


def test_backup_holds_public_keys_and_one_address() -> None:
    """Of the service's variables it has the database's, of keys the public ones, and no more."""
    container = _named(_backup())["backup"]
    assert container["image"] == TOOLS
    variables = {item["name"]: item for item in container["env"]}
    assert variables["DATABASE_URL"]["valueFrom"] == _secret("db", "url")
    assert not {"HOST", "TOKEN", "APP_DB"} & variables.keys()
    assert variables["AWS_SECRET_ACCESS_KEY"]["valueFrom"] == _secret("backup-store", "secret-key")
    assert "backup-identity" not in str(_backup().job)
    assert container["command"][3:] == [
        "save", "--key", KEY, "--directory", "/var/monoyard/backup", "--keep", "7",
        "--recipient", "age1inside", "--recipient", "age1outside", "--spare", "prod/api/6-x",
        "--fact", "service=api",
    ]  # fmt: skip


def test_backup_goes_the_ways_of_its_service_and_to_the_store() -> None:
    """It reaches the database as the service does, and the store by its port."""
    first, second = _policies(_backup())
    assert first[0] == {"ports": [{"port": 443, "protocol": "TCP"}]}
    assert second == [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]
    mounted = _named(_backup())["backup"]["volumeMounts"]
    assert {"name": "tls", "mountPath": "/etc/tls"} in mounted


def _open(*policies: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a chart comes to that holds no pod of its own to any ways, with policies."""
    rest = [thing for thing in _rendered() if thing["kind"] != "NetworkPolicy"]
    named = {"kind": "NetworkPolicy", "metadata": {"name": "one"}}
    return [*({**named, "spec": spec} for spec in policies), *rest]


def _ways(rendered: list[dict[str, Any]]) -> list[Any]:
    """Return the ways out of the Jobs that go to a store and to a database."""
    wanted = Wanted("prod", "api", 7, IMAGE, 90)
    return [
        _policies(backup_objects(replace(wanted, role=BACKUP), OF, [], rendered, bool)),
        _policies(migration_objects(wanted, GUARDED, rendered, bool, (OF, KEY))),
    ]


@pytest.mark.parametrize(
    "policies",
    [
        [],
        [{"podSelector": {}, "ingress": [{}]}],
        [{"podSelector": {"matchLabels": {"app": "web"}}, "egress": [{"ports": []}]}],
    ],
)
def test_job_is_held_to_no_ways_where_its_service_is_not(policies: list[dict[str, Any]]) -> None:
    """The way to the store closes none to the database: a first policy would close all others."""
    assert _ways(_open(*policies)) == [[[{}]], [[{}]]]
    wanted = Wanted("prod", "api", 7, IMAGE, 90, PROVE)
    (isolated,) = _policies(proof_objects(wanted, (OF, KEY), _open(*policies), bool, None))
    assert isolated == [
        {"ports": [{"port": 443, "protocol": "TCP"}]},
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
    ]


@pytest.mark.parametrize(
    "policy",
    [
        {"podSelector": {"matchLabels": {"app": "api"}}, "egress": [{"to": []}]},
        {"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
         "egress": [{"to": []}]},
        {"podSelector": {}, "policyTypes": ["Egress"]},
    ],
)  # fmt: skip
def test_job_is_held_to_ways_where_its_service_is(policy: dict[str, Any]) -> None:
    """Where the chart says where its pods may go, a Job of theirs may not go anywhere else."""
    for ways in _ways(_open(policy)):
        assert [{}] not in ways
        assert ways[0][0] == {"ports": [{"port": 443, "protocol": "TCP"}]}


def test_trials_have_the_copy_for_their_database() -> None:
    """Each runs in its version's image, with its variables but that of the database, no key."""
    trials = (Trial("old", "registry.example/api@sha256:00", ("check", "it")),
              Trial("new", IMAGE, ("check",)))  # fmt: skip
    wanted = Wanted("prod", "api", 7, IMAGE, 90, PROVE)
    made = proof_objects(wanted, (OF, KEY), _rendered(), bool, GUARDED, trials=trials)
    named = _named(made)
    assert list(named)[-4:] == ["migrate", "trial-1", "trial-2", "prove"]
    assert set(named) - {"server"} <= set(PROVE.containers)
    first = named["trial-1"]
    assert (first["image"], named["trial-2"]["image"]) == (trials[0].image, IMAGE)
    assert first["command"][3:] == ["trial", "--version", "old", "--", "check", "it"]
    variables = {item["name"]: item for item in first["env"]}
    assert variables["APP_DB"] == {
        "name": "APP_DB", "value": "postgresql+asyncpg://monoyard@127.0.0.1:5432/postgres",
    }  # fmt: skip
    assert "TOKEN" in variables
    assert not any("monoyard-keys" in str(item) for item in first["volumeMounts"])


def test_other_images_run_as_users_of_their_own() -> None:
    """The service's user is for its image alone; nobody runs as root, or with more than nothing."""
    made = _proof()
    assert _pod(made)["securityContext"] == {"runAsNonRoot": True, "fsGroup": 999}
    for name, container in _named(made).items():
        security = container["securityContext"]
        assert security.get("runAsUser") == (999 if name == "migrate" else None)
        assert security["readOnlyRootFilesystem"]
        assert security["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    ("changes", "env", "others"),
    [
        (
            {"env": [{"name": "HOST", "value": "db"}, {"name": "X", "value": "x"},
                     {"name": "APP_DB", "value": "postgresql://$(HOST)/x"}]},
            [{"name": "HOST", "value": "db"},
             {"name": "DATABASE_URL", "value": "postgresql://$(HOST)/x"}],
            None,
        ),
        (
            {"env": [{"name": "APP_DB", "value": "postgresql://$(PGHOST)/x"}],
             "envFrom": [{"secretRef": {"name": "all"}}]},
            [{"name": "DATABASE_URL", "value": "postgresql://$(PGHOST)/x"}],
            [{"secretRef": {"name": "all"}}],
        ),
        (
            {"env": [], "envFrom": [{"secretRef": {"name": "all"}}]},
            [{"name": "DATABASE_URL", "value": "$(APP_DB)"}],
            [{"secretRef": {"name": "all"}}],
        ),
    ],
)  # fmt: skip
def test_address_comes_as_the_service_has_it(changes: Any, env: Any, others: Any) -> None:
    """Put together of other variables, or from a whole Secret: with it comes what it needs."""
    container = _named(_backup(**changes))["backup"]
    assert container["env"][: len(env)] == env
    assert container.get("envFrom") == others


def test_service_without_an_address_is_refused() -> None:
    """Where no variable has the address nobody guesses one."""
    with pytest.raises(DeliveryError, match="have no variable APP_DB") as error:
        _backup(env=[])
    assert error.value.code == "no-database-address"


def test_proof_parts_who_knows_what() -> None:
    """Who restores has the private key, who fetches and marks the store's, who migrates neither."""
    made = _proof()
    assert list(_named(made)) == ["fetch", "server", "restore", "migrate", "prove"]
    for name, container in _named(made).items():
        text = str(container)
        assert ("backup-store" in text) == (name in ("fetch", "prove"))
        assert ("monoyard-keys" in text) == (name == "restore")
        assert container["image"] == (IMAGE if name == "migrate" else TOOLS)
    assert _named(made)["server"]["restartPolicy"] == "Always"
    assert _policies(made) == [[
        {"ports": [{"port": 443, "protocol": "TCP"}]},
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
    ]]  # fmt: skip


def test_migration_is_tried_on_the_copy_alone() -> None:
    """The address leads to the copy, as the service's driver wants it, and no other is taken."""
    container = _named(_proof())["migrate"]
    variables = {item["name"]: item for item in container["env"]}
    assert variables["APP_DB"] == {
        "name": "APP_DB", "value": "postgresql+asyncpg://monoyard@127.0.0.1:5432/postgres",
    }  # fmt: skip
    words = container["command"]
    assert words[words.index("--cluster") + 1] == "prove-7-api"
    assert "--name" in _named(_proof())["server"]["command"]
    assert words[-4:] == ["--guard", "r-one=orders", "--guard", "r-one=users.note"]
    assert "migrate" not in _named(_proof(None))


def test_losing_migration_gets_the_manifest() -> None:
    """It is fetched beforehand, without the dump; what loses nothing needs no backup."""
    wanted = Wanted("prod", "api", 7, IMAGE, 90)
    made = migration_objects(wanted, GUARDED, _rendered(), bool, (OF, KEY))
    assert list(_named(made)) == ["fetch", "migrate"]
    assert _named(made)["fetch"]["command"][-1] == "--only-manifest"
    assert "/var/monoyard/backup/manifest.json" in _named(made)["migrate"]["command"]
    safe = migration_objects(wanted, Revisions(("r-one",)), _rendered(), bool, (OF, KEY))
    assert list(_named(safe)) == ["migrate"]
    assert _pod(safe)["securityContext"]["runAsUser"] == 999


def test_programs_fit_into_a_config_map() -> None:
    """All of them together stay well below what an object may hold, one mebibyte."""
    data = next(thing["data"] for kind, thing in _proof().ahead if kind.name == "ConfigMap")
    assert {"save.py", "serve.py", "migrate.py"} <= data.keys()
    assert sum(len(text.encode()) for text in data.values()) < 300_000
