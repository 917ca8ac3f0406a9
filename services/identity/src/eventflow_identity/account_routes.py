"""The routes that make accounts."""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Response

from eventflow_identity.accounts import AccountExistsError, Accounts
from eventflow_identity.messages import CreatedClient, CreatedUser, NewClient, NewUser
from eventflow_servicekit.bearer import TokenReader, caller_with
from eventflow_servicekit.problems import ProblemError, problem_responses


class AccountRoutes:
    """Answers the wishes for new accounts."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def create_user(self, new: NewUser) -> CreatedUser:
        """Make the account of a person."""
        try:
            account = self._accounts.add_user(
                new.email, new.password.get_secret_value(), new.scopes
            )
        except AccountExistsError:
            raise _taken("the address has an account") from None
        return CreatedUser(subject=account.subject, scopes=list(account.scopes))

    def create_client(self, new: NewClient, response: Response) -> CreatedClient:
        """Make the account of a service, and its secret."""
        try:
            account, secret = self._accounts.add_client(new.client_id, new.scopes)
        except AccountExistsError:
            raise _taken("the client id has an account") from None
        response.headers["Cache-Control"] = "no-store"
        return CreatedClient(
            subject=account.subject,
            scopes=list(account.scopes),
            client_id=new.client_id,
            client_secret=secret,
        )


def account_router(accounts: Accounts, tokens: TokenReader) -> APIRouter:
    """Return the routes about accounts; all need the scope `accounts:write`."""
    routes = AccountRoutes(accounts)
    responses = problem_responses(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
    router = APIRouter(
        tags=["accounts"],
        dependencies=[Depends(caller_with(tokens, "accounts:write"))],
        responses=responses,
    )
    router.add_api_route(
        "/v1/users",
        routes.create_user,
        methods=["POST"],
        operation_id="createUser",
        summary="Add a user",
        status_code=HTTPStatus.CREATED,
    )
    router.add_api_route(
        "/v1/clients",
        routes.create_client,
        methods=["POST"],
        operation_id="createClient",
        summary="Add a service client",
        status_code=HTTPStatus.CREATED,
    )
    return router


def _taken(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, "account-exists", detail)
