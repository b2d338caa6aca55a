"""Pod Security "restricted", for every pod: hooks and tests too."""

from manifests import containers, title

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def pods_are_restricted(release):
    for owner, _, spec in release.pods:
        security = spec.get("securityContext", {})
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(key):
                yield f"{title(owner)}: {key}"
        if security.get("runAsNonRoot") is not True or security.get("runAsUser") == 0:
            yield f"{title(owner)}: may run as root"
        if security.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{title(owner)}: no seccomp profile"
        for volume in spec.get("volumes", []):
            if kinds := set(volume) - VOLUMES - {"name"}:
                yield f"{title(owner)}: volume of {kinds}"
        for it in containers(spec):
            yield from (f"{title(owner)}: {it['name']} {finding}" for finding in _container(it))


def _container(it):
    security = it.get("securityContext", {})
    if security.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if security.get("privileged"):
        yield "is privileged"
    if security.get("capabilities", {}).get("drop") != ["ALL"] or set(security["capabilities"].get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "keeps capabilities"
    if security.get("runAsNonRoot") is False or security.get("runAsUser") == 0:
        yield "may run as root"
    if security.get("procMount", "Default") != "Default" or security.get("seccompProfile", {}).get("type") == "Unconfined":
        yield "is unconfined"
    if any("hostPort" in port for port in it.get("ports", [])):
        yield "takes a port of the node"


def roots_are_read_only(release):
    for owner, _, spec in release.pods:
        for it in containers(spec):
            if it.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
                yield f"{title(owner)}: {it['name']} can write to its root"


def nobody_has_a_token_of_the_cluster(release):
    for owner, _, spec in release.pods:
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{title(owner)}: has a token of the cluster"
    for it in release.of("ServiceAccount"):
        if it.get("automountServiceAccountToken") is not False:
            yield f"{title(it)}: hands out tokens of the cluster"
