"""Liveness and readiness, as Kubernetes asks for them.

Live: the process answers; restarting it would not help with anything else. Ready: it can do its
work now, told by named checks, and it is not about to stop.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Literal

import anyio
import anyio.to_thread
from fastapi import APIRouter, Response
from pydantic import BaseModel

Check = Callable[[], object]
"""Returns when the thing works and raises when it does not; runs in a thread of its own."""

_log = logging.getLogger(__name__)


class LivenessReport(BaseModel):
    """The answer of `/health/live`."""

    status: Literal["live"] = "live"


class ReadinessReport(BaseModel):
    """The answer of `/health/ready`; `checks` maps each name to `ok` or to why it failed."""

    status: Literal["ready", "unready", "draining"]
    checks: dict[str, str]


class Readiness:
    """Whether this process should be sent work.

    `checks` maps a name to a check; a check that takes longer than `timeout_seconds` has failed.
    """

    def __init__(self, checks: Mapping[str, Check], *, timeout_seconds: float = 2.0) -> None:
        self._checks = dict(checks)
        self._timeout_seconds = timeout_seconds
        self._is_draining = False

    def begin_drain(self) -> None:
        """From now on report `draining`: the process is about to stop."""
        self._is_draining = True

    async def report(self) -> ReadinessReport:
        """Run all checks at the same time and return what they say."""
        results: dict[str, str] = dict.fromkeys(self._checks, "ok")

        async def run(name: str, check: Check) -> None:
            results[name] = await self._outcome(name, check)

        async with anyio.create_task_group() as group:
            for name, check in self._checks.items():
                group.start_soon(run, name, check)
        if self._is_draining:
            return ReadinessReport(status="draining", checks=results)
        is_ready = all(outcome == "ok" for outcome in results.values())
        return ReadinessReport(status="ready" if is_ready else "unready", checks=results)

    async def _outcome(self, name: str, check: Check) -> str:
        try:
            with anyio.fail_after(self._timeout_seconds):
                await anyio.to_thread.run_sync(check, abandon_on_cancel=True)
        except TimeoutError:
            return f"no answer within {self._timeout_seconds:g} s"
        except Exception as error:  # noqa: BLE001 - whatever a check raises is its answer
            # The message may hold addresses and names, and this page is not protected.
            _log.warning("readiness check failed", extra={"check": name}, exc_info=error)
            return f"failed: {type(error).__name__}"
        return "ok"


def health_router(readiness: Readiness) -> APIRouter:
    """Return the routes `/health/live` (always 200) and `/health/ready` (200, or 503 if not)."""
    router = APIRouter(prefix="/health", include_in_schema=False)

    @router.get("/live")
    async def live() -> LivenessReport:
        return LivenessReport()

    @router.get("/ready")
    async def ready(response: Response) -> ReadinessReport:
        report = await readiness.report()
        if report.status != "ready":
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return report

    return router
