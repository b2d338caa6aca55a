{{/* Rules of egress that several policies have. */}}

{{- define "huiyin.egressToDns" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
  {{- with .Values.networkPolicy.dns }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Takes (dict "port" NUMBER "to" PEERS). */}}
{{- define "huiyin.egress" -}}
- ports:
    - {port: {{ int .port }}, protocol: TCP}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
