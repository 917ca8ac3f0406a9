"""`invoke deploy` and what belongs to it, in a real repository, on a cluster in memory."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.bindings.deploy_parts import Parts
from monoyard.bindings.deploying import (
    Deploying,
    deploy,
    prepare_environment,
    resume_deployment,
    roll_back,
)
from monoyard.bindings.doctoring import diagnose
from monoyard.bindings.keeping import restore_backup, show_backups, verify_backup
from monoyard.bindings.replacing import replace_database
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.config.local_record import local_record
from monoyard.delivery import Lease
from monoyard.delivery.access import Access
from monoyard.delivery.objects import CONFIG_MAP, JOB, NAMESPACE, SECRET, new
from monoyard.deployment.mirroring import in_background
from monoyard.errors import ClusterError, DeliveryError, InterruptedRunError, UsageError
from monoyard.testing import FakeCapabilities

from .yard import SERVICE, FakeImages, Yard, at_once, digest

if TYPE_CHECKING:
    from monoyard.bindings.engine import Engine
    from monoyard.deployment.ports import Images, Renderer
    from monoyard.deployment.releases import Releases

MIGRATION = 'revision: str = "{name}"\ndown_revision = None\n'


@dataclass(frozen=True, slots=True)
class FakeParts(Parts):
    """What a deployment is put together from: nothing real but the repository."""

    yard: Yard | None = None

    def releases(
        self, engine: Engine, access: Access, top: Path, settings: EnvironmentSettings
    ) -> Releases:
        """Return Helm in memory."""
        del engine, access, top, settings
        assert self.yard is not None
        return self.yard.releases

    def charts(self, engine: Engine, top: Path) -> Renderer:
        """Return the chart, with the values of the commit."""
        del engine
        assert self.yard is not None
        port = (top / "deploy" / "services" / "api.yaml").read_text("utf-8").strip()
        self.yard.charts.settings["api"] = {"port": int(port)}
        return self.yard.charts

    def programs(self, engine: Engine) -> Mapping[str, Callable[[], str]]:
        """Return programs that are there."""
        del engine
        return {"helm": lambda: "4.3.1"}

    def images(self, engine: Engine, policy: str) -> Images:
        """Return the registry."""
        del engine, policy
        assert self.yard is not None
        return self.yard.images


class Shop:
    """A repository with a cluster in memory that its environments are on."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.yard = Yard()
        self.capabilities = FakeCapabilities()
        self.yard.images = FakeImages()
        subprocess.run(("git", "init", "-qb", "main", str(top)), check=True)
        self.write("pyproject.toml", '[tool.monoyard]\nmembers = ["services/*"]\n')
        self.write("services/api/pyproject.toml", '[project]\nname = "api"\nversion = "1"\n')
        self.write("deploy/services/api.yaml", "80\n")
        for order, name in enumerate(("dev", "prod"), 1):
            self.write(
                f"deploy/environments/{name}/environment.toml",
                f'order = {order}\nnamespace = "shop-{name}"\ncluster = "local"\n'
                '[data]\nbackup = "never"\n[services.api]\n[services.web]\n',
            )

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text, "utf-8")

    def commit(self, **images: str) -> str:
        """Commit everything, publish images for it, and return its id."""
        self._git("add", "-A")
        who = ("-c", "user.name=Jane", "-c", "user.email=jane@example.org")
        self._git(*who, "commit", "-qm", "change", "--allow-empty")
        commit = self._git("rev-parse", "HEAD").strip()
        self.yard.images.publish(commit, **images)
        return commit

    def _git(self, *words: str) -> str:
        done = subprocess.run(
            ("git", *words), cwd=self.top, check=True, capture_output=True, text=True
        )
        return done.stdout

    @property
    def parts(self) -> FakeParts:
        """What deployments are put together from."""
        return FakeParts(
            lambda *_: self.yard.cluster,
            self.yard.clock,
            lambda *_: self.capabilities,
            self.yard.mirroring,
            self.yard,
        )

    def deploy(self, environment: str = "dev", **asked: Any) -> None:
        """Call `invoke deploy`."""
        deploy(self.top, Deploying(environment, **asked), self.parts)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A repository with one commit, on a cluster to which nothing was deployed."""
    found = Shop(tmp_path / "shop")
    pinned = found.yard.cluster.create(NAMESPACE, new(NAMESPACE, "kube-system"))
    config = tmp_path / "config"
    contexts = '[{"name": "here", "context": {"cluster": "c", "user": "u"}}]'
    config.write_text(f"kind: Config\nclusters: []\nusers: []\ncontexts: {contexts}\n", "utf-8")
    said = {"kubeconfig": str(config), "context": "here", "uid": pinned["metadata"]["uid"]}
    variables = {"MONOYARD_CLUSTER_DIR": str(tmp_path)}
    local_record(variables).write_text(json.dumps(said), "utf-8")
    monkeypatch.setenv("MONOYARD_CLUSTER_DIR", str(tmp_path))
    monkeypatch.setenv("MONOYARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    found.commit(api="api-1", web="web-1")
    return found


def test_plan_is_one_page_and_changes_nothing(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """What would be done is on the page, with its hash; nothing is written anywhere."""
    shop.deploy(plan_only=True)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("dev: commit ")
    assert said[0].endswith(" to shop-dev by here")
    assert said[1:5] == [
        "  install  api  it does not run",
        f"      image sha256:{digest('api-1')[7:19]}, made from {said[0][12:24]}",
        "      canary: 5 -> 100 % of requests, 1 analysis on the way; goes back by: "
        "it is removed again",
        "      2 objects to make",
    ]
    assert said[-1].endswith(": 2 services to roll out")
    assert shop.yard.releases.calls == []
    assert shop.yard.cluster.list(CONFIG_MAP, {}) == []


def test_deployment_is_told_step_by_step(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """The page first, then a line for each step as it happens, and how it ended last."""
    shop.deploy()
    said = capsys.readouterr()
    assert [line.split(" ", 1)[1] for line in said.err.splitlines() if "upgrade:api" in line] == [
        "upgrade:api begun", "upgrade:api done revision 1",
    ]  # fmt: skip
    assert said.out.splitlines()[-1].startswith("   1  completed ")
    assert shop.yard.phases() == {"api": "completed api-1", "web": "completed web-1"}
    shop.deploy()
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].endswith(": nothing to do")
    assert len(shop.yard.ledger.history()) == 1


def test_next_plan_tells_what_changes(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Image, cause and fields of what changes; what stays is one line; drift is told."""
    shop.deploy()
    capsys.readouterr()
    shop.write("deploy/services/api.yaml", "8080\n")
    shop.commit(api="api-2", web="web-1")
    shop.yard.cluster.delete(SECRET, "api-database")
    with pytest.raises(DeliveryError) as error:
        shop.deploy(plan_only=True)
    assert error.value.code == "missing-secret"
    said = capsys.readouterr().out
    assert "  upgrade  api  because of its image\n" in said
    assert 'env[PORT].value: "80" -> "8080"' in said
    assert "  keep     web\n" in said
    assert "  REFUSED  there is no Secret `api-database`\n" in said
    assert "REFUSED for 1 reason" in said


