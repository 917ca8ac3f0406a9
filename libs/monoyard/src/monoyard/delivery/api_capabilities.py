"""What a real cluster says of itself and of us, through its API server.

These are not objects that lightkube knows: discovery, reviews that are answered and not kept, and
the proxy for Services. Its own way from a kubeconfig to a connection is used all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx2
from lightkube import KubeConfig

from monoyard.charts import ServicePort
from monoyard.delivery.api_server import PASSING, connection, unreachable, usable
from monoyard.delivery.capabilities import SILENT, Right
from monoyard.delivery.cluster import ABSENT
from monoyard.errors import ClusterError

_SHOWN: Final = 200
_NOT_FOUND: Final = 404
_REVIEW: Final = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_OURSELVES: Final = "apis/authentication.k8s.io/v1/selfsubjectreviews"


class ApiCapabilities:
    """What a cluster is, and what we may do in one namespace of it; whoever opens closes it.

    Args:
        client: Speaks with the API server.
        namespace: The namespace.
    """

    def __init__(self, client: httpx2.Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def close(self) -> None:
        """Close the connections; it can be used no more."""
        self._client.close()

    def version(self) -> str:
        """Return the version of the API server."""
        return str(self._json(self._sent("GET", "version")).get("gitVersion") or "unknown")

    def account(self) -> str:
        """Return the name by which the API server knows us."""
        said = self._review(_OURSELVES, "SelfSubjectReview", {})
        return str(said["userInfo"].get("username") or "")

    def may(self, right: Right) -> bool:
        """Say whether we may do something in the namespace."""
        resource, _, part = right.resource.partition("/")
        attributes = {
            "namespace": self._namespace, "verb": right.verb, "group": right.group,
            "resource": resource, "subresource": part,
        }  # fmt: skip
        said = self._review(_REVIEW, "SelfSubjectAccessReview", {"resourceAttributes": attributes})
        return bool(said.get("allowed"))

    def versions(self, group: str) -> tuple[str, ...]:
        """Return the versions of a group that are served."""
        answer = self._sent("GET", f"apis/{group}" if group else "api")
        if answer.status_code == _NOT_FOUND:
            return ()
        found = self._json(answer).get("versions") or ()
        return tuple(item if isinstance(item, str) else item["version"] for item in found)

    def kinds(self, api_version: str) -> frozenset[str]:
        """Return the plural names of the kinds of a group and version."""
        answer = self._sent("GET", f"{'apis' if '/' in api_version else 'api'}/{api_version}")
        if answer.status_code == _NOT_FOUND:
            return frozenset()
        return frozenset(item["name"] for item in self._json(answer).get("resources") or ())

    def read(self, port: ServicePort, path: str, query: Mapping[str, str]) -> bytes:
        """Have the API server ask a Service of the cluster; return what that answers."""
        service = f"api/v1/namespaces/{port.namespace}/services/{port.resource_name}/proxy/{path}"
        answer = self._sent("GET", service, params=dict(query))
        if answer.status_code in PASSING:
            # Of the Service or of the way to it: the API server itself has answered.
            raise ClusterError(
                f"the Service {port.resource_name} of namespace {port.namespace} does not answer",
                code=SILENT,
                context=(_message(answer),),
            )
        if answer.is_success or not _is_of_server(answer):
            return answer.content
        raise self._refusal(answer)

    def _review(self, path: str, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        group, version = path.split("/")[1:3]
        review = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {}, "spec": spec}
        status: dict[str, Any] = self._json(self._sent("POST", path, json=review))["status"]
        return status

    def _sent(self, method: str, path: str, **more: Any) -> httpx2.Response:
        try:
            return self._client.request(method, path, **more)
        except httpx2.HTTPError as error:
            raise self._silent(f"{type(error).__name__}: {error}") from error

    def _json(self, answer: httpx2.Response) -> dict[str, Any]:
        if not answer.is_success:
            raise self._refusal(answer)
        try:
            said: dict[str, Any] = json.loads(answer.content)
        except ValueError as error:
            raise self._silent("what answers is no API server") from error
        return said

    def _refusal(self, answer: httpx2.Response) -> ClusterError:
        said = _message(answer)
        if answer.status_code in PASSING:
            return self._silent(f"{answer.status_code}: {said}")
        return ClusterError(
            "the cluster refuses to answer",
            code=ABSENT if answer.status_code == _NOT_FOUND else "refused",
            context=(said,),
        )

    def _silent(self, said: str) -> ClusterError:
        return unreachable(str(self._client.base_url), said)


def open_capabilities(kubeconfig: Path, context: str, namespace: str) -> ApiCapabilities:
    """Return what a cluster says of itself and of us.

    Args:
        kubeconfig: File as kubectl reads it.
        context: Name of a context in it.
        namespace: The namespace.

    Raises:
        ClusterError: There is no such file or context, or it is not usable.
    """
    with usable(kubeconfig, context):
        client = connection(KubeConfig.from_file(kubeconfig).get(context))
    return ApiCapabilities(client, namespace)


def _is_of_server(answer: httpx2.Response) -> bool:
    """Say whether the API server itself refuses, and not what it asked for us."""
    try:
        said = json.loads(answer.content)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("kind") == "Status"


def _message(answer: httpx2.Response) -> str:
    try:
        said = json.loads(answer.content)
    except ValueError:
        said = None
    found = said.get("message") if isinstance(said, dict) else answer.text.strip()[:_SHOWN]
    return str(found or f"HTTP status {answer.status_code}")
