"""What the delivery room relies on in a cluster: the fake and a real API server both do it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.delivery import (
    ABSENT,
    ConflictError,
    Kind,
    Lease,
    Ledger,
    MachineClock,
    Namespace,
)
from monoyard.delivery.api_server import connect
from monoyard.delivery.objects import CONFIG_MAP, name_of, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.errors import ClusterError, LeaseLostError, LockedError
from monoyard.testing import FakeNamespace

if TYPE_CHECKING:
    from .conftest import Connect


def config_map(name: str, **data: str) -> dict[str, object]:
    """Return an object that any cluster takes."""
    return new(CONFIG_MAP, name, labels={"team": "blue"}, data=data)


def test_object_comes_back_as_it_was_made(namespace: Namespace) -> None:
    """What was made is read with all it had, a version and an identity."""
    made = namespace.create(CONFIG_MAP, config_map("one", key="value"))
    found = namespace.get(CONFIG_MAP, "one")
    assert found is not None
    assert found["data"] == {"key": "value"}
    assert found["metadata"]["labels"]["team"] == "blue"
    assert found["metadata"]["namespace"] == namespace.name
    assert found["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert found["metadata"]["uid"] == made["metadata"]["uid"]


def test_object_keeps_the_time_at_which_it_was_made(namespace: Namespace) -> None:
    """It is the cluster's own, in seconds of UTC, and stays when the object changes."""
    made = namespace.create(CONFIG_MAP, config_map("dated", key="value"))
    at = made["metadata"]["creationTimestamp"]
    assert datetime.fromisoformat(at).tzinfo == UTC
    changed = namespace.replace(CONFIG_MAP, config_map("dated", key="other"))
    assert changed["metadata"]["creationTimestamp"] == at


def test_absent_object_is_none(namespace: Namespace) -> None:
    """What is not there is no error to ask for, and none to remove."""
    assert namespace.get(CONFIG_MAP, "none") is None
    assert namespace.delete(CONFIG_MAP, "none") is False
    assert namespace.log("none", "none", 10) == ""


def test_name_is_given_once(namespace: Namespace) -> None:
    """Of two that make an object of one name, the second is told."""
    namespace.create(CONFIG_MAP, config_map("one", key="first"))
    with pytest.raises(ConflictError):
        namespace.create(CONFIG_MAP, config_map("one", key="second"))
    found = namespace.get(CONFIG_MAP, "one")
    assert found is not None
    assert found["data"] == {"key": "first"}


def test_replacement_of_an_old_version_is_refused(namespace: Namespace) -> None:
    """Whoever read a version that somebody replaced meanwhile changes nothing."""
    read = namespace.create(CONFIG_MAP, config_map("one", key="1"))
    namespace.replace(CONFIG_MAP, {**read, "data": {"key": "2"}})
    with pytest.raises(ConflictError):
        namespace.replace(CONFIG_MAP, {**read, "data": {"key": "3"}})
    found = namespace.get(CONFIG_MAP, "one")
    assert found is not None
    assert found["data"] == {"key": "2"}


def test_replacement_of_nothing_is_an_error(namespace: Namespace) -> None:
    """What was removed meanwhile does not come back by a replacement."""
    read = namespace.create(CONFIG_MAP, config_map("one"))
    namespace.delete(CONFIG_MAP, "one")
    with pytest.raises(ClusterError):
        namespace.replace(CONFIG_MAP, {**read, "data": {"key": "2"}})
    assert namespace.get(CONFIG_MAP, "one") is None


def test_config_map_holds_a_mebibyte(namespace: Namespace) -> None:
    """All its values together may have that many bytes, and not one more."""
    most = 1 << 20
    made = namespace.create(CONFIG_MAP, config_map("one", first="é", second="x" * (most - 2)))
    more = {"first": "é", "second": "x" * (most - 1)}
    with pytest.raises(ClusterError) as error:
        namespace.replace(CONFIG_MAP, {**made, "data": more})
    assert error.value.code == "refused"
    with pytest.raises(ClusterError) as error:
        namespace.create(CONFIG_MAP, config_map("two", **more))
    assert error.value.code == "refused"
    assert namespace.get(CONFIG_MAP, "one") == made
    assert namespace.get(CONFIG_MAP, "two") is None


