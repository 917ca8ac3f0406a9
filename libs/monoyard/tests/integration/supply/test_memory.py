"""What was accepted is remembered as long as nothing that it rests on is another."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from monoyard.errors import RegistryError, VerificationError
from monoyard.supply import Expected, Registry, Remembered, Signatures, Trust

from .proxy import Rule, proxied
from .yard import COMMIT, SOURCE, Desk, LocalRegistry, key_of, program, wanted

OWN = 'trusts = ["own"]'
EXPECTED = Expected("shop", SOURCE, key_of("one"), COMMIT)


class Notes(dict[str, bytes]):
    """A memo in memory."""

    def get_many(self, namespace: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the values of those keys that have one."""
        assert namespace
        return {key: self[key] for key in keys if key in self}

    def put_many(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Keep values."""
        assert namespace
        self.update(values)


class Blind(Signatures):
    """Signatures that cannot verify anything any more."""

    def statements(self, *_: object) -> tuple[Mapping[str, object], ...]:
        """Fail."""
        raise RegistryError("cosign was called")


def blind(desk: Desk) -> Signatures:
    """Return the desk's signatures without its cosign."""
    return Blind(program("cosign"), desk.place / "signing", desk.place, "generated")


@pytest.fixture
def reference(desk: Desk) -> str:
    """A published image."""
    done = desk.publisher().publish(wanted("one"), desk.built("one"), "new")
    return desk.registry.reference("shop", done.digest)


def test_only_what_is_another_is_verified_again(desk: Desk, reference: str) -> None:
    """Nothing is verified twice, until policy, expectation, key or attachments are others."""
    memory = Remembered(desk.registry, Notes())
    policy = desk.policy(prod=OWN)
    first = Trust(desk.signatures, policy, "prod", memory).accept(reference, EXPECTED)
    again = Trust(blind(desk), policy, "prod", memory)
    assert again.accept(reference, EXPECTED) == first

    stricter = desk.policy(prod=f"{OWN}\nbuilder-level = 2")
    with pytest.raises(RegistryError, match="cosign was called"):
        Trust(blind(desk), stricter, "prod", memory).accept(reference, EXPECTED)
    with pytest.raises(RegistryError, match="cosign was called"):
        again.accept(reference, Expected("shop", SOURCE, key_of("two"), COMMIT))
    key = desk.place / "key.pub"
    kept = key.read_bytes()
    key.write_bytes(kept.replace(b"\n-----END", b"A\n-----END"))
    with pytest.raises(RegistryError, match="cosign was called"):
        Trust(blind(desk), policy, "prod", memory).accept(reference, EXPECTED)
    key.write_bytes(kept)
    assert again.accept(reference, EXPECTED) == first
    desk.attach_findings(reference.partition("@")[2], {"scanner": {}})
    with pytest.raises(RegistryError, match="cosign was called"):
        again.accept(reference, EXPECTED)


def test_refusals_are_not_remembered(desk: Desk, reference: str) -> None:
    """What was refused may be accepted at the next question, so it is asked every time."""
    notes = Notes()
    trust = Trust(desk.signatures, desk.policy(prod=OWN), "prod", Remembered(desk.registry, notes))
    with pytest.raises(VerificationError):
        trust.accept(reference, Expected("other", SOURCE))
    assert notes == {}


def test_damaged_memory_is_verified_again(desk: Desk, reference: str) -> None:
    """A note that cannot be read is none."""
    notes = Notes()
    policy, memory = desk.policy(prod=OWN), Remembered(desk.registry, notes)
    trust = Trust(desk.signatures, policy, "prod", memory)
    first = trust.accept(reference, EXPECTED)
    for said in (b"", b"{", b"[]", b'{"signer": "own"}', b'{"signer": "own", "claim": 3}'):
        notes.update(dict.fromkeys(notes, said))
        assert trust.accept(reference, EXPECTED) == first


def test_probe_and_crane_say_the_same(registry: LocalRegistry, reference: str) -> None:
    """Present and absent tags are told alike; what is refused or lost is left to crane's words."""
    digest = reference.partition("@")[2]
    with proxied(registry) as proxy:
        probing = Registry(program("crane"), proxy.address)
        for _ in range(2):
            assert probing.digest("shop", COMMIT) == digest
            assert probing.digest("shop", "nothing") is None
            assert probing.digest("nobody", "nothing") is None
        assert {seen[0] for seen in proxy.seen} == {"HEAD"}
        for status, code in ((403, "registry-credentials"), (500, "registry-broken")):
            proxy.rule = Rule("GET|HEAD", "/v2/", status=status)
            with pytest.raises(RegistryError) as raised:
                probing.digest("shop", COMMIT)
            assert raised.value.code == code
        proxy.rule = None
        assert probing.digest("shop", COMMIT) == digest
    with pytest.raises(RegistryError) as raised:
        Registry(program("crane"), proxy.address).digest("shop", COMMIT)
    assert raised.value.code == "registry-down"


@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
def test_probe_has_the_credentials_that_crane_has(
    registry: LocalRegistry,
    reference: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
) -> None:
    """Names and tokens are had once from crane, and then sent with every question."""
    pair = base64.b64encode(b"ann:secret").decode()
    with proxied(registry) as proxy:
        host = f"127.0.0.1:{proxy.port}"
        (tmp_path / "docker").mkdir()
        settings = {"auths": {host: {"auth": pair}}}
        (tmp_path / "docker" / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        proxy.wanted, proxy.challenge = f"Basic {pair}", 'Basic realm="yard"'
        if scheme == "Bearer":
            proxy.wanted = "Bearer given"
            proxy.challenge = f'Bearer realm="http://{host}/token",service="yard"'
        probing = Registry(program("crane"), proxy.address)
        for _ in range(3):
            assert probing.digest("shop", COMMIT) == reference.partition("@")[2]
            assert probing.digest("shop", "nothing") is None
        assert proxy.count("HEAD", "/manifests/", 401) == 1
        assert proxy.count("HEAD", "/manifests/", 200) == 3
        assert proxy.count("GET", "/manifests/", 200) == 0
        proxy.wanted = "Basic nobody"
        with pytest.raises(RegistryError) as raised:
            probing.digest("shop", COMMIT)
        assert raised.value.code == "registry-credentials"


def test_locks_do_not_heap_up(desk: Desk) -> None:
    """However many images were signed with a key, its directory keeps a few lock files."""
    signer = desk.signatures.signer(desk.policy(prod=OWN).signers["own"])
    places: set[Path] = set()
    for number in range(3):
        digest = desk.built(str(number)).layout
        desk.registry.push("shop", digest.path, digest.digest)
        desk.signatures.attach(desk.registry.reference("shop", digest.digest), (), signer)
        places |= set((desk.place / "signing").rglob("*.lock"))
    names = {place.relative_to(desk.place / "signing").as_posix() for place in places}
    possible = {f"attaching/{number}.lock" for number in range(64)} | {"generated.lock"}
    assert names <= possible
    assert len(names) > 1
