"""Which images an environment needs, by what was really deployed to one in memory."""

from __future__ import annotations

import pytest

from monoyard.delivery.objects import POD, new
from monoyard.deployment import find_earlier, needed_images
from monoyard.errors import ClusterError, DeliveryError

from .yard import OLD, Yard, digest


def needed(yard: Yard) -> dict[str, str]:
    """Return the digests that the environment needs."""
    return needed_images(yard.cluster, yard.ledger, "dev")


def deploy(yard: Yard, *numbers: int) -> None:
    """Deploy a commit with an image of `api` for each number."""
    for number in numbers:
        commit = f"{number:040}"
        yard.images.publish(commit, api=f"api-{number}", web="web-1")
        yard.commits.order.append(commit)
        yard.deploy(commit)


def test_what_runs_and_what_ran_is_needed(yard: Yard) -> None:
    """What runs is needed, what can be gone back to as well, and each says which of both it is."""
    yard.deploy()
    deploy(yard, 7)
    assert needed(yard) == {
        digest("api-7"): "it runs in `dev`",
        digest("web-1"): "it runs in `dev`",
        digest("api-1"): "`dev` can be taken back to it: deployment 1",
    }


def test_all_that_a_rollback_can_reach_is_needed(yard: Yard) -> None:
    """Of many deployments those are needed that a rollback takes, and not all that ever were."""
    yard.deploy()
    deploy(yard, *range(10, 16))
    yard.go_back(3)
    deploy(yard, *range(20, 38))
    found = needed(yard)
    for record in yard.ledger.history():
        try:
            earlier = find_earlier(yard.ledger, yard.releases, "dev", record.number)
        except DeliveryError:
            continue
        revision = earlier.revisions.get("api")
        if revision is not None and revision > yard.releases.history("api")[-1].revision - 20:
            manifest = yard.releases.manifest("api", revision)
            assert any(item in manifest for item in found), record.number
    assert digest("api-11") in found, "a rollback sent it again, as revision 8 of 26"
    assert digest("api-10") not in found
    assert digest("api-1") not in found


def test_failed_deployment_does_not_push_a_candidate_out(yard: Yard) -> None:
    """A deployment that sent nothing is no revision: what Helm still has stays needed."""
    yard.deploy()
    yard.releases.fail_next("api")
    for number in range(10, 35):
        yard.images.refused.add(digest(f"api-{number}"))
        with pytest.raises((DeliveryError, AssertionError)):
            deploy(yard, number)
    assert digest("api-1") in needed(yard)


def test_pods_of_an_older_version_count(yard: Yard) -> None:
    """What a pod says that it runs is needed, whether or not a deployment of ours sent it."""
    status = {"containerStatuses": [{"imageID": f"registry.example/api@{digest('api-3')}"}]}
    yard.cluster.create(POD, new(POD, "api-x", spec={}, status=status))
    assert needed(yard) == {digest("api-3"): "it runs in `dev`"}


def test_cluster_that_does_not_answer_is_an_error(yard: Yard) -> None:
    """Nothing is needed nowhere: where nothing can be read there is no answer."""
    yard.deploy(OLD)
    yard.cluster.stop_answering()
    with pytest.raises(ClusterError):
        needed(yard)