def test_list_is_by_all_labels_and_in_order(namespace: Namespace) -> None:
    """Objects are found that carry every label, by name."""
    for name in ("b", "a"):
        namespace.create(CONFIG_MAP, config_map(name))
    namespace.create(CONFIG_MAP, new(CONFIG_MAP, "c", labels={"team": "red"}, data={}))
    labels = {"team": "blue", "app.kubernetes.io/managed-by": "monoyard"}
    assert [name_of(item) for item in namespace.list(CONFIG_MAP, labels)] == ["a", "b"]
    assert namespace.list(CONFIG_MAP, {"team": "green"}) == []


def test_apply_makes_and_changes(namespace: Namespace) -> None:
    """Applying makes what is not there, and changes what is said."""
    namespace.apply(CONFIG_MAP, config_map("one", key="1"))
    changed = namespace.apply(CONFIG_MAP, config_map("one", key="2"))
    assert changed["data"] == {"key": "2"}


def test_preview_tells_and_changes_nothing(namespace: Namespace) -> None:
    """What applying would come to is known before, also over what somebody else wrote."""
    namespace.create(CONFIG_MAP, config_map("one", key="1", other="2"))
    wanted = {key: value for key, value in config_map("one", key="3").items() if key != "status"}
    assert namespace.preview(CONFIG_MAP, wanted)["data"] == {"key": "3", "other": "2"}
    assert namespace.preview(CONFIG_MAP, config_map("two", key="4"))["data"] == {"key": "4"}
    found = namespace.get(CONFIG_MAP, "one")
    assert found is not None
    assert found["data"] == {"key": "1", "other": "2"}
    assert namespace.get(CONFIG_MAP, "two") is None


def test_kind_that_the_cluster_lacks_is_told_apart(namespace: Namespace) -> None:
    """What is not installed is another answer than that there is nothing."""
    kind = Kind("example.org", "v1", "Sail", "sails")
    if isinstance(namespace, FakeNamespace):
        namespace.forget(kind)
    for ask in (
        lambda: namespace.list(kind, {}),
        lambda: namespace.preview(kind, new(kind, "one")),
        lambda: namespace.merge(kind, "one", {"spec": {}}, status=False),
    ):
        with pytest.raises(ClusterError) as error:
            ask()
        assert error.value.code == ABSENT


def test_merge_changes_the_status_or_the_rest(namespace: Namespace) -> None:
    """A change of the status leaves the spec alone, and the other way round; null removes."""
    namespace.create(ROLLOUT, new(ROLLOUT, "one", spec={"paused": False, "replicas": 2}))
    namespace.merge(ROLLOUT, "one", {"status": {"abort": True, "phase": "Degraded"}}, status=True)
    namespace.merge(ROLLOUT, "one", {"spec": {"paused": True}}, status=False)
    namespace.merge(
        ROLLOUT, "one", {"spec": {"replicas": 9}, "status": {"phase": None}}, status=True
    )
    found = namespace.merge(
        ROLLOUT, "one", {"spec": {"replicas": None}, "status": {"abort": False}}, status=False
    )
    assert found["spec"] == {"paused": True}
    assert found["status"] == {"abort": True}


def test_generation_counts_changes_of_the_specification(namespace: Namespace) -> None:
    """A controller knows by it whether it saw the latest one; a status or a label is none."""
    made = namespace.create(ROLLOUT, new(ROLLOUT, "one", spec={"replicas": 1}))
    namespace.merge(ROLLOUT, "one", {"status": {"phase": "Healthy"}}, status=True)
    namespace.merge(ROLLOUT, "one", {"metadata": {"labels": {"a": "b"}}}, status=False)
    found = namespace.merge(ROLLOUT, "one", {"spec": {"replicas": 1}}, status=False)
    assert made["metadata"]["generation"] == found["metadata"]["generation"] == 1
    changed = namespace.merge(ROLLOUT, "one", {"spec": {"replicas": 2}}, status=False)
    assert changed["metadata"]["generation"] == 2


