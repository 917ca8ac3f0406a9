"""Makes the plan of one service: its image, its secrets, what is rendered, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from monoyard.charts import Given, Object, routed_names
from monoyard.delivery import ABSENT, UNREACHABLE
from monoyard.delivery.manifests import compare
from monoyard.delivery.objects import WEIGHTS, kind_of
from monoyard.deployment.backup_making import BackupMaking
from monoyard.deployment.backups import Backup
from monoyard.deployment.job_pods import JobObjects
from monoyard.deployment.jobs import Wanted
from monoyard.deployment.migration_objects import Revisions, migration_objects
from monoyard.deployment.migrations import (
    Classing,
    Migration,
    floors_of,
    objections,
    only_of,
    read_migrations,
)
from monoyard.deployment.plan import Base, Refusal, Request, ServicePlan
from monoyard.deployment.ports import World
from monoyard.deployment.rendering import has_account
from monoyard.deployment.running import Running, find_drift, fingerprint
from monoyard.deployment.secrets import read_versions, wanted_secrets
from monoyard.deployment.strategy import read_strategy
from monoyard.errors import ClusterError, DeliveryError

_HOOK: Final = "helm.sh/hook"
_SHOWN: Final = 12
_BREAKS: Final = (
    "release a version that lives with it first, and then `deny` that it breaks; "
    "`--allow-downtime` goes on, and there is no way back then"
)
_NOT_PUBLISHED: Final = (
    "`nox -s publish` at that commit, with nothing uncommitted, puts it into the registry"
)


@dataclass
class Making:
    """Makes the plans of services one by one, and collects what forbids them.

    Attributes:
        world: What is asked.
        request: What is asked for.
        running: What every service has now.
        rolled_back: Service and image of those that failed before.
        sent_from: Number of every deployment to the commit that it was of.
        refusals: What forbids the plan so far.
    """

    world: World
    request: Request
    running: Mapping[str, Running]
    rolled_back: frozenset[tuple[str, str]]
    sent_from: Mapping[str, str] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    def service(self, name: str) -> ServicePlan:
        """Return what becomes of a service."""
        now, request = self.running[name], self.request
        images = self.world.images
        digest = images.digest(name, request.commit)
        if digest is None:
            self._refuse("no-image", name, f"the registry has no image of {name} for "
                         f"{request.commit[:_SHOWN]}", _NOT_PUBLISHED)  # fmt: skip
            return ServicePlan(name, "keep", self._base(now), causes=("it has no image",))
        ruling = images.examine(name, digest, request.commit)
        if problem := ruling.problem:
            self._refuse("not-accepted", name, f"the image of {name} is refused: {problem}",
                         _checks(name, digest))  # fmt: skip
        if (name, digest) in self.rolled_back and not request.again and digest != now.digest:
            self._refuse("rolled-back", name, f"this image of {name} was rolled back before",
                         "`--again` deploys it all the same")  # fmt: skip
        claimed = ruling.accepted.claim.commit if ruling.accepted else ""
        given = Given(
            repository=images.repository(name),
            digest=digest,
            # An image that is reused keeps the commit it runs under: another would start new pods.
            commit=now.commit if now.digest == digest else claimed or request.commit,
            deployment=now.deployment,
            previous=now.previous if now.digest == digest else now.digest,
        )
        checks = tuple((item.name, item.verdict.value, item.reason) for item in ruling.checks)
        return replace(self._compared(name, now, given), checks=checks)

    def _compared(self, name: str, now: Running, given: Given) -> ServicePlan:
        given = replace(given, smoke=now.smoke)
        objects = self._render(name, given)
        wanted = wanted_secrets(objects, self.world.environment.secrets)
        versions, missing = read_versions(self.world.namespace, wanted)
        for message in missing:
            self._refuse("missing-secret", name, message,
                         "a person puts it there; charts only name it")  # fmt: skip
        given = replace(given, versions=versions)
        objects = self._render(name, given)
        if compare(now.objects, objects) or not now.revision:
            # Only what changes anyway gets a newer image for its smoke test.
            given = replace(given, smoke=self._smoke(name))
            objects = self._render(name, given)
        changes = compare(now.objects, objects)
        causes = tuple(_causes(now, given, bool(changes)))
        if causes:
            self._try(name, now, objects)
        migrations = self._migrations(name, now, given, objects) if causes else ()
        migrates = bool(migrations) and not self.request.migrated
        found = migrations if migrates else ()
        backup = self._backup(name, now, given, objects, found) if causes else None
        strategy = read_strategy(objects)
        return ServicePlan(
            name=name,
            action="keep" if not causes else "upgrade" if now.revision else "install",
            base=self._base(now),
            causes=causes,
            repository=given.repository,
            digest=given.digest,
            commit=given.commit,
            previous=given.previous,
            smoke=given.smoke,
            versions=given.versions,
            manifest=fingerprint(objects),
            workloads=strategy.workloads,
            strategy=strategy.words,
            way_back=strategy.way_back if now.revision else "it is removed again",
            changes=changes,
            migrations=migrations,
            migrates=migrates,
            backup=backup,
            notes=(*strategy.notes, *_notes(migrations)) if causes else (),
        )

    def _base(self, now: Running) -> Base:
        drift = find_drift(self.world.namespace, now.objects)
        return Base(now.revision, now.status, now.digest, now.commit, now.fingerprint, drift)

    def _render(self, name: str, given: Given) -> tuple[Object, ...]:
        world = self.world
        call = world.charts.of_service(world.environment, name, given)
        rendered = world.charts.render(call, world.environment.name, name)
        # What Helm runs and forgets is in no release.
        return tuple(
            thing
            for thing in rendered.objects
            if _HOOK not in (thing["metadata"].get("annotations") or {})
        )

    def _smoke(self, name: str) -> tuple[str, str] | None:
        wanted = self.world.environment.services[name].smoke_image
        if not wanted:
            return None
        images, commit = self.world.images, self.request.commit
        digest = images.digest(wanted, commit)
        if digest is None:
            self._refuse("no-image", name, f"its smoke test runs in the image of {wanted}, which "
                         f"has none for {commit[:_SHOWN]}", _NOT_PUBLISHED)  # fmt: skip
            return None
        if problem := images.examine(wanted, digest, commit).problem:
            self._refuse("not-accepted", name, f"its smoke test runs in the image of {wanted}, "
                         f"which is refused: {problem}", _checks(wanted, digest))  # fmt: skip
        return images.repository(wanted), digest

    def _migrations(
        self, name: str, now: Running, given: Given, objects: Sequence[Object]
    ) -> tuple[Migration, ...]:
        """Return what the database may lack by what the commits differ, and object to what harms.

        What it really has is for the Job to find: one that is there is not applied again.
        """
        if given.digest == now.digest:
            return ()
        world, request = self.world, self.request
        since, known = self._since(now)
        new = frozenset(world.commits.new_migrations(name, since, request.commit))
        if not new or request.migrated:
            return read_migrations(new, Classing())
        classing = (
            world.histories.classing(name, request.commit, new) if known
            else Classing(problem=f"{now.commit[:_SHOWN]}, which runs, is not known here")
        )  # fmt: skip
        found = read_migrations(new, classing)
        for said in objections(name, found, classing, allow_unclassed=request.allow_unclassed):
            self._refuse(said[0], name, *said[1:])
        if now.revision and not request.allow_downtime:
            for revision, why in floors_of(found).items():
                message = f"{name} would be down from migration {revision} until its new version"
                self._refuse("breaks-running", name, f"{message} serves: {why}", _BREAKS)
        self._try_migrating(name, given, objects, found)
        return found

    def _since(self, now: Running) -> tuple[str, bool]:
        """Return a commit with the very migrations of what runs, and whether it is known here.

        An image that is reused keeps the commit it was made from, of a branch that may be gone by
        now; the commit that it was deployed for has the same content.
        """
        commits = [item for item in (now.commit, self.sent_from.get(now.deployment, "")) if item]
        for commit in commits:
            if self.world.commits.is_older(self.request.commit, commit) is not None:
                return commit, True
        return now.commit, not commits

    def _try_migrating(
        self, name: str, given: Given, objects: Sequence[Object], found: Sequence[Migration]
    ) -> None:
        """Ask whether the migration's Job can be made, before anything is."""
        wanted = Wanted(
            self.world.environment.name, name, 0, f"{given.repository}@{given.digest}", 1
        )
        revisions = Revisions(only_of(found), floors_of(found))
        accounts = has_account(self.world.namespace)
        self._try_job(name, lambda: migration_objects(wanted, revisions, objects, accounts))

    def _backup(
        self,
        name: str,
        now: Running,
        given: Given,
        objects: Sequence[Object],
        found: Sequence[Migration],
    ) -> Backup | None:
        """Return what is backed up before the service changes, and object to what is missing."""
        making = BackupMaking(self.world, self.request, name, self._refuse)
        backup = making.decide(found)
        if backup is not None:
            image = f"{given.repository}@{given.digest}"
            is_other = now.digest not in ("", given.digest)
            running = f"{given.repository}@{now.digest}" if is_other else ""
            backup = making.with_trials(backup, (running, now.objects), (image, objects), found)
            for make in making.jobs(backup, image, objects):
                self._try_job(name, make)
        return backup

    def _try_job(self, name: str, make: Callable[[], JobObjects]) -> None:
        try:
            things = make()
        except DeliveryError as error:
            self._refuse(error.code, name, error.message, error.hint or "")
            return
        self._try(name, Running(), [*(thing for _, thing in things.ahead), things.job])

    def _try(self, name: str, now: Running, objects: Sequence[Object]) -> None:
        """Ask the API server whether it would take what changes."""
        sent = {(thing["kind"], thing["metadata"]["name"]): thing for thing in now.objects}
        told: set[str] = set()
        for weights in routed_names(objects):
            if self.world.namespace.get(WEIGHTS, weights) is None:
                self._refuse("no-weights", name, f"there is no TraefikService `{weights}`, whose "
                             "weights its canary moves", "`invoke deploy.prepare` makes what an "
                             "environment has once")  # fmt: skip
        for thing in objects:
            if sent.get((thing["kind"], thing["metadata"]["name"])) == thing:
                continue
            try:
                self.world.namespace.preview(kind_of(thing), thing)
            except ClusterError as error:
                if error.code == UNREACHABLE:
                    raise
                said = error.context[0] if error.context else error.message
                what = "does not know" if error.code == ABSENT else "does not take"
                message = f"the cluster {what} {thing['kind']}/{thing['metadata']['name']}: {said}"
                if thing["kind"] not in told:
                    self._refuse("not-taken", name, message, error.hint or "")
                told.add(thing["kind"])

    def _refuse(self, code: str, service: str, message: str, hint: str = "") -> None:
        self.refusals.append(Refusal(code, service, message, hint))


def _checks(name: str, digest: str) -> str:
    return f"`invoke images.verify {name}@{digest} --env ENV` shows every check"


def _causes(now: Running, given: Given, differs: bool) -> Iterator[str]:
    if not now.revision:
        yield "it does not run"
        return
    if not now.is_whole:
        yield f"the last call of Helm ended as `{now.status}`"
    # A chart of one's own may keep no versions of Secrets.
    secrets = [
        name for name, version in given.versions.items()
        if now.versions and now.versions.get(name) != version
    ]  # fmt: skip
    if given.digest != now.digest:
        yield "its image"
    for name in secrets:
        yield f"the Secret {name}"
    if differs and given.digest == now.digest and not secrets:
        yield "its chart or values"


def _notes(migrations: Iterable[Migration]) -> Iterator[str]:
    for revision, why in floors_of(migrations).items():
        yield (
            f"{revision} raises the floor ({why}): once it is applied, the version that runs now "
            "is not ready any more, and does not fit to go back to"
        )
