"""Questions to the registry: whether an environment accepts an image, and what differs from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.deploy_sources import image_keys
from monoyard.bindings.engine import Engine
from monoyard.bindings.supplying import Supplying
from monoyard.changes import branch_tag
from monoyard.config import IMAGE_SUITE, suggest
from monoyard.errors import UsageError
from monoyard.images import ImageWork
from monoyard.plan import explain_against
from monoyard.report.security import ruling_json, ruling_lines
from monoyard.supply import (
    Expected,
    Ruling,
    Trust,
    content_tag,
    is_commit,
    key_of_tag,
)
from monoyard.tools import git_refs


@dataclass(frozen=True, slots=True)
class _Asked:
    """One image to verify: its name, what names it in the registry, what it has to be."""

    image: str
    tag: str = ""
    digest: str = ""
    key: str = ""
    commit: str = ""


def verify_images(directory: Path, what: str, environment: str, target: str | None) -> None:
    """Print what an environment says of images, and end with why it does not accept one.

    Args:
        directory: A directory of the repository.
        what: A package, whose image is the one of the work tree; a commit, for all its images;
            or a reference `NAME:TAG` or `NAME@DIGEST`, with or without the registry in front.
        environment: Name of the environment; empty means the first one of the policy.
        target: Where JSON goes, as `answer` takes it; None for lines.

    Raises:
        MachineError: An image could not be scanned.
        RegistryError: The registry does not say.
        UsageError: Nothing of that name is known, or is in the registry.
        VerificationError: An image is not accepted; the code says why.
    """
    engine = Engine(directory, announce)
    supply = Supplying.of(engine)
    name = environment or next(iter(supply.policy.environments))
    admission = supply.admission
    rulings: list[tuple[str, Ruling]] = []
    for asked in _asked(engine, supply, what):
        digest = asked.digest or supply.registry.digest(asked.image, asked.tag)
        if digest is None:
            if asked.commit:
                continue  # not every commit has every image
            raise UsageError(
                f"{supply.registry.repository(asked.image)}:{asked.tag} does not exist",
                hint="`nox -s publish` puts images into the registry",
            )
        reference = supply.registry.reference(asked.image, digest)
        wanted = Expected(asked.image, supply.origin.source, asked.key, asked.commit)
        ruling = admission.examine(reference, wanted, name, reads_bytes=True)
        rulings.append((asked.image, ruling))
    if not rulings:
        raise UsageError(
            f"the registry has no image of {what}",
            hint="commits are tagged by a key that the last environment of the policy trusts",
        )
    rows = [ruling_json(image, ruling) for image, ruling in rulings]
    lines = [line for image, ruling in rulings for line in ruling_lines(image, ruling)]
    answer(lines, {"version": 2, "images": rows}, target)
    for _, ruling in rulings:
        ruling.demand()


def explain_image(directory: Path, name: str, against: str, target: str | None) -> None:
    """Print what differs between an image of the registry and the one of the work tree.

    Args:
        directory: A directory of the repository.
        name: A package.
        against: Tag of the image to compare with; empty means that of the branch.
        target: Where JSON goes, as `answer` takes it; None for lines.

    Raises:
        UsageError: There is no such image, here or in the registry.
        VerificationError: Nothing that the first environment trusts says what it was made from.
    """
    engine = Engine(directory, announce)
    supply = Supplying.of(engine)
    plan = engine.plan(engine.selection(parse_arguments([]), (IMAGE_SUITE,)), has_engine=True)
    images = {
        planned.task.package: planned
        for planned in plan.selected
        if isinstance(planned.task.work, ImageWork)
    }
    planned = images[_known(name, images)]
    tag = against or branch_tag(supply.origin.branch or "main")
    repository = supply.registry.repository(name)
    digest = supply.registry.digest(name, tag)
    if digest is None:
        raise UsageError(
            f"{repository}:{tag} does not exist",
            hint="`--against TAG` names another one: a commit, a version, `branch-NAME`",
        )
    environment = next(iter(supply.policy.environments))
    trust = Trust(supply.signatures, supply.policy, environment, supply.memory)
    wanted = Expected(name, supply.origin.source)
    claim = trust.accept(supply.registry.reference(name, digest), wanted).claim
    key = planned.manifest.key if planned.manifest else ""
    differences = explain_against(planned, claim.parts, engine.store).lines
    where = f"{repository}:{tag}"
    lines = [f"{name} is made from the same as {where}"]
    if key != claim.key:
        made = f" (commit {claim.commit})" if claim.commit else ""
        lines = [f"{name} differs from {where}{made}", *(f"  {line}" for line in differences)]
    data = {
        "version": 1, "image": name, "key": key, "against": tag, "other_key": claim.key,
        "commit": claim.commit, "differences": list(differences),
    }  # fmt: skip
    answer(lines, data, target)


def _asked(engine: Engine, supply: Supplying, what: str) -> list[_Asked]:
    keys = image_keys(engine)
    if what in keys:
        return [_Asked(what, tag=content_tag(keys[what]), key=keys[what])]
    inner = what.removeprefix(f"{supply.registry.address.rstrip('/')}/")
    image, at, digest = inner.partition("@")
    if at:
        return [_Asked(_known(image, keys), digest=digest)]
    image, colon, tag = inner.partition(":")
    if colon:
        commit = tag if is_commit(tag) else ""
        return [_Asked(_known(image, keys), tag=tag, key=key_of_tag(tag), commit=commit)]
    found = engine.repository.ask(git_refs.resolve(what))
    if found is None:
        raise UsageError(
            f"`{what}` is no image and no commit{suggest(what, keys)}", code="unknown-image"
        )
    commit = found.decode().strip()
    return [_Asked(name, tag=commit, commit=commit) for name in keys]


def _known(image: str, keys: Mapping[str, object]) -> str:
    if image not in keys:
        raise UsageError(f"there is no image `{image}`{suggest(image, keys)}", code="unknown-image")
    return image
