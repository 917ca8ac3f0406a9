"""A team that has a chart of its own: a Deployment and a Service, and nothing that is made for us.

It knows nothing of Argo Rollouts, Traefik or Prometheus, and takes its image by a value of its own.
"""

from __future__ import annotations

from typing import Final

from .clone import FOREIGN_ENVIRONMENT, Clone

_CHART: Final = "infra/legacy"
_FILES: Final = {
    "Chart.yaml": """\
apiVersion: v2
name: legacy
version: 7.1.0
""",
    "values.yaml": """\
app:
  image: ""
  command: [python3, -m, eventflow_notifications]
replicas: 2
""",
    "templates/app.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-legacy
spec:
  replicas: {{ .Values.replicas }}
  progressDeadlineSeconds: 20
  selector:
    matchLabels: {app: {{ .Release.Name }}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
    spec:
      containers:
        - name: app
          image: {{ required "an image" .Values.app.image }}
          command: {{ toJson .Values.app.command }}
          env:
            - {name: HOST, value: 0.0.0.0}
            - {name: PORT, value: "8002"}
            - {name: SMTP_HOST, value: mail.platform.svc.cluster.local}
            - {name: SMTP_SECURITY, value: none}
            - name: CALLER_TOKEN
              valueFrom: {secretKeyRef: {name: notifications-callers, key: token}}
            - name: WEBHOOK_SECRET
              valueFrom: {secretKeyRef: {name: notifications-webhooks, key: secret}}
          readinessProbe:
            httpGet: {path: /health/ready, port: 8002}
            periodSeconds: 1
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-legacy
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80, targetPort: 8002}]
""",
}
_ENVIRONMENT: Final = f"""\
order = 6
namespace = "eventflow-{FOREIGN_ENVIRONMENT}"
policy = "dev"
cluster = "local"
data.backup = "never"

[services.notifications]
chart = "{_CHART}"
values = ["{_CHART}/ours.yaml"]
given = {{ "app.image" = "reference" }}

[secrets]
notifications-callers = ["token"]
notifications-webhooks = ["secret"]
"""
_DELIVERY: Final = '\n[tool.monoyard.delivery]\nenvironment-chart = ""\n'


def bring_into(clone: Clone) -> None:
    """Have the clone deploy one of its images by that chart, and have no chart for environments."""
    for path, text in _FILES.items():
        clone.write(f"{_CHART}/{path}", text)
    set_values(clone, "replicas: 2")
    clone.write(f"deploy/environments/{FOREIGN_ENVIRONMENT}/environment.toml", _ENVIRONMENT)
    clone.append("pyproject.toml", _DELIVERY)


def set_values(clone: Clone, text: str) -> None:
    """Have the team's own values be these."""
    clone.write(f"{_CHART}/ours.yaml", f"{text}\n")
