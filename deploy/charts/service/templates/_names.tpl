{{- define "service.labels" -}}
app.kubernetes.io/name: {{ .Values.service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
monoyard.dev/service: {{ .Values.service }}
monoyard.dev/environment: {{ .Values.environment }}
monoyard.dev/release: {{ .Values.release.commit | quote }}
{{- with .Values.release.deployment }}
monoyard.dev/deployment: {{ . | quote }}
{{- end }}
{{- end }}

{{- /* Never changes: a selector that did would orphan the pods of the release before. */}}
{{- define "service.selector" -}}
monoyard.dev/service: {{ .Values.service }}
monoyard.dev/role: serving
{{- end }}

{{- /* Of pods. The deployment's id is left out: it would restart what it did not change. */}}
{{- define "service.podLabels" -}}
app.kubernetes.io/name: {{ .Values.service }}
{{ include "service.selector" . }}
monoyard.dev/environment: {{ .Values.environment }}
monoyard.dev/release: {{ .Values.release.commit | quote }}
{{- end }}

{{- define "service.image" -}}
{{ .repository }}@{{ .digest }}
{{- end }}

{{- /* Weights by Traefik: exact, and taken back at once. */}}
{{- define "service.isRouted" -}}
{{- if and .Values.rollouts (eq .Values.strategy.kind "canary") (eq .Values.ingress.kind "traefik") }}true{{ end }}
{{- end }}

{{- define "service.isBlueGreen" -}}
{{- if and .Values.rollouts (eq .Values.strategy.kind "blue-green") }}true{{ end }}
{{- end }}

{{- define "service.hasGates" -}}
{{- if and .Values.rollouts .Values.gates.enabled .Values.prometheus.address }}true{{ end }}
{{- end }}

{{- define "service.hasSmoke" -}}
{{- if and .Values.rollouts .Values.smoke.enabled }}true{{ end }}
{{- end }}

{{- define "service.hasPrevious" -}}
{{- if and .Values.previous.enabled .Values.previous.digest }}true{{ end }}
{{- end }}

{{- /* The Service of the new version alone, which nobody is sent to yet. */}}
{{- define "service.newVersion" -}}
{{- if include "service.isRouted" . }}{{ .Values.service }}-canary
{{- else if include "service.isBlueGreen" . }}{{ .Values.service }}-preview
{{- else }}{{ .Values.service }}{{ end }}
{{- end }}

{{- define "service.hosts" -}}
{{- $name := printf "%s.%s" .Values.service .Release.Namespace -}}
Host(`{{ $name }}`) || Host(`{{ $name }}.svc`) || Host(`{{ $name }}.svc.cluster.local`)
{{- end }}

{{- define "service.tls" -}}
{{- if eq .Values.ingress.tlsSecret "default" }}{}{{ else }}{secretName: {{ .Values.ingress.tlsSecret }}}{{ end }}
{{- end }}

{{- define "service.workload" -}}
apiVersion: {{ .Values.rollouts | ternary "argoproj.io/v1alpha1" "apps/v1" }}
kind: {{ .Values.rollouts | ternary "Rollout" "Deployment" }}
name: {{ .Values.service }}
{{- end }}

{{- /* The Service that Argo Rollouts points at the newest pods there are. */}}
{{- define "service.newest" -}}
{{ .Values.service }}{{ if and .Values.rollouts (eq .Values.strategy.kind "rolling") }}-new{{ end }}
{{- end }}
