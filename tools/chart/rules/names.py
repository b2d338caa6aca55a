"""Names, labels and annotations that an API server takes, and no two objects of one name."""

import re
from collections import Counter

from kubernetes_schemas import is_custom
from manifests import title, walk

LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
QUALIFIED = re.compile(r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")


def no_name_twice(release):
    counted = Counter((it["apiVersion"], it["kind"], it["metadata"].get("namespace"), it["metadata"]["name"]) for it in release.objects)
    return [f"{kind}/{name} is there {count} times" for (_, kind, _, name), count in counted.items() if count > 1]


def names_are_valid(release):
    for it in release.objects:
        name = it["metadata"]["name"]
        # What becomes a host name, or the label of a pod, is shorter than the rest.
        strict = it["kind"] in ("Service", "Deployment", "Job", "Pod")
        if not (LABEL if strict else SUBDOMAIN).match(name) or len(name) > (63 if strict else 253):
            yield f"{title(it)}: not a name"


def labels_are_valid(release):
    for it in release.objects:
        # Inside of what an operator brings along, the same words may mean something else.
        inside = {"metadata": it["metadata"]} if is_custom(it) else it
        for path, value in walk(inside):
            if path and path[-1] in ("labels", "matchLabels", "annotations", "nodeSelector") and isinstance(value, dict):
                for key, text in value.items():
                    if not QUALIFIED.match(key):
                        yield f"{title(it)}: {key} is not a key"
                    if not isinstance(text, str) or path[-1] != "annotations" and not LABEL_VALUE.match(text):
                        yield f"{title(it)}: {key}: {text!r} is not a value"


def everything_says_whose_it_is(release):
    for it in release.objects:
        labels = it["metadata"].get("labels", {})
        if labels.get("app.kubernetes.io/instance") != release.name or "app.kubernetes.io/managed-by" not in labels:
            yield f"{title(it)}: no labels of the release"
        if release.values["region"] and labels.get("huiyin/region") != release.values["region"]:
            yield f"{title(it)}: does not name its region"
        if it["metadata"].get("namespace") != "feedback":
            yield f"{title(it)}: not in the namespace of the release"
