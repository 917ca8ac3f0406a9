"""An issuer of tokens for the tests of services that check them; needs the package `pyjwt`."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm


class Issuer:
    """Signs tokens as identity does; inside of `with`, publishes its key over HTTP at `url`.

    `fetches` counts how often the key was asked for.
    """

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.fetches = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/.well-known/jwks.json"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Keys(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.fetches += 1
                body = json.dumps(issuer.jwks()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: the output of tests is not a log."""

        return Keys

    def jwks(self) -> dict[str, Any]:
        """Return the published keys."""
        key = json.loads(OKPAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**key, "kid": "k1", "use": "sig", "alg": "EdDSA"}]}

    def token(
        self, *scopes: str, subject: str = "user:1", key_id: str = "k1", **claims: Any
    ) -> str:
        """Return a token; `claims` replace the usual ones."""
        now = datetime.now(UTC)
        usual = {
            "iss": "https://identity.eventflow",
            "aud": "eventflow",
            "sub": subject,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + timedelta(minutes=15),
            "jti": "j1",
        }
        headers = {"kid": key_id, "typ": "at+jwt"}
        return jwt.encode({**usual, **claims}, self.key, algorithm="EdDSA", headers=headers)

    def headers(self, *scopes: str, subject: str = "user:1") -> dict[str, str]:
        """Return the header that shows a token."""
        return {"Authorization": f"Bearer {self.token(*scopes, subject=subject)}"}
