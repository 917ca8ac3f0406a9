"""The smoke test of a new version: `python -m eventflow_api.smoke`.

Sends an event through the whole write path and reads it back. `SMOKE_URL` is the version's own
address, `SMOKE_IDENTITY_URL` where the client `SMOKE_CLIENT_ID` signs in; it needs the scopes
`events:read` and `events:write`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

from eventflow_servicekit.smoke import Answer, SmokeError, ask, expect, needed, run, sign_in


def smoke(environment: Mapping[str, str]) -> None:
    """Raise SmokeError unless what is sent can be read back, and strangers are refused."""
    url = needed(environment, "SMOKE_URL").rstrip("/")
    visitor = f"smoke-{uuid4().hex}"
    event = {
        "type": "page.viewed",
        "version": 1,
        "source": "smoke",
        "occurred_at": datetime.now(UTC).isoformat(),
        "data": {"path": "/smoke", "visitor_id": visitor},
    }

    def send(token: str) -> Answer:
        headers = {"Idempotency-Key": visitor}
        return ask("POST", f"{url}/v1/events", document=event, token=token, headers=headers)

    expect("without a token", send(""), 401)
    token = sign_in(needed(environment, "SMOKE_IDENTITY_URL").rstrip("/"), environment)
    stored = expect("sending", send(token), 201).document()["id"]
    read = expect("reading", ask("GET", f"{url}/v1/events/{stored}", token=token), 200)
    if read.document()["data"]["visitor_id"] != visitor:
        raise SmokeError("what is read back is not what was sent")


if __name__ == "__main__":
    raise SystemExit(run(smoke))
