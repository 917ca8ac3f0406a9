"""Which of a service's pods a Job is derived from, and that no selector of theirs takes its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from monoyard.delivery import Object
from monoyard.delivery.objects import name_of
from monoyard.deployment.jobs import ROLE_LABEL, Wanted
from monoyard.errors import DeliveryError

_SELECTING: Final = frozenset({"Service", "Rollout", "Deployment", "StatefulSet", "ReplicaSet"})


def find_template(
    wanted: Wanted, objects: Iterable[Object]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the template of the pods that run the service's image, and the container that does.

    Raises:
        DeliveryError: None does.
    """
    for thing in objects:
        template = (thing.get("spec") or {}).get("template") or {}
        for container in (template.get("spec") or {}).get("containers") or ():
            if thing["kind"] in _SELECTING and container.get("image") == wanted.image:
                return template, container
    raise DeliveryError(
        f"the chart of {wanted.service} renders no pod with {wanted.image}, to run as",
        code="no-migration-pod",
        hint="docs/how-to/back-up-a-database.md has the same by hand"
        if wanted.run
        else "migrate yourself with the new image, and say `--migrated`",
    )


def check_apart(wanted: Wanted, objects: Iterable[Object]) -> None:
    """See that nobody sends requests to the pod of a Job, or counts it as one of their own.

    Raises:
        DeliveryError: A selector would select it.
    """
    for thing in objects:
        if thing["kind"] not in _SELECTING:
            continue
        selector = thing["spec"].get("selector") or {}
        labels = selector.get("matchLabels", selector if thing["kind"] == "Service" else {})
        if labels and labels.items() <= wanted.labels.items():
            raise DeliveryError(
                f"{thing['kind']}/{name_of(thing)} would take the pod for {wanted.role.noun} "
                f"of {wanted.service} for one of its own",
                code="no-migration-pod",
                context=(f"it selects by {', '.join(labels)} alone",),
                hint=f"select by a label that serving pods alone have, as `{ROLE_LABEL}: serving`",
            )