def test_work_tree_counts_for_nothing(shop: Shop) -> None:
    """What is not committed is not deployed."""
    shop.deploy()
    shop.write("deploy/services/api.yaml", "8080\n")
    shop.deploy()
    assert len(shop.yard.ledger.history()) == 1


def test_earlier_commit_comes_with_its_own_values(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--commit` deploys charts and values of then, and needs a word where it is older."""
    shop.deploy()
    shop.write("deploy/services/api.yaml", "8080\n")
    shop.commit(api="api-1", web="web-1")
    shop.deploy()
    with pytest.raises(DeliveryError) as error:
        shop.deploy(commit="HEAD~1")
    assert error.value.code == "older"
    capsys.readouterr()
    shop.deploy(commit="HEAD~1", allow_older=True)
    assert '"8080" -> "80"' in capsys.readouterr().out


def test_json_is_one_document(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints the plan where only that is asked for, else the deployment."""
    shop.deploy(plan_only=True, target="")
    plan = json.loads(capsys.readouterr().out)
    assert [item["action"] for item in plan["services"]] == ["install", "install"]
    assert len(plan["hash"]) == 64
    shop.deploy(target="")
    done = json.loads(capsys.readouterr().out)["deployment"]
    assert (done["outcome"], done["header"]["plan"]) == ("completed", plan["hash"])


def test_failure_is_told_with_its_record(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """A deployment that went back is an error of the band 40, and is printed as JSON as well."""
    shop.yard.argo.bad.add(digest("api-1"))
    with pytest.raises(DeliveryError) as error:
        shop.deploy(target="")
    assert (error.value.code, error.value.exit_code) == ("went-back", 40)
    assert json.loads(capsys.readouterr().out)["deployment"]["outcome"] == "went-back"


def test_saved_plan_is_carried_out(shop: Shop, tmp_path: Path) -> None:
    """What was reviewed is what is done, also after the branch went on."""
    file = str(tmp_path / "plan.json")
    shop.deploy(plan_only=True, out=file)
    shop.commit(api="api-2", web="web-2")
    shop.deploy(plan_file=file)
    assert shop.yard.phases() == {"api": "completed api-1", "web": "completed web-1"}


def test_saved_plan_of_another_state_is_refused(shop: Shop, tmp_path: Path) -> None:
    """When the base changed, nothing is done, and the difference is told."""
    file = str(tmp_path / "plan.json")
    shop.deploy(plan_only=True, out=file)
    shop.deploy(services=("web",))
    with pytest.raises(DeliveryError) as error:
        shop.deploy(plan_file=file)
    assert error.value.code == "base-changed"
    assert 'services.web.action: "install" -> "keep"' in error.value.context
    assert "api" not in shop.yard.phases()


def test_last_environment_needs_a_reviewed_plan(shop: Shop, tmp_path: Path) -> None:
    """`prod` stops after the plan, until the hash of a saved one is given."""
    file = str(tmp_path / "plan.json")
    with pytest.raises(DeliveryError, match="only by a plan that was reviewed") as error:
        shop.deploy("prod", out=file)
    assert error.value.code == "not-confirmed"
    found = json.loads(Path(file).read_text("utf-8"))["hash"]
    for wrong in (found[:11], "0" * 64):
        with pytest.raises(DeliveryError) as error:
            shop.deploy("prod", plan_file=file, confirm=wrong)
        assert error.value.code == "not-confirmed"
    assert shop.yard.releases.calls == []
    shop.deploy("prod", plan_file=file, confirm=found[:12])
    assert shop.yard.phases()["api"] == "completed api-1"


class Terminal:
    """Somebody who types."""

    def __init__(self, typed: str) -> None:
        self._typed = typed

    def isatty(self) -> bool:
        """Say that there is somebody."""
        return True

    def readline(self) -> str:
        """Return what was typed."""
        return f"{self._typed}\n"


def test_hash_is_typed_on_a_terminal(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a desk the hash of the saved plan is asked for; anything else changes nothing."""
    file = str(tmp_path / "plan.json")
    shop.deploy("prod", plan_only=True, out=file)
    found = json.loads(Path(file).read_text("utf-8"))["hash"]
    monkeypatch.setattr("sys.stdin", Terminal("yes"))
    with pytest.raises(DeliveryError, match="`yes` is not the hash"):
        shop.deploy("prod", plan_file=file)
    monkeypatch.setattr("sys.stdin", Terminal(found[:14]))
    shop.deploy("prod", plan_file=file)
    assert shop.yard.phases()["api"] == "completed api-1"


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"version": 9}'])
def test_file_without_a_plan_is_told(shop: Shop, tmp_path: Path, text: str | None) -> None:
    """A file that is missing, damaged or of another version is a fault of the command line."""
    file = tmp_path / "plan.json"
    if text is not None:
        file.write_text(text, "utf-8")
    with pytest.raises(UsageError):
        shop.deploy(plan_file=str(file))


def test_saved_plan_says_itself_what_is_deployed(shop: Shop, tmp_path: Path) -> None:
    """Another commit or another environment beside a saved plan contradicts it."""
    file = str(tmp_path / "plan.json")
    shop.deploy(plan_only=True, out=file)
    with pytest.raises(UsageError, match="says itself"):
        shop.deploy(plan_file=file, commit="HEAD")
    with pytest.raises(UsageError, match="is a plan for `dev`"):
        shop.deploy("prod", plan_file=file)


def test_what_is_waived_can_be_said_beside_a_saved_plan(shop: Shop, tmp_path: Path) -> None:
    """A waiver decides whether a reviewed plan may be carried out; the plan stays the same."""
    file = str(tmp_path / "plan.json")
    shop.deploy()
    shop.commit(api="api-2", web="web-1")
    shop.deploy()
    with pytest.raises(DeliveryError):
        shop.deploy(commit="HEAD~1", plan_only=True, out=file)
    with pytest.raises(DeliveryError) as error:
        shop.deploy(plan_file=file)
    assert error.value.code == "older"
    shop.deploy(plan_file=file, allow_older=True)
    assert shop.yard.phases()["api"] == "completed api-1"


@pytest.mark.parametrize("more", [{"plan_only": True}, {"commit": "HEAD"}, {"services": ("api",)}])
def test_resume_is_never_taken_for_something_else(shop: Shop, more: dict[str, Any]) -> None:
    """Who asks for a plan, or for another commit, does not go on with a deployment by accident."""
    _interrupt(shop, shop.deploy)
    before = shop.yard.ledger.history()
    with pytest.raises(UsageError, match="goes with `--env` and `--json` alone"):
        resume_deployment(shop.top, Deploying("dev", **more), shop.parts)
    assert shop.yard.ledger.history() == before


def test_unknown_commits_and_environments(shop: Shop) -> None:
    """What does not exist is a fault of the command line; a moved environment is refused."""
    with pytest.raises(UsageError, match="there is no commit `nope`"):
        shop.deploy(commit="nope")
    path = "deploy/environments/new/environment.toml"
    shop.write(path, 'order = 9\nnamespace = "new"\ncluster = "local"\n[services.api]\n')
    with pytest.raises(UsageError, match="has no deploy/environments/new"):
        shop.deploy("new")
    path = "deploy/environments/dev/environment.toml"
    shop.write(path, 'namespace = "other"\ncluster = "local"\n[services.api]\n')
    with pytest.raises(DeliveryError) as error:
        shop.deploy()
    assert error.value.code == "moved"


def test_new_migrations_are_found_in_history(shop: Shop) -> None:
    """Files that alembic takes for revisions and that what runs does not have are pending.

    The repository has no lock and no alembic: nobody can say here what they would do.
    """
    shop.write("services/api/migrations/versions/one.py", MIGRATION.format(name="one"))
    shop.write("services/api/src/other.py", "revision = 1\n")
    shop.commit(api="api-2", web="web-1")
    with pytest.raises(DeliveryError, match="cannot be deployed to as asked") as error:
        shop.deploy()
    assert error.value.code == "unclassed-migration"
    assert "what one of api would do: api has no migrations" in error.value.context[0]
    shop.deploy(migrated=True)
    shop.write("services/api/migrations/versions/two.py", MIGRATION.format(name="two"))
    shop.commit(api="api-3", web="web-1")
    with pytest.raises(DeliveryError) as error:
        shop.deploy()
    assert "what two of api would do" in error.value.context[0]
    shop.yard.jobs.wanted["api"] = ["one", "two"]
    shop.deploy(allow_unclassed=True)
    assert shop.yard.jobs.applied["api"] == ["one", "two"]


def _interrupt(shop: Shop, what: Callable[[], None]) -> InterruptedRunError:
    """Have Ctrl-C come once the api was sent; return what is said."""

    def press() -> None:
        if "api" in shop.yard.phases():
            shop.yard.clock.happenings.remove(press)
            raise KeyboardInterrupt

    shop.yard.clock.happenings.append(press)
    with pytest.raises(InterruptedRunError) as error:
        what()
    return error.value


def test_interrupted_deployment_says_how_to_go_on(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C tells what stands, gives the lock up, and `--resume` ends the deployment."""
    error = _interrupt(shop, shop.deploy)
    assert error.message == "interrupted: deployment 1 stands at rollout:api (intent)"
    assert error.hint == "`invoke deploy --env dev --resume` goes on with it"
    assert error.exit_code == 130
    capsys.readouterr()
    shop.deploy(plan_only=True)
    assert "deployment 1 was not ended: `--resume` goes on with it" in capsys.readouterr().out
    resume_deployment(shop.top, Deploying("dev"), shop.parts)
    said = capsys.readouterr()
    assert "upgrade:api adopted revision 1" in said.err
    assert said.out.startswith("   1  completed ")
    with pytest.raises(DeliveryError, match="waits to be resumed"):
        resume_deployment(shop.top, Deploying("dev"), shop.parts)


def test_interrupted_before_anything(shop: Shop) -> None:
    """Ctrl-C while somebody else holds the environment leaves nothing to go on with."""

    def press() -> None:
        raise KeyboardInterrupt

    lease = shop.yard.crew("other").holding(shop.yard.cluster, "dev")
    with lease:
        shop.yard.clock.happenings.append(press)
        with pytest.raises(InterruptedRunError, match="before anything was changed"):
            shop.deploy()
        shop.yard.clock.happenings.remove(press)


def test_cluster_that_is_gone_at_the_end(shop: Shop) -> None:
    """Where the cluster does not answer when the end is to be told, the reason is told once."""

    def press() -> None:
        shop.yard.cluster.stop_answering()
        raise KeyboardInterrupt

    shop.yard.clock.happenings.append(press)
    with pytest.raises(InterruptedRunError) as error:
        shop.deploy()
    assert error.value.context == ("the cluster does not answer",)


def test_rollback_goes_back_and_says_so(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """The deployment before is what runs again; a second call to the same has nothing to do."""
    shop.deploy()
    shop.commit(api="api-2", web="web-1")
    shop.deploy()
    capsys.readouterr()
    roll_back(shop.top, "dev", 0, None, shop.parts)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("dev: back to deployment 1, commit ")
    assert said[1] == "  back     api  to Helm's revision 1"
    assert "  back to 1  by " in said[2]
    assert shop.yard.phases()["api"] == "completed api-1"
    roll_back(shop.top, "dev", 3, None, shop.parts)
    assert "nothing to do" in capsys.readouterr().out


def test_interrupted_rollback_is_begun_again(shop: Shop) -> None:
    """A rollback is not resumed but repeated, and the error names the command."""
    shop.deploy()
    shop.commit(api="api-2", web="web-1")
    shop.deploy()
    _interrupt(shop, lambda: roll_back(shop.top, "dev", 1, None, shop.parts))
    with pytest.raises(DeliveryError) as error:
        resume_deployment(shop.top, Deploying("dev"), shop.parts)
    assert error.value.hint == "`invoke rollback --env dev --to 1` goes on with it"
    roll_back(shop.top, "dev", 1, "", shop.parts)
    assert shop.yard.phases()["api"] == "completed api-1"
    assert [item.outcome for item in shop.yard.ledger.history()[:2]] == ["completed", "abandoned"]


def test_environment_is_prepared(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """What an environment has once is made from its own chart, knows the services, and stays."""
    prepare_environment(shop.top, "dev", "", shop.parts)
    assert capsys.readouterr().out.startswith("`dev` has what it needs once, from ")
    assert shop.yard.releases.values("environment", 1) == {"services": ["api", "web"]}
    shop.deploy(prune=True)
    assert [item.name for item in shop.yard.releases.all({})] == ["api", "environment", "web"]
    shop.write("pyproject.toml", '[tool.monoyard.delivery]\nenvironment-chart = ""\n')
    with pytest.raises(UsageError, match="somebody else makes this"):
        prepare_environment(shop.top, "dev", "", shop.parts)


def test_page_tells_the_rest(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Migrations, what was changed by hand, what is removed, and a limit on fields are on it."""
    shop.deploy()
    shop.write("services/api/migrations/versions/one.py", MIGRATION.format(name="one"))
    shop.yard.cluster.delete(SERVICE, "web")
    shop.yard.cluster.merge(SERVICE, "api", {"spec": {"selector": {"app": "x"}}}, status=False)
    text = (shop.top / "deploy/environments/dev/environment.toml").read_text("utf-8")
    shop.write("deploy/environments/dev/environment.toml", text.replace("[services.web]\n", ""))
    shop.commit(api="api-2")
    capsys.readouterr()
    shop.yard.charts.extra = {str(number): "x" * 200 for number in range(12)}
    shop.deploy(plan_only=True, prune=True, migrated=True)
    said = capsys.readouterr().out
    assert "      migrated elsewhere: one\n" in said
    assert "      changed by hand since: Service/api spec.selector.app\n" in said
    assert "  remove   web  the repository no longer has it\n" in said
    assert said.endswith("1 service to roll out, 1 service to remove\n")
    assert "more fields (`--json` has all)" in said
    assert "xxx ...\n" in said


def test_page_tells_what_somebody_removed(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """An object that is gone is told as such; a service that stays is told with its note."""
    shop.deploy()
    shop.yard.cluster.delete(SERVICE, "web")
    capsys.readouterr()
    shop.deploy(plan_only=True)
    assert "changed by hand since: Service/web (removed)\n" in capsys.readouterr().out


def test_rollback_names_what_it_leaves(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """A service that came later is left, and said to be."""
    shop.deploy(services=("api",))
    shop.commit(api="api-2", web="web-1")
    shop.deploy()
    capsys.readouterr()
    roll_back(shop.top, "dev", 0, None, shop.parts)
    assert "  keep     web  (it was not there then)\n" in capsys.readouterr().out


def _backed_up(shop: Shop) -> str:
    """Have an environment that backs up, migrate in it, and return the key of the backup."""
    for name in ("dev", "prod"):
        path = f"deploy/environments/{name}/environment.toml"
        text = (shop.top / path).read_text("utf-8")
        image = f"registry.example/tools@sha256:{'0' * 64}"
        shop.write(path, text.replace('backup = "never"', f'image = "{image}"'))
    record = local_record({"MONOYARD_CLUSTER_DIR": str(shop.top.parent)})
    keys = {"shop-dev": ["age1inside", "age1outside"]}
    record.write_text(json.dumps({**json.loads(record.read_bytes()), "recipients": keys}), "utf-8")
    shop.yard.back_up()
    shop.yard.jobs.wanted["api"] = ["r-one"]
    shop.write("services/api/migrations/versions/one.py", MIGRATION.format(name="one"))
    shop.commit(api="api-2", web="web-1")
    shop.deploy(allow_unclassed=True)
    return shop.yard.jobs.kept[0]


def test_backups_are_asked_for_at_the_door(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Listed, verified and brought back by what the ledger says, for people and as JSON."""
    key = _backed_up(shop)
    command = shop.yard.cluster.get(JOB, "backup-1-api")
    assert command is not None
    assert "age1outside" in str(command)
    capsys.readouterr()
    shop.yard.jobs.listed = [{"key": key, "taken_at": "t", "bytes": 1, "rows": 1, "tables": 1,
                              "revisions": [], "proven_at": "u"}]  # fmt: skip
    show_backups(shop.top, "dev", None, shop.parts)
    said = capsys.readouterr()
    assert said.out == f"{key}  t  1 B, 1 row in 1 table, revision none, proven u\n"
    assert said.err == ""
    show_backups(shop.top, "dev", "", shop.parts)
    assert json.loads(capsys.readouterr().out)["backups"][0]["key"] == key
    verify_backup(shop.top, "dev", "", None, shop.parts)
    assert capsys.readouterr().out == f"{key} restores to what was backed up: 1 table\n"
    shop.yard.jobs.recovered = [{"event": "lost", "tables": ["orders"], "columns": {}}]
    restore_backup(shop.top, "dev", "api", "", None, is_planned=True, parts=shop.parts)
    assert capsys.readouterr().out == f"{key} would bring back\n  table orders\n"


def _watch_the_lease(shop: Shop) -> set[bool]:
    """Return what becomes the answers to whether somebody holds the environment, as time passes."""
    held: set[bool] = set()

    def look() -> None:
        holder = Lease(shop.yard.cluster, "dev", "other", shop.yard.clock).look()
        held.add(bool(holder and holder.name))

    shop.yard.clock.happenings.append(look)
    return held


@pytest.mark.parametrize("is_planned", [False, True])
def test_restore_holds_the_environment(shop: Shop, is_planned: bool) -> None:
    """While it brings back nobody deploys; whoever only asks keeps nobody waiting."""
    key = _backed_up(shop)
    held = _watch_the_lease(shop)
    restore_backup(shop.top, "dev", "", key, None, is_planned=is_planned, parts=shop.parts)
    assert held == {not is_planned}


def test_restore_of_nothing_in_particular_is_refused(shop: Shop) -> None:
    """A service or a key says what is brought back, and they do not contradict each other."""
    for service, key in (("", ""), ("api", "dev/web/1-x")):
        with pytest.raises(UsageError):
            restore_backup(shop.top, "dev", service, key, None, is_planned=True, parts=shop.parts)
        with pytest.raises(UsageError):
            replace_database(shop.top, "dev", (service, key), None, None, shop.parts)


def test_whole_database_goes_by_what_was_planned(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan ends with what to type, and has it in JSON; what is done names what was lost."""
    key = _backed_up(shop)
    capsys.readouterr()
    shop.yard.jobs.losses = [{"event": "losses", "rows": 3, "same": 1, "tables": 2}]
    replace_database(shop.top, "dev", ("api", ""), None, "", shop.parts)
    data = json.loads(capsys.readouterr().out)
    command = f"invoke backup.restore --env dev --whole --lose=3 --key {key} -- api"
    told = {name: data[name] for name in ("version", "key", "whole", "planned", "rows", "command")}
    assert told == {"version": 1, "key": key, "whole": True, "planned": True, "rows": 3,
                    "command": command}  # fmt: skip
    assert data["events"] == shop.yard.jobs.losses
    replace_database(shop.top, "dev", ("", key), None, None, shop.parts)
    assert capsys.readouterr().out.splitlines()[-1] == f"  {command}"
    replace_database(shop.top, "dev", ("api", key), 3, None, shop.parts)
    assert capsys.readouterr().out.startswith(f"the database is now what {key} has")


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [(18, "does-not-fit", "`invoke rollback --env dev --to 1`"), (19, "refused", "by hand")],
)
def test_backup_that_does_not_fit_is_refused(
    shop: Shop, capsys: pytest.CaptureFixture[str], status: int, code: str, hint: str
) -> None:
    """The plan tells why and what would work, and names no words to type."""
    shop.deploy()
    _backed_up(shop)
    shop.yard.jobs.refused = (status, "the database lacks 3")
    with pytest.raises(DeliveryError) as error:
        replace_database(shop.top, "dev", ("api", ""), None, None, shop.parts)
    assert (error.value.code, error.value.context) == (code, ("the database lacks 3",))
    assert hint in str(error.value.hint)
    assert capsys.readouterr().out.splitlines()[-1] == "refused: the database lacks 3"


@pytest.mark.parametrize("lose", [None, 0])
def test_whole_restore_holds_the_environment(shop: Shop, lose: int | None) -> None:
    """While the database is replaced nobody deploys; a plan keeps nobody waiting."""
    key = _backed_up(shop)
    held = _watch_the_lease(shop)
    replace_database(shop.top, "dev", ("api", key), lose, None, shop.parts)
    assert held == {lose is not None}


def test_doctor_tells_all_and_fails_for_what_is_a_problem(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every finding has a line and is data as well; a problem ends with the code of its field."""
    shop.write("deploy/schemas/VERSION", "1.34.4\n")
    shop.commit(api="api-1", web="web-1")
    shop.yard.cluster.create(NAMESPACE, new(NAMESPACE, "shop-dev"))
    with pytest.raises(ClusterError) as error:
        diagnose(shop.top, "dev", None, shop.parts)
    assert error.value.code == "not-ready"
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("dev: shop-dev by local, commit ")
    assert "  PROBLEM  argo-rollouts  it is not installed, and api, web want it" in said
    assert said[-1].startswith("NOT READY: ")
    assert shop.capabilities.is_closed
    assert shop.yard.cluster.is_closed

    shop.capabilities.serve("v1", "services")
    shop.capabilities.serve("argoproj.io/v1alpha1", "rollouts")
    diagnose(shop.top, "dev", "", shop.parts)
    data = json.loads(capsys.readouterr().out)
    assert (data["version"], data["environment"], data["ready"]) == (1, "dev", True)
    assert {item["state"] for item in data["findings"]} == {"ok"}
    assert set(data["findings"][0]) == {"field", "check", "state", "message", "hint", "about"}


def test_doctor_looks_at_everything_without_a_cluster(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A cluster that is gone is one problem, and hides nothing of what is outside of it."""
    monkeypatch.setenv("MONOYARD_CLUSTER_DIR", str(tmp_path / "none"))
    with pytest.raises(ClusterError):
        diagnose(shop.top, "dev", "", shop.parts)
    data = json.loads(capsys.readouterr().out)
    found = {item["check"]: item["state"] for item in data["findings"]}
    assert (found["cluster"], found["ledger"], found["rights"]) == ("problem", "unknown", "unknown")
    assert (found["charts"], found["registry"], found["programs"]) == ("ok", "ok", "ok")
    with pytest.raises(UsageError, match="there is no environment `nope`"):
        diagnose(shop.top, "nope", None, shop.parts)


def test_deployments_and_rollbacks_are_mirrored_where_a_store_is(shop: Shop) -> None:
    """What the local cluster's store and an image of the workspace can do is done from the door."""
    said = 'order = 1\nnamespace = "shop-dev"\ncluster = "local"\n[data]\nbackup = "never"\n'
    path = "deploy/environments/dev/environment.toml"
    shop.write(path, f'{said}image = "postgres"\n[services.api]\n[services.web]\n')
    shop.commit(api="api-1", web="web-1", postgres="tools-1")
    shop.yard.mirroring = at_once
    shop.deploy()
    shop.commit(api="api-2", web="web-1", postgres="tools-1")
    shop.deploy()
    roll_back(shop.top, "dev", 0, None, shop.parts)
    assert [item["number"] for item in shop.yard.jobs.mirrored.values()] == [1, 2, 3]
    assert Parts().mirroring is in_background
