"""Repositories with services, and a container engine; without one the tests say so and skip."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from monoyard.images import engine_problem, required

from ..checkouts import Checkout  # noqa: TID252  a folder, not a package

__all__ = ["Checkout"]

BASES = """
[tool.monoyard.images.bases.python]
packages = ["ca-certificates", "libpython3.11-stdlib", "python3-minimal"]
"""
SERVER = """
import http.server
import os
import signal
import threading


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status})
        self.end_headers()


if __name__ == "__main__":
    address = (os.environ["HOST"], int(os.environ["PORT"]))
    server = http.server.ThreadingHTTPServer(address, Answers)
    signal.signal(signal.SIGTERM, lambda *_: {on_stop})
    server.serve_forever()
"""
LOCK = "infra/images/debian.lock"
_ATTEMPTS = 3
STOP = "threading.Thread(target=server.shutdown).start()"
TABLE = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.monoyard]
role = "service"
"""


class Yard:
    """A repository of services.

    Args:
        checkout: Where it is.
    """

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        checkout.root(BASES)
        if "DOCKER_HOST" in os.environ:
            checkout.environment["DOCKER_HOST"] = os.environ["DOCKER_HOST"]

    def service(
        self, name: str, *needs: str, status: int = 200, on_stop: str = STOP, more: str = ""
    ) -> None:
        """Write a service that answers every path; `more` is the rest of its table."""
        self.checkout.package(name, *needs, table=TABLE + more)
        place = f"libs/{name}/src/{name}/__main__.py"
        self.checkout.write(place, SERVER.format(status=status, on_stop=on_stop))
        self.checkout.write(f"{name}.txt", "")

    def digest(self, name: str) -> str:
        """Return what the newest record says of an image."""
        return str(self.checkout.result(f"{name}:image")["log"]).partition(" ")[0]


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Skip where no engine answers; fail where one is demanded."""
    problem = engine_problem(os.environ)
    if problem and "images" in required(os.environ):
        pytest.fail(problem)
    if problem:
        pytest.skip(problem)


@pytest.fixture(scope="session")
def builders(new_checkout: Callable[[], Checkout]) -> None:
    """Have the builder's programs, made of Go modules: that takes minutes, once for all tests."""
    checkout = new_checkout()
    ended = checkout.begin("-m", "invoke", "tools.setup", "--", "buildx", "buildkitd").end(1200.0)
    assert ended.code == 0, ended.text


@pytest.fixture
def new_yard(builders: None, new_checkout: Callable[[], Checkout]) -> Callable[[], Yard]:  # noqa: ARG001
    """Make repositories, each with a store and a builder of its own."""
    return lambda: Yard(new_checkout())


@pytest.fixture(scope="session")
def lock(builders: None, new_checkout: Callable[[], Checkout]) -> str:  # noqa: ARG001
    """The lock of the bases, once for all tests; an archive that hiccups is asked again."""
    made = Yard(new_checkout())
    for _ in range(_ATTEMPTS):
        ended = made.checkout.invoke("images.refresh")
        if ended.code == 0:
            return (made.checkout.top / LOCK).read_text("utf-8")
    raise AssertionError(ended.text)


@pytest.fixture
def yard(new_yard: Callable[[], Yard], lock: str) -> Yard:
    """A repository with locked bases and no service yet."""
    made = new_yard()
    made.checkout.write(LOCK, lock)
    return made
