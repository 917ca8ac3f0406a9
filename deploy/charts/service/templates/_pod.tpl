{{- define "service.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.user }}
runAsGroup: {{ .Values.user }}
fsGroup: {{ .Values.user }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "service.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* Takes (settings, secrets, root). Settings stand in the pod itself and not in a ConfigMap: each
       version of the service keeps its own, also when an old pod is started again in mid-rollout. */}}
{{- define "service.variables" -}}
{{- $root := index . 2 }}
{{- range $name, $value := index . 0 }}
- name: {{ $name }}
  value: {{ tpl (toString $value) $root | quote }}
{{- end }}
{{- range $name, $secret := index . 1 }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ $secret.name }}, key: {{ $secret.key }}}
{{- end }}
{{- end }}

{{- define "service.environment" -}}
- name: HOST
  value: 0.0.0.0
- name: PORT
  value: {{ .Values.port | quote }}
- name: RELEASE
  value: {{ .Values.release.commit | quote }}
- name: POD_NAME
  valueFrom:
    fieldRef: {fieldPath: metadata.name}
- name: DRAIN_SECONDS
  value: {{ .Values.drain.seconds | quote }}
- name: SHUTDOWN_GRACE_SECONDS
  value: {{ .Values.drain.graceSeconds | quote }}
{{- if .Values.drain.workSeconds }}
- name: STOP_PATIENCE_SECONDS
  value: {{ .Values.drain.workSeconds | quote }}
{{- end }}
{{- include "service.variables" (list .Values.settings .Values.secrets .) }}
{{- end }}

{{- /* Longer than all that a process does after SIGTERM, so that nothing is ever killed at work. */}}
{{- define "service.terminationSeconds" -}}
{{ add .Values.drain.seconds .Values.drain.graceSeconds .Values.drain.workSeconds 10 }}
{{- end }}

{{- define "service.filesName" -}}
{{ .Values.service }}-files-{{ toJson .Values.files | sha256sum | trunc 10 }}
{{- end }}

{{- define "service.probe" -}}
httpGet: {path: {{ .path }}, port: http}
{{- end }}

{{- define "service.container" -}}
- name: {{ .Values.service }}
  image: {{ include "service.image" .Values.image }}
  imagePullPolicy: IfNotPresent
  {{- with .Values.command }}
  command: {{ toJson . }}
  {{- end }}
  ports:
    - {name: http, containerPort: {{ .Values.port }}}
  env:
    {{- include "service.environment" . | nindent 4 }}
  resources: {{- toYaml .Values.resources | nindent 4 }}
  securityContext: {{- include "service.containerSecurity" . | nindent 4 }}
  startupProbe:
    {{- include "service.probe" (dict "path" .Values.probes.live) | nindent 4 }}
    periodSeconds: 1
    failureThreshold: {{ .Values.probes.startSeconds }}
  livenessProbe:
    {{- include "service.probe" (dict "path" .Values.probes.live) | nindent 4 }}
    periodSeconds: 10
    timeoutSeconds: 5
  readinessProbe:
    {{- include "service.probe" (dict "path" .Values.probes.ready) | nindent 4 }}
    periodSeconds: 2
    timeoutSeconds: 3
  {{- if .Values.drain.sleep }}
  lifecycle:
    preStop:
      sleep: {seconds: {{ .Values.drain.seconds }}}
  {{- end }}
  volumeMounts:
    {{- include "service.mounts" . | nindent 4 }}
{{- end }}

{{- define "service.mounts" -}}
- {name: temporary, mountPath: /tmp}
{{- if .Values.files }}
- {name: files, mountPath: /etc/service, readOnly: true}
{{- end }}
{{- end }}

{{- define "service.volumes" -}}
- name: temporary
  emptyDir: {sizeLimit: {{ .Values.temporary.size }}}
{{- if .Values.files }}
- name: files
  configMap: {name: {{ include "service.filesName" . }}}
{{- end }}
{{- end }}

{{- define "service.podTemplate" -}}
metadata:
  labels:
    {{- include "service.podLabels" . | nindent 4 }}
  annotations:
    monoyard.dev/versions: {{ toJson .Values.versions | sha256sum }}
    {{- if .Values.metrics.enabled }}
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ .Values.port | quote }}
    prometheus.io/path: {{ .Values.metrics.path }}
    {{- end }}
spec:
  serviceAccountName: {{ .Values.service }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "service.terminationSeconds" . }}
  securityContext: {{- include "service.podSecurity" . | nindent 4 }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "service.selector" . | nindent 10 }}
  containers:
    {{- include "service.container" . | nindent 4 }}
  volumes:
    {{- include "service.volumes" . | nindent 4 }}
{{- end }}
