"""Words of which an API server knows only some, and the schemas any."""

from kubernetes_schemas import is_custom
from manifests import title, walk

KNOWN = {
    "imagePullPolicy": {"Always", "IfNotPresent", "Never"},
    "restartPolicy": {"Always", "OnFailure", "Never"},
    "protocol": {"TCP", "UDP", "SCTP"},
    "whenUnsatisfiable": {"DoNotSchedule", "ScheduleAnyway"},
    "unhealthyPodEvictionPolicy": {"IfHealthyBudget", "AlwaysAllow"},
    "operator": {"In", "NotIn", "Exists", "DoesNotExist", "Equal", "Gt", "Lt"},
    "effect": {"NoSchedule", "PreferNoSchedule", "NoExecute"},
    "medium": {"", "Memory"},
}
# (kind, path) → what is known there.
PLACES = {
    ("Service", ("spec", "type")): {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"},
    ("Deployment", ("spec", "strategy", "type")): {"RollingUpdate", "Recreate"},
}
TYPES = {"seccompProfile": {"RuntimeDefault", "Localhost", "Unconfined"}, "target": {"Utilization", "AverageValue", "Value"}}


def words_are_known(release):
    for it in release.objects:
        if it["kind"] == "ConfigMap" or is_custom(it):
            continue
        for path, value in walk(it):
            if not isinstance(value, str):
                continue
            known = PLACES.get((it["kind"], path)) or KNOWN.get(path[-1])
            if path[-1] == "type" and len(path) > 1:
                known = known or TYPES.get(path[-2])
            if len(path) > 1 and path[-2] in ("policyTypes",):
                known = {"Ingress", "Egress"}
            if known and value not in known:
                yield f"{title(it)}: {'.'.join(map(str, path))} is {value}"
