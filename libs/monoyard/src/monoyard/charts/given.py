"""What the deployer tells a chart: the values that no file can know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Given:
    """What is deployed, as a chart is told.

    Attributes:
        repository: Where the image is, without tag and digest.
        digest: Of the image.
        commit: What the image was made from.
        deployment: Id of the deployment.
        versions: Name to version of every Secret that pods use.
        previous: Digest of the image of the release before; empty where there is none.
        smoke: Repository and digest of the image that the smoke test runs in; None: its own.
    """

    repository: str
    digest: str
    commit: str
    deployment: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    previous: str = ""
    smoke: tuple[str, str] | None = None


def values(given: Given, service: str, environment: str) -> dict[str, Any]:
    """Return the values of the shared chart."""
    found: dict[str, Any] = {
        "service": service,
        "environment": environment,
        "image": {"repository": given.repository, "digest": given.digest},
        "release": {"commit": given.commit, "deployment": given.deployment},
        "versions": dict(given.versions),
    }
    if given.previous:
        found["previous"] = {"digest": given.previous}
    if given.smoke:
        repository, digest = given.smoke
        found["smoke"] = {"image": {"repository": repository, "digest": digest}}
    return found


def mapped(
    given: Given, service: str, environment: str, places: Mapping[str, str]
) -> dict[str, Any]:
    """Return the values of a chart that has names of its own for them.

    Args:
        given: What is deployed.
        service: Name of the service.
        environment: Name of the environment.
        places: Path among the chart's values (`app.image.tag`) to the word for what stands there.
    """
    words = {
        "commit": given.commit,
        "deployment": given.deployment,
        "digest": given.digest,
        "environment": environment,
        "reference": f"{given.repository}@{given.digest}",
        "repository": given.repository,
        "service": service,
    }
    found: dict[str, Any] = {}
    for path, word in places.items():
        *parents, last = path.split(".")
        place = found
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = words[word]
    return found
