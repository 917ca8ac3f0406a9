"""What asks the cluster, with a kubectl that is a script."""

from pathlib import Path

import pytest

from monoyard.cluster.client import Client
from monoyard.errors import ToolError
from monoyard.tools.kubectl import Target, Trouble

PROGRAM = """\
#!/bin/sh
case "$*" in
*logs*gone*) echo "container is being made" >&2; exit 1 ;;
*logs*panics*) printf 'panic: too short\n\nmain.main()\n\tmain.go:37\n' ;;
*logs*) printf 'starting\\n\\nunknown flag: --x\\n' ;;
*metadata.uid*) echo 1234 ;;
*nodes*) cat <<'END' ;;
{"items": [
  {"kind": "Node", "metadata": {"name": "one"}, "status": {}},
  {"kind": "Pod", "metadata": {"name": "a", "namespace": "shop-dev"}, "status": {}},
  {"kind": "Pod", "metadata": {"name": "b", "namespace": "platform"}, "status": {}}
]}
END
*apply*) cat >"$0.applied" ;;
*readyz*) echo asked >>"$0.asked"; test "$(wc -l <"$0.asked")" -ge 3 ;;
*) echo "forbidden" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """A cluster that always answers the same."""
    program = tmp_path / "kubectl"
    program.write_text(PROGRAM, encoding="utf-8")
    program.chmod(0o755)
    return Client(Target(program))


def test_the_cluster_is_asked_and_told(client: Client, tmp_path: Path) -> None:
    """Manifests go by standard input, answers are read, and nothing of either is lost."""
    client.apply("kind: Namespace", "")
    assert (tmp_path / "kubectl.applied").read_text("utf-8") == "kind: Namespace"
    assert client.uid() == "1234"


def test_what_is_deployed_does_not_count(client: Client) -> None:
    """A pod of an environment that never gets ready is no trouble of the cluster."""
    assert client.troubles() == (
        Trouble("one", "it is not there yet"), Trouble("platform/b", "it is not there yet"),
    )  # fmt: skip


def test_a_refusal_is_told_in_the_words_of_kubectl(client: Client) -> None:
    """What failed is one error with the last lines and what explains more."""
    with pytest.raises(ToolError) as raised:
        client.run(client.target.argv("delete", "everything"))
    assert raised.value.context == ("forbidden",)
    assert "cluster.status" in (raised.value.hint or "")


def test_a_pod_that_keeps_ending_is_explained_by_its_last_words(client: Client) -> None:
    """Its log says more than the back-off; without a log, and for others, the reason stays."""
    crash = Trouble("platform/traefik", "CrashLoopBackOff: back-off 5m")
    gone = Trouble("platform/gone", "CrashLoopBackOff: back-off 5m")
    panics = Trouble("platform/panics", "CrashLoopBackOff: back-off 5m")
    assert client.explained((panics,))[0].reason.endswith("; it said last: panic: too short")
    other = Trouble("platform/other", "ImagePullBackOff")
    first, *rest = client.explained((crash, gone, other))
    assert first.reason.endswith("; it said last: starting / unknown flag: --x")
    assert rest == [gone, other]


def test_a_server_that_has_just_started_is_waited_for(client: Client, tmp_path: Path) -> None:
    """A cluster whose API server is not ready yet is asked again, instead of being told things."""
    client.await_answer()
    assert (tmp_path / "kubectl.asked").read_text("utf-8").count("asked") == 3


def test_a_server_that_never_gets_ready_is_an_error(client: Client) -> None:
    """The wait ends, with one error that says where to look."""
    with pytest.raises(ToolError) as raised:
        client.await_answer(0)
    assert "cluster.status" in (raised.value.hint or "")
