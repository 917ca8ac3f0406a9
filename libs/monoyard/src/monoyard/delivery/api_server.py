"""A namespace of a real cluster, through its API server."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx2
from lightkube import ApiError, Client, KubeConfig
from lightkube.config import client_adapter as adapter
from lightkube.config.kubeconfig import SingleConfig
from lightkube.core.exceptions import ConfigError
from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.types import CascadeType, PatchType
from yaml import YAMLError

from monoyard.delivery.cluster import ABSENT, UNREACHABLE, ConflictError
from monoyard.delivery.objects import Kind, Object
from monoyard.delivery.readiness import Readiness
from monoyard.errors import ClusterError

_MANAGER: Final = "monoyard"
_TIMEOUT: Final = httpx2.Timeout(10.0)
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_SERVER_FAULTS: Final = 500
_CONFLICT: Final = 409
# The server has no turn for us, starts anew, or lost its store for a moment: it was not about us.
PASSING: Final = frozenset({429, 502, 503, 504})
# A webhook that is broken answers 500 as well, and does so again.
_PASSING_WORDS: Final = "etcdserver:"
_CODES: Final = {_CONFLICT: "conflict", _NOT_FOUND: ABSENT}
_HINTS: Final = {
    401: "the kubeconfig's credentials are not valid for this cluster",
    _FORBIDDEN: "the environment's Role says who may do this",
    _NOT_FOUND: "the kind is not known here: is its CustomResourceDefinition installed?",
}

UNUSABLE: Final = (
    ConfigError, OSError, YAMLError,
    AssertionError, AttributeError, KeyError, TypeError, ValueError,
)  # fmt: skip
"""lightkube takes a kubeconfig's shape for granted, and says so like this where it is another."""

Result = TypeVar("Result")


class ApiServer:
    """The objects of one namespace of a real cluster; whoever connects closes it.

    Args:
        client: Speaks with the API server.
        name: The namespace.
        looker: Speaks with it of what are no objects.
    """

    def __init__(self, client: Client, name: str, looker: httpx2.Client) -> None:
        self.name = name
        self._client = client
        self._looker = looker
        self._readiness = Readiness(functools.partial(_status_of, looker, "readyz"))

    def close(self) -> None:
        """Close the connections; it can be used no more."""
        self._client.close()
        self._looker.close()

    def get(self, kind: Kind, name: str) -> Object | None:
        """Return an object, or None where there is none."""
        found = self._maybe(lambda: self._client.get(_type(kind), name, **self._place(kind)))
        return None if found is None else _plain(found)

    def list(self, kind: Kind, labels: Mapping[str, str]) -> list[Object]:
        """Return the objects that carry all of these labels, by name."""
        ask = functools.partial(
            self._client.list, _type(kind), labels=dict(labels), **self._place(kind)
        )
        found = self._call(f"{kind.plural} cannot be listed", lambda: list(ask()))
        return sorted(map(_plain, found), key=lambda thing: str(thing["metadata"]["name"]))

    def create(self, kind: Kind, thing: Object) -> Object:
        """Make an object and return it as it is now."""
        return self._send("made", kind, thing, self._client.create)

    def replace(self, kind: Kind, thing: Object) -> Object:
        """Put an object in the place of the version that was read."""
        return self._send("replaced", kind, thing, self._client.replace)

    def apply(self, kind: Kind, thing: Object) -> Object:
        """Make an object be so, by server-side apply."""
        return self._send("applied", kind, thing, self._client.apply)

    def preview(self, kind: Kind, thing: Object) -> Object:
        """Return what `apply` would make of an object, whoever owns its fields."""
        ask = functools.partial(self._client.apply, force=True, dry_run=True)
        return self._send("applied", kind, thing, ask)

    def merge(self, kind: Kind, name: str, change: Mapping[str, Any], *, status: bool) -> Object:
        """Change some fields of an object, or of its status."""
        resource = _type(kind).Status if status else _type(kind)
        return _plain(
            self._call(
                f"{kind.name} {name} cannot be changed",
                lambda: self._client.patch(
                    resource, name, dict(change), patch_type=PatchType.MERGE, **self._place(kind)
                ),
            )
        )

    def delete(self, kind: Kind, name: str) -> bool:
        """Remove an object; what it owns follows. Say whether there was one."""

        def remove() -> bool:
            self._client.delete(
                _type(kind), name, cascade=CascadeType.BACKGROUND, **self._place(kind)
            )
            return True

        return bool(self._maybe(remove))

    def log(self, pod: str, container: str, lines: int) -> str:
        """Return the last lines that a container of a pod printed."""

        def read() -> str:
            said = self._client.log(
                pod, namespace=self.name, container=container, tail_lines=lines, newlines=True
            )
            return "".join(said)

        return self._maybe(read, also=(400,)) or ""

    def _place(self, kind: Kind) -> dict[str, Any]:
        return {"namespace": self.name} if kind.is_namespaced else {}

    def _send(self, done: str, kind: Kind, thing: Object, call: Callable[..., Any]) -> Object:
        what = f"{kind.name} {thing['metadata']['name']} cannot be {done}"
        made = _type(kind).from_dict(dict(thing))
        return _plain(self._call(what, lambda: call(made, **self._place(kind))))

    def _maybe(self, ask: Callable[[], Result], also: tuple[int, ...] = ()) -> Result | None:
        """Return an answer, or None where what is asked for is not there."""
        try:
            return self._answered(ask)
        except ApiError as error:
            if error.status.code in (_NOT_FOUND, *also):
                return None
            raise self._refused("the cluster refuses to answer", error) from error
        except httpx2.HTTPError as error:
            if _code_of(error) == _NOT_FOUND:
                return None
            raise self._silent("the cluster refuses to answer", error) from error

    def _answered(self, ask: Callable[[], Result]) -> Result:
        found = _asked(ask)
        self._readiness.note_answer()
        return found

    def _call(self, what: str, ask: Callable[[], Result]) -> Result:
        try:
            return self._answered(ask)
        except ApiError as error:
            raise self._refused(what, error) from error
        except httpx2.HTTPError as error:
            raise self._silent(what, error) from error

    def _refused(self, what: str, error: ApiError) -> ClusterError:
        code = error.status.code or error.response.status_code
        said = error.status.message or str(error)
        is_of_store = code == _SERVER_FAULTS and said.startswith(_PASSING_WORDS)
        is_early = code == _FORBIDDEN and self._readiness.is_lost
        if is_of_store or is_early or code in PASSING:
            return self._unreachable(f"{code}: {said}")
        return self._refusal(what, code, said)

    def _refusal(self, what: str, code: int, said: str) -> ClusterError:
        kind = ConflictError if code == _CONFLICT else ClusterError
        return kind(
            f"{what} in namespace `{self.name}`",
            code=_CODES.get(code, "refused"),
            context=(said,),
            hint=_HINTS.get(code),
        )

    def _silent(self, what: str, error: httpx2.HTTPError) -> ClusterError:
        code = _code_of(error)
        if code:
            return self._refusal(what, code, str(error))
        return self._unreachable(f"{type(error).__name__}: {error}")

    def _unreachable(self, said: str) -> ClusterError:
        return unreachable(str(self._client.config.cluster.server), said)


