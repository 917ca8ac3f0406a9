"""Images of a small repository, made with a real BuildKit and tried in a real container engine."""

import json
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import docker
import pytest

from .conftest import BASES, LOCK

if TYPE_CHECKING:
    from .conftest import Yard


def test_image_is_made_once_per_content(yard: "Yard") -> None:
    """A service is built and tried, then comes from the cache; only its content remakes it."""
    yard.checkout.package("common")
    yard.service("shop", "common")
    yard.checkout.commit()
    assert yard.checkout.outcomes("images") == {"shop:image": "pass"}
    first = yard.digest("shop")
    assert first.startswith("sha256:")
    yard.checkout.write("libs/shop/tests/test_it.py", "def test_other(): ...\n")
    assert yard.checkout.outcomes("images") == {"shop:image": "cached"}
    yard.checkout.write("libs/common/src/common/__init__.py", "def answer():\n    return 43\n")
    assert yard.checkout.outcomes("images") == {"shop:image": "pass"}
    assert yard.digest("shop") != first


def test_same_content_gives_the_same_digest(yard: "Yard", new_yard: Callable[[], "Yard"]) -> None:
    """Another checkout with another, empty builder makes the same bytes."""
    other = new_yard()
    lock = (yard.checkout.top / "infra/images/debian.lock").read_text("utf-8")
    other.checkout.write("infra/images/debian.lock", lock)
    for each in (yard, other):
        each.service("shop")
        each.checkout.commit()
        assert each.checkout.outcomes("images") == {"shop:image": "pass"}
    assert yard.digest("shop") == other.digest("shop")


PAGE_BASE = """
[tool.monoyard.images.bases.page]
packages = ["nginx-light"]
"""
PAGE = {
    "name": "page",
    "version": "1.0.0",
    "private": True,
    "scripts": {"build": "mkdir -p dist/assets && cp page.html dist/index.html"},
    "monoyard": {"role": "service"},
}
PAGE_LOCK = {
    "name": "page", "version": "1.0.0", "lockfileVersion": 3, "requires": True,
    "packages": {"": {"name": "page", "version": "1.0.0"}},
}  # fmt: skip


def test_same_page_gives_the_same_digest(new_yard: Callable[[], "Yard"]) -> None:
    """A page that is built by another, empty builder at another time has the same bytes."""
    lock, digests = "", set()
    for each in (new_yard(), new_yard()):
        each.checkout.root(BASES + PAGE_BASE)
        if lock:
            each.checkout.write(LOCK, lock)
        else:
            ended = each.checkout.invoke("images.refresh")
            assert ended.code == 0, ended.text
            lock = (each.checkout.top / LOCK).read_text("utf-8")
        each.checkout.write("libs/page/package.json", json.dumps(PAGE))
        each.checkout.write("libs/page/package-lock.json", json.dumps(PAGE_LOCK))
        each.checkout.write("libs/page/page.html", "<p>Here" * 1000)
        each.checkout.write("libs/page/.gitignore", "dist\n")
        each.checkout.commit()
        outcomes = each.checkout.outcomes("images")
        assert outcomes["page:image"] == "pass", outcomes
        digests.add(each.digest("page"))
    assert len(digests) == 1


def test_bad_images_are_named_and_good_ones_pass(yard: "Yard") -> None:
    """Each fault has its own words and fails its own image; nothing is left in the engine."""
    yard.service("good")
    yard.service("ailing", status=500)
    yard.service("stubborn", on_stop="None")
    yard.service("broken")
    yard.service("rooted")
    failing = 'FROM base AS image\nRUN ["python3", "-c", "raise SystemExit(\'no luck\')"]\n'
    yard.checkout.write("libs/broken/Dockerfile", failing)
    yard.checkout.write("libs/rooted/Dockerfile", 'FROM base AS image\nENTRYPOINT ["python3"]\n')
    yard.checkout.commit()
    ended = yard.checkout.nox("images")
    assert ended.code == 1, ended.text
    results = {item["task"]: item for item in yard.checkout.record()["results"]}
    assert {task: item["outcome"] for task, item in results.items()} == {
        "good:image": "pass", "ailing:image": "fail", "stubborn:image": "fail",
        "broken:image": "fail", "rooted:image": "fail",
    }  # fmt: skip
    reasons = {task.partition(":")[0]: item["reason"] for task, item in results.items()}
    assert reasons["ailing"] == "/health/live did not answer 200 within 30 s: status 500"
    assert reasons["stubborn"].endswith("s to stop on SIGTERM, more than 10 s")
    assert reasons["rooted"] == "its user is ``, not a number other than 0"
    assert reasons["broken"].startswith("target broken: failed to solve")
    assert "no luck" in results["broken:image"]["log"]
    assert "good" not in results["broken:image"]["log"]


def containers(service: str) -> list[str]:
    """Return the containers in which a service is tried; others may be tried at the same time."""
    client = docker.from_env()
    try:
        found = client.containers.list(
            all=True, filters={"label": "dev.monoyard.trial"}, ignore_removed=True
        )
        images = {str(item.id): str(item.attrs["Config"]["Image"]) for item in found}
        return [number for number, image in images.items() if f"/{service}@" in image]
    finally:
        client.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_trial_leaves_no_container(
    yard: "Yard", until: Callable[..., bool], number: signal.Signals
) -> None:
    """However a run ends, the container that it tried an image in ends with it."""
    service = number.name.lower()
    yard.service(service, status=500)
    yard.checkout.commit()
    running = yard.checkout.start("images")
    assert until(lambda: containers(service))
    running.signal(number)
    running.end()
    assert until(lambda: not containers(service), 20)


def test_wheel_that_cannot_be_built_fails_the_images_that_need_it(yard: "Yard") -> None:
    """Others are built all the same, and what the backend said is told."""
    yard.service("good")
    yard.service("bad")
    manifest = yard.checkout.top / "libs/bad/pyproject.toml"
    text = manifest.read_text("utf-8").replace('version = "0.1.0"', 'version = "none at all"')
    manifest.write_text(text, encoding="utf-8")
    yard.checkout.commit()
    assert yard.checkout.outcomes("images") == {"bad:image": "fail", "good:image": "pass"}
    assert yard.checkout.result("bad:image")["reason"] == "the wheel of bad cannot be built"
