"""What smoke tests share. A smoke test is a program that ends with 0 when a new version works.

It runs inside of a deployment, before the version is sent anything, with what the environment says:
`SMOKE_URL` is the version's own address. Whatever it says is one sentence, without any secret.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

FAILED = 1
_TIMEOUT_SECONDS = 10.0


class SmokeError(Exception):
    """The version does not do what it is for."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and the body as bytes."""

    status: int
    body: bytes

    def document(self) -> Any:
        """Return the body as JSON; raise SmokeError if it is none."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise SmokeError("the answer is no JSON") from error


def ask(
    method: str,
    url: str,
    *,
    document: object = None,
    token: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask once, with a body as JSON and a bearer token if they are given.

    Raises SmokeError when nothing answers; any status is an answer.
    """
    sent = {"Accept": "application/json", **(headers or {})}
    body = None
    if document is not None:
        body = json.dumps(document).encode()
        sent["Content-Type"] = "application/json"
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if not url.startswith(("http://", "https://")):
        raise SmokeError("the address is none of HTTP")
    request = urllib.request.Request(url, body, sent, method=method)  # noqa: S310 - looked at above
    # A proxy would answer for the version that is not there.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            return Answer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read())
    except OSError as error:
        raise SmokeError(f"nothing answers: {type(error).__name__}") from error


def expect(what: str, answer: Answer, *statuses: int) -> Answer:
    """Return the answer if it has one of these statuses, else raise SmokeError with `what`."""
    if answer.status not in statuses:
        raise SmokeError(f"{what}: {answer.status}, not {' or '.join(map(str, statuses))}")
    return answer


def sign_in(identity_url: str, environment: Mapping[str, str]) -> str:
    """Return a token of the client that `SMOKE_CLIENT_ID` and `SMOKE_CLIENT_SECRET` name."""
    grant = {
        "grant_type": "client_credentials",
        "client_id": needed(environment, "SMOKE_CLIENT_ID"),
        "client_secret": needed(environment, "SMOKE_CLIENT_SECRET"),
    }
    answer = expect("sign-in", ask("POST", f"{identity_url}/v1/tokens", document=grant), 200)
    token: str = answer.document()["access_token"]
    return token


def needed(environment: Mapping[str, str], name: str) -> str:
    """Return a variable, or raise SmokeError if it is not set."""
    value = environment.get(name, "")
    if not value:
        raise SmokeError(f"{name} is not set")
    return value


def run(test: Callable[[Mapping[str, str]], None]) -> int:
    """Run a test on the environment; say how it went and return the exit code of the process."""
    try:
        test(os.environ)
    except SmokeError as error:
        sys.stderr.write(f"the smoke test failed: {error}\n")
        return FAILED
    sys.stderr.write("the smoke test passed\n")
    return 0
