{{- /* Prometheus queries of the gates. Each is empty where there is too little to judge by, and an
       empty answer is neither a success nor a failure.

       What a counter grew by is its value less the value a window ago, or less nothing where it was
       not there yet: `increase` would leave out the first sample of each new series, and a version
       that fails from its first request would look healthy. */}}

{{- /* Takes (root, "new" or "stable", further labels). */}}
{{- define "query.labels" -}}
{{- $root := index . 0 -}}
namespace="{{ $root.Release.Namespace }}",{{ $root.Values.prometheus.hashLabel }}="{{ printf "{{args.%s}}" (index . 1) }}"{{ with index . 2 }},{{ . }}{{ end }}
{{- end }}

{{- /* Takes (root, metric, version, further labels). */}}
{{- define "query.grown" -}}
{{- $root := index . 0 }}
{{- $series := printf "%s{%s}" (index . 1) (include "query.labels" (list $root (index . 2) (index . 3))) -}}
clamp_min({{ $series }} - ({{ $series }} offset {{ $root.Values.gates.windowSeconds }}s or {{ $series }} * 0), 0)
{{- end }}

{{- define "query.requests" -}}
sum({{ include "query.grown" (list (index . 0) "http_requests_total" (index . 1) (include "query.traffic" .)) }})
{{- end }}

{{- /* Probes and scrapes are answered whatever is wrong with the rest. */}}
{{- define "query.traffic" -}}
route!~"/health/.*|/metrics"
{{- end }}

{{- define "query.quantile" -}}
{{- $root := index . 0 -}}
histogram_quantile({{ $root.Values.gates.latency.quantile }}, sum by (le) ({{ include "query.grown" (list $root "http_request_duration_seconds_bucket" (index . 1) (include "query.traffic" .)) }}))
{{- end }}

{{- define "query.errors" -}}
{{- $all := include "query.requests" (list . "new") }}
{{- $failed := printf "sum(%s)" (include "query.grown" (list . "http_requests_total" "new" (printf "%s,status=~\"5..\"" (include "query.traffic" .)))) -}}
(({{ $failed }} or {{ $all }} * 0) / {{ $all }}) and {{ $all }} >= {{ .Values.gates.minimumSamples }}
{{- end }}

{{- define "query.latency" -}}
({{ include "query.quantile" (list . "new") }} / clamp_min({{ include "query.quantile" (list . "stable") }}, {{ .Values.gates.latency.floorSeconds }})) and {{ include "query.requests" (list . "new") }} >= {{ .Values.gates.minimumSamples }} and {{ include "query.requests" (list . "stable") }} >= {{ .Values.gates.minimumSamples }}
{{- end }}

{{- define "query.latencyAlone" -}}
{{ include "query.quantile" (list . "new") }} and {{ include "query.requests" (list . "new") }} >= {{ .Values.gates.minimumSamples }}
{{- end }}

{{- /* Processors that a pod keeps busy. A pod younger than the window says nothing: starting costs. */}}
{{- define "query.busy" -}}
{{- $root := index . 0 }}
{{- $series := printf "process_cpu_seconds_total{%s}" (include "query.labels" (list $root (index . 1) "")) -}}
avg(clamp_min({{ $series }} - {{ $series }} offset {{ $root.Values.gates.windowSeconds }}s, 0)) / {{ $root.Values.gates.windowSeconds }}
{{- end }}

{{- define "query.cpu" -}}
{{ include "query.busy" (list . "new") }} / clamp_min({{ include "query.busy" (list . "stable") }}, {{ .Values.gates.cpu.floorCores }})
{{- end }}

{{- define "query.events" -}}
sum({{ include "query.grown" (list (index . 0) "worker_events_total" "new" (index . 1)) }})
{{- end }}

{{- define "query.failedEvents" -}}
{{- $all := include "query.events" (list . "") -}}
(({{ include "query.events" (list . "outcome=~\"later|dead\"") }} or {{ $all }} * 0) / {{ $all }}) and {{ $all }} >= {{ .Values.gates.minimumSamples }}
{{- end }}

{{- define "query.queueAge" -}}
max(worker_backlog_oldest_seconds{ {{- include "query.labels" (list . "new" "") -}} })
{{- end }}

{{- /* Takes (root, name, query, highest value, "gate" or "watch"). */}}
{{- define "query.metric" -}}
{{- $root := index . 0 }}
{{- $gates := $root.Values.gates -}}
- name: {{ index . 1 }}
  interval: {{ $gates.intervalSeconds }}s
  failureLimit: 0
  {{- if eq (index . 4) "gate" }}
  # Passes by that many good measurements in a row; out of measurements, it is inconclusive.
  count: {{ $gates.measurements }}
  consecutiveSuccessLimit: {{ $gates.successes }}
  inconclusiveLimit: {{ sub $gates.measurements $gates.successes }}
  {{- else }}
  # Only ever ends a rollout; whether one goes on is for the gates.
  inconclusiveLimit: 1000000
  consecutiveErrorLimit: 1000000
  {{- end }}
  successCondition: len(result) > 0 && !isNaN(result[0]) && result[0] <= {{ index . 3 }}
  failureCondition: len(result) > 0 && !isNaN(result[0]) && result[0] > {{ index . 3 }}
  provider:
    prometheus:
      address: {{ $root.Values.prometheus.address }}
      query: {{ index . 2 | quote }}
{{- end }}
