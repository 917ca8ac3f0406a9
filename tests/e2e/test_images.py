"""An image that an environment does not accept is not deployed, whenever that turns out."""

from __future__ import annotations

import json

import httpx
import pytest

from .clone import Clone, await_words
from .site import Site

FAILED = 40
POLICY = "infra/images/policy.toml"
STRANGER = "infra/images/stranger.pub"
# Of nobody: its private half was never kept.
STRANGE_KEY = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4qRgDKowDu+JAc2tGInSimcOpNdH
3Ah6IUjYspE4aYLp2AkATR/Lf5yc5Z0FH36iABao/5isIpa/+vfmex4f7A==
-----END PUBLIC KEY-----
"""
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
HOLDER = "a runner that is gone"


def api_of(image: str) -> tuple[httpx.Client, str]:
    """Return a client for the repository of an image in its registry, and the image's digest."""
    name, _, digest = image.partition("@")
    host, _, path = name.partition("/")
    return httpx.Client(base_url=f"http://{host}/v2/{path}", trust_env=False), digest


@pytest.mark.full
@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        ('key = "generated"', f'key = "{STRANGER}"', "signed, but by nobody"),
        ('["desk", "release"]', '["desk", "release"]\nbuilder-level = 3', "level"),
    ],
    ids=["of a key that nobody trusts", "against the policy of today"],
)
def test_not_accepted(clone: Clone, site: Site, was: str, becomes: str, reason: str) -> None:
    """It is refused in the plan, with the check that it failed, and nothing is sent."""
    good, before = clone.git("rev-parse", "HEAD"), site.versions()
    (clone.top / STRANGER).write_text(STRANGE_KEY, "utf-8")
    clone.replace(POLICY, was, becomes)
    clone.set_grace("api", 45)
    clone.commit("Trust less")
    refused = clone.deploy("--", "api")
    clone.git("reset", "--quiet", "--hard", good)
    assert (refused.code, refused.outcome) == (FAILED, ""), refused.text
    assert "not-accepted" in refused.text
    assert reason in refused.text
    assert site.versions() == before
    assert site.grace("api") != 45


def test_unsigned(clone: Clone, site: Site) -> None:
    """An image that somebody put under a commit's tag without a signature is refused."""
    good, before = clone.git("rev-parse", "HEAD"), site.versions()
    clone.append("services/api/src/eventflow_api/__init__.py", "UNSIGNED = 1\n")
    commit = clone.commit("Somebody else builds this")
    registry, digest = api_of(before["api"])
    with registry:
        found = registry.get(f"manifests/{digest}", headers={"Accept": MANIFEST})
        manifest = found.raise_for_status().json()
        manifest["annotations"] = {"org.example.by": "somebody else"}
        put = registry.put(
            f"manifests/{commit}", content=json.dumps(manifest), headers={"Content-Type": MANIFEST}
        )
        put.raise_for_status()
        refused = clone.deploy("--", "api")
        clone.git("reset", "--quiet", "--hard", good)
        registry.delete(f"manifests/{put.headers['Docker-Content-Digest']}").raise_for_status()
    assert (refused.code, refused.outcome) == (FAILED, ""), refused.text
    assert "not-accepted" in refused.text
    assert "signature" in refused.text
    assert site.versions() == before


@pytest.mark.full
def test_not_accepted_any_more(change: Clone, site: Site) -> None:
    """One whose signature is gone when the environment's turn comes is refused then."""
    before = site.versions()
    name = before["api"].partition("@")[0]
    image = f"{name}@{change.digest('api')}"
    site.hold(HOLDER)
    with change.deploying("--", "api") as process:
        await_words(process, "holds it")
        registry, digest = api_of(image)
        with registry:
            tag = registry.get(f"manifests/{digest.replace(':', '-')}")
            registry.delete(f"manifests/{tag.headers['Docker-Content-Digest']}").raise_for_status()
        refused = change.finish(process)
    assert refused.code == FAILED, refused.text
    assert "not-accepted" in refused.text
    assert site.versions() == before
    assert not site.holder()
