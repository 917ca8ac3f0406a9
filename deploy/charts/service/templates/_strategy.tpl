{{- define "service.hashes" -}}
args:
  - name: new
    valueFrom: {podTemplateHashValue: Latest}
  - name: stable
    valueFrom: {podTemplateHashValue: Stable}
{{- end }}

{{- define "service.canary" -}}
{{- $routed := include "service.isRouted" . -}}
{{- $gates := include "service.hasGates" . -}}
canary:
  maxSurge: 25%
  maxUnavailable: 0
  {{- if $routed }}
  stableService: {{ .Values.service }}-stable
  canaryService: {{ .Values.service }}-canary
  trafficRouting:
    traefik: {weightedTraefikServiceName: {{ .Values.service }}}
  scaleDownDelaySeconds: {{ .Values.strategy.scaleDownDelaySeconds }}
  {{- else if eq .Values.strategy.kind "rolling" }}
  canaryService: {{ .Values.service }}-new
  {{- end }}
  abortScaleDownDelaySeconds: {{ .Values.strategy.abortScaleDownDelaySeconds }}
  {{- if and $gates (ne .Values.strategy.kind "rolling") }}
  # Looks on while the steps go, and needs nobody to send it back.
  analysis:
    startingStep: {{ include "service.stepsBefore" . }}
    templates: [{templateName: {{ .Values.service }}-watch}]
    {{- include "service.hashes" . | nindent 4 }}
  {{- end }}
  steps:
    {{- if $routed }}
    - setCanaryScale: {replicas: 1}
    {{- end }}
    {{- if include "service.hasSmoke" . }}
    - analysis:
        templates: [{templateName: {{ .Values.service }}-smoke}]
    {{- end }}
    {{- if $routed }}
    - setCanaryScale: {matchTrafficWeight: true}
    {{- end }}
    {{- range ternary (list 100) .Values.strategy.weights (eq .Values.strategy.kind "rolling") }}
    - setWeight: {{ . }}
    {{- if and $gates (ne $.Values.strategy.kind "rolling") }}
    - analysis:
        templates: [{templateName: {{ $.Values.service }}-gates{{ eq (int .) 100 | ternary "-alone" "" }}}]
        {{- include "service.hashes" $ | nindent 8 }}
    {{- else if and $.Values.strategy.pauseSeconds (ne (int .) 100) }}
    - pause: {duration: {{ $.Values.strategy.pauseSeconds }}s}
    {{- end }}
    {{- end }}
    {{- if .Values.strategy.hold }}
    # Until all services of the release stand here: then all go on, or all go back.
    - pause: {}
    {{- end }}
{{- end }}

{{- define "service.stepsBefore" -}}
{{ add (ternary 2 0 (eq (include "service.isRouted" .) "true")) (ternary 1 0 (eq (include "service.hasSmoke" .) "true")) }}
{{- end }}

{{- define "service.blueGreen" -}}
blueGreen:
  activeService: {{ .Values.service }}
  previewService: {{ .Values.service }}-preview
  # Before the switch: until all services of the release stand here.
  autoPromotionEnabled: {{ not .Values.strategy.hold }}
  maxUnavailable: 0
  scaleDownDelaySeconds: {{ .Values.strategy.scaleDownDelaySeconds }}
  abortScaleDownDelaySeconds: {{ .Values.strategy.abortScaleDownDelaySeconds }}
  {{- if include "service.hasSmoke" . }}
  prePromotionAnalysis:
    templates: [{templateName: {{ .Values.service }}-smoke}]
  {{- end }}
  {{- if include "service.hasGates" . }}
  postPromotionAnalysis:
    templates: [{templateName: {{ .Values.service }}-gates-alone}]
    {{- include "service.hashes" . | nindent 4 }}
  {{- end }}
{{- end }}
