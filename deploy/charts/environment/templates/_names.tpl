{{- define "environment.labels" -}}
app.kubernetes.io/name: environment
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
monoyard.dev/environment: {{ .Values.environment }}
{{- end }}
