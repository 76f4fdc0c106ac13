{{/* What holds for one tenant: its own values over the defaults. */}}
{{- define "tenant" -}}
{{- mustMergeOverwrite (deepCopy .defaults) (deepCopy (.own | default dict)) | toYaml -}}
{{- end -}}
{{- define "labels" -}}
app.kubernetes.io/part-of: flink-dispatch
{{- end -}}
{{- define "rbac.labels" -}}
app.kubernetes.io/name: flink-dispatch
{{ include "labels" . }}
{{- end -}}
