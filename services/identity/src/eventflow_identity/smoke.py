"""The smoke test of a new version: `python -m eventflow_identity.smoke`.

Gets a token, finds it worth something, ends it, and finds it worth nothing: what is written is read
back, and nothing is left behind that does not expire. The client `SMOKE_CLIENT_ID` needs the scope
`tokens:introspect`.
"""

from collections.abc import Mapping

from eventflow_servicekit.smoke import SmokeError, ask, expect, needed, run, sign_in


def smoke(environment: Mapping[str, str]) -> None:
    """Raise SmokeError unless tokens are issued, looked into and revoked."""
    url = needed(environment, "SMOKE_URL").rstrip("/")
    keys = expect("the keys", ask("GET", f"{url}/.well-known/jwks.json"), 200)
    if not keys.document()["keys"]:
        raise SmokeError("no key is published")
    asking, shown = sign_in(url, environment), sign_in(url, environment)
    if not _is_active(url, asking, shown):
        raise SmokeError("a new token is worth nothing")
    expect("revoking", ask("POST", f"{url}/v1/tokens/revoke", document={"token": shown}), 204)
    if _is_active(url, asking, shown):
        raise SmokeError("a revoked token is still worth something")


def _is_active(url: str, asking: str, shown: str) -> bool:
    answer = ask("POST", f"{url}/v1/tokens/introspect", document={"token": shown}, token=asking)
    active: bool = expect("looking into a token", answer, 200).document()["active"]
    return active


if __name__ == "__main__":
    raise SystemExit(run(smoke))
