"""Checks of the environment's own state: its charts, Secrets, releases, ledger and lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from monoyard.config.environment_values import ACCESS_KEY, IDENTITY_KEY, SECRET_KEY
from monoyard.delivery.workloads import read_workloads
from monoyard.deployment.releases import newest_of
from monoyard.deployment.secrets import read_versions, wanted_secrets
from monoyard.diagnosis.finding import Finding
from monoyard.diagnosis.subject import Subject
from monoyard.errors import MonoyardError

_NEVER: Final = "never"
_LEAST_RECIPIENTS: Final = 2


def check_charts(subject: Subject) -> Iterator[Finding]:
    """See that every service can be rendered."""
    try:
        rendered = subject.rendered()
    except MonoyardError as error:
        said = error.message if not error.context else f"{error.message}: {error.context[0]}"
        yield Finding(
            "charts", "problem", said, error.hint or "`invoke deploy.check` has all faults"
        )
        return
    yield Finding(
        "charts", "ok", f"{len(rendered)} services are rendered from {subject.commit[:12]}"
    )


def check_secrets(subject: Subject) -> Iterator[Finding]:
    """See that the Secrets are there that services name, with their keys."""
    count, lacking = 0, False
    for name, things in subject.objects.items():
        wanted = wanted_secrets(things, subject.environment.secrets)
        _, missing = read_versions(subject.namespace, wanted)
        count += len(wanted)
        for message in missing:
            lacking = True
            yield Finding(
                "secrets", "problem", message, "a person puts it there; charts only name it", name
            )
    if not lacking:
        yield Finding("secrets", "ok", f"all {count} that services name are there, with their keys")


def check_releases(subject: Subject) -> Iterator[Finding]:
    """See that no call of Helm was left where it was killed."""
    environment, lacking = subject.environment, False
    workloads = read_workloads(subject.namespace)  # so that Helm asks no cluster but the pinned one
    for name in environment.services:
        newest = newest_of(subject.releases(), name)
        if newest is None or not newest.is_interrupted:
            continue
        lacking = True
        if subject.holder:
            yield Finding(
                "releases",
                "warning",
                f"a call of Helm is under way: {newest.status}",
                "`invoke status` shows the deployment",
                name,
            )
        else:
            yield Finding(
                "releases",
                "problem",
                f"a call of Helm was killed: revision {newest.revision} is {newest.status}",
                _going_on(subject),
                name,
            )
    for item in workloads:
        if item.service in environment.services and item.is_between and not subject.holder:
            lacking = True
            yield Finding(
                "releases",
                "problem",
                f"it is between two versions: {item.kind} is {item.phase}",
                _going_on(subject),
                item.service,
            )
    if not lacking:
        yield Finding("releases", "ok", "every service has one version, and Helm nothing half done")


def check_ledger(subject: Subject) -> Iterator[Finding]:
    """See that no deployment waits to be ended."""
    history = subject.ledger.history()
    if not history:
        yield Finding("ledger", "ok", "nothing was deployed here yet")
        return
    newest, name = history[0], subject.environment.name
    if newest.outcome == "open" and subject.holder:
        yield Finding(
            "ledger",
            "warning",
            f"deployment {newest.number} is under way",
            f"`invoke status --env {name}` shows it",
        )
    elif newest.outcome in ("open", "failed"):
        said = "was not ended" if newest.outcome == "open" else "was not taken back"
        yield Finding("ledger", "problem", f"deployment {newest.number} {said}", _going_on(subject))
    else:
        yield Finding("ledger", "ok", f"deployment {newest.number} ended: {newest.outcome}")


def check_lease(subject: Subject) -> Iterator[Finding]:
    """See that nobody holds the environment."""
    holder, name = subject.holder, subject.environment.name
    if not holder:
        yield Finding("lock", "ok", "nobody holds the environment")
        return
    yield Finding(
        "lock",
        "warning",
        f"{holder} holds the environment",
        f"`invoke lease.status --env {name}` shows whether that renews it",
    )


def check_backups(subject: Subject) -> Iterator[Finding]:
    """See that a backup could be taken: store, keys, image; the store itself only pods reach."""
    policy, name = subject.environment.data, subject.environment.name
    if policy.backup == _NEVER:
        yield Finding("backups", "ok", "none is taken: `data.backup` says never")
        return
    faults = list(_faults_of_policy(subject))
    yield from faults
    if faults or policy.store is None:
        return
    _, missing = read_versions(
        subject.namespace,
        {
            policy.store.secret: frozenset({ACCESS_KEY, SECRET_KEY}),
            policy.identity: frozenset({IDENTITY_KEY}),
        },
    )
    for message in missing:
        yield Finding(
            "backups",
            "problem",
            message,
            "a person puts it there; `data` of the environment only names it",
        )
    if missing:
        return
    yield Finding(
        "backups",
        "ok",
        f"to {policy.store.bucket} of {policy.store.endpoint}, for "
        f"{len(set(subject.recipients()))} keys; Secrets and image are there",
    )
    last = _last_backup(subject)
    if last:
        yield Finding("store", "ok", f"it took a backup last: {last}")
    else:
        yield Finding(
            "store",
            "unknown",
            f"{policy.store.endpoint} is reached by pods alone, and "
            "no deployment took a backup yet",
            f"`invoke backup.list --env {name}` asks it after the first one",
        )


def _faults_of_policy(subject: Subject) -> Iterator[Finding]:
    policy = subject.environment.data
    if policy.store is None:
        yield Finding(
            "backups",
            "problem",
            "nobody says where backups go",
            "`[data.store]` in environment.toml does, or `data.backup` says `never`",
        )
    if len(set(subject.recipients())) < _LEAST_RECIPIENTS:
        yield Finding(
            "backups",
            "problem",
            "nobody says to whom backups are encrypted",
            "`data.recipients` has two public age keys at least",
        )
    if not policy.image:
        yield Finding(
            "backups", "problem", "nobody says which image takes backups", "`data.image` names one"
        )


def _last_backup(subject: Subject) -> str:
    """Return which deployment had a backup taken last, and of what; empty where none had."""
    for record in subject.ledger.history():
        for entry in reversed(record.entries):
            verb, _, service = entry.step.partition(":")
            if verb == "backup" and entry.state == "done":
                return f"of {service}, by deployment {record.number} at {entry.at}"
    return ""


def _going_on(subject: Subject) -> str:
    """Return what helps where something was left half done."""
    name = subject.environment.name
    history = subject.ledger.history()
    if history and history[0].outcome in ("open", "failed"):
        if "to" in history[0].header:
            return f"`invoke rollback --env {name} --to {history[0].header['to']}` goes on with it"
        return f"`invoke deploy --env {name} --resume` goes on with it"
    return f"`invoke rollback --env {name} --to N` brings back what was; `invoke history` has N"
