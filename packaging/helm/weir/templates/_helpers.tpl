{{- define "weir.selector" -}}
app.kubernetes.io/name: weir
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "weir.labels" -}}
{{ include "weir.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "weir.name" -}}
{{- if eq .Release.Name "weir" }}weir{{ else }}{{ printf "%s-weir" .Release.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "weir.proxy.conf" -}}
listen: 0.0.0.0:8080
# Prometheus and the kubelet's probes use the pod's address; all requests except the probes need the token.
admin: 0.0.0.0:9090
admin_token: ${WEIR_ADMIN_TOKEN}
shutdown_grace: {{ .Values.shutdownGrace }}s
{{ toYaml .Values.configuration }}
{{- end }}
