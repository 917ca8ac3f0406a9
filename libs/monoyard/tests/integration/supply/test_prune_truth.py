"""What pruning rests on: branches by the word of the remote, and environments that can be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.bindings.pruning import Pruning, prune_images
from monoyard.config.local_record import local_record
from monoyard.delivery.objects import DEPLOYMENT, NAMESPACE, new
from monoyard.testing import FakeNamespace

from .test_retention import Shop
from .yard import Desk, LocalRegistry

if TYPE_CHECKING:
    from ..checkouts import Checkout  # noqa: TID252  a folder, not a package


@pytest.fixture
def shop(
    new_checkout: Callable[[], Checkout], desk: Desk, registry: LocalRegistry, tmp_path: Path
) -> Shop:
    """A service whose repository has a remote."""
    place = tmp_path / "layouts"
    place.mkdir()
    made = Shop(new_checkout(), desk, registry, place)
    made.checkout.git("init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    made.checkout.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    made.checkout.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    return made


def push_elsewhere(shop: Shop, branch: str) -> str:
    """Have somebody else push a commit that was made long ago; return it."""
    (commit,) = shop.commits(1, days=100)
    shop.checkout.git("push", "--quiet", "origin", f"{commit}:refs/heads/{branch}")
    # Nothing of it is left here, as if it had never been here.
    (shop.checkout.top / ".git" / "objects" / commit[:2] / commit[2:]).unlink()
    return commit


def test_branch_that_was_not_fetched_is_no_dead_branch(shop: Shop) -> None:
    """A branch that only the remote has stops the removal, and keeps its images once fetched."""
    digest = shop.push("topic", push_elsewhere(shop, "topic"), "branch-topic")
    assert "branches-not-fetched" not in shop.prune().err
    ended = shop.prune("--apply")
    assert (ended.code, ended.out) == (11, ""), ended.text
    assert "error[branches-not-fetched]" in ended.err
    assert "git fetch origin '+refs/heads/*:refs/remotes/origin/*'" in ended.err
    assert shop.has(digest)
    shop.checkout.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
    assert shop.decisions("--apply")[digest] == ("keep", "branch topic names it")


def test_clone_of_a_single_branch_knows_the_others(shop: Shop) -> None:
    """Where a clone has no ref of a branch, the remote's word is enough to keep its images."""
    (commit,) = shop.commits(1, days=100)
    shop.checkout.git("push", "--quiet", "origin", f"{commit}:refs/heads/topic")
    named = shop.push("topic", "branch-topic", *shop.commits(1, days=100))
    last = shop.push("last", commit)
    shop.checkout.git("config", "remote.origin.fetch", "+refs/heads/main:refs/remotes/origin/main")
    shop.checkout.git("update-ref", "-d", "refs/remotes/origin/topic")
    assert shop.decisions("--apply") == {
        named: ("keep", "branch topic names it"),
        last: ("keep", "it is one of the last 10 images of branch topic"),
    }


def test_branch_that_the_remote_removed_is_gone(shop: Shop) -> None:
    """What a clone remembers of a branch that was deleted elsewhere keeps nothing."""
    (commit,) = shop.commits(1, days=100)
    digest = shop.push("topic", commit, "branch-topic")
    shop.checkout.git("update-ref", "refs/remotes/origin/topic", commit)
    assert shop.decisions("--apply")[digest] == ("remove", "its commits are on no living branch")
    assert not shop.has(digest)


def test_remote_that_does_not_answer_removes_nothing(shop: Shop, tmp_path: Path) -> None:
    """Where nobody says which branches there are, a dry run says so and nothing can be removed."""
    digest = shop.push("laptop", *shop.commits(1, days=100))
    (tmp_path / "remote.git").rename(tmp_path / "moved.git")
    assert "does not say which branches it has; `--apply` would refuse" in shop.prune().err
    ended = shop.prune("--apply")
    assert (ended.code, ended.out) == (11, ""), ended.text
    assert "error[branches-unknown]" in ended.err
    assert shop.has(digest)


def environment(shop: Shop, name: str, order: int) -> None:
    """Write an environment on the local cluster."""
    shop.checkout.write(
        f"deploy/environments/{name}/environment.toml",
        f'order = {order}\nnamespace = "shop-{name}"\ncluster = "local"\n'
        '[data]\nbackup = "never"\n[services.shop]\n',
    )


def test_environment_that_cannot_be_read_removes_nothing(shop: Shop, tmp_path: Path) -> None:
    """One environment without an answer is enough, whatever lists say, unless it is left out."""
    digest = shop.push("laptop", *shop.commits(1, days=100))
    environment(shop, "dev", 1)
    shop.checkout.environment["MONOYARD_CLUSTER_DIR"] = str(tmp_path)
    assert "what `dev` needs cannot be read, so what it needs is kept by chance" in shop.prune().err
    list_of_others = shop.list_of(f"sha256:{'0' * 64}")
    for words in (("--keep-running", list_of_others), ()):
        ended = shop.prune("--apply", *words)
        assert (ended.code, ended.out) == (41, ""), ended.text
        assert "error[environment-unread]: what `dev` needs cannot be read" in ended.err
        assert "`--without-env dev` says that it needs no image" in ended.err
        assert shop.has(digest)
    ended = shop.prune("--apply", "--without-env=dve")
    assert (ended.code, ended.out) == (2, ""), ended.text
    assert shop.decisions("--apply", "--without-env=dev")[digest][0] == "remove"


def test_environments_say_what_they_need(
    shop: Shop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No list is needed where environments are asked: what runs in any of them stays."""
    first, second, third = (
        shop.push(f"laptop-{commit}", commit) for commit in shop.commits(3, days=100)
    )
    shop.branch("main", shop.commits(1, days=1)[0])
    environment(shop, "dev", 1)
    environment(shop, "prod", 2)
    clusters = {"shop-dev": FakeNamespace("shop-dev"), "shop-prod": FakeNamespace("shop-prod")}
    for name, digest in (("shop-dev", first), ("shop-prod", second)):
        pinned = clusters[name].create(NAMESPACE, new(NAMESPACE, "kube-system"))
        containers = [{"name": "shop", "image": f"registry.example/shop@{digest}"}]
        template = {"spec": {"containers": containers}}
        clusters[name].create(DEPLOYMENT, new(DEPLOYMENT, "shop", spec={"template": template}))
    config = tmp_path / "config"
    contexts = '[{"name": "here", "context": {"cluster": "c", "user": "u"}}]'
    config.write_text(f"kind: Config\nclusters: []\nusers: []\ncontexts: {contexts}\n", "utf-8")
    said = {"kubeconfig": str(config), "context": "here", "uid": pinned["metadata"]["uid"]}
    variables = {"MONOYARD_CLUSTER_DIR": str(tmp_path)}
    local_record(variables).write_text(json.dumps(said), "utf-8")
    for name, value in {**shop.checkout.environment, **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KUBECONFIG", raising=False)

    prune_images(
        shop.checkout.top,
        Pruning((), is_applied=True, target=""),
        lambda _config, _context, name: clusters[name],
    )
    rows = json.loads(capsys.readouterr().out)["images"]
    assert {row["digest"]: (row["decision"], row["reason"]) for row in rows} == {
        first: ("keep", "it runs in `dev`"),
        second: ("keep", "it runs in `prod`"),
        third: ("remove", "its commits are on no living branch"),
    }
    assert list(map(shop.has, (first, second, third))) == [True, True, False]
    assert all(namespace.is_closed for namespace in clusters.values())
