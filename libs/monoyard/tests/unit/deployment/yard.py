"""An environment in memory: a cluster, Helm, a registry and a repository, none of them real."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from monoyard.charts import ChartCall, Given, Object, Rendered
from monoyard.charts.given import values
from monoyard.config.environment_values import (
    DataPolicy,
    EnvironmentSettings,
    ServiceSettings,
    StoreSettings,
    Timeouts,
)
from monoyard.delivery import Kind, Lease, Ledger, Record
from monoyard.delivery.objects import JOB, SECRET, labels_of, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.delivery.runner import Told
from monoyard.delivery.workloads import read_workloads
from monoyard.deployment.earlier import find_earlier
from monoyard.deployment.execution import Crew, carry_out, go_back
from monoyard.deployment.jobs import RUN_LABEL
from monoyard.deployment.migrations import Classing
from monoyard.deployment.mirroring import Mirroring, Pending, Put
from monoyard.deployment.plan import DeployPlan, Request
from monoyard.deployment.planning import make_plan
from monoyard.deployment.ports import World
from monoyard.migrations import Classed, Effect, Judgement, Review, Revision, Statement
from monoyard.results import Verdict
from monoyard.supply import Accepted, Check, Ruling
from monoyard.supply.origin import Claim
from monoyard.testing import FakeNamespace, FakeReleases

from .argo import Argo, LivingClock
from .jobs import Jobs

OLD, NEW = "1" * 40, "2" * 40
SERVICES = ("api", "web")
UID = "0fb9ca2c-9e5e-4f29-bb26-0a1b2c3d4e5f"
SERVICE = Kind("", "v1", "Service", "services")


def digest(word: str) -> str:
    """Return a digest that is the same for the same word."""
    return f"sha256:{word.encode().hex():0<64}"


WORDS = {digest(word): word for word in ("api-1", "api-2", "api-3", "web-1", "web-2")}


@dataclass
class FakeImages:
    """A registry, and what an environment thinks of its images.

    Attributes:
        published: Service and commit to the digest.
        made: Digest to the commit that it was made from.
        refused: Digests that are not accepted.
    """

    published: dict[tuple[str, str], str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def publish(self, commit: str, **services: str) -> None:
        """Have images of a commit; one that is there already is reused."""
        for name, word in services.items():
            self.published[name, commit] = digest(word)
            self.made.setdefault(digest(word), commit)

    def repository(self, service: str) -> str:
        """Return what stands in front of the digest."""
        return f"registry.example/{service}"

    def digest(self, service: str, commit: str) -> str | None:
        """Return the image of a commit."""
        return self.published.get((service, commit))

    def examine(self, service: str, digest: str, commit: str) -> Ruling:
        """Return what the environment says of an image."""
        del commit
        reference = f"{self.repository(service)}@{digest}"
        if digest in self.refused:
            check = Check("signature", Verdict.FAIL, "nobody signed it")
            return Ruling(reference, "dev", (check,))
        claim = Claim("source", service, "key", self.made.get(digest, ""), "builder")
        check = Check("signature", Verdict.PASS, "it is signed")
        return Ruling(reference, "dev", (check,), Accepted("release", claim, 1))


@dataclass
class FakeCharts:
    """A chart: a Rollout and a Service, with a Secret, and files of values by commit.

    Attributes:
        settings: Service to what its file of values says.
        extra: Further variables of every container.
    """

    settings: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)

    def of_service(self, environment: EnvironmentSettings, name: str, given: Given) -> ChartCall:
        """Return what a service is rendered from."""
        said = {**self.settings.get(name, {}), **({"extra": self.extra} if self.extra else {})}
        told = {**values(given, name, environment.name), **said}
        return ChartCall(name, "chart", (), told, environment.namespace)

    def of_environment(
        self, environment: EnvironmentSettings, services: Iterable[Rendered]
    ) -> ChartCall:
        """Return what an environment's own chart is rendered from."""
        names = {"services": [item.service for item in services]}
        return ChartCall("environment", "chart", (), names, environment.namespace)

    def render(self, call: ChartCall, environment: str, service: str) -> Rendered:
        """Render the chart."""
        return Rendered(environment, service, "", tuple(objects(call)))


