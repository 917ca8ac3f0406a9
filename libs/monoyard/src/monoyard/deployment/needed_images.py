"""Which images an environment needs: what runs there, and what it can be taken back to."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from monoyard.delivery import Ledger, Namespace, Record
from monoyard.delivery.objects import JOB, POD
from monoyard.delivery.workloads import WATCHED, list_known
from monoyard.tools.helm import KEPT_REVISIONS

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_SENDING: Final = ("upgrade", "back")

Digests = frozenset[str]


def needed_images(namespace: Namespace, ledger: Ledger, environment: str) -> dict[str, str]:
    """Return the digests that an environment needs, each with why.

    Args:
        namespace: Its objects.
        ledger: What was done to it.
        environment: Its name.

    Raises:
        ClusterError: The cluster does not answer, or refuses to.
    """
    found = {
        digest: f"it runs in `{environment}`"
        for kind in (POD, JOB, *WATCHED)
        for thing in list_known(namespace, kind)
        for digest in _digests([thing.get("spec"), thing.get("status")])
    }
    for digest, number in candidates(ledger.history()).items():
        found.setdefault(digest, f"`{environment}` can be taken back to it: deployment {number}")
    return found


def candidates(history: Iterable[Record]) -> dict[str, int]:
    """Return the digests that deployments can be taken back to, each with the last such deployment.

    Of each service these are those of all deployments that Helm can still have a revision of; each
    that sent something made one at least. What a rollback sent is what it went to.
    """
    sent: dict[str, list[tuple[Record, Digests]]] = defaultdict(list)
    then: dict[int, dict[str, Digests]] = {}
    now: dict[str, Digests] = {}
    for record in sorted(history, key=lambda item: item.number):
        services: Mapping[str, Any] = record.header.get("services") or {}
        before = then.get(int(record.header.get("to") or 0), {})
        for name, said in services.items():
            digests = before.get(name, frozenset()) if "to" in record.header else _sent(said)
            sent[name].append((record, digests))
            # One that was not completed may have left the service as it was, or not.
            is_sure = record.outcome == "completed"
            now[name] = digests if is_sure else digests | now.get(name, frozenset())
        then[record.number] = dict(now)
    found: dict[str, int] = {}
    for name, deployments in sent.items():
        revisions = 0
        for record, digests in reversed(deployments):
            if revisions == KEPT_REVISIONS:
                break
            revisions += any(record.done(f"{step}:{name}") for step in _SENDING)
            for digest in digests:
                found[digest] = max(record.number, found.get(digest, 0))
    return found


def _sent(said: Mapping[str, Any]) -> Digests:
    """Return the digests that a header names as sent; what ran before is another deployment's."""
    return _digests({name: value for name, value in said.items() if name != "previous"})


def _digests(said: object) -> Digests:
    return frozenset(_DIGEST.findall(json.dumps(said)))
