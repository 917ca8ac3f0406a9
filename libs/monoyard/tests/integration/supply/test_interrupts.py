"""Publishing from the door is interrupted, slowed down and refused at each of its steps."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.engine import Engine
from monoyard.cache import StoredFile, StoredResult
from monoyard.images import ImageWork, Layout
from monoyard.results import Outcome, TaskResult
from monoyard.supply import Expected, Trust
from monoyard.testing.layouts import write_layout

from .proxy import Proxy, Rule, proxied
from .yard import SOURCE, Desk, LocalRegistry

if TYPE_CHECKING:
    from ..checkouts import Checkout, Ended  # noqa: TID252  a folder, not a package

ROOT = f"""
[tool.monoyard.images]
source = "{SOURCE}"
[tool.monoyard.images.bases.python]
packages = ["python3-minimal"]
"""
POLICY = '[signers.own]\nkey = "key.pub"\n[environments.prod]\ntrusts = ["own"]\n'
MANIFEST = r"/manifests/sha256:[0-9a-f]{64}$"
LIST = r"/manifests/sha256-[0-9a-f]{64}$"


class Shop:
    """A repository with the service `shop`, whose image was built already.

    Args:
        checkout: The repository.
        desk: Has the key that it is signed with.
        proxy: In front of the registry.
        place: Directory for the layout.
    """

    def __init__(self, checkout: Checkout, desk: Desk, proxy: Proxy, place: Path) -> None:
        self.checkout, self.desk, self.proxy = checkout, desk, proxy
        checkout.root(ROOT)
        checkout.package("shop", table='[tool.monoyard]\nrole = "service"\n')
        checkout.write("shop.txt", "")
        checkout.write("infra/images/debian.lock", 'python = ["python3-minimal 3 amd64 00"]\n')
        checkout.write("infra/images/policy.toml", POLICY)
        shutil.copy(desk.place / "key.pub", checkout.top / "key.pub")
        checkout.commit()
        self.commit = checkout.git("rev-parse", "HEAD").strip()
        checkout.environment |= {
            "MONOYARD_REGISTRY": proxy.address,
            "MONOYARD_COSIGN_KEY": str(desk.place / "signing" / "generated.key"),
            "COSIGN_PASSWORD": "",
            "DOCKER_HOST": "unix:///nowhere/docker.sock",
        }
        self.layout = write_layout(place, {"etc/os-release": "ID=debian\nVERSION_ID=12\n"})
        self._keep(self.layout)

    def _keep(self, layout: Layout) -> None:
        """Put the image into the store, as a build does."""
        engine = Engine(self.checkout.top, lambda _: None, self.checkout.environment)
        plan = engine.plan(engine.selection(parse_arguments([])), has_engine=True)
        (planned,) = (item for item in plan.selected if isinstance(item.task.work, ImageWork))
        assert planned.manifest is not None
        files = [path for path in layout.path.rglob("*") if path.is_file()]
        kept = tuple(
            StoredFile.of_file(f"oci/{path.relative_to(layout.path)}", path) for path in files
        )
        said = TaskResult(planned.task.id, Outcome.PASS).to_data()
        result = StoredResult(planned.manifest.key, planned.task.id, said, (), kept, 1.0, 1.7e9)
        sources = dict(zip((file.digest for file in kept), files, strict=True))
        assert engine.store.put(result, sources)
        engine.store.close()
        self.tag = f"in-{planned.manifest.key}"

    def named(self) -> dict[str, str | None]:
        """Return what the tags of images name, asked past the proxy."""
        tags = self.desk.registry.tags("shop")
        return {
            tag: self.desk.registry.digest("shop", tag)
            for tag in tags if not tag.startswith("sha256-")
        }  # fmt: skip

    def check_names_are_signed(self) -> None:
        """Every tag that is there names an image that the environment accepts."""
        trust = Trust(self.desk.signatures, self.desk.policy(prod='trusts = ["own"]'), "prod")
        for digest in {digest for digest in self.named().values() if digest}:
            reference = self.desk.registry.reference("shop", digest)
            assert trust.accept(reference, self.expected()).signer == "own"

    def expected(self) -> Expected:
        """Return what the image has to be."""
        return Expected("shop", SOURCE, self.tag.removeprefix("in-"), self.commit)

    def check_next_completes(self) -> Ended:
        """The next publication sets all tags, and its image is accepted."""
        ended = self.checkout.nox("publish")
        assert ended.code == 0, ended.text
        tags = {self.tag, self.commit, "branch-main", "latest"}
        assert self.named() == dict.fromkeys(tags, self.layout.digest)
        self.check_names_are_signed()
        return ended


@pytest.fixture
def shop(
    new_checkout: Callable[[], Checkout], desk: Desk, registry: LocalRegistry, tmp_path: Path
) -> Iterator[Shop]:
    """A service whose image is ready to be published."""
    with proxied(registry) as proxy:
        yield Shop(new_checkout(), desk, proxy, tmp_path / "layout")


PHASES = {
    "probing": ("HEAD", r"/manifests/in-", 0),
    "pushing a layer": ("PATCH|PUT", "/blobs/uploads/", 0),
    "pushing the manifest": ("PUT", MANIFEST, 0),
    "attesting": ("PUT", MANIFEST, 1),
    "listing what is attached": ("PUT", LIST, 0),
    "signing": ("PUT", MANIFEST, 3),
    "listing the signature": ("PUT", LIST, 2),
    "tagging the commit": ("PUT", r"/manifests/[0-9a-f]{40}$", 0),
    "tagging the branch": ("PUT", r"/manifests/branch-main$", 0),
    "tagging latest": ("PUT", r"/manifests/latest$", 0),
    "tagging the content": ("PUT", r"/manifests/in-", 0),
}


@pytest.mark.parametrize("phase", PHASES)
def test_interrupt_leaves_no_name_without_a_proof(
    shop: Shop, phase: str, until: Callable[..., bool]
) -> None:
    """SIGINT at a step ends with 130, leaves no child and no unsigned name; then it completes."""
    shop.proxy.rule = rule = Rule(*PHASES[phase])
    running = shop.checkout.start("publish")
    assert until(rule.reached.is_set), running.end(1).text
    family = running.family()
    running.signal(signal.SIGINT)
    ended = running.end()
    rule.is_over.set()
    assert ended.code == 130, ended.text
    assert until(lambda: not family.living()), family.living()
    assert shop.tag not in shop.named(), "the content tag is the last step"
    shop.check_names_are_signed()
    shop.check_next_completes()


def test_interrupt_while_verifying(shop: Shop, until: Callable[..., bool]) -> None:
    """SIGINT after the signature and before the tags: signed, named by nothing, completed later."""
    # What follows the last list of attachments is the reading back of it.
    shop.proxy.rule = listed = Rule("PUT", LIST, passing=2)
    after = Rule("GET", LIST)

    def switch() -> None:
        shop.proxy.rule = after

    listed.then = switch
    running = shop.checkout.start("publish")
    assert until(after.reached.is_set), running.end(1).text
    family = running.family()
    running.signal(signal.SIGINT)
    ended = running.end()
    after.is_over.set()
    assert ended.code == 130, ended.text
    assert until(lambda: not family.living()), family.living()
    assert shop.named() == {}
    shop.check_next_completes()


def test_interrupted_push_is_not_repeated(shop: Shop, until: Callable[..., bool]) -> None:
    """What the registry has of an image whose push was interrupted is not sent again."""
    shop.proxy.rule = rule = Rule("PUT", MANIFEST)
    running = shop.checkout.start("publish")
    assert until(rule.reached.is_set), running.end(1).text
    running.signal(signal.SIGINT)
    running.end()
    rule.is_over.set()
    digests = [
        item["digest"] for item in (shop.layout.manifest["config"], *shop.layout.manifest["layers"])
    ]
    pushed = {digest: shop.proxy.count("PUT", re.escape(digest[7:]), 201) for digest in digests}
    assert set(pushed.values()) == {1}, "all blobs were there before the manifest"
    shop.check_next_completes()
    assert pushed == {
        digest: shop.proxy.count("PUT", re.escape(digest[7:]), 201) for digest in digests
    }


@pytest.mark.parametrize("phase", ["pushing a layer", "attesting", "tagging the commit"])
def test_credentials_that_expire_are_told(shop: Shop, phase: str) -> None:
    """A registry that refuses from one step on is one error with a hint, and no unsigned name."""
    shop.proxy.rule = rule = Rule("GET|HEAD|PATCH|POST|PUT", "/v2/", status=401)
    rule.passing = 1_000_000
    trigger = Rule(*PHASES[phase])
    inner = rule.takes

    def takes(method: str, path: str) -> bool:
        if trigger.takes(method, path):
            rule.passing = 0
        return inner(method, path)

    rule.takes = takes  # type: ignore[method-assign]  # from the first one on, all are refused
    ended = shop.checkout.nox("publish")
    rule.is_over.set()
    assert ended.code == 31, ended.text
    assert "error[registry-credentials]" in ended.err, ended.text
    assert "hint: `docker login` stores credentials" in ended.err
    shop.check_names_are_signed()
    shop.check_next_completes()


def test_slow_registry_is_told_and_ends(shop: Shop) -> None:
    """A push that takes longer than the limit is an error that names the setting."""
    manifest = (shop.checkout.top / "pyproject.toml").read_text("utf-8")
    limited = manifest.replace(
        "[tool.monoyard.images]\n", '[tool.monoyard.images]\npush-limit = "3s"\n'
    )
    shop.checkout.write("pyproject.toml", limited)
    shop.checkout.git("commit", "--quiet", "--all", "--message", "a limit")
    shop.commit = shop.checkout.git("rev-parse", "HEAD").strip()
    shop.proxy.rule = rule = Rule("PATCH|PUT", "/blobs/uploads/")
    ended = shop.checkout.nox("publish")
    rule.is_over.set()
    assert ended.code == 31, ended.text
    assert "error[registry-slow]" in ended.err
    assert "push-limit" in ended.err
    assert shop.named() == {}