def connect(kubeconfig: Path, context: str, namespace: str) -> ApiServer:
    """Return a namespace of the cluster that a context of a kubeconfig names.

    Args:
        kubeconfig: File as kubectl reads it.
        context: Name of a context in it.
        namespace: The namespace.

    Raises:
        ClusterError: There is no such file or context, or it is not usable.
    """
    with usable(kubeconfig, context):
        config = KubeConfig.from_file(kubeconfig).get(context)
        client = Client(config=config, field_manager=_MANAGER, timeout=_TIMEOUT)
        looker = connection(config)
    return ApiServer(client, namespace, looker)


def connection(config: SingleConfig | None) -> httpx2.Client:
    """Return a connection for what lightkube knows no objects of.

    Raises:
        KeyError: There is no configuration.
    """
    if config is None:
        raise KeyError("no such context")
    return adapter.Client(config, adapter.ConnectionParams(timeout=_TIMEOUT))


@contextmanager
def usable(kubeconfig: Path, context: str) -> Iterator[None]:
    """Turn whatever lightkube makes of an unusable kubeconfig into one error.

    Raises:
        ClusterError: The block could not use the file or the context.
    """
    try:
        yield
    except UNUSABLE as error:
        raise ClusterError(
            f"context `{context}` of {kubeconfig} cannot be used",
            code="no-context",
            context=(str(error),),
            hint="`kubectl config get-contexts` lists what there is",
        ) from error


def unreachable(address: str, said: str) -> ClusterError:
    """Return what it comes to that nothing answers at the address of an API server."""
    return ClusterError(
        f"the cluster at {address} does not answer",
        code=UNREACHABLE,
        context=(said,),
        hint="`invoke cluster.status` tells about a local cluster",
    )


def _status_of(client: httpx2.Client, path: str) -> int:
    try:
        return client.get(path).status_code
    except httpx2.HTTPError:
        return 0


@functools.cache
def _type(kind: Kind) -> Any:
    make = create_namespaced_resource if kind.is_namespaced else create_global_resource
    return make(kind.group, kind.version, kind.name, kind.plural)


def _asked(ask: Callable[[], Result]) -> Result:
    """Ask, and raise what lightkube wanted to raise.

    lightkube 1.0 (`transform_exception`) takes it for granted that a refusal has a content type,
    and that JSON is what it says it is; answers of proxies are not always so.
    """
    try:
        return ask()
    except (KeyError, ValueError) as error:
        cause = error.__context__
        while cause is not None and not isinstance(cause, httpx2.HTTPStatusError):
            cause = cause.__context__
        if cause is None:
            raise
        raise cause from None


def _code_of(error: httpx2.HTTPError) -> int:
    """Return the status of an answer without the API's own words, as for an unknown group of kinds.

    Returns:
        The code; 0 where nobody answered, or a proxy said that nobody does or may now.
    """
    code = error.response.status_code if isinstance(error, httpx2.HTTPStatusError) else 0
    return 0 if code >= _SERVER_FAULTS or code in PASSING else code


def _plain(thing: Any) -> dict[str, Any]:
    """Return an object as plain values."""
    plain: dict[str, Any] = thing.to_dict()
    return plain
