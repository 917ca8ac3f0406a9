"""A repository whose one service has a chart of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monoyard.charts import ChartChecks, Charts, Checked
from monoyard.config import DeliverySettings
from monoyard.config.environments import read_environments
from monoyard.config.policy import Policy, read_policy

KUBERNETES = "1.34.4"

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {matchLabels: {app: api}}
  replicas: {{ .Values.replicas }}
  template:
    metadata: {labels: {app: api}}
    spec:
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: app
          image: {{ .Values.app.image }}
          env:
            - name: TOKEN
              valueFrom: {secretKeyRef: {name: {{ .Values.secret }}, key: token}}
          readinessProbe: {httpGet: {path: /, port: 8000}}
          resources:
            requests: {cpu: 10m, memory: 16Mi}
            limits: {cpu: 20m, memory: 32Mi}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
"""
SCHEMA = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "apps/v1"},
        "kind": {"const": "Deployment"},
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "replicas": {"type": "integer"},
                "selector": {"type": "object"},
                "template": {"type": "object"},
            },
        },
    },
}
VALUES_SCHEMA = {
    "type": "object",
    "properties": {"replicas": {"type": "integer", "minimum": 1}},
}
ENVIRONMENT = """
namespace = "shop-dev"
cluster = "local"

[services.api]
chart = "chart"
values = ["values.yaml"]
given = { "app.image" = "reference" }

[secrets]
api = ["token"]
"""


class Shop:
    """A repository whose one service has a chart of its own.

    Attributes:
        top: Its root.
        environment: Text of the file of its environment.
        policy: Who may sign what.
    """

    def __init__(self, top: Path, programs: dict[str, Path]) -> None:
        self.top = top
        self.environment = ENVIRONMENT
        self.policy: Policy = read_policy(None, "policy.toml")
        self._programs = programs
        self.write("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n")
        self.write("chart/values.schema.json", json.dumps(VALUES_SCHEMA))
        self.write("chart/templates/deployment.yaml", DEPLOYMENT)
        self.write("values.yaml", "replicas: 1\nsecret: api\n")
        self.write("schemas/deployment-apps-v1.json", json.dumps(SCHEMA))

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text, "utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Change a file, in which something has to stand."""
        before = (self.top / path).read_text("utf-8")
        assert old in before
        self.write(path, before.replace(old, new))

    def check(self, **settings: Any) -> Checked:
        """Return what the checks come to."""
        delivery = DeliverySettings(**{"schemas": "schemas", "environment_chart": "", **settings})
        charts = Charts(self.top, delivery, self._programs["helm"], KUBERNETES)
        checks = ChartChecks(self.top, charts, self._programs["kubeconform"], delivery.schemas)
        path = "environments/dev/environment.toml"
        environments = read_environments({"dev": (path, self.environment.encode())})
        return checks.run(environments, self.policy, has_chart=bool(delivery.environment_chart))

    def findings(self) -> list[tuple[str, str, str, str]]:
        """Return service, rule, object and field of everything found."""
        return [(item.service, item.rule, item.thing, item.field) for item in self.check().findings]
