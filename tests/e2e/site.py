"""The environment as its cluster and its users see it."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx

from .clone import HOST, NAMESPACE

_INGRESS = "https://127.0.0.1:10443"
_SECONDS = 120.0
_SCOPES = ("events:read", "events:write", "tokens:introspect")
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
        """Return how many seconds a pod of a service has to stop."""
        rollout = self.get("rollouts.argoproj.io", service)
        return int(rollout["spec"]["template"]["spec"]["terminationGracePeriodSeconds"])

    def holder(self) -> str:
        """Return who holds the environment; empty where nobody does."""
        leases = self.get("leases.coordination.k8s.io")["items"]
        return "".join(item["spec"].get("holderIdentity") or "" for item in leases)

    def remove(self) -> None:
        """Remove the environment with its databases: the next one begins anew."""
        self.kubectl("delete", "namespace", NAMESPACE, "--wait", "--ignore-not-found")
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

    def psql_argv(self, service: str, text: str) -> tuple[str, ...]:
        """Return a call of psql on a service's database; of no service, on the server's own."""
        url = self.secret(f"{service}-database", "url") if service else "/postgres"
        name = url.rpartition("/")[2].partition("?")[0]
        pod = ("exec", "--namespace=platform", "deployment/postgres", "--")
        how = ("--host=/tmp", "--username=postgres", "--tuples-only", "--no-align")
        psql = ("/usr/local/pgsql/bin/psql", *how, f"--dbname={name}", f"--command={text}")
        return self.argv(*pod, *psql)


def provide_smoke_client(site: Site) -> None:
    """Make the account that smoke tests sign in with, where identity's migrations have run."""
    scopes = [word for scope in _SCOPES for word in ("--scope", scope)]
    program = ("python3", "-m", "eventflow_identity.provision", "client", "smoke", "--given")
    pods = site.get("pods", "", "--selector=app.kubernetes.io/name=identity")["items"]
    pod = next(item["metadata"]["name"] for item in pods if item["status"]["phase"] == "Running")
    secret = site.secret("smoke-client", "secret")
    site.kubectl("exec", "--stdin", pod, "--", *program, *scopes, said=f"{secret}\n")
