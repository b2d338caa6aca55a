"""Makes helm/huiyin/values.schema.json: the shape of the values, with every service's settings as its binary tells them."""

import copy
import json

import yaml

from services import CHART, SERVICES, config_schema, leaves, resolved

SHAPE = yaml.safe_load((CHART.parents[1] / "tools/chart/values-schema.yaml").read_text())
FILE = CHART / "values.schema.json"

# Settings that have a place of their own among the values, where everything that depends on them takes them from.
ELSEWHERE = {
    "service.listen": "services.<service>.port",
    "service.probe_listen": "probePort",
    "service.database.migrate": "migrations.enabled",
    "service.identity.key_file": "identity.privateKey",
    "service.identity.issuer": "identity.issuer",
    "service.identity.audience": "identity.audience",
    "service.auth.issuers": "auth.issuers",
    "service.tls.certificate_file": "tls.enabled",
    "service.tls.key_file": "tls.enabled",
    "service.tls.ca_file": "tls.enabled",
    "service.tls.require_client_certificate": "tls.requireClientCertificate",
    "telemetry.prometheus": "metrics.enabled",
}


def elsewhere(service, values):
    """The settings of a service that are not given as `config`: those above, its ports, and what comes from Secrets."""
    own = values["services"].get(service, {})
    listeners = {f"{listener}.listen": f"services.{service}.listeners" for listener in own.get("listeners", {})}
    secrets = dict.fromkeys([*values["defaults"]["secrets"], *own.get("secrets", {})], "secrets")
    return {**ELSEWHERE, **listeners, **secrets}


def settings(schema, left_out):
    """What may be given of a configuration: any part of it, for it goes over what is known already, and nothing else."""
    return part(schema, schema, (), left_out)


def part(schema, of, path, left_out):
    schema = resolved(schema, of)
    kept = {key: schema[key] for key in ("description", "enum", "minimum", "maximum", "items", "type") if key in schema}
    if "enum" not in kept and "oneOf" in schema and "type" not in schema:
        variants = schema["oneOf"]
        if all("const" in variant for variant in variants):  # an enum whose values have descriptions
            return {**kept, "enum": [variant["const"] for variant in variants]}
        return {**kept, "oneOf": [whole(variant, of) for variant in variants]}
    if "items" in kept:
        kept["items"] = whole(kept["items"], of)
    inner = {
        name: part(value, of, (*path, name), left_out)
        for name, value in schema.get("properties", {}).items()
        if ".".join((*path, name)) not in left_out
    }
    if "properties" in schema:
        kept.update(type="object", properties=inner, additionalProperties=False)
    elif isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = part(schema["additionalProperties"], of, (*path, "*"), left_out)
    return kept


def whole(schema, of):
    """A schema inside a list: its elements are not merged over anything, so what is required stays required."""
    schema = resolved(schema, of)
    kept = {key: value for key, value in schema.items() if key not in ("title", "default", "format", "$defs")}
    if "properties" in kept:
        kept["properties"] = {name: whole(value, of) for name, value in kept["properties"].items()}
        kept["additionalProperties"] = False
    if "oneOf" in kept:
        kept["oneOf"] = [whole(variant, of) for variant in kept["oneOf"]]
    if "items" in kept:
        kept["items"] = whole(kept["items"], of)
    return kept


def setting(schema, path):
    """The schema of one setting."""
    of = schema
    for step in path.split("."):
        schema = resolved(schema, of)["properties"][step]
    return schema


def secrets(schemas):
    """`secrets`: any setting that is one text or number may come from a Secret."""
    names = {}
    for schema in schemas:
        names.update(dict.fromkeys(".".join(path) for path, leaf in leaves(schema) if leaf.get("type") not in ("array", "object")))
    exact = [name for name in names if "*" not in name]
    patterns = ["^" + name.replace(".", r"\.").replace("*", "[A-Za-z0-9_-]+") + "$" for name in names if "*" in name]
    return {
        "type": "object",
        "propertyNames": {"anyOf": [{"enum": exact}, *({"pattern": pattern} for pattern in patterns)]},
        "additionalProperties": {"$ref": "#/definitions/secret"},
    }


def closed(schema):
    """Whatever lists its keys takes no others."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            schema.setdefault("type", "object")
            schema.setdefault("additionalProperties", False)
        for inner in schema.values():
            closed(inner)
    elif isinstance(schema, list):
        for inner in schema:
            closed(inner)
    return schema


def made():
    """The text of values.schema.json."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = copy.deepcopy(SHAPE)
    definitions = schema["definitions"]
    shared = definitions.pop("shared")
    schemas = {service: config_schema(service) for service in SERVICES}

    definitions["process"] = settings(config_schema("process"), elsewhere("process", values))
    # What every service has is what may be said for all of them at once.
    every = copy.deepcopy(schemas[SERVICES[0]])
    every["properties"] = {
        name: value for name, value in every["properties"].items() if all(name in other["properties"] for other in schemas.values())
    }
    definitions["config"] = settings(every, elsewhere("", values))
    definitions["issuers"] = whole(setting(every, "service.auth.issuers"), every)

    defaults = definitions["values"]["properties"]["defaults"]["properties"]
    del defaults["$shared"]
    defaults.update(shared, secrets=secrets([every]), listeners={"type": "object", "properties": {}})
    for service in SERVICES:
        own = values["services"][service]
        definitions[f"config.{service}"] = settings(schemas[service], elsewhere(service, values))
        listeners = {listener: {"$ref": "#/definitions/listener"} for listener in own.get("listeners", {})}
        definitions["values"]["properties"]["services"]["properties"][service] = {
            "properties": {
                "port": {"$ref": "#/definitions/port"},
                "neighbors": {"type": "array", "uniqueItems": True, "items": {"enum": [it for it in SERVICES if it != service]}},
                **copy.deepcopy(shared),
                "secrets": secrets([schemas[service]]),
                "listeners": {"type": "object", "properties": listeners},
                "config": {"$ref": f"#/definitions/config.{service}"},
            }
        }
    return json.dumps(closed(schema), indent=1, ensure_ascii=False) + "\n"
