"""Pruning a real registry from the invoke door: what stays can still be pulled and verified."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.base_images import wanted_bases
from monoyard.bindings.engine import Engine
from monoyard.images import Layout
from monoyard.supply import Expected, Trust, content_tag
from monoyard.supply.origin import PROVENANCE, provenance
from monoyard.supply.signing import Attestation
from monoyard.testing.layouts import write_layout

from .yard import SOURCE, Desk, LocalRegistry, key_of, wanted

if TYPE_CHECKING:
    from ..checkouts import Checkout, Ended  # noqa: TID252  a folder, not a package

DAY = 86_400
MADE_AT = 1_700_000_000.0
ROOT = """
[tool.monoyard.images.bases.python]
packages = ["python3-minimal"]
"""


class Shop:
    """A repository with the service `shop`, and its images in a registry.

    Args:
        checkout: The repository.
        desk: Publishes.
        registry: Where to.
        place: Directory for layouts.
    """

    def __init__(
        self, checkout: Checkout, desk: Desk, registry: LocalRegistry, place: Path
    ) -> None:
        self.checkout = checkout
        self.desk = desk
        self.server = registry
        self.registry = desk.registry
        self._place = place
        self._numbers = itertools.count()  # no two commits are the same
        checkout.root(ROOT)
        checkout.package("shop", table='[tool.monoyard]\nrole = "service"\n')
        checkout.write("shop.txt", "")
        checkout.write("infra/images/debian.lock", 'python = ["python3-minimal 3 amd64 00"]\n')
        checkout.environment["MONOYARD_REGISTRY"] = registry.address
        checkout.commit()

    def commits(self, count: int, *, days: int, start: str = "HEAD") -> list[str]:
        """Make commits that many days ago, each following the one before."""
        made: list[str] = []
        moment = f"@{int(time.time()) - days * DAY} +0000"
        self.checkout.environment["GIT_COMMITTER_DATE"] = moment
        for _ in range(count):
            parent = made[-1] if made else start
            words = ("commit-tree", "HEAD^{tree}", "-p", parent, "-m", f"{next(self._numbers)}")
            made.append(self.checkout.git(*words).strip())
        del self.checkout.environment["GIT_COMMITTER_DATE"]
        return made

    def branch(self, name: str, commit: str) -> None:
        """Let a branch point at a commit."""
        self.checkout.git("update-ref", f"refs/heads/{name}", commit)

    def push(self, word: str, *tags: str) -> str:
        """Put an image into the registry, unsigned, under its content tag and others."""
        layout = write_layout(self._place / word, word)
        self.server.put("shop", layout, (content_tag(key_of(word)), *tags))
        return layout.digest

    def push_base(self, word: str, *tags: str) -> Layout:
        """Put a base image into the registry."""
        layout = write_layout(self._place / word, word)
        self.server.put("base-python", layout, (content_tag(key_of(word)), *tags))
        return layout

    def push_on(self, base: Layout, word: str, *tags: str) -> str:
        """Put an image into the registry that is built on a base."""
        layout = write_layout(self._place / word, word)
        manifest = {
            **layout.manifest,
            "layers": [*base.manifest["layers"], *layout.manifest["layers"]],
        }
        for layer in base.manifest["layers"]:
            shutil.copy(base.blob(layer["digest"]), layout.blob(layer["digest"]))
        data = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        layout.blob(digest).write_bytes(data)
        index = {
            "schemaVersion": 2,
            "manifests": [{**layout.descriptor, "digest": digest, "size": len(data)}],
        }
        (layout.path / "index.json").write_text(json.dumps(index), encoding="utf-8")
        self.server.put("shop", Layout(layout.path), (content_tag(key_of(word)), *tags))
        return digest

    def push_each(self, word: str, commits: Iterable[str]) -> list[str]:
        """Put an image for each commit into the registry."""
        with ThreadPoolExecutor(4) as pool:
            return list(
                pool.map(lambda commit: self.push(f"{word}-{commit[:12]}", commit), commits)
            )

    def push_signed(self, word: str, *tags: str) -> str:
        """Put an image into the registry, signed; its provenance says that it was made in 2023."""
        digest = self.push(word, *tags)
        said = provenance(self.desk.origin(), "shop", wanted(word).manifest, "none", MADE_AT)
        signer = self.desk.policy(prod='trusts = ["own"]').signers["own"]
        self.desk.signatures.attach(
            self.registry.reference("shop", digest),
            (Attestation(PROVENANCE, said),),
            self.desk.signatures.signer(signer),
        )
        return digest

    def prune(self, *words: str) -> Ended:
        """Call the verb; where no list says what runs, nothing does."""
        has_list = any(word.startswith("--keep-running") for word in words)
        nothing = ("--nothing-runs",) if "--apply" in words and not has_list else ()
        return self.checkout.invoke("images.prune", *nothing, *words)

    def decisions(self, *words: str) -> dict[str, tuple[str, str]]:
        """Call the verb; return decision and reason by digest."""
        ended = self.prune("--json", *words)
        assert ended.code == 0, ended.text
        rows: list[dict[str, Any]] = json.loads(ended.out)["images"]
        return {row["digest"]: (row["decision"], row["reason"]) for row in rows}

    def list_of(self, *digests: str) -> str:
        """Write a list of what runs, and return its path."""
        path = self._place / f"running-{len(list(self._place.glob('running-*')))}"
        path.write_text("".join(f"{digest}\n" for digest in digests), encoding="utf-8")
        return str(path)

    def has(self, digest: str) -> bool:
        """Say whether the registry hands out a manifest."""
        return self.registry.manifest("shop", digest) is not None

    def holdings(self) -> list[Path]:
        """Return every file of the registry."""
        return sorted(path for path in self.server.data.rglob("*") if path.is_file())

    def is_accepted(self, digest: str) -> bool:
        """Say whether an environment accepts an image; it raises where it does not."""
        trust = Trust(self.desk.signatures, self.desk.policy(prod='trusts = ["own"]'), "prod")
        reference = self.registry.reference("shop", digest)
        return trust.accept(reference, Expected("shop", SOURCE)).signer == "own"


@pytest.fixture
def shop(
    new_checkout: Callable[[], Checkout], desk: Desk, registry: LocalRegistry, tmp_path: Path
) -> Shop:
    """A service without an image yet."""
    place = tmp_path / "layouts"
    place.mkdir()
    return Shop(new_checkout(), desk, registry, place)


def test_hundreds_of_tags(shop: Shop) -> None:
    """A dry run touches nothing; applied, exactly what it named goes, and the rest still works."""
    main = shop.commits(45, days=100)
    topic = shop.commits(20, days=100)
    gone = shop.commits(40, days=100, start=main[5])
    fresh = shop.commits(8, days=1, start=main[5])
    shop.branch("main", main[-1])
    shop.branch("topic", topic[-1])
    tip = shop.push_signed("tip", main[-1], "branch-main")
    on_main = [*shop.push_each("main", main[:-1]), tip]
    on_topic = shop.push_each("topic", topic)
    signed = shop.push_signed("signed", gone[0], "branch-gone")
    on_gone = [signed, *shop.push_each("gone", gone[1:])]
    on_fresh = shop.push_each("fresh", fresh)
    unsigned = [shop.push(f"laptop-{number}") for number in range(8)]
    laptop = shop.push_signed("laptop")
    shop.registry.tag("shop", on_gone[3], "1.4.0")
    assert len(shop.registry.tags("shop")) > 240
    # The list of what is attached to one that stays, under the tag of one that does not.
    index = shop.registry.digest("shop", tip.replace(":", "-"))
    assert index is not None
    shop.registry.tag("shop", index, on_gone[20].replace(":", "-"))
    running = shop.list_of(f"{shop.registry.repository('shop')}@{on_main[2]}")
    rollback = shop.list_of(on_gone[7], on_gone[8])
    lists = f"--keep-running={running},{rollback}"

    before = shop.holdings()
    decisions = shop.decisions(lists)
    assert shop.holdings() == before
    removed = {digest for digest, (decision, _) in decisions.items() if decision == "remove"}
    assert removed == {
        *on_main[:2], *on_main[3:-10], *on_topic[:-10], laptop,
        *(digest for digest in on_gone if digest not in {on_gone[3], on_gone[7], on_gone[8]}),
    }  # fmt: skip
    assert decisions.keys() == {*on_main, *on_topic, *on_gone, *on_fresh, *unsigned, laptop}
    assert {reason for _, reason in decisions.values()} == {
        f"{running} names it",
        f"{rollback} names it",
        "it is tagged 1.4.0",
        "branch main names it",
        "it is one of the last 10 images of branch main",
        "it is one of the last 10 images of branch topic",
        "it is younger than the grace period",
        "nothing tells its age",
        "branch main has 10 newer images",
        "branch topic has 10 newer images",
        "its commits are on no living branch",
        "only its content tag names it",
    }

    attached = {digest: shop.desk.attached("shop", digest) for digest in (tip, signed, laptop)}
    assert all(len(referrers) == 2 for referrers in attached.values())
    ended = shop.prune("--apply", lists)
    assert ended.code == 0, ended.text
    shop.server.garbage_collect()
    kept = decisions.keys() - removed
    assert not any(shop.server.blob(digest).exists() for digest in removed)
    assert not any(shop.has(digest) for item in (signed, laptop) for digest in attached[item])
    with ThreadPoolExecutor(4) as pool:
        problems = list(
            pool.map(lambda digest: shop.registry.problem_of_layers("shop", digest), kept)
        )
    assert problems == [""] * len(kept)
    assert shop.desk.attached("shop", tip) == attached[tip]
    assert shop.is_accepted(tip)
    again = shop.decisions(lists)
    assert again.pop(on_gone[20])[1] == "it is gone, and what it left is that of a kept image"
    assert again == {digest: decisions[digest] for digest in kept}


def test_unreadable_list_removes_nothing(shop: Shop, tmp_path: Path) -> None:
    """A list of what runs that is missing, empty, unnamed or odd is one error, and all stays."""
    shop.push("laptop", *shop.commits(1, days=100))
    good = shop.list_of(f"sha256:{'0' * 64}")
    (tmp_path / "empty").write_text("\n# nothing\n", encoding="utf-8")
    (tmp_path / "odd").write_text("shop:1.0\n", encoding="utf-8")
    before = shop.holdings()
    for number, (name, fault) in enumerate(
        (
            (f"{tmp_path}/missing", "cannot be read"),
            (str(tmp_path), "cannot be read"),
            (f"{tmp_path}/empty", "names nothing"),
            (f"{tmp_path}/odd", "has a line that is no digest"),
            ("", "names nothing"),
        )
    ):
        together = f"--keep-running={good},{name}"
        apart = f"--keep-running={good}", f"--keep-running={name}"
        ended = shop.prune("--apply", *(apart if number % 2 else (together,)))
        assert (ended.code, ended.out) == (10, ""), ended.text
        assert f"error[bad-running-list]: the list of what runs `{name}` {fault}" in ended.err
    assert shop.holdings() == before
    assert shop.decisions("--keep-running", good)  # without the bad one there is an answer


def test_refusing_registry_ends_it(shop: Shop) -> None:
    """The first answer that is an error is the last question, and is told with what was done."""
    first = [shop.push(f"laptop-{commit}", commit) for commit in shop.commits(3, days=100)]
    shop.branch("main", shop.commits(1, days=1)[0])
    assert {decision for decision, _ in shop.decisions().values()} == {"remove"}
    shop.server.forbid_deletion()
    ended = shop.prune("--apply")
    assert ended.code == 31, ended.text
    assert "error[registry-unsupported]" in ended.err
    assert "0 of 3 were removed before" in ended.err
    assert "storage.delete.enabled" in ended.err
    assert ended.err.count("removing ") == 1
    assert all(map(shop.has, first))
    shop.server.stop()
    ended = shop.prune("--apply")
    assert (ended.code, ended.out) == (31, ""), ended.text
    assert "error[registry-down]" in ended.err


def test_image_that_cannot_be_read_ends_it(shop: Shop) -> None:
    """Where the registry fails for one image, the others stay as well."""
    commits = shop.commits(3, days=100)
    first, *others = [shop.push(f"laptop-{commit}", commit) for commit in commits]
    shop.server.blob(first).unlink()
    ended = shop.prune("--apply")
    assert (ended.code, ended.out) == (31, ""), ended.text
    assert "error[registry-damaged]: the registry lists" in ended.err
    assert all(map(shop.has, others))


def test_shallow_clone_removes_nothing(shop: Shop) -> None:
    """Where history is cut off a dry run says so, and nothing can be removed."""
    digest = shop.push("laptop", *shop.commits(1, days=100))
    head = shop.checkout.git("rev-parse", "HEAD").strip()
    (shop.checkout.top / ".git" / "shallow").write_text(f"{head}\n", encoding="ascii")
    assert "git fetch --unshallow" in shop.prune().err
    ended = shop.prune("--apply")
    assert (ended.code, ended.out) == (11, ""), ended.text
    assert "error[shallow]: history is cut off" in ended.err
    assert "hint: git fetch --unshallow" in ended.err
    assert shop.has(digest)


def test_interrupted_removal_is_finished(shop: Shop) -> None:
    """What is left of an image that is gone goes with the next call; what runs keeps even that."""
    digest = shop.push_signed("laptop")
    attached = shop.desk.attached("shop", digest)
    shop.registry.delete("shop", digest)
    shop.registry.delete("shop", attached[0])
    running = shop.list_of(digest)
    assert shop.decisions("--keep-running", running)[digest] == ("keep", f"{running} names it")
    ended = shop.prune("--apply")
    assert ended.code == 0, ended.text
    assert f"{digest}  remove  the image is gone, and left what was attached to it" in ended.out
    assert not any(map(shop.has, attached))
    assert shop.registry.tags("shop") == ()
    assert "0 images are kept, 0 are removed" in shop.prune("--apply").out


def test_image_without_a_tag_is_kept_while_it_is_young_or_runs(shop: Shop) -> None:
    """An image whose tags have moved on, or are not set yet, counts from when it was published."""
    digest = shop.push_signed("laptop")
    attached = shop.desk.attached("shop", digest)
    later = shop.push("later", content_tag(key_of("laptop")))
    assert digest not in {shop.registry.digest("shop", tag) for tag in shop.registry.tags("shop")}
    running = shop.list_of(digest)
    for words in (("--keep-running", running), ()):
        assert shop.decisions("--apply", *words)[digest][0] == "keep"
        assert shop.desk.attached("shop", digest) == attached
    decisions = shop.decisions("--apply", "--grace", "0s")
    assert decisions[digest] == ("remove", "no tag names it")
    assert decisions[later] == ("keep", "nothing tells its age")
    assert not any(map(shop.has, (digest, *attached)))


def test_removing_needs_to_know_what_runs(shop: Shop) -> None:
    """Without a list, and without a word that nothing runs, nothing is removed."""
    (old,) = (shop.push("laptop-1", commit) for commit in shop.commits(1, days=100))
    ended = shop.checkout.invoke("images.prune", "--apply")
    assert ended.code == 2, ended.text
    assert "`--apply` has to know what runs" in ended.err
    assert shop.has(old)


def test_base_goes_when_nothing_that_is_kept_was_made_from_it(shop: Shop) -> None:
    """Bases are pruned with the images: those of kept images stay, and what this tree stands on."""
    commits = shop.commits(4, days=100)
    unused, used, needless = (
        shop.push_base(word, commit) for word, commit in zip(("a", "b", "c"), commits, strict=False)
    )
    shop.branch("topic", *shop.commits(1, days=100))
    kept = shop.push_on(used, "kept", "branch-topic")
    gone = shop.push_on(needless, "gone", commits[3])
    signed = shop.desk.signatures
    reference = shop.registry.reference("base-python", unused.digest)
    signed.attach(
        reference, (), signed.signer(shop.desk.policy(prod='trusts = ["own"]').signers["own"])
    )
    attached = shop.desk.attached("base-python", unused.digest)
    shop.checkout.package("other", table='[tool.monoyard]\nrole = "service"\n')
    shop.checkout.write("other.txt", "")
    assert shop.decisions("--", "shop").keys() == {kept, gone}, "bases need all images looked at"
    decisions = shop.decisions("--apply")
    assert decisions == {
        kept: ("keep", "branch topic names it"),
        gone: ("remove", "its commits are on no living branch"),
        used.digest: ("keep", f"shop@{kept} is made from it, and kept"),
        needless.digest: ("remove", "its commits are on no living branch"),
        unused.digest: ("remove", "its commits are on no living branch"),
    }
    names = [unused.digest, *attached, needless.digest, used.digest]
    left = [shop.registry.manifest("base-python", item) is not None for item in names]
    assert left == [*[False] * (len(names) - 1), True]


def test_base_of_the_lock_stays(shop: Shop) -> None:
    """The base that the next build of this tree would take stays, however old it is."""
    (commit,) = shop.commits(1, days=100)
    engine = Engine(shop.checkout.top, lambda _: None, shop.checkout.environment)
    plan = engine.plan(engine.selection(parse_arguments([])), has_engine=True)
    ((_, wanted_base),) = wanted_bases(plan)
    engine.store.close()
    layout = shop.push_base("base", commit)
    assert shop.decisions()[layout.digest][0] == "remove"
    shop.registry.tag(wanted_base.name, layout.digest, wanted_base.tag)
    assert shop.decisions()[layout.digest] == ("keep", "the lock of this work tree names it")
