"""The objects of a release, and the ways to look at them."""

import functools

WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"}


class Release:
    def __init__(self, objects, values, name):
        self.objects, self.values, self.name = objects, values, name

    @property
    def full(self):
        """What all names begin with."""
        own = self.name if "huiyin" in self.name else f"{self.name}-huiyin"
        return (self.values["fullnameOverride"] or own)[:40].removesuffix("-")

    def of(self, *kinds):
        return [it for it in self.objects if it["kind"] in kinds]

    def named(self, kind, name):
        """The object of that name, or None."""
        return next((it for it in self.of(kind) if it["metadata"]["name"] == name), None)

    def service(self, name):
        """What the values say of a service, over the defaults."""
        return over(self.values["defaults"], self.values["services"][name])

    @functools.cached_property
    def pods(self):
        """Every pod that the release may start, as (owner, metadata, spec)."""
        found = []
        for owner in self.objects:
            if owner["kind"] == "Pod":
                found.append((owner, owner["metadata"], owner["spec"]))
            elif owner["kind"] in WORKLOADS:
                inner = owner["spec"].get("jobTemplate", owner)
                template = inner["spec"]["template"]
                found.append((owner, template.get("metadata", {}), template["spec"]))
        return found

    def deployed(self):
        """The same of Deployments only, by service."""
        return {
            meta["labels"]["app.kubernetes.io/component"]: (owner, meta, spec)
            for owner, meta, spec in self.pods
            if owner["kind"] == "Deployment"
        }

    def configurations(self):
        """(service, its files by name, the variables that carry its secrets)."""
        for service, (owner, _, spec) in self.deployed().items():
            data = self.named("ConfigMap", owner["metadata"]["name"])["data"]
            variables = [it["name"] for it in spec["containers"][0]["env"]]
            yield service, tuple(sorted(data.items())), tuple(it for it in variables if it.startswith(f"HUIYIN_{service.upper()}__"))

    def selected(self, selector):
        """The pods that a label selector finds."""
        return [(owner, meta, spec) for owner, meta, spec in self.pods if matches(selector, meta.get("labels", {}))]


def over(lower, upper):
    """As Helm lays one file of values over another."""
    if not (isinstance(lower, dict) and isinstance(upper, dict)):
        return upper
    return {**lower, **{key: over(lower.get(key), value) for key, value in upper.items()}}


def matches(selector, labels):
    """Whether a label selector finds these labels."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for it in selector.get("matchExpressions", []):
        value, among = labels.get(it["key"]), it.get("values", [])
        held = {"In": value in among, "NotIn": value not in among, "Exists": value is not None, "DoesNotExist": value is None}
        if not held[it["operator"]]:
            return False
    return True


def title(thing):
    """How an object is called in a finding."""
    return f"{thing['kind']}/{thing['metadata'].get('name')}"


def hook(thing):
    """The hooks that an object is: empty where it is an ordinary object of the release."""
    annotation = thing["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    return {it.strip() for it in annotation.split(",") if it.strip()}


def weight(thing):
    return int(thing["metadata"].get("annotations", {}).get("helm.sh/hook-weight", "0"))


def containers(spec):
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


def names_in(spec):
    """(kind, name) of everything that a pod names."""
    if account := spec.get("serviceAccountName"):
        yield "ServiceAccount", account
    for volume in spec.get("volumes", []):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        for source in volume.get("projected", {}).get("sources", []):
            if "secret" in source:
                yield "Secret", source["secret"]["name"]
    for it in containers(spec):
        for variable in it.get("env", []):
            source = variable.get("valueFrom", {})
            if "secretKeyRef" in source:
                yield "Secret", source["secretKeyRef"]["name"]
            if "configMapKeyRef" in source:
                yield "ConfigMap", source["configMapKeyRef"]["name"]


def walk(thing, path=()):
    """Every (path, value) inside of it."""
    yield path, thing
    inner = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in inner:
        yield from walk(value, (*path, key))
