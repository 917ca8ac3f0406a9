"""What is said of a cluster."""

from monoyard.cluster import Component, Status
from monoyard.cluster.status import NO_POLICIES, UP_HINT

BROKEN = Status(
    "native",
    exists=True,
    components=(Component("containerd"), Component("kubelet", "it does not run", UP_HINT)),
    addresses={"https": "https://127.0.0.1:10443"},
    notes=(NO_POLICIES,),
    kubeconfig="/k",
)


def test_what_is_wrong_comes_first_with_what_helps() -> None:
    """A part that does not work has its reason and a hint; then follow addresses and notes."""
    assert BROKEN.lines() == [
        "native cluster: not ready (1 of 2 parts work)",
        "  kubelet: it does not run",
        f"    hint: {UP_HINT}",
        "  https  https://127.0.0.1:10443",
        "export KUBECONFIG=/k",
        f"note: {NO_POLICIES}",
    ]


def test_a_cluster_is_ready_only_if_all_of_it_is() -> None:
    """No cluster is down, one fault is not ready, and nothing wrong is ready."""
    assert not BROKEN.is_ready
    assert Status("native", exists=False).state == "down"
    assert Status("native", exists=False).lines()[0] == "there is no local cluster"
    good = Status("native", exists=True, components=(Component("containerd"),))
    assert (good.state, good.is_ready) == ("ready", True)


def test_machines_read_the_same() -> None:
    """The document holds every part, with its problem and hint."""
    document = BROKEN.document()
    assert (document["version"], document["state"]) == (1, "not ready")
    assert document["components"] == [
        {"name": "containerd", "problem": "", "hint": ""},
        {"name": "kubelet", "problem": "it does not run", "hint": UP_HINT},
    ]
    assert document["notes"] == [NO_POLICIES]
