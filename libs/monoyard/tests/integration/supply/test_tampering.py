"""What was tampered with is refused, each with a reason of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from monoyard.errors import VerificationError
from monoyard.supply import Expected, Trust

from .yard import COMMIT, SOURCE, Desk, LocalRegistry, key_of, wanted


@pytest.fixture
def published(desk: Desk) -> str:
    """The digest of a published image of the key `one`."""
    publisher = desk.publisher()
    return publisher.publish(wanted("one"), desk.built("one"), "new").digest


def refusal(desk: Desk, digest: str, expected: Expected, table: str = 'trusts = ["own"]') -> str:
    """Return the code with which an environment refuses an image."""
    trust = Trust(desk.signatures, desk.policy(prod=table), "prod")
    with pytest.raises(VerificationError) as raised:
        trust.accept(desk.registry.reference("shop", digest), expected)
    return raised.value.code


def test_what_was_published_is_accepted(desk: Desk, published: str) -> None:
    """Without tampering there is nothing to refuse."""
    trust = Trust(desk.signatures, desk.policy(prod='trusts = ["own"]'), "prod")
    expected = Expected("shop", SOURCE, key_of("one"), COMMIT)
    accepted = trust.accept(desk.registry.reference("shop", published), expected)
    assert (accepted.signer, accepted.claim.key) == ("own", key_of("one"))
    assert desk.registry.problem_of_layers("shop", published) == ""


def test_each_wrong_claim_has_its_own_refusal(desk: Desk, published: str) -> None:
    """Another name, source, key or commit than the one that is wanted is told apart."""
    key = key_of("one")
    said = {
        refusal(desk, published, expected)
        for expected in (
            Expected("other", SOURCE, key),
            Expected("shop", "https://git.example.org/another", key),
            Expected("shop", SOURCE, key_of("two")),
            Expected("shop", SOURCE, key, "2" * 40),
        )
    }
    assert said == {"other-image", "other-source", "other-key", "other-commit"}


def test_other_key_is_refused(new_desk: Callable[[str], Desk], desk: Desk, published: str) -> None:
    """An environment that trusts somebody else says that it is signed, but not by them."""
    desk.trusts(new_desk("stranger"))
    assert refusal(desk, published, Expected("shop", SOURCE), 'trusts = ["other"]') == (
        "other-signer"
    )


def test_unsigned_image_is_refused(desk: Desk) -> None:
    """An image that was only pushed is not signed."""
    built = desk.built("two")
    desk.registry.push("shop", built.layout.path, built.layout.digest)
    assert refusal(desk, built.layout.digest, Expected("shop", SOURCE)) == "unsigned"


def test_statements_of_another_image_are_refused(desk: Desk, published: str) -> None:
    """What is attached to one image says nothing of another that it is attached to."""
    built = desk.built("two")
    desk.registry.push("shop", built.layout.path, built.layout.digest)
    subprocess.run(
        (
            str(desk.registry.program), "tag",
            f"{desk.registry.repository('shop')}:{published.replace(':', '-')}",
            built.layout.digest.replace(":", "-"),
        ),
        check=True, capture_output=True,
    )  # fmt: skip
    assert desk.attached("shop", built.layout.digest) == desk.attached("shop", published)
    assert refusal(desk, built.layout.digest, Expected("shop", SOURCE)) in {
        "unsigned", "other-signer",
    }  # fmt: skip


def test_lower_level_than_demanded_is_refused(desk: Desk, published: str) -> None:
    """A key on somebody's disk is SLSA level 1, whatever the environment would like."""
    table = 'trusts = ["own"]\nbuilder-level = 2'
    assert refusal(desk, published, Expected("shop", SOURCE), table) == "builder-level"


def test_altered_layer_is_found(desk: Desk, registry: LocalRegistry, published: str) -> None:
    """A layer whose bytes in the registry are others than its digest says is told."""
    manifest = json.loads(registry.blob(published).read_bytes())
    layer = registry.blob(manifest["layers"][0]["digest"])
    data = bytearray(layer.read_bytes())
    data[len(data) // 2] ^= 1
    layer.write_bytes(bytes(data))
    assert "validating layers" in desk.registry.problem_of_layers("shop", published)


def test_signature_without_origin_is_no_signature(desk: Desk, published: str) -> None:
    """An SBOM that the right key signed does not make an image one of ours."""
    built = desk.built("two")
    desk.registry.push("shop", built.layout.path, built.layout.digest)
    desk.sign_only(built.layout.digest)
    assert published != built.layout.digest
    assert refusal(desk, built.layout.digest, Expected("shop", SOURCE)) == "unsigned"


def test_signer_who_cannot_be_verified_here_trusts_nothing(desk: Desk, published: str) -> None:
    """An identity needs services to be verified; where they are out of reach it is a refusal."""
    code = refusal(desk, published, Expected("shop", SOURCE), 'trusts = ["nobody"]')
    assert code in {"not-verifiable", "other-signer", "unsigned"}
    trust = Trust(desk.signatures, desk.policy(prod='trusts = ["nobody", "own"]'), "prod")
    assert trust.accept(desk.registry.reference("shop", published), Expected("shop", SOURCE)).level
