"""Ways to break the chart, each with the rule that must notice: rules that notice nothing are worth nothing."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import helm_python
import yaml

import chart
import rules


@dataclass
class Mutation:
    what: str
    file: str
    old: str
    new: str
    noticed_by: str
    values: tuple = ("ha",)

    def __str__(self):
        return f"{self.what} ({self.file})"


DEPLOYMENT, SERVICE, NETWORK = "templates/deployment.yaml", "templates/service.yaml", "templates/networkpolicy.yaml"
MIGRATION, POD, CONFIG = "templates/migration.yaml", "templates/_pod.tpl", "templates/_config.tpl"
SCALER, BUDGET = "templates/autoscaler.yaml", "templates/disruptionbudget.yaml"
TEST, NAMES, VALUES = "templates/tests/services-answer.yaml", "templates/_names.tpl", "values.yaml"
SELECTOR = 'include "huiyin.selector" (dict "root" $ "component" $name)'

MUTATIONS = [
    Mutation("a field of no schema", DEPLOYMENT, "revisionHistoryLimit: 5", "revisionHistory: 5", "kubernetes_takes_it"),
    Mutation("a number as text", DEPLOYMENT, "maxSurge: 1", "maxSurge: [1]", "kubernetes_takes_it"),
    Mutation("an API that is gone", SCALER, "autoscaling/v2", "autoscaling/v2beta2", "kubernetes_takes_it"),
    Mutation("a key twice", DEPLOYMENT, "revisionHistoryLimit: 5", "revisionHistoryLimit: 5\n  revisionHistoryLimit: 6", "helm"),
    Mutation("a template that does not end", SERVICE, "{{- if $.Values.metrics.enabled }}", "", "helm"),
    Mutation("an unknown word", BUDGET, "AlwaysAllow", "Sometimes", "words_are_known"),
    Mutation("an unknown protocol", SERVICE, "targetPort: probe, protocol: TCP", "targetPort: probe, protocol: tcp", "words_are_known"),
    Mutation("two objects of one name", SERVICE, "$service.fullname }}-headless", "$service.fullname }}", "no_name_twice"),
    Mutation("a name too long for a host", MIGRATION, "name: {{ $full }}-{{ $name }}", 'name: {{ $full }}-{{ $name }}-{{ repeat 40 "x" }}', "names_are_valid"),
    Mutation("a label that is no label", NAMES, 'replace "+" "_" | trunc 63', 'printf "%s/%s" "a"', "labels_are_valid"),
    Mutation("an object of nobody", "templates/config.yaml", "  namespace: {{ $.Release.Namespace }}\n", "", "everything_says_whose_it_is"),
    Mutation(
        "a selector that finds no pods", DEPLOYMENT, f"matchLabels:\n      {{{{- {SELECTOR} | nindent 6 }}}}",
        f"matchLabels:\n      app.kubernetes.io/tier: backend\n      {{{{- {SELECTOR} | nindent 6 }}}}",
        "deployments_find_their_own_pods",
    ),
    Mutation("a version in a selector", DEPLOYMENT, f"{SELECTOR} | nindent 6", SELECTOR.replace("selector", "labels") + " | nindent 6",
             "deployments_find_their_own_pods"),
    Mutation("a Service that finds everybody", SERVICE, '"component" $name) | nindent 4 }}\n  ports:', '"component" "") | nindent 4 }}\n  ports:',
             "services_find_one_deployment"),
    Mutation("a spread of other pods", DEPLOYMENT, f"{SELECTOR} | nindent 14", 'include "huiyin.selector" (dict "root" $ "component" "web") | nindent 14',
             "spread_counts_the_pods_themselves"),
    Mutation("a monitor of no port", "templates/servicemonitor.yaml", "port: metrics", "port: prometheus", "monitors_find_a_port"),
    Mutation("a port by another name", SERVICE, "targetPort: grpc, protocol: TCP{{", "targetPort: h2, protocol: TCP{{", "named_ports_exist"),
    Mutation("two ports of one number", DEPLOYMENT, "containerPort: {{ int $.Values.probePort }}", "containerPort: {{ int $service.port }}",
             "ports_are_valid"),
    Mutation("probes where TLS is spoken", DEPLOYMENT, "grpc: {port: {{ int $.Values.probePort }}}", "grpc: {port: {{ int $service.port }}}",
             "probes_have_a_port"),
    Mutation("probes at no port", DEPLOYMENT, "grpc: {port: {{ int $.Values.probePort }}}", "grpc: {port: 9999}", "probes_have_a_port"),
    Mutation("a program that listens elsewhere", CONFIG, '(printf "0.0.0.0:%d" (int $service.port))', '"0.0.0.0:50050"',
             "programs_listen_where_they_are_called"),
    Mutation("a ConfigMap of no such name", DEPLOYMENT, "configMap: {name: {{ $service.fullname }}}", "configMap: {name: {{ $service.fullname }}-config}",
             "config_maps_and_accounts_exist"),
    Mutation("a ServiceAccount of no such name", DEPLOYMENT, "serviceAccountName: {{ $service.serviceAccountName }}", "serviceAccountName: runner",
             "config_maps_and_accounts_exist"),
    Mutation("a Secret that nobody is told of", DEPLOYMENT, "name: {{ $service.identitySecret }}", "name: signing-key",
             "secrets_are_documented_ones"),
    Mutation("a key that is not mounted", DEPLOYMENT, "path: {{ $verifies }}", "path: public.pem", "files_of_the_settings_are_mounted"),
    Mutation("a Secret that is made anew", "templates/extraobjects.yaml", "{{- range .Values.extraObjects }}",
             '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  token: {{ randAlphaNum 32 }}\n{{- range .Values.extraObjects }}',
             "secrets_are_documented_ones"),
    Mutation("a certificate for another name", "templates/certificate.yaml", "    - {{ $host }}.{{ $.Release.Namespace }}.svc\n", "",
             "certificates_land_where_they_are_read"),
    Mutation("a mount of no volume", DEPLOYMENT, "- {name: tmp, mountPath: /tmp}", "- {name: temp, mountPath: /tmp}", "volumes_are_there"),
    Mutation("an autoscaler of nothing", SCALER, "kind: Deployment\n    name: {{ $service.fullname }}", "kind: Deployment\n    name: {{ $name }}",
             "autoscalers_have_a_target"),
    Mutation("replicas beside an autoscaler", DEPLOYMENT, "{{- if not $service.autoscaling.enabled }}", "{{- if true }}", "autoscalers_have_a_target"),
    Mutation("a budget that lets no node be drained", BUDGET, "maxUnavailable: {{ .maxUnavailable }}", "maxUnavailable: 0",
             "budgets_let_nodes_be_drained"),
    Mutation("a budget of as many pods as there are", BUDGET, "minAvailable: {{ .minAvailable }}", "minAvailable: 3", "budgets_let_nodes_be_drained"),
    Mutation("no default of denying", NETWORK, "policyTypes: [Ingress, Egress]\n{{- range", "policyTypes: [Ingress, Egress]\n  ingress: [{}]\n{{- range",
             "everything_else_is_denied"),
    Mutation("a policy that finds nobody", MIGRATION, '"component" "migrate") | nindent 6 }}\n  policyTypes',
             '"component" "migration") | nindent 6 }}\n  policyTypes', "policies_find_pods"),
    Mutation("a neighbor that is not let in", NETWORK, "{{- if has $name $its.neighbors }}", '{{- if and (has $name $its.neighbors) (ne $caller "survey") }}',
             "services_reach_whom_they_call"),
    Mutation("an arrow that nobody follows", NETWORK, "{{- if has $name $its.neighbors }}", "{{- if true }}", "services_reach_whom_they_call"),
    Mutation("a service that cannot go out to a neighbor", NETWORK, "{{- range $service.neighbors }}", "{{- range rest $service.neighbors }}",
             "services_reach_whom_they_call"),
    Mutation("a neighbor too few", VALUES, "neighbors: [intake, classifier, survey]", "neighbors: [intake, classifier]", "neighbors_are_those_of_the_program"),
    Mutation("plaintext towards a neighbor", CONFIG, '$root.Values.tls.enabled | ternary "https" "http"', '"http"', "services_reach_whom_they_call"),
    Mutation("no way to the databases", NETWORK, '{{- include "huiyin.egress" $policy.postgres | nindent 4 }}', "", "pods_reach_what_they_stand_on"),
    Mutation("no way to what the settings name", NETWORK, "{{- with concat $policy.egress $service.egress }}", "{{- with $policy.egress }}",
             "pods_reach_what_their_settings_name"),
    Mutation("no way to resolve a name", MIGRATION, '{{- include "huiyin.egressToDns" $ | nindent 4 }}', "", "pods_reach_what_they_stand_on"),
    Mutation("a test that is not let in", NETWORK, '"component" "test") | nindent 14', '"component" "tests") | nindent 14', "tests_reach_the_services"),
    Mutation("nobody may scrape", NETWORK, "$.Values.metrics.enabled $policy.metrics", "$.Values.metrics.enabled false", "metrics_can_be_scraped"),
    Mutation("root in a hook", POD, "runAsNonRoot: true", "runAsNonRoot: false", "pods_are_restricted"),
    Mutation("no seccomp", POD, "  seccompProfile:\n    type: RuntimeDefault", "", "pods_are_restricted"),
    Mutation("capabilities kept", POD, "drop: [ALL]", "drop: [NET_RAW]", "pods_are_restricted"),
    Mutation("a test that can do anything", TEST, '{{- include "huiyin.containerSecurity" . | nindent 6 }}', "", "pods_are_restricted"),
    Mutation("a root that can be written", POD, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "roots_are_read_only"),
    Mutation("a token of the cluster", POD, "automountServiceAccountToken: false", "automountServiceAccountToken: true", "nobody_has_a_token_of_the_cluster"),
    Mutation("a grace as long as the drain", POD, "1000) 10 5", "1000) 0 0", "grace_outlasts_the_drain"),
    Mutation("a grace that forgets the sleep", POD, "add .preStopSeconds (div", "add 0 (div", "grace_outlasts_the_drain"),
    Mutation("an upgrade that takes pods away", DEPLOYMENT, "maxUnavailable: 0", "maxUnavailable: 1", "upgrades_take_no_pod_away_first"),
    Mutation("an account that is not there yet", MIGRATION, "serviceAccountName: {{ $full }}", "serviceAccountName: {{ $service.serviceAccountName }}",
             "hooks_name_only_hooks_before_them"),
    Mutation("a ConfigMap that comes too late", MIGRATION, 'kind: ConfigMap\nmetadata:\n  name: {{ $full }}\n  namespace: {{ .Release.Namespace }}\n  labels:\n    '
             '{{- include "huiyin.labels" (dict "root" $ "component" "migrate") | nindent 4 }}\n  annotations:\n    helm.sh/hook: pre-install,pre-upgrade\n    '
             'helm.sh/hook-weight: "-20"',
             'kind: ConfigMap\nmetadata:\n  name: {{ $full }}\n  namespace: {{ .Release.Namespace }}\n  labels:\n    '
             '{{- include "huiyin.labels" (dict "root" $ "component" "migrate") | nindent 4 }}\n  annotations:\n    helm.sh/hook: pre-install,pre-upgrade\n    '
             'helm.sh/hook-weight: "0"', "hooks_name_only_hooks_before_them"),
    Mutation("a hook of an unknown kind", TEST, "helm.sh/hook: test\n    helm.sh/hook-delete-policy", "helm.sh/hook: check\n    helm.sh/hook-delete-policy",
             "hooks_are_known"),
    Mutation("a Job that is not deleted before the next", MIGRATION, "before-hook-creation,hook-succeeded", "hook-succeeded", "hooks_are_known"),
    Mutation("a migration that serves", MIGRATION, "args: [migrate, --config", "args: [--config", "every_service_is_migrated_once"),
    Mutation("a quantity that is none", VALUES, "limits: {memory: 256Mi}", "limits: {memory: 256Mib}", "helm"),
    Mutation("more requested than allowed", TEST, "requests: {cpu: 10m, memory: 16Mi}", "requests: {cpu: 10m, memory: 16Gi}", "quantities_can_be_read"),
    Mutation("a key that no program knows", CONFIG, '"probe_listen"', '"probe_listener"', "every_key_is_known"),
    Mutation("a key that the program refuses", CONFIG, '"key_file" "/etc/huiyin/tls/tls.key"', '"key" "/etc/huiyin/tls/tls.key"', "configurations_are_read"),
    Mutation("whole numbers as Helm writes them", CONFIG, "{{ int64 . }}{{ else }}", '{{ printf "%.1f" . | quote }}{{ else }}', "configurations_are_read"),
    Mutation("a variable that no program knows", "templates/_service.tpl", "HUIYIN_{{ upper .service }}__", "HUIYIN_{{ upper .service }}__CONFIG__",
             "every_key_is_known"),
    Mutation("a secret that is not told", VALUES, "      tokens.key: {key: tokens-key}\n", "      {}\n", "what_must_be_told_is_told"),
    Mutation("a certificate for half of the roles", "templates/certificate.yaml", ", client auth]", "]", "operators_take_it"),
    Mutation("a variable twice", DEPLOYMENT, "- name: OTEL_RESOURCE_ATTRIBUTES", "- name: POD_NAME", "variables_stand_once"),
    Mutation("no autoscaler where one is wanted", SCALER, "{{- if .enabled }}", "{{- if and .enabled (ne $name \"survey\") }}", "replicas_are_said_once"),
    Mutation("a policy that comes after its hook", MIGRATION, "kind: NetworkPolicy\nmetadata:\n  name: {{ $full }}\n  namespace: {{ .Release.Namespace }}\n  labels:\n    "
             '{{- include "huiyin.labels" (dict "root" $ "component" "migrate") | nindent 4 }}\n  annotations:\n    helm.sh/hook: pre-install,pre-upgrade\n    '
             'helm.sh/hook-weight: "-20"',
             "kind: NetworkPolicy\nmetadata:\n  name: {{ $full }}\n  namespace: {{ .Release.Namespace }}\n  labels:\n    "
             '{{- include "huiyin.labels" (dict "root" $ "component" "migrate") | nindent 4 }}\n  annotations:\n    helm.sh/hook: pre-install,pre-upgrade\n    '
             'helm.sh/hook-weight: "-10"', "policies_come_before_their_hooks"),
    Mutation("metrics for anybody", NETWORK, "      from:\n        {{- toYaml $policy.metrics | nindent 8 }}", "", "no_rule_is_empty"),
    Mutation("a container that takes any memory", MIGRATION, "resources:\n            {{- toYaml $migrations.resources | nindent 12 }}", "resources: {}",
             "every_container_requests_memory"),
    Mutation("a misspelt value", "values/ha.yaml", "requireClientCertificate", "requireClientCert", "helm"),
]


def noticed(mutation):
    """The rules that find something wrong with the chart so broken."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "huiyin"
        shutil.copytree(chart.CHART, copy)
        file = copy / mutation.file
        text = file.read_text()
        if mutation.old not in text:
            raise SystemExit(f"{mutation}: there is no {mutation.old!r} to break any more")
        file.write_text(text.replace(mutation.old, mutation.new))
        try:
            values = chart.values_of(*mutation.values, folder=copy)
            if chart.lint(values, copy):
                return {"helm"}
            return {rule for rule, _ in rules.findings(chart.release(values, copy))}
        except (helm_python.HelmError, yaml.YAMLError):
            return {"helm"}