def objects(call: ChartCall) -> Iterable[Object]:
    """Return what the chart comes to."""
    told, name = call.given, call.name
    if name == "environment":
        yield from (_thing(SERVICE, word, {}) for word in ("weights", "-"))
        return
    labels = {
        "monoyard.dev/release": told["release"]["commit"],
        "monoyard.dev/deployment": told["release"]["deployment"],
    }
    image = f"{told['image']['repository']}@{told['image']['digest']}"
    secret = {"secretKeyRef": {"name": f"{name}-database", "key": "url"}}
    container = {
        "name": name,
        "image": told.get("runs", image),
        "env": [{"name": "PORT", "value": str(told.get("port", 80))},
                {"name": "DATABASE_URL", "valueFrom": secret},
                *({"name": key, "value": text} for key, text in told.get("extra", {}).items())],
    }  # fmt: skip
    versions = {"versions": str(sorted(told["versions"].items()))}
    template = {"metadata": {"annotations": versions}, "spec": {"containers": [container]}}
    steps = [{"setWeight": 5}, {"analysis": {}}, {"setWeight": 100}, {"pause": {}}]
    weights = {"weightedTraefikServiceName": told["routed"]} if "routed" in told else {}
    canary = {"steps": steps, "trafficRouting": {"traefik": weights}}
    selector = {"matchLabels": {"app": name}}
    strategy = {"canary": canary}
    rollout = _thing(ROLLOUT, name, labels, selector=selector, template=template, strategy=strategy)
    if trial := told.get("trial"):
        rollout["metadata"]["annotations"] = {"monoyard.dev/trial": json.dumps(trial)}
    yield rollout
    yield _thing(SERVICE, name, labels, selector={"app": name})
    smoke = told.get("smoke", {}).get("image")
    if smoke:
        yield _thing(ROLLOUT, f"{name}-smoke", {}, image=smoke["digest"])
    hook = _thing(SERVICE, f"{name}-hook", {})
    hook["metadata"]["annotations"] = {"helm.sh/hook": "pre-upgrade"}
    yield hook


def _thing(kind: Kind, name: str, labels: Mapping[str, str], **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "labels": dict(labels)}
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "spec": spec}


@dataclass
class FakeCommits:
    """A repository of commits.

    Attributes:
        order: The commits that are known, the oldest first.
        migrations: Service to commit to the migrations that it has.
    """

    order: list[str] = field(default_factory=lambda: [OLD, NEW])
    migrations: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def is_older(self, commit: str, than: str) -> bool | None:
        """Say whether a commit comes before another one."""
        if commit not in self.order or than not in self.order:
            return None
        return self.order.index(commit) < self.order.index(than)

    def new_migrations(self, service: str, since: str, commit: str) -> Iterable[str]:
        """Return the migrations that one commit has and the other has not."""
        found = self.migrations.get(service, {})
        return found.get(commit, set()) - found.get(since, set())


@dataclass
class FakeHistories:
    """What is known of migrations.

    Attributes:
        effects: File to the effects of its revision other than `safe`.
        reviews: File to what reviewers said of it.
        sql: File to the statement of its revision.
        problem: Why nothing is known.
        faults: What is wrong with the histories.
    """

    effects: dict[str, tuple[Effect, ...]] = field(default_factory=dict)
    reviews: dict[str, tuple[Review, ...]] = field(default_factory=dict)
    sql: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    faults: tuple[str, ...] = ()

    def classing(self, service: str, commit: str, new: Collection[str]) -> Classing:
        """Return what is known of migrations; the revision of `one` is called `r-one`."""
        del service, commit
        if self.problem:
            return Classing(problem=self.problem)
        return Classing(tuple(map(self._classed, sorted(new))), self.faults)

    def _classed(self, name: str) -> Classed:
        judgements = [
            Judgement(effect, f"it is {effect.value}") for effect in self.effects.get(name, ())
        ]
        lost = ("orders.total",) if Effect.LOSES in self.effects.get(name, ()) else ()
        sql = self.sql.get(name, f"ALTER {name}")
        statement = Statement(sql, {}, (), tuple(judgements), lost)
        revision = Revision(f"r-{name}", path=f"migrations/versions/{name}.py")
        return Classed(revision, (statement,), exceptions=self.reviews.get(name, ()))


