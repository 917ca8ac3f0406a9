"""The environment as its cluster and its users see it."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx

from .clone import HOST, NAMESPACE, NAMESPACES

_INGRESS = "https://127.0.0.1:10443"
_SECONDS = 120.0
_PATIENCE_SECONDS = 180.0
_GRACE_VARIABLE = "SHUTDOWN_GRACE_SECONDS"
_DATABASES = "SELECT datname FROM pg_database WHERE datname LIKE '%e2e%'"


@dataclass(frozen=True)
class Site:
    """The environment.

    Attributes:
        directory: State of the cluster on this machine.
    """

    directory: Path

    @classmethod
    def of_this_machine(cls) -> Self:
        """Return it."""
        return cls(Path(os.environ.get("MONOYARD_CLUSTER_DIR") or "/var/lib/monoyard-cluster"))

    def kubectl(self, *words: str, said: str | None = None, check: bool = True) -> str:
        """Ask the cluster about the environment's namespace."""
        done = subprocess.run(
            self.argv(*words), input=said, capture_output=True, text=True, timeout=_SECONDS,
            check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"kubectl {' '.join(words)}\n{done.stderr}"
        return done.stdout

    def argv(self, *words: str) -> tuple[str, ...]:
        """Return a call of kubectl."""
        program, kubeconfig = self.directory / "kubectl", self.directory / "kubeconfig"
        return (str(program), f"--kubeconfig={kubeconfig}", f"--namespace={NAMESPACE}", *words)

    def get(self, kind: str, name: str = "", *words: str) -> Any:
        """Return an object, or a list of them."""
        return json.loads(
            self.kubectl("get", kind, *filter(None, (name,)), "--output=json", *words)
        )

    def secret(self, name: str, key: str) -> str:
        """Return a value of a Secret."""
        return base64.b64decode(self.get("secret", name)["data"][key]).decode()

    def client(self) -> httpx.Client:
        """Return a client that reaches the environment's host by the ingress on loopback."""
        trusted = ssl.create_default_context(cafile=str(self.directory / "authority" / "ca.crt"))

        def by_name(request: httpx.Request) -> None:
            request.extensions["sni_hostname"] = HOST

        return httpx.Client(
            base_url=_INGRESS, headers={"Host": HOST}, verify=trusted, trust_env=False,
            event_hooks={"request": [by_name]},
        )  # fmt: skip

    def sign_in(self) -> str:
        """Return a token of the client for smoke tests."""
        grant = {
            "grant_type": "client_credentials",
            "client_id": self.secret("smoke-client", "id"),
            "client_secret": self.secret("smoke-client", "secret"),
        }
        with self.client() as client:
            answer = client.post("/identity/v1/tokens", json=grant).raise_for_status()
            return str(answer.json()["access_token"])

    def send_event(self) -> str:
        """Send an event; return its id."""
        event = {
            "type": "page.viewed", "version": 1, "source": "e2e",
            "occurred_at": "2026-01-01T00:00:00Z",
            "data": {"path": "/", "visitor_id": uuid4().hex},
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self.sign_in()}", "Idempotency-Key": uuid4().hex}
        with self.client() as client:
            answer = client.post("/api/v1/events", json=event, headers=headers).raise_for_status()
            return str(answer.json()["id"])

    def versions(self) -> dict[str, str]:
        """Return the image that every Rollout is meant to run, and that stands."""
        found = {}
        for item in self.get("rollouts.argoproj.io")["items"]:
            containers = item["spec"]["template"]["spec"]["containers"]
            found[item["metadata"]["name"]] = containers[0]["image"]
        return found

    def grace(self, service: str) -> int:
        """Return how many seconds a service is told that it has to stop."""
        rollout = self.get("rollouts.argoproj.io", service)
        env = rollout["spec"]["template"]["spec"]["containers"][0]["env"]
        return int(next(item["value"] for item in env if item["name"] == _GRACE_VARIABLE))

    def replicas(self, service: str) -> int:
        """Return how many pods of a service are ready."""
        rollout = self.get("rollouts.argoproj.io", service)
        return int(rollout["status"].get("availableReplicas") or 0)

    def await_replicas(self, service: str, wanted: Callable[[int], bool]) -> None:
        """Wait until the number of ready pods of a service is as wanted."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not wanted(count := self.replicas(service)):
            assert time.monotonic() < until, f"{service} still has {count} pods"
            time.sleep(1)

    def holder(self) -> str:
        """Return who holds the environment; empty where nobody does."""
        leases = self.get("leases.coordination.k8s.io")["items"]
        return "".join(item["spec"].get("holderIdentity") or "" for item in leases)

    def hold(self, name: str) -> None:
        """Have the environment be held by somebody who never renews it."""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        held = {"holderIdentity": name, "renewTime": now, "acquireTime": now}
        self.kubectl(
            "patch", "lease", "deployments", "--type=merge", f"--patch={json.dumps({'spec': held})}"
        )

    def remove(self) -> None:
        """Remove the environments with their databases: the next ones begin anew."""
        self.kubectl("delete", "namespace", *NAMESPACES, "--wait", "--ignore-not-found")
        for name in self.sql("", _DATABASES).split():
            self.sql("", f'DROP DATABASE "{name}" WITH (FORCE)')

    def apply(self, thing: Any) -> None:
        """Have an object be so."""
        self.kubectl("apply", "--filename=-", said=json.dumps(thing))

    def sql(self, service: str, text: str) -> str:
        """Have a service's database run SQL; return what it answers."""
        argv = self.psql_argv(service, text)
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def await_query(self, service: str, word: str) -> None:
        """Wait until somebody else runs SQL with this word in a service's database."""
        asked = (
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            f" AND query LIKE '%{word}%' AND pid <> pg_backend_pid()"
        )
        until = time.monotonic() + _SECONDS
        while self.sql(service, asked).strip() == "0":
            assert time.monotonic() < until, f"nobody ran {word}"

    @contextmanager
    def watching_aborts(self, service: str) -> Iterator[list[float]]:
        """Take note of when Argo Rollouts, or somebody for it, gave a version of a service up.

        Yields a list that grows, of seconds of `time.time`.
        """
        aborts: list[float] = []
        words = ("get", "rollouts.argoproj.io", service, "--watch")
        argv = self.argv(*words, "--output=jsonpath={.status.abort}{'\\n'}")
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            thread = threading.Thread(target=_note_aborts, args=(process, aborts))
            thread.start()
            try:
                yield aborts
            finally:
                process.kill()
                thread.join()

    def psql_argv(self, service: str, text: str) -> tuple[str, ...]:
        """Return a call of psql on a service's database; of no service, on the server's own."""
        url = self.secret(f"{service}-database", "url") if service else "/postgres"
        name = url.rpartition("/")[2].partition("?")[0]
        pod = ("exec", "--namespace=platform", "deployment/postgres", "--")
        how = ("--host=/tmp", "--username=postgres", "--tuples-only", "--no-align")
        psql = ("/usr/local/pgsql/bin/psql", *how, f"--dbname={name}", f"--command={text}")
        return self.argv(*pod, *psql)


def _note_aborts(process: subprocess.Popen[str], aborts: list[float]) -> None:
    assert process.stdout is not None
    was_aborted = True  # until it is seen that it is not: what was before counts for nothing
    for line in process.stdout:
        is_aborted = line.strip() == "true"
        if is_aborted and not was_aborted:
            aborts.append(time.time())
        was_aborted = is_aborted
