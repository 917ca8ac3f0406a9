"""Errors as `application/problem+json` (RFC 9457), the same for every service.

A handler raises ProblemError; validation faults and unknown paths become problems too. Input is
never repeated in an answer: it may be a password.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
_FIRST_ERROR_STATUS = 400


class FieldFault(BaseModel):
    """One part of a request that was not acceptable."""

    field: str = Field(description="Where in the request, such as `body.data.email`")
    message: str = Field(description="What would be acceptable")


class Problem(BaseModel):
    """Why a request was not fulfilled (RFC 9457)."""

    type: str = Field(default="about:blank", description="Kind of problem; stable, kebab-case")
    title: str = Field(description="The kind of problem in a few words")
    status: int = Field(description="The HTTP status of this answer")
    detail: str | None = Field(default=None, description="What happened this time")
    errors: list[FieldFault] | None = Field(default=None, description="The parts at fault")


class ProblemError(Exception):
    """Ends a request with `status` and a problem of kind `code` (kebab-case)."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        super().__init__(f"{status.value} {code}: {detail}")


def problem_response(problem: Problem, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the HTTP answer that carries `problem`."""
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, problem.status, headers=headers, media_type=MEDIA_TYPE)


def internal_problem() -> JSONResponse:
    """Return the answer to a request that met a defect of ours; it tells nothing about it."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem_response(Problem(title=status.phrase, status=status.value))


def problem_responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of a route that can end with these error statuses."""
    return {status.value: {"model": Problem, "description": status.phrase} for status in statuses}


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error answer of `app` a problem, and say so in its OpenAPI document."""
    app.exception_handler(ProblemError)(_answer_problem)
    app.exception_handler(RequestValidationError)(_answer_validation)
    app.exception_handler(HTTPException)(_answer_http)
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        _declare_media_type(document)
        return document

    # FastAPI documents replacing this method as the way to change the document.
    app.openapi = openapi  # type: ignore[method-assign]


def _answer_problem(_: Request, error: ProblemError) -> JSONResponse:
    problem = Problem(
        type=error.code, title=error.status.phrase, status=error.status.value, detail=error.detail
    )
    return problem_response(problem, headers=error.headers)


def _answer_validation(_: Request, error: RequestValidationError) -> JSONResponse:
    faults = [
        FieldFault(field=_field(fault["loc"], error.body), message=fault["msg"])
        for fault in error.errors()
    ]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    problem = Problem(
        type="invalid-request", title=status.phrase, status=status.value, errors=faults
    )
    return problem_response(problem)


def _field(location: Sequence[int | str], body: Any) -> str:
    """Return the path of a field as the caller wrote it.

    Inside a body pydantic's locations also name the member of a union that was tried; such a name
    is no part of what was sent. The last part may be missing from the body, so it always stays.
    """
    if not location or location[0] != "body":
        return ".".join(map(str, location))
    path, current = ["body"], body
    for part in location[1:-1]:
        if not _has(current, part):
            continue
        current = current[part]
        path.append(str(part))
    return ".".join([*path, *map(str, location[1:][-1:])])


def _has(container: Any, part: int | str) -> bool:
    if isinstance(container, list):
        return isinstance(part, int) and part < len(container)
    return isinstance(container, dict) and part in container


def _answer_http(_: Request, error: HTTPException) -> JSONResponse:
    title = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != title else None
    problem = Problem(title=title, status=error.status_code, detail=detail)
    return problem_response(problem, headers=error.headers)


def _declare_media_type(document: dict[str, Any]) -> None:
    for path in document.get("paths", {}).values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if int(status) >= _FIRST_ERROR_STATUS and "application/json" in content:
                    content[MEDIA_TYPE] = content.pop("application/json")
