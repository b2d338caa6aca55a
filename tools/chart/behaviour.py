"""What shows only in comparing two releases: upgrades, restarts, and that every setting can be set."""

import tomllib

import helm_python

import chart
import rules
from services import SERVICES, config_schema, leaves, resolved
from values_schema import elsewhere

CHECKSUM = "checksum/config"


def upgrades_make_nothing_anew():
    """Two upgrades and an install with the same values are the same, to the letter."""
    values = chart.values_of("ha")
    install, again = chart.rendered(values, is_install=True), chart.rendered(values, is_upgrade=True, revision=7)
    yield from (f"{file} differs" for file in install if install[file] != again[file])
    for file in (chart.CHART / "templates").rglob("*"):
        if file.is_file():
            forbidden = ("lookup ", "rand", "uuidv4", "genCA", "genSigned", "genSelfSigned", "genPrivateKey", "now ")
            yield from (f"{file.name}: {word}" for word in forbidden if f"({word}" in file.read_text() or f"{{ {word}" in file.read_text())


def another_setting_is_another_pod():
    before = checksums({})
    if checksums({}) != before:
        yield "a checksum is another each time"
    changed = checksums({"services": {"survey": {"config": {"events": {"kept_days": 3}}}}})
    if {it for it in SERVICES if changed[it] != before[it]} != {"survey"}:
        yield "a setting of the survey's restarts others, or not the survey"
    changed = checksums({"process": {"telemetry": {"filter": "debug"}}})
    yield from (f"{it} does not hear of another filter" for it in SERVICES if changed[it] == before[it])


def checksums(values):
    return {name: meta["annotations"][CHECKSUM] for name, (_, meta, _) in chart.release(values).deployed().items()}


def every_setting_can_be_set():
    """All that the programs know, given as values at once, comes out in the files or as variables."""
    own = chart.helm.values_from_yaml((chart.CHART / "values.yaml").read_text())
    values = {
        "tls": {"enabled": True, "requireClientCertificate": True},
        "process": samples("process", elsewhere("process", own)),
        "services": {
            service: {
                "config": samples(service, elsewhere(service, own)),
                "listeners": {name: {"enabled": True} for name in own["services"][service].get("listeners", {})},
            }
            for service in SERVICES
        },
    }
    release = chart.release(values)
    yield from rules.configuration.configurations_are_read(release)
    yield from rules.configuration.every_key_is_known(release)
    for service, files, variables in release.configurations():
        for name, schema in ((f"{service}.toml", service), ("process.toml", "process")):
            table = tomllib.loads(dict(files)[name])
            for path, _ in leaves(config_schema(schema)):
                variable = f"HUIYIN_{service}__{'__'.join(path)}".upper()
                if not stands(table, path) and variable not in variables:
                    yield f"{name}: {'.'.join(path)} cannot be set"


def samples(service, left_out):
    schema = config_schema(service)
    table = {}
    for path, leaf in leaves(schema):
        if ".".join(path) in left_out:
            continue
        inner = table
        for step in path[:-1]:
            inner = inner.setdefault("sample" if step == "*" else step, {})
        inner["sample" if path[-1] == "*" else path[-1]] = sample(leaf, schema)
    return table


def sample(leaf, of):
    leaf = resolved(leaf, of)
    kinds = leaf.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if leaf.get("enum"):
        return leaf["enum"][0]
    if leaf.get("oneOf"):
        first = leaf["oneOf"][0]
        return first["const"] if "const" in first else sample(first, of)
    if kind == "array":
        return [sample(leaf["items"], of)]
    if kind == "object":
        return {name: sample(inner, of) for name, inner in leaf.get("properties", {}).items()}
    return {"string": "a sample", "boolean": True, "integer": 12_345_678 if leaf.get("maximum", 1e9) > 1e8 else 100, "number": 0.5}[kind]


def stands(table, path):
    for step in path:
        if not isinstance(table, dict):
            return False
        step = next(iter(table), None) if step == "*" else step
        if step not in table:
            return False
        table = table[step]
    return True


def misspelt_values_are_refused():
    for values in (
        {"replicas": 3},
        {"defaults": {"replica": 3}},
        {"defaults": {"config": {"service": {"limit": {}}}}},
        {"services": {"intake": {"config": {"vault": {"keys": "x"}}}}},
        {"services": {"intakes": {}}},
        {"services": {"survey": {"secrets": {"token.key": {"key": "x"}}}}},
        {"services": {"survey": {"listeners": {"http": {"enabled": True}}}}},
        {"services": {"survey": {"config": {"service": {"listen": "0.0.0.0:1"}}}}},
        {"process": {"telemetry": {"prometheus": False}}},
        {"tls": {"enable": True}},
        {"image": {"pullPolicy": "Sometimes"}},
        {"auth": {"issuers": [{"issuer": "https://a.example.com"}]}},
    ):
        try:
            chart.rendered(values)
            yield f"taken: {values}"
        except helm_python.HelmValuesError:
            pass


def other_names_are_names_too():
    """Names of releases as long as Helm takes them, and names of one's own."""
    longest = "a-name-of-a-release-that-is-as-long-as-helm-takes-it"
    for name, values in ((longest, {}), ("prod", {}), ("prod", {"fullnameOverride": "echo"}), ("prod", {"user": {"runAsUser": None}})):
        release = chart.release(values, name=name)
        yield from (f"{name} {values}: {rule}: {finding}" for rule, finding in rules.findings(release))


def notes_tell_where_to_go():
    notes = chart.rendered({})["huiyin/templates/NOTES.txt"]
    yield from (f"the notes do not say {word}" for word in ("helm test", "huiyin-intake.feedback.svc:50051", "MIND: attachments") if word not in notes)
    if "MIND: attachments" in chart.rendered(chart.values_of("ha"))["huiyin/templates/NOTES.txt"]:
        yield "the notes warn of attachments in a bucket"


def old_code_runs_through_a_migration():
    """While hooks run, nothing is taken away: no ordinary object of the release is one of theirs."""
    release = chart.release(chart.values_of("ha"), is_upgrade=True)
    hooks = {(it["kind"], it["metadata"]["name"]) for it in release.objects if rules.hooks.hook(it)}
    kept = {(it["kind"], it["metadata"]["name"]) for it in release.objects if not rules.hooks.hook(it)}
    yield from (f"{kind}/{name} is both" for kind, name in hooks & kept)
    for service, files, _ in release.configurations():
        if tomllib.loads(dict(files)[f"{service}.toml"])["service"]["database"]["migrate"]:
            yield f"{service} migrates as well"


BEHAVIOUR = [
    upgrades_make_nothing_anew,
    another_setting_is_another_pod,
    every_setting_can_be_set,
    misspelt_values_are_refused,
    other_names_are_names_too,
    notes_tell_where_to_go,
    old_code_runs_through_a_migration,
]
