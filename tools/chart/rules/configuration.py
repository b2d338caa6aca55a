"""The services' configuration: read by the binaries that will read it, and known to them key by key."""

import functools
import os
import subprocess
import tempfile
import tomllib
from pathlib import Path

from manifests import title
from services import binary, config_schema, resolved

# Stands for whatever a Secret holds; long enough for every key.
SECRET = "a-secret-of-at-least-thirty-two-characters"


def configurations_are_read(release):
    """`<service> check` with the files of the ConfigMap and the variables of the pod."""
    for service, files, variables in release.configurations():
        if finding := _checked(service, files, variables):
            yield f"ConfigMap/{release.full}-{service}: {finding}"


@functools.cache
def _checked(service, files, variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUIYIN_")}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files:
            (Path(folder) / name).write_text(text)
        answer = subprocess.run(
            [binary(service), "check", "--config", Path(folder) / f"{service}.toml"],
            env={**environment, **dict.fromkeys(variables, SECRET)},
            capture_output=True,
            text=True,
        )
    return (answer.stderr or answer.stdout).strip() if answer.returncode else None


def every_key_is_known(release):
    """The same said without the binary's reading: each key that a template sets is in the schema, and so is each variable."""
    for service, files, variables in release.configurations():
        texts = dict(files)
        for name, schema in ((f"{service}.toml", config_schema(service)), ("process.toml", config_schema("process"))):
            for path in _unknown(tomllib.loads(texts[name]), schema, schema):
                yield f"{name}: nobody knows {'.'.join(path)}"
        for variable in variables:
            path = variable.split("__")[1:]
            if not _known(config_schema(service), [step.lower() for step in path]):
                yield f"{service}: nobody knows {variable}"


def _unknown(table, schema, of, path=()):
    schema = resolved(schema, of)
    for key, value in table.items():
        inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
        if not inner:
            yield (*path, key)
        elif isinstance(value, dict) and isinstance(inner, dict):
            yield from _unknown(value, inner, of, (*path, key))


def _known(schema, path):
    of = schema
    for step in path:
        schema = resolved(schema, of)
        schema = schema.get("properties", {}).get(step) or schema.get("additionalProperties")
        if not isinstance(schema, dict):
            return False
    return True


def what_must_be_told_is_told(release):
    """What a program cannot start without comes from the file or from a Secret that must be there."""
    for service, files, variables in release.configurations():
        told = tomllib.loads(dict(files)[f"{service}.toml"])
        owner, _, spec = release.deployed()[service]
        optional = {
            it["name"] for it in spec["containers"][0]["env"] if it.get("valueFrom", {}).get("secretKeyRef", {}).get("optional")
        }
        for variable in set(variables) - optional:
            table, *path, last = told, *(step.lower() for step in variable.split("__")[1:])
            for step in path:
                table = table.setdefault(step, {})
            table[last] = SECRET
        schema = config_schema(service)
        yield from (f"{title(owner)}: is not told {'.'.join(path)}" for path in _missing(told, schema, schema))


def _missing(table, schema, of, path=()):
    schema = resolved(schema, of)
    for name, inner in schema.get("properties", {}).items():
        if name not in table:
            if name in schema.get("required", []):
                yield (*path, name)
        elif isinstance(table[name], dict):
            yield from _missing(table[name], inner, of, (*path, name))
