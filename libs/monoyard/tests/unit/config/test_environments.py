"""The files of environments: what they come to, and every fault at once."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from monoyard.config import parse_toml
from monoyard.config.environment_values import LOCAL_STORE, ClusterPin, StoreSettings
from monoyard.config.environments import Environments, environment_json_schema, read_environments
from monoyard.errors import ConfigurationError, UsageError

KEYS = [f"age1{letter * 58}" for letter in "qp"]
UID = "0b9a7c9e-54d0-4c39-9c55-b5c8a9f0d7aa"
LOCAL = 'namespace = "shop-dev"\ncluster = "local"\n[services.api]\n'
PINNED = f"""
order = 2
namespace = "shop"
policy = "strict"
max-pause = "1h"
cluster = {{ context = "shop", uid = "{UID}" }}

[deployers]
groups = ["on-call"]
service-accounts = ["deployer"]

[data]
backup = "always"
recipients = ["{KEYS[0]}", "{KEYS[1]}"]

[timeouts]
rollout = "45m"

[services.api]
smoke-image = "worker"
exceptions = {{ probes = "it is asked over a socket" }}

[services.worker]
chart = "charts/old"
values = ["values/worker.yaml"]
given = {{ "app.image" = "reference" }}

[secrets]
api-database = ["url"]
"""


def read(**files: str) -> Environments:
    """Read environments whose files hold these texts."""
    return read_environments(
        {name: (f"{name}/environment.toml", text.encode()) for name, text in files.items()}
    )


def faults(**files: str) -> tuple[str, ...]:
    """Return what is said of faulty files."""
    with pytest.raises(ConfigurationError) as caught:
        read(**files)
    return caught.value.context


def test_a_whole_environment_is_read() -> None:
    """Everything a file says arrives: pin, people, data, times in seconds, services, secrets."""
    prod = read(prod=PINNED).named("prod")

    assert prod.name == "prod"
    assert prod.cluster == ClusterPin("shop", UID)
    assert (prod.policy, prod.namespace, prod.max_pause) == ("strict", "shop", 3600.0)
    assert prod.deployers.groups == ("on-call",)
    assert prod.deployers.service_accounts == ("deployer",)
    assert (prod.data.backup, prod.data.prove, prod.data.keep) == ("always", "when-losing", 7)
    assert prod.timeouts.rollout == 2700.0
    assert prod.services["api"].smoke_image == "worker"
    assert prod.services["worker"].chart == "charts/old"
    assert prod.services["worker"].values == ("values/worker.yaml",)
    assert prod.services["worker"].given == {"app.image": "reference"}
    assert prod.secrets == {"api-database": ("url",)}


def test_the_local_cluster_has_a_word_of_its_own() -> None:
    """`local` is whichever cluster this machine made, and makes its own keys for backups."""
    dev = read(dev=LOCAL).named("dev")

    assert dev.cluster is not None
    assert dev.cluster.is_local
    assert dev.policy == "dev"
    assert dev.data.recipients == ()


def test_environments_come_in_the_order_of_releases() -> None:
    """Their number decides, not their name."""
    assert list(read(prod=PINNED, staging=LOCAL).by_name) == ["staging", "prod"]


def test_an_unknown_environment_is_refused() -> None:
    """A name that was mistyped gets a suggestion."""
    with pytest.raises(UsageError, match="there is no environment `prd`; did you mean `prod`"):
        read(prod=PINNED).named("prd")


def test_all_faults_come_at_once() -> None:
    """One reading tells every fault of every file, each with its file and key."""
    said = faults(
        dev="namespaec = 1\n[data]\nbackup = 'sometimes'\nrecipients = ['age1nobody']\n",
        prod="namespace = 'Shop'\ncluster = {context = 'x', uid = 'y'}\n[services.api]\n"
        "smoke-image = 'apy'\nexceptions = {probes = ' '}\n",
    )

    assert said == (
        "dev/environment.toml: unknown key `namespaec`; did you mean `namespace`?",
        "dev/environment.toml.data.backup: 'sometimes' is not one of with-migrations, "
        "always, never",
        "dev/environment.toml.data.recipients[0]: expected a public key of age, not 'age1nobody'",
        "dev/environment.toml.namespace: missing",
        "dev/environment.toml.cluster: missing; a table with `context` and `uid`, or `local`",
        "dev/environment.toml: it names no service",
        "prod/environment.toml.services.api.exceptions.probes: expected a reason, not ' '",
        "prod/environment.toml.namespace: `Shop` is no name of a namespace",
        "prod/environment.toml.cluster.uid: expected the UID of the cluster's namespace "
        "kube-system",
        "prod/environment.toml.data.recipients: 2 keys at least, or one lost key is every backup "
        "lost",
        "prod/environment.toml.services.api.smoke-image: no service `apy`; did you mean `api`?",
        "prod/environment.toml.order: `dev` has 1 as well",
    )


def test_the_same_key_twice_is_one_key() -> None:
    """Two recipients are two people: the same one again does not count."""
    said = faults(prod=PINNED.replace(KEYS[1], KEYS[0]))

    assert said == (
        "prod/environment.toml.data.recipients: 2 keys at least, or one lost key is every backup "
        "lost",
    )


def test_two_environments_share_no_namespace() -> None:
    """In one cluster each has a namespace of its own, or one would remove what the other made."""
    said = faults(dev=LOCAL, test="order = 2\n" + LOCAL)

    assert said == ("test/environment.toml.namespace: `dev` is there already",)


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        (PINNED, True),
        (LOCAL, True),
        ('cluster = "remote"', False),
        ("max-pause = '0s'", False),
        ("[services.api]\nimage = 'x'", False),
    ],
)
def test_the_schema_says_the_same(text: str, is_right: bool) -> None:
    """What an editor marks by the published schema is what the program refuses."""
    complaints: list[str] = []
    data: dict[str, Any] = parse_toml(text.encode(), "file", complaints)
    validator = jsonschema.Draft202012Validator(environment_json_schema())

    assert validator.is_valid(data) is is_right
    assert not complaints


def test_store_of_backups() -> None:
    """The local cluster has one for each namespace; another one says address and bucket itself."""
    dev = read(dev=LOCAL).named("dev").data
    assert dev.store == StoreSettings(LOCAL_STORE, "shop-dev", "backup-store")
    said = '\n[data.store]\nendpoint = "https://s3.example"\nbucket = "shop"\nsecret = "keys"\n'
    assert read(dev=LOCAL + said).named("dev").data.store == StoreSettings(
        "https://s3.example", "shop", "keys"
    )
    assert read(prod=PINNED).named("prod").data.store is None
    assert faults(dev=LOCAL + "[data.store]\nbucket = 'NO'\n[data]\nimage = 'a:b'\n") == (
        "dev/environment.toml.data.store.bucket: expected the name of a bucket, not 'NO'",
        "dev/environment.toml.data.image: expected the name of an image, or a reference with its "
        "digest, not 'a:b'",
        "dev/environment.toml.data.store.endpoint: missing",
        "dev/environment.toml.data.store.bucket: missing",
    )
