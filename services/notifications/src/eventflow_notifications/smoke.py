"""The smoke test of a new version: `python -m eventflow_notifications.smoke`.

Sends one letter to `SMOKE_ADDRESS` and asks what became of it under the same key: the second answer
is what the first one wrote down, and no second letter goes out.
"""

from collections.abc import Mapping
from uuid import uuid4

from eventflow_servicekit.smoke import Answer, SmokeError, ask, expect, needed, run


def smoke(environment: Mapping[str, str]) -> None:
    """Raise SmokeError unless a letter is delivered, remembered, and refused to strangers."""
    url = f"{needed(environment, 'SMOKE_URL').rstrip('/')}/v1/notifications"
    token, key = needed(environment, "CALLER_TOKEN"), f"smoke-{uuid4().hex}"
    letter = {
        "template": "user-registered",
        "values": {"plan": "smoke"},
        "destinations": [{"channel": "email", "address": needed(environment, "SMOKE_ADDRESS")}],
    }

    def send(token: str) -> Answer:
        headers = {"Idempotency-Key": key}
        return ask("POST", url, document=letter, token=token, headers=headers)

    expect("without a token", send(""), 401)
    first = expect("sending", send(token), 200).document()
    if not first["settled"] or first["results"][0]["outcome"] != "delivered":
        raise SmokeError("the letter was not delivered")
    if expect("asking again", send(token), 200).document() != first:
        raise SmokeError("what was sent is not remembered")


if __name__ == "__main__":
    raise SystemExit(run(smoke))
