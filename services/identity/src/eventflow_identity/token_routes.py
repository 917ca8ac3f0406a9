"""The routes that issue, check and revoke tokens, and publish the keys."""

import logging
from http import HTTPStatus

from fastapi import APIRouter, Depends, Response
from prometheus_client import CollectorRegistry, Counter

from eventflow_identity.accounts import Account, Accounts, CredentialsRefusedError
from eventflow_identity.messages import (
    Grant,
    Introspection,
    IssuedToken,
    JsonWebKeySet,
    PasswordGrant,
    ShownToken,
)
from eventflow_identity.revocations import LiveTokens
from eventflow_servicekit.bearer import TokenRefusedError, caller_with
from eventflow_servicekit.problems import ProblemError, problem_responses

# Short: a key that must be withdrawn should be gone from caches soon.
_KEYS_MAX_AGE_SECONDS = 300

_PROBLEMS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)

_log = logging.getLogger(__name__)


class TokenRoutes:
    """Answers what is asked about tokens; `registry` takes the count of sign-ins."""

    def __init__(self, accounts: Accounts, tokens: LiveTokens, registry: CollectorRegistry) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._sign_ins = Counter(
            "identity_sign_ins", "Attempts to sign in", ("grant", "outcome"), registry=registry
        )

    def issue(self, grant: Grant, response: Response) -> IssuedToken:
        """Trade a name and a secret for a token that expires soon."""
        account = self._prove(grant)
        response.headers["Cache-Control"] = "no-store"
        mint = self._tokens.mint
        return IssuedToken(
            access_token=mint.issue(account.subject, account.scopes),
            expires_in=int(mint.lifetime.total_seconds()),
            scope=" ".join(account.scopes),
        )

    def introspect(self, shown: ShownToken) -> Introspection:
        """Say whether a token is good now, revocation included, and what it allows."""
        try:
            token = self._tokens.token(shown.token)
        except TokenRefusedError:
            return Introspection(active=False)
        return Introspection(
            active=True,
            sub=token.subject,
            scope=" ".join(token.scopes),
            jti=token.token_id,
            iat=int(token.issued_at.timestamp()),
            exp=int(token.expires_at.timestamp()),
        )

    def revoke(self, shown: ShownToken) -> None:
        """End a token now; holding it is authority enough.

        A token that is not good counts as ended already.
        """
        try:
            token = self._tokens.mint.read(shown.token)
        except TokenRefusedError:
            return
        self._tokens.revocations.revoke(token)
        _log.info("token revoked", extra={"subject": token.subject, "token_id": token.token_id})

    def keys(self, response: Response) -> JsonWebKeySet:
        """Return the public keys that good tokens are signed with."""
        response.headers["Cache-Control"] = f"public, max-age={_KEYS_MAX_AGE_SECONDS}"
        return JsonWebKeySet.model_validate(self._tokens.mint.keys.jwks())

    def _prove(self, grant: Grant) -> Account:
        try:
            account = self._account(grant)
        except CredentialsRefusedError:
            self._sign_ins.labels(grant.grant_type, "refused").inc()
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED, "invalid-credentials", "name or secret is wrong"
            ) from None
        self._sign_ins.labels(grant.grant_type, "accepted").inc()
        _log.info("signed in", extra={"subject": account.subject, "grant": grant.grant_type})
        return account

    def _account(self, grant: Grant) -> Account:
        if isinstance(grant, PasswordGrant):
            return self._accounts.prove_user(grant.username, grant.password.get_secret_value())
        secret = grant.client_secret.get_secret_value()
        return self._accounts.prove_client(grant.client_id, secret)


def token_router(accounts: Accounts, tokens: LiveTokens, registry: CollectorRegistry) -> APIRouter:
    """Return the routes about tokens."""
    routes = TokenRoutes(accounts, tokens, registry)
    router = APIRouter(tags=["tokens"])
    router.add_api_route(
        "/v1/tokens",
        routes.issue,
        methods=["POST"],
        operation_id="issueToken",
        summary="Sign in",
        responses=problem_responses(*_PROBLEMS, HTTPStatus.UNAUTHORIZED),
    )
    router.add_api_route(
        "/v1/tokens/introspect",
        routes.introspect,
        methods=["POST"],
        operation_id="introspectToken",
        summary="Ask about a token",
        dependencies=[Depends(caller_with(tokens, "tokens:introspect"))],
        response_model_exclude_none=True,
        responses=problem_responses(*_PROBLEMS, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
    )
    router.add_api_route(
        "/v1/tokens/revoke",
        routes.revoke,
        methods=["POST"],
        operation_id="revokeToken",
        summary="End a token",
        status_code=HTTPStatus.NO_CONTENT,
        responses=problem_responses(*_PROBLEMS),
    )
    router.add_api_route(
        "/.well-known/jwks.json", routes.keys, operation_id="readKeys", summary="Public keys"
    )
    return router
