"""Whose word counts for what: other signers, other claims, keys that are elsewhere."""

from __future__ import annotations

import http.server
import json
import platform
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from monoyard.config.policy import Policy, SignerSettings, read_policy
from monoyard.errors import ConfigurationError, VerificationError
from monoyard.supply import Accepted, Expected, Signatures, Trust
from monoyard.supply.origin import PROVENANCE, REUSE, provenance, reuse
from monoyard.supply.signing import Attestation

from .yard import COMMIT, SOURCE, Desk, key_of, program, wanted

LATER = "2" * 40


@pytest.fixture
def digest(desk: Desk) -> str:
    """The digest of a published image of the key `one`."""
    return desk.publisher().publish(wanted("one"), desk.built("one"), "new").digest


def attach(desk: Desk, digest: str, kind: str, said: dict[str, object]) -> None:
    """Sign a statement about an image of `shop`, although there may be one of its kind."""
    signer = desk.signatures.signer(desk.policy(prod='trusts = ["own"]').signers["own"])
    new = Attestation(kind, said, lambda statement: statement.get("predicate") == said)
    desk.signatures.attach(desk.registry.reference("shop", digest), (new,), signer)


def accept(desk: Desk, digest: str, table: str, key: str = "one") -> Accepted:
    """Ask whether an image belongs to the later commit."""
    trust = Trust(desk.signatures, desk.policy(prod=table), "prod")
    expected = Expected("shop", SOURCE, key_of(key), LATER)
    return trust.accept(desk.registry.reference("shop", digest), expected)


def test_another_trusted_signer_may_say_that_a_commit_has_the_image(
    desk: Desk, new_desk: Callable[[str], Desk], digest: str
) -> None:
    """A word of reuse counts from whom the environment trusts, and from nobody else."""
    other = new_desk("other")
    desk.trusts(other)
    attach(other, digest, REUSE, reuse(other.origin(commit=LATER), "shop", key_of("one")))
    accepted = accept(desk, digest, 'trusts = ["own", "other"]')
    assert (accepted.signer, accepted.teller, accepted.claim.commit) == ("own", "other", COMMIT)
    for table in ('trusts = ["own"]', 'trusts = ["own", "other"]\nbuilder-level = 2'):
        with pytest.raises(VerificationError) as raised:
            accept(desk, digest, table)
        assert raised.value.code == "other-commit"


def test_word_of_reuse_for_something_else_is_no_word(
    desk: Desk, new_desk: Callable[[str], Desk], digest: str
) -> None:
    """Another key, image or source in the statement does not tell the commit of this one."""
    other = new_desk("other")
    desk.trusts(other)
    for origin, image, key in (
        (other.origin(commit=LATER), "shop", key_of("two")),
        (other.origin(commit=LATER), "page", key_of("one")),
        (other.origin(commit=LATER, source="https://git.example.org/b"), "shop", key_of("one")),
    ):
        attach(other, digest, REUSE, reuse(origin, image, key))
    with pytest.raises(VerificationError) as raised:
        accept(desk, digest, 'trusts = ["own", "other"]')
    assert raised.value.code == "other-commit"


def test_commit_of_a_claim_that_does_not_fit_is_no_commit(desk: Desk, digest: str) -> None:
    """Where one digest was made from two keys, the commit of the other key does not count."""
    said = provenance(desk.origin(commit=LATER), "shop", wanted("two").manifest, "python", 1.7e9)
    attach(desk, digest, PROVENANCE, said)
    assert accept(desk, digest, 'trusts = ["own"]', key="two").claim.commit == LATER
    with pytest.raises(VerificationError) as raised:
        accept(desk, digest, 'trusts = ["own"]', key="one")
    assert raised.value.code == "other-commit"


@pytest.fixture
def vault(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A key service that hands out the public half of the desk's key under the name `release`."""
    key = (desk.place / "key.pub").read_text("utf-8")
    said = {"data": {"keys": {"1": {"public_key": key}}, "latest_version": 1, "type": "ecdsa-p256"}}

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.path == "/v1/transit/keys/release"
            data = json.dumps(said if is_known else {"errors": []}).encode()
            self.send_response(200 if is_known else 404)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("VAULT_TOKEN", "token")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("vault")
def test_key_of_a_service_is_known_by_its_public_half(
    desk: Desk, new_desk: Callable[[str], Desk]
) -> None:
    """A KMS address is the signer whose file has its public key, or who has that address."""
    desk.trusts(new_desk("stranger"))
    place = desk.place / "signing"
    signatures = Signatures(program("cosign"), place, desk.place, "hashivault://release")
    assert signatures.names(policy("own", 'key = "key.pub"')) == {"own"}
    assert signatures.names(policy("own", 'key = "hashivault://release"')) == {"own"}
    assert signatures.names(policy("own", 'key = "hashivault://another"')) == frozenset()
    assert signatures.names(policy("other", 'key = "other.pub"')) == frozenset()
    lost = Signatures(program("cosign"), place, desk.place, "hashivault://lost")
    with pytest.raises(ConfigurationError, match="the key `hashivault://lost` cannot be used"):
        lost.names(policy("own", 'key = "key.pub"'))


def policy(name: str, signer: str) -> Policy:
    """Return a policy with one signer."""
    text = f'[signers.{name}]\n{signer}\n[environments.prod]\ntrusts = ["{name}"]\n'
    return read_policy(text.encode(), "policy.toml")


@pytest.mark.parametrize(
    ("lost", "which"), [("generated.pub", "public"), ("generated.key", "private")]
)
def test_half_a_key_is_one_error_that_says_what_to_do(desk: Desk, lost: str, which: str) -> None:
    """Where a half of the machine's key is gone no other key is made in silence."""
    place = desk.place / "signing"
    (place / lost).rename(place / "aside")
    signatures = Signatures(program("cosign"), place, desk.place, "generated")
    for ask in (
        lambda: signatures.public_key,
        lambda: signatures.names(read_policy(None, "policy.toml")),
        lambda: signatures.signer(SignerSettings(key="generated")),
    ):
        with pytest.raises(ConfigurationError, match=f"has lost its {which} half") as raised:
            ask()
        assert raised.value.code == "half-a-key"
        assert raised.value.context == (f"{place / lost} is not there",)
    assert not (place / lost).exists()
    if which == "public":  # the hint is a command that mends it
        command = str(raised.value.hint).replace("cosign", str(program("cosign")))
        subprocess.run(command, shell=True, check=True)  # noqa: S602  it is for a person's shell
        assert (place / lost).read_bytes() == (place / "aside").read_bytes()


@pytest.mark.skipif(platform.system() != "Linux", reason="there is no file that root cannot read")
def test_key_that_cannot_be_read_is_told(desk: Desk) -> None:
    """A public key of the policy that is no file of text for us is an error, and no traceback."""
    policy = desk.policy(prod='trusts = ["own"]')
    key = desk.place / "key.pub"
    key.unlink()
    key.symlink_to("/proc/self/mem")
    with pytest.raises(ConfigurationError) as raised:
        desk.signatures.names(policy)
    assert raised.value.code == "key-unreadable"
