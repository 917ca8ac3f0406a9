"""What callers are told while the database cannot serve them."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.responses import JSONResponse

from eventflow_servicekit.problems import Problem, problem_response

_RETRY_AFTER_SECONDS = 5

_log = logging.getLogger(__name__)


def install_database_problems(app: FastAPI) -> None:
    """Answer 503 where the database is away, busy, or too slow; the caller may try again."""
    app.exception_handler(OperationalError)(_answer)
    app.exception_handler(PoolTimeoutError)(_answer)


def _answer(_: Request, error: DBAPIError | PoolTimeoutError) -> JSONResponse:
    _log.error("the database did not serve a request", exc_info=error)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    problem = Problem(
        type="database-unavailable",
        title=status.phrase,
        status=status.value,
        detail="the request may be sent again",
    )
    return problem_response(problem, headers={"Retry-After": str(_RETRY_AFTER_SECONDS)})
