{{/* One service as the templates see it: `defaults`, with what the service says otherwise. Takes (dict "root" $ "name" NAME). */}}
{{- define "huiyin.service" -}}
{{- $own := get .root.Values.services .name -}}
{{- $service := mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy $own) -}}
{{- $full := printf "%s-%s" (include "huiyin.fullname" .root) .name -}}
{{- $_ := set $service "name" .name -}}
{{- $_ := set $service "fullname" $full -}}
{{- $_ := set $service "existingSecret" (default $full $service.existingSecret) -}}
{{- $_ := set $service "tlsSecret" (default (printf "%s-tls" $full) $service.tlsSecret) -}}
{{- $_ := set $service "serviceAccountName" (default $full $service.serviceAccount.existing) -}}
{{- $_ := set $service "identitySecret" (coalesce $service.identitySecret .root.Values.identity.existingSecret (printf "%s-identity" (include "huiyin.fullname" .root))) -}}
{{- $listeners := dict -}}
{{- range $listener, $it := $service.listeners -}}
{{- if $it.enabled }}{{ $_ := set $listeners $listener $it }}{{ end -}}
{{- end -}}
{{- $_ := set $service "listeners" $listeners -}}
{{- $_ := set $service "config" (include "huiyin.config" (dict "root" .root "service" $service) | fromYaml) -}}
{{- toYaml $service -}}
{{- end -}}

{{/* Image of a service. Takes (dict "root" $ "service" SERVICE). */}}
{{- define "huiyin.image" -}}
{{- $image := .root.Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}/{{ .service.name }}
{{- if .service.imageDigest }}@{{ .service.imageDigest }}{{ else }}:{{ default .root.Chart.AppVersion $image.tag }}{{ end -}}
{{- end -}}

{{/* The variable that carries a setting. Takes (dict "service" NAME "setting" "vault.key"). */}}
{{- define "huiyin.variable" -}}
HUIYIN_{{ upper .service }}__{{ .setting | upper | replace "." "__" }}
{{- end -}}
