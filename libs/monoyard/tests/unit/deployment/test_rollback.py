"""Back to what an earlier deployment left."""

from __future__ import annotations

import pytest

from monoyard.delivery.rollouts import ROLLOUT
from monoyard.deployment.earlier import find_earlier
from monoyard.errors import DeliveryError

from .yard import NEW, OLD, Yard, digest


def test_rollback_to_the_deployment_before(yard: Yard) -> None:
    """What was recorded then runs again, services that did not change are left alone."""
    yard.deploy()
    yard.deploy(NEW)
    assert yard.go_back() == "completed"
    assert yard.phases() == {"api": "completed api-1", "web": "completed web-1"}
    assert yard.releases.calls[-1] == "rollback api 1"
    record = yard.ledger.history()[0]
    assert (record.header["to"], record.header["commit"]) == (1, OLD)
    assert list(record.header["services"]) == ["api"]
    assert yard.plan(OLD).is_empty


def test_rollback_to_a_number(yard: Yard) -> None:
    """Any completed deployment can be gone back to, and forward again."""
    yard.images.publish("3" * 40, api="api-3", web="web-1")
    yard.commits.order.append("3" * 40)
    for commit in (OLD, NEW, "3" * 40):
        yard.deploy(commit)
    assert yard.go_back(1) == "completed"
    assert yard.phases()["api"] == "completed api-1"
    assert yard.go_back(3) == "completed"
    assert yard.phases()["api"] == "completed api-3"
    assert yard.go_back() == "completed"
    assert yard.phases()["api"] == "completed api-2"


def test_rollback_never_returns_to_what_was_rolled_back(yard: Yard) -> None:
    """After a bad version, its rollback and a good one it is the state before the good one again.

    What one rollback went back from is no earlier state for the next one, however often.
    """
    bad, good = "3" * 40, "4" * 40
    yard.images.publish(bad, api="api-3", web="web-1")
    yard.commits.order.extend((bad, good))
    for commit in (OLD, NEW, bad):
        yard.deploy(commit)
    yard.go_back()
    assert yard.phases()["api"] == "completed api-2"
    yard.images.publish(good, api="api-2", web="web-4")
    yard.deploy(good)
    calls = len(yard.releases.calls)
    yard.go_back()
    assert yard.phases() == {"api": "completed api-2", "web": "completed web-1"}
    assert [call for call in yard.releases.calls[calls:] if " api " in call] == []
    yard.go_back()
    assert yard.phases() == {"api": "completed api-1", "web": "completed web-1"}
    with pytest.raises(DeliveryError, match="no earlier completed deployment"):
        yard.go_back()


def test_rollback_needs_neither_registry_nor_findings(yard: Yard) -> None:
    """Going back works with an empty registry and images that nobody accepts any more."""
    yard.deploy()
    yard.deploy(NEW)
    yard.images.published.clear()
    yard.images.refused.add(digest("api-1"))
    assert yard.go_back() == "completed"


def test_rollback_after_one_that_went_back(yard: Yard) -> None:
    """A failed deployment is none to go back to, and its revisions are no state of then."""
    yard.deploy()
    yard.deploy(NEW)
    yard.images.publish("3" * 40, api="api-3", web="web-1")
    yard.argo.bad.add(digest("api-3"))
    yard.commits.order.append("3" * 40)
    with pytest.raises(DeliveryError):
        yard.deploy("3" * 40)
    assert yard.phases()["api"] == "completed api-2"
    assert yard.go_back() == "completed"
    assert yard.phases()["api"] == "completed api-1"


@pytest.mark.parametrize("number", [0, 2, 9])
def test_rollback_to_nothing_is_refused(yard: Yard, number: int) -> None:
    """Before the first there is nothing; what failed or never was is no place to go."""
    yard.deploy()
    yard.argo.bad.add(digest("api-2"))
    with pytest.raises(DeliveryError, match="went back"):
        yard.deploy(NEW)
    with pytest.raises(DeliveryError) as error:
        find_earlier(yard.ledger, yard.releases, "dev", number)
    assert error.value.code == "no-deployment"


def test_rollback_that_fails_is_not_hidden(yard: Yard) -> None:
    """A rollback that gets nowhere is a failure that somebody has to look at."""
    yard.deploy()
    yard.deploy(NEW)
    yard.argo.stuck.add(digest("api-1"))
    thing = yard.cluster.get(ROLLOUT, "api")
    assert thing is not None
    with pytest.raises(DeliveryError) as error:
        yard.go_back()
    assert error.value.code == "not-back"
    assert yard.ledger.history()[0].outcome == "failed"


def test_service_that_came_later_is_left(yard: Yard) -> None:
    """What was not there then stays as it is, and that is told."""
    del yard.services["web"]
    yard.deploy()
    yard.services["web"] = yard.services["api"]
    yard.deploy(NEW)
    earlier = find_earlier(yard.ledger, yard.releases, "dev", 1)
    assert earlier.left == ("web",)
    assert list(earlier.revisions) == ["api"]
