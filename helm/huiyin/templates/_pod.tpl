{{/* What every pod of the chart has in common; together they are Pod Security's "restricted". */}}

{{- define "huiyin.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- range $key, $value := .Values.user }}
  {{- if not (kindIs "invalid" $value) }}
  {{ $key }}: {{ int64 $value }}
  {{- end }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "huiyin.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  privileged: false
  readOnlyRootFilesystem: true
{{- end -}}

{{/*
Longer than everything that a stop takes: the kubelet's sleep, the notice, the drain, the 10 s in which what was taken in is
stored, and 5 s for the rest.
*/}}
{{- define "huiyin.gracePeriod" -}}
{{- $limits := dig "limits" dict .config.service -}}
{{- $drain := add (dig "drain_notice_ms" 0 $limits | int64) (dig "drain_ms" 10000 $limits | int64) -}}
{{- add .preStopSeconds (div (add $drain 999) 1000) 10 5 -}}
{{- end -}}
