"""The FastAPI application every service starts from."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from eventflow_servicekit.correlation import CorrelationMiddleware
from eventflow_servicekit.health import Check, Readiness, health_router
from eventflow_servicekit.metrics import ServiceMetrics, metrics_router
from eventflow_servicekit.observation import ObservationMiddleware
from eventflow_servicekit.problems import install_problem_handlers
from eventflow_servicekit.served_by import ServedByMiddleware
from eventflow_servicekit.settings import ServiceSettings

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_application(
    settings: ServiceSettings,
    *,
    title: str,
    description: str,
    version: str = "1.0.0",
    checks: Mapping[str, Check] | None = None,
    metrics: ServiceMetrics | None = None,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Return an application with ids, request logs, metrics, problems and health in place.

    `version` is the version of the HTTP interface, not of the release. `checks` are what readiness
    asks. The readiness is kept in `app.state.readiness`, where `serve` finds it.
    """
    app = FastAPI(title=title, description=description, version=version, lifespan=lifespan)
    metrics = metrics or ServiceMetrics(service=settings.service_name, release=settings.release)
    readiness = Readiness(checks or {}, timeout_seconds=settings.check_timeout_seconds)
    app.state.readiness = readiness
    install_problem_handlers(app)
    app.include_router(health_router(readiness))
    app.include_router(metrics_router(metrics))
    # The last one added is the outermost: ids exist before anything is logged.
    app.add_middleware(ObservationMiddleware, metrics=metrics)
    app.add_middleware(CorrelationMiddleware)
    if settings.pod_name:
        app.add_middleware(ServedByMiddleware, pod_name=settings.pod_name)
    return app
