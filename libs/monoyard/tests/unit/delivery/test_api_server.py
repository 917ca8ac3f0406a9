"""The API server's answers: what passes is told apart from what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx2
import pytest
from lightkube import Client, KubeConfig
from lightkube.config.models import Cluster, User

from monoyard.delivery import UNREACHABLE, ConflictError
from monoyard.delivery.api_server import ApiServer
from monoyard.delivery.objects import CONFIG_MAP, new
from monoyard.errors import ClusterError

JSON = {"Content-Type": "application/json"}


def answering(
    code: int, text: str, headers: dict[str, str], ready: Iterable[int] = ()
) -> ApiServer:
    """Return a namespace of an API server that has one answer to everything, `/readyz` excepted.

    Its first answer is an object, where anything is said of how ready it is.
    """
    left = list(ready)
    objects = ['{"kind": "ConfigMap", "metadata": {"name": "one"}}'] if left else []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/readyz":
            return httpx2.Response(left.pop(0))
        if objects:
            return httpx2.Response(200, content=objects.pop().encode(), headers=JSON)
        return httpx2.Response(code, content=text.encode(), headers=headers)

    config = KubeConfig.from_one(
        cluster=Cluster(server="https://cluster.example"), user=User(token="t")
    )
    client = Client(
        config=config.get(),
        transport=httpx2.MockTransport(answer),
        field_manager="monoyard",
    )
    looker = httpx2.Client(
        base_url="https://cluster.example", transport=httpx2.MockTransport(answer)
    )
    server = ApiServer(client, "staging", looker)
    if objects:
        assert server.get(CONFIG_MAP, "one") is not None
    return server


def status(code: int, message: str) -> tuple[int, str, dict[str, str]]:
    """Return a refusal in the API's own words."""
    said: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
    return code, json.dumps({**said, "code": code, "message": message}), JSON


def errors_of(server: ApiServer) -> list[ClusterError]:
    """Return what each way of asking comes to."""
    thing = new(CONFIG_MAP, "one", data={})
    found = []
    for ask in (
        lambda: server.get(CONFIG_MAP, "one"),
        lambda: server.list(CONFIG_MAP, {}),
        lambda: server.replace(CONFIG_MAP, thing),
        lambda: server.delete(CONFIG_MAP, "one"),
        lambda: server.log("one", "main", 10),
    ):
        with pytest.raises(ClusterError) as error:
            ask()
        found.append(error.value)
    return found


@pytest.mark.parametrize(
    "answer",
    [
        status(500, "etcdserver: leader changed"),
        status(503, "the server is currently unable to handle the request"),
        status(504, "Timeout: request did not complete within the allotted timeout"),
        status(429, "Too many requests, please try again later."),
        status(502, "Bad Gateway"),
        (502, "", {}),
        (502, "<html>", JSON),
        (503, "upstream", {"Content-Type": "text/plain"}),
        (429, "slow down", {"Content-Type": "text/plain"}),
    ],
)
def test_passing_fault_is_no_refusal(answer: tuple[int, str, dict[str, str]]) -> None:
    """A server that lost its store, starts anew or has no turn for us did not answer yet."""
    errors = errors_of(answering(*answer))
    assert {error.code for error in errors} == {UNREACHABLE}
    assert all("cluster.example" in error.message for error in errors)


@pytest.mark.parametrize(
    "answer",
    [
        status(500, 'failed calling webhook "policy.example": connection refused'),
        status(422, "data is too long"),
        (403, "", {}),
        (403, "<html>", JSON),
    ],
)
def test_refusal_stays_one(answer: tuple[int, str, dict[str, str]]) -> None:
    """What a broken webhook, the rules or a proxy refuse would be refused again."""
    assert {error.code for error in errors_of(answering(*answer))} == {"refused"}


def test_absence_needs_no_words() -> None:
    """A 404 says that nothing is there, also where nobody says what kind of text it is."""
    assert answering(404, "", {}).get(CONFIG_MAP, "one") is None


def test_conflict_stays_one() -> None:
    """Who was quicker is told as before."""
    server = answering(*status(409, "the object has been modified"))
    with pytest.raises(ConflictError):
        server.replace(CONFIG_MAP, new(CONFIG_MAP, "one", data={}))


@pytest.mark.parametrize(
    ("ready", "code"),
    [
        ((200, 403, 403), UNREACHABLE),
        ((200, 500, 500), UNREACHABLE),
        ((200, 200, 200), "refused"),
        ((403,), "refused"),
    ],
    ids=["before it has read its roles", "while it starts", "while it is ready", "unseen"],
)
def test_refusal_of_a_server_that_starts_is_none(ready: tuple[int, ...], code: str) -> None:
    """A 403 of a server that was ready and is not is waited for; any other is what it says."""
    server = answering(*status(403, "configmaps is forbidden"), ready=ready)
    for ask in (lambda: server.list(CONFIG_MAP, {}), lambda: server.get(CONFIG_MAP, "one")):
        with pytest.raises(ClusterError) as error:
            ask()
        assert error.value.code == code
        assert "configmaps is forbidden" in str(error.value.context)
