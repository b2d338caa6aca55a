"""The six services: their binaries, and what those say of their configuration."""

import functools
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "huiyin"
SERVICES = ["analytics", "classifier", "intake", "notification", "scheduler", "survey"]


def binary(service):
    """Where `make` built it."""
    folder = os.environ.get("BIN") or ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug"
    return Path(folder) / service


@functools.cache
def config_schema(service):
    """The JSON Schema of a service's configuration file; of process.toml for "process"."""
    if service == "process":
        return asked(["intake", "config-schema", "--process"])
    return asked([service, "config-schema"])


def asked(command):
    program = binary(command[0])
    if not program.exists():
        raise SystemExit(f"{program} is not there; `make build` makes it")
    answer = subprocess.run([program, *command[1:]], capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"{' '.join(command)}: {answer.stderr.strip()}")
    return json.loads(answer.stdout)


def leaves(schema, of=None, path=()):
    """Every setting that a schema knows, as (path, its schema); `*` stands for a key of one's own in a table."""
    of = of or schema
    schema = resolved(schema, of)
    if not (schema.get("properties") or isinstance(schema.get("additionalProperties"), dict)):
        yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from leaves(inner, of, (*path, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from leaves(schema["additionalProperties"], of, (*path, "*"))


def resolved(schema, of):
    """A schema without a reference or a "may be null" around it."""
    while True:
        options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
        if "$ref" in schema:
            target = of
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        elif len(options) == 1:
            schema = {**options[0], **{key: value for key, value in schema.items() if key != "anyOf"}}
        elif len(schema.get("allOf", [])) == 1:
            schema = {**schema["allOf"][0], **{key: value for key, value in schema.items() if key != "allOf"}}
        else:
            return schema
