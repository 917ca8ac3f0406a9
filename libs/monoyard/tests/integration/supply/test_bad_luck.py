"""Registries that do not do what they are asked, and publishers that get in each other's way."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from monoyard.errors import RegistryError
from monoyard.supply import Expected, Registry, Trust, content_tag

from .yard import SOURCE, Desk, LocalRegistry, key_of, program, wanted


@contextmanager
def answering(status: int) -> Iterator[Registry]:
    """Have a registry that answers everything with one status."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815  the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Registry(program("crane"), f"127.0.0.1:{server.server_port}/yard")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "registry-credentials"), (403, "registry-credentials"),
        (429, "registry-too-many-requests"), (500, "registry-broken"),
    ],
)  # fmt: skip
def test_refusals_have_names_and_hints(status: int, code: str) -> None:
    """Credentials, limits and faults of a registry are told apart, and none means "missing"."""
    with answering(status) as registry, pytest.raises(RegistryError) as raised:
        registry.digest("shop", "any")
    assert raised.value.code == code
    assert raised.value.hint


def test_registry_that_is_down_is_told(desk: Desk, registry: LocalRegistry) -> None:
    """Where nobody listens the error says how to start one, and nothing counts as missing."""
    publisher = desk.publisher()
    registry.stop()
    with pytest.raises(RegistryError) as raised:
        publisher.find(wanted("one"))
    assert raised.value.code == "registry-down"
    assert "invoke tools.start registry" in str(raised.value.hint)


def test_what_was_interrupted_before_the_tag_is_done_again(desk: Desk) -> None:
    """A pushed and signed image without its content tag is missing; publishing makes it whole."""
    item, built = wanted("one"), desk.built("one")
    desk.registry.push("shop", built.layout.path, built.layout.digest)
    desk.sign_only(built.layout.digest)
    publisher = desk.publisher()
    assert publisher.find(item)[1] is None
    done = publisher.publish(item, built, "new")
    assert publisher.find(item)[1] is not None
    assert len(desk.attached("shop", done.digest)) == 3, "signature, provenance, SBOM: once each"


def test_failure_while_signing_sets_no_tag(
    desk: Desk, registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry that goes away after the push leaves an image that no tag names."""
    item, built = wanted("one"), desk.built("one")
    publisher = desk.publisher()
    push = Registry.push

    def push_and_lose(self: Registry, *arguments: object) -> None:
        push(self, *arguments)  # type: ignore[arg-type]  # what they were called with
        registry.stop()

    monkeypatch.setattr(Registry, "push", push_and_lose)
    with pytest.raises(RegistryError):
        publisher.publish(item, built, "new")
    registry.start()
    assert desk.registry.digest("shop", item.tag) is None
    assert not [tag for tag in desk.registry.tags("shop") if not tag.startswith("sha256-")]


def test_two_publishers_of_one_image_lose_nothing(new_desk: Callable[[str], Desk]) -> None:
    """Two machines with one key publish the same bytes at once: both succeed, all is attached."""
    one, other = new_desk("one"), new_desk("other")
    other.takes_key_of(one)
    item = wanted("one")
    publishers = [(desk.publisher(), desk.built("same")) for desk in (one, other)]
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(each.publish, item, built, "new") for each, built in publishers]
        done = [call.result() for call in calls]
    assert {item.digest for item in done} == {publishers[0][1].layout.digest}
    assert one.registry.digest("shop", content_tag(key_of("one"))) == done[0].digest
    reference = one.registry.reference("shop", done[0].digest)
    policy = one.policy(prod='trusts = ["own"]')
    signer = one.signatures.signer(policy.signers["own"])
    accepted = Trust(one.signatures, policy, "prod").accept(reference, Expected("shop", SOURCE))
    assert accepted.signer == "own"
    assert one.signatures.statements(reference, "spdxjson", signer)
