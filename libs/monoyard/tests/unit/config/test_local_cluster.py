"""The file of the local cluster."""

import jsonschema
import pytest

from monoyard.config.local_cluster import (
    SecretSource,
    local_cluster_json_schema,
    read_local_cluster,
)
from monoyard.errors import ConfigurationError

GOOD = b"""
names = ["dev.shop.test", "*.shop.localhost"]
[secrets.api]
url = { database = "events" }
token = { random = 32 }
key = { private-key = "ed25519" }
id = { text = "smoke" }
"""


def test_every_way_to_make_a_value_is_read() -> None:
    """Names and sources come as they are said; an empty file says nothing."""
    found = read_local_cluster(GOOD, "cluster.toml")
    assert found.names == ("dev.shop.test", "*.shop.localhost")
    assert found.secrets["api"] == {
        "url": SecretSource(database="events"),
        "token": SecretSource(random=32),
        "key": SecretSource(private_key="ed25519"),
        "id": SecretSource(text="smoke"),
    }
    assert read_local_cluster(b"", "cluster.toml").names == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('names = ["shop.example"]', "names[0]: expected a name below"),
        ("[secrets.a]\nb = {}", "secrets.a.b: expected one of text, random"),
        ('[secrets.a]\nb = {text = "x", random = 32}', "secrets.a.b: expected one of"),
        ("[secrets.a]\nb = {random = 8}", "at least 16"),
        ('[secrets.a]\nb = {database = "x; DROP TABLE y"}', "lower-case letters"),
        ('[secrets.a]\nb = {private-key = "rsa"}', "is not one of ed25519"),
        ('[secret.a]\nb = {text = "x"}', "did you mean `secrets`"),
    ],
)
def test_faults_are_told_with_their_place(text: str, words: str) -> None:
    """What nothing could be made of is refused before a cluster is touched."""
    with pytest.raises(ConfigurationError) as raised:
        read_local_cluster(text.encode(), "cluster.toml")
    (fault,) = raised.value.context
    assert words in fault


def test_the_schema_says_the_same() -> None:
    """Editors accept and refuse what the reader does."""
    validator = jsonschema.Draft202012Validator(local_cluster_json_schema())
    source = {"secrets": {"a": {"b": {"random": 32}}}}
    assert validator.is_valid(source)
    source["secrets"]["a"]["b"]["text"] = "x"  # type: ignore[assignment]
    assert not validator.is_valid(source)
    assert not validator.is_valid({"names": ["shop.example"]})
