{{/* A service's whole configuration but for its secrets: what the chart knows, and over it what was given as `config`. */}}
{{- define "huiyin.config" -}}
{{- $root := .root -}}
{{- $service := .service -}}
{{- $full := include "huiyin.fullname" $root -}}
{{- $scheme := $root.Values.tls.enabled | ternary "https" "http" -}}
{{- $identity := $root.Values.identity -}}
{{- $keys := dict "public_key_file" (printf "/etc/huiyin/identity/%s" $identity.publicKey) -}}
{{- with $identity.jwks }}{{ $keys = dict "jwks_file" (printf "/etc/huiyin/identity/%s" .) }}{{ end -}}
{{- $ours := dict "issuer" $identity.issuer "audience" $identity.audience "keys" $keys "issues_services" true -}}
{{- $neighbors := dict -}}
{{- range $service.neighbors -}}
{{- $port := get (get $root.Values.services .) "port" | int -}}
{{- $_ := set $neighbors . (printf "%s://%s-%s.%s.svc:%d" $scheme $full . $root.Release.Namespace $port) -}}
{{- end -}}
{{- $known := dict
  "listen" (printf "0.0.0.0:%d" (int $service.port))
  "probe_listen" (printf "0.0.0.0:%d" (int $root.Values.probePort))
  "database" (dict "migrate" (not $root.Values.migrations.enabled))
  "identity" (dict "key_file" (printf "/etc/huiyin/identity/%s" $identity.privateKey) "issuer" $identity.issuer "audience" $identity.audience)
  "auth" (dict "issuers" (prepend $root.Values.auth.issuers $ours))
  "neighbors" $neighbors
-}}
{{- if $root.Values.tls.enabled -}}
{{- $_ := set $known "tls" (dict
  "certificate_file" "/etc/huiyin/tls/tls.crt"
  "key_file" "/etc/huiyin/tls/tls.key"
  "ca_file" "/etc/huiyin/tls/ca.crt"
  "require_client_certificate" $root.Values.tls.requireClientCertificate)
-}}
{{- end -}}
{{- $config := dict "service" $known -}}
{{- range $listener, $it := $service.listeners -}}
{{- $_ := set $config $listener (dict "listen" (printf "0.0.0.0:%d" (int $it.port))) -}}
{{- end -}}
{{- mergeOverwrite $config (deepCopy $service.config) | toYaml -}}
{{- end -}}

{{/* The same for the process: process.toml. Takes the root. */}}
{{- define "huiyin.process" -}}
{{- $known := dict "telemetry" (dict "prometheus" .Values.metrics.enabled) -}}
{{- include "huiyin.toml" (dict "table" (mergeOverwrite $known (deepCopy .Values.process))) -}}
{{- end -}}

{{/*
A table as TOML; Helm's own toToml writes whole numbers as 16.0 and 1e+10, for it knows no others.
Takes (dict "table" MAP "path" PREFIX).
*/}}
{{- define "huiyin.toml" -}}
{{- $path := default "" .path -}}
{{- $tables := dict -}}
{{- range $key, $value := .table }}
{{- if kindIs "map" $value }}
{{- $_ := set $tables $key $value }}
{{- else if not (kindIs "invalid" $value) }}
{{ include "huiyin.tomlKey" $key }} = {{ include "huiyin.tomlValue" $value }}
{{- end }}
{{- end }}
{{- range $key, $table := $tables }}
{{- $inner := printf "%s%s" $path (include "huiyin.tomlKey" $key) }}

[{{ $inner }}]
{{- include "huiyin.toml" (dict "table" $table "path" (printf "%s." $inner)) }}
{{- end }}
{{- end -}}

{{- define "huiyin.tomlKey" -}}
{{ regexMatch "^[A-Za-z0-9_-]+$" . | ternary . (toRawJson .) }}
{{- end -}}

{{- define "huiyin.tomlValue" -}}
{{- if kindIs "string" . }}{{ toRawJson . }}
{{- else if kindIs "float64" . }}{{ if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- else if kindIs "slice" . -}}
[{{ range $place, $it := . }}{{ if $place }}, {{ end }}{{ include "huiyin.tomlValue" $it }}{{ end }}]
{{- else if kindIs "map" . -}}
{ {{- range $place, $key := keys . | sortAlpha }}{{ if $place }},{{ end }} {{ include "huiyin.tomlKey" $key }} = {{ include "huiyin.tomlValue" (get $ $key) }}{{ end }} }
{{- else }}{{ . }}
{{- end }}
{{- end -}}