class Yard:
    """An environment of two services, to which nothing was deployed yet."""

    def __init__(self, cluster: FakeNamespace | None = None) -> None:
        self.cluster = cluster or FakeNamespace("shop-dev")
        self.clock = LivingClock()
        self.argo = Argo(self.cluster)
        self.jobs = Jobs(self.cluster)
        self.clock.happenings += [self.argo.step, self.jobs.step]
        self.told: list[str] = []
        self.mirroring: Mirroring | None = None
        self.images = FakeImages()
        self.charts = FakeCharts()
        self.commits = FakeCommits()
        self.histories = FakeHistories()
        self.releases = FakeReleases(self.cluster, lambda call: list(objects(call))[:-1])
        self.data = DataPolicy(backup="never")
        self.services = {name: ServiceSettings() for name in SERVICES}
        self.ledger = Ledger(self.cluster, "dev", self.clock)
        self.images.publish(OLD, api="api-1", web="web-1")
        self.images.publish(NEW, api="api-2", web="web-1")
        for name in SERVICES:
            data = {"url": "c2VjcmV0"}
            self.cluster.create(SECRET, new(SECRET, f"{name}-database", data=data))

    @property
    def environment(self) -> EnvironmentSettings:
        """Its settings."""
        return EnvironmentSettings(
            name="dev", namespace="shop-dev", services=self.services, data=self.data
        )

    @property
    def world(self) -> World:
        """All of it."""
        return World(
            self.environment, UID, self.cluster, self.ledger, self.releases, self.charts,
            self.images, self.commits, self.histories,
        )  # fmt: skip

    def back_up(self, **policy: Any) -> None:
        """Have the environment back up, into a store of its own, by an image of the workspace."""
        for commit in self.commits.order:
            self.images.publish(commit, postgres="tools-1")
        store = StoreSettings("http://store.example:9000", "shop")
        keys = ("age1inside", "age1outside")
        said = DataPolicy(store=store, image="postgres", recipients=keys)
        self.data = replace(said, **policy)
        data = {"access-key": "YQ==", "secret-key": "Yg=="}
        self.cluster.create(SECRET, new(SECRET, "backup-store", data=data))
        data = {"identity": "a2V5"}
        self.cluster.create(SECRET, new(SECRET, "backup-identity", data=data))

    def refuse_once_a_job_is_made(self, image: str) -> None:
        """Have an image refused from the moment on at which the first Job is there."""

        def refuse() -> None:
            if self.jobs.made:
                self.images.refused.add(image)

        self.clock.happenings.append(refuse)

    def plan(self, commit: str = OLD, **asked: Any) -> DeployPlan:
        """Make a plan."""
        return make_plan(self.world, Request("dev", commit, **asked))

    def send(self, plan: DeployPlan, deployment: str = "1") -> None:
        """Have what a plan says sent by Helm, and nothing else done."""
        for item in plan.changed:
            given = Given(
                item.repository, item.digest, item.commit, deployment, item.versions,
                item.previous, item.smoke,
            )  # fmt: skip
            call = self.charts.of_service(self.environment, item.name, given)
            self.releases.upgrade(call, {"monoyard.dev/environment": "dev"}, "by hand")

    def crew(self, holder: str = "runner") -> Crew:
        """Return who carries something out."""

        def tell(told: Told) -> None:
            self.told.append(f"{told.step} {told.state}")

        timeouts = Timeouts(lock=90.0, rollout=60.0, migrate=20.0, backup=20.0, prove=20.0)
        return Crew(
            "jane", holder, self.clock, timeouts, 20.0, tell, self.told.append, self.mirroring
        )

    def job_left_by(self, ask: Callable[[], object]) -> Object:
        """Return the Job of a call whose runner is gone before the Job ended."""
        seen: list[Object] = []
        self.jobs.slow.add("api")

        def look() -> None:
            seen.extend(job for job in self.cluster.list(JOB, {}) if RUN_LABEL in labels_of(job))
            if seen:
                raise KeyboardInterrupt

        self.clock.happenings.append(look)
        with suppress(KeyboardInterrupt):
            ask()
        self.clock.happenings.remove(look)
        return seen[0]

    def deploy(self, commit: str = OLD, **asked: Any) -> Record:
        """Make a plan and carry it out."""
        return carry_out(self.crew(), self.world, self.plan(commit, **asked))

    def go_back(self, number: int = 0) -> str:
        """Go back to what a deployment left, 0 for the one before; return how that ended."""
        earlier = find_earlier(self.ledger, self.releases, "dev", number)
        return go_back(self.crew(), self.cluster, self.ledger, self.releases, earlier).outcome

    def holder(self) -> str:
        """Return who holds the environment."""
        found = Lease(self.cluster, "dev", "", self.clock).look()
        return found.name if found else ""

    def phases(self) -> dict[str, str]:
        """Return where each service is, and by which image."""
        return {
            item.service: f"{item.phase} {WORDS.get(item.digests[0], '')}"
            for item in read_workloads(self.cluster)
            if item.service and item.digests
        }


@contextmanager
def at_once(put: Put, say: Callable[[str], None]) -> Iterator[Callable[[Record], None]]:
    """Mirror each record as it is written, before anything else goes on."""
    pending = Pending(put, say)

    def note(record: Record) -> None:
        pending.add(record)
        pending.send()

    yield note
