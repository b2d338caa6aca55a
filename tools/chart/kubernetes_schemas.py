"""Holds objects against the schemas of several versions of Kubernetes, strictly: a field that is not in them is refused."""

import functools
import json
import re
from importlib import resources

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

VERSIONS = ["1.30.0", "1.32.0", "1.36.0"]
SCHEMAS = resources.files("kubernetes_validate") / "kubernetes-json-schema"
# Kinds that operators bring along, and what we ask of them ourselves: see custom_resources.py.
CUSTOM = re.compile(r"^(?!([a-z]+|[a-z.]+\.k8s\.io)/)[^/]+\.[^/]+/")


@functools.cache
def registry(version):
    definitions = json.loads((SCHEMAS / f"v{version}-local-strict" / "_definitions.json").read_text())
    return Resource.from_contents(definitions) @ Registry()


@functools.cache
def validator(version, kind, api_version):
    name = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    file = SCHEMAS / f"v{version}-local-strict" / f"{kind.lower()}-{name}.json"
    if not file.is_file():
        return None
    schema = json.loads(file.read_text())
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ registry(version))


@functools.cache
def findings(text):
    """What is wrong with one object, given as JSON text: the same object comes up in many releases."""
    thing = json.loads(text)
    found = []
    for version in VERSIONS:
        against = validator(version, thing["kind"], thing["apiVersion"])
        if against is None:
            found.append(f"{version} has no {thing['apiVersion']} {thing['kind']}")
            continue
        for error in against.iter_errors(thing):
            found.append(f"{version}: {'.'.join(map(str, error.path))}: {error.message[:200]}")
    return tuple(found)


def is_custom(thing):
    return bool(CUSTOM.match(thing["apiVersion"]))


def text_of(thing):
    return json.dumps(thing, sort_keys=True)