def test_merge_of_nothing_is_an_error(namespace: Namespace) -> None:
    """A change needs something to change."""
    with pytest.raises(ClusterError):
        namespace.merge(ROLLOUT, "none", {"spec": {}}, status=False)


def test_removed_object_is_gone(namespace: Namespace) -> None:
    """What is removed is not found any more, and its name is free."""
    namespace.create(CONFIG_MAP, config_map("one"))
    assert namespace.delete(CONFIG_MAP, "one") is True
    assert namespace.get(CONFIG_MAP, "one") is None
    namespace.create(CONFIG_MAP, config_map("one"))


def test_one_of_many_takes_the_environment(namespace: Namespace) -> None:
    """Runners that ask at the same moment get the environment one after the other."""
    names = [f"runner-{number}" for number in range(4)]
    leases = [Lease(namespace, "staging", name, MachineClock()) for name in names]
    start = threading.Barrier(len(leases))
    won = []

    def ask(lease: Lease) -> None:
        start.wait()
        try:
            won.append(lease.acquire(0, lambda _: None))
        except LockedError:
            return

    threads = [threading.Thread(target=ask, args=(lease,)) for lease in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [1]


def test_ledger_refuses_whoever_was_overtaken(namespace: Namespace) -> None:
    """A later holder's first entry ends what an earlier one may write."""
    clock = MachineClock()
    first = Lease(namespace, "staging", "first", clock)
    first.acquire(0, lambda _: None)
    ledger = Ledger(namespace, "staging", clock)
    record = ledger.append(first, ledger.begin(first, {"commit": "a"}), "backup", "intent", {})
    with first.kept(lambda: None):
        pass
    second = Lease(namespace, "staging", "second", clock)
    second.acquire(0, lambda _: None)
    ledger.append(second, ledger.read(1), "resume", "done", {})
    with pytest.raises(LeaseLostError):
        ledger.append(first, record, "backup", "done", {})
    entries = [(entry.step, entry.token) for entry in ledger.read(1).entries]
    assert entries == [("backup", 1), ("resume", 2)]


def test_silent_cluster_is_one_error(tmp_path: Path) -> None:
    """A cluster that does not answer is named, with where to look."""
    config = tmp_path / "kubeconfig"
    config.write_text(
        "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
        "contexts: [{name: here, context: {cluster: c, user: u}}]\n",
        encoding="utf-8",
    )
    cluster = connect(config, "here", "staging")
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:1 does not answer") as error:
        cluster.get(CONFIG_MAP, "one")
    cluster.close()
    assert error.value.code == "unreachable"
    assert error.value.hint is not None


@pytest.mark.parametrize("text", [None, "", "{", "kind: Config\n", "contexts: []\n"])
def test_unusable_kubeconfig_is_one_error(tmp_path: Path, text: str | None) -> None:
    """A file that is not there, is damaged, or lacks the context is told as such."""
    config = tmp_path / "kubeconfig"
    if text is not None:
        config.write_text(text, encoding="utf-8")
    with pytest.raises(ClusterError, match="context `here`") as error:
        connect(config, "here", "staging")
    assert error.value.code == "no-context"


def test_refusal_says_what_the_server_said(api_server: Connect) -> None:
    """What the API server does not take is told in its own words."""
    with pytest.raises(ClusterError, match="cannot be made") as error:
        api_server("default").create(CONFIG_MAP, new(CONFIG_MAP, "No Name", data={}))
    assert error.value.code == "refused"
    assert "No Name" in error.value.context[0]
