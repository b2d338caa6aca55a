"""Network policies: nothing is open that need not be, and every arrow between the services is."""

import ipaddress
import tomllib
from urllib.parse import urlsplit

from manifests import hook, matches, title, walk
from services import ROOT

COMPONENT = "app.kubernetes.io/component"


def _on(release):
    return release.values["networkPolicy"]["enabled"]


def policies_find_pods(release):
    for it in release.of("NetworkPolicy"):
        found = release.selected(it["spec"]["podSelector"])
        if not found:
            yield f"{title(it)}: finds no pods"
        # A policy that comes with a hook is there for that hook's pods, and goes with them.
        if hook(it) and any(hook(owner) != hook(it) for owner, _, _ in found):
            yield f"{title(it)}: is a hook, its pods are not"
        if sorted(it["spec"].get("policyTypes", [])) != ["Egress", "Ingress"]:
            yield f"{title(it)}: speaks of {it['spec'].get('policyTypes')} only"


def everything_else_is_denied(release):
    if not _on(release):
        return
    denying = [it for it in release.of("NetworkPolicy") if not it["spec"].get("ingress") and not it["spec"].get("egress")]
    for owner, meta, _ in release.pods:
        if not any(matches(it["spec"]["podSelector"], meta["labels"]) for it in denying if not hook(it)):
            yield f"{title(owner)}: no policy denies by default"


def no_rule_is_empty(release):
    for it in release.of("NetworkPolicy"):
        for side, key in (("ingress", "from"), ("egress", "to")):
            for rule in it["spec"].get(side) or []:
                if not rule or key in rule and not rule[key]:
                    yield f"{title(it)}: an {side} rule without anybody opens it to everybody"
                if side == "ingress" and "from" not in rule:
                    yield f"{title(it)}: anybody may come in"
                if not rule or not rule.get("ports"):
                    yield f"{title(it)}: an {side} rule for every port"
                for peer in rule.get(key) or []:
                    yield from _malformed(it, peer)


def _malformed(it, peer):
    if block := peer.get("ipBlock"):
        try:
            network = ipaddress.ip_network(block["cidr"])
            inner = [ipaddress.ip_network(text) for text in block.get("except", [])]
        except ValueError as error:
            yield f"{title(it)}: {error}"
            return
        yield from (f"{title(it)}: {text} is not inside {network}" for text in inner if not text.subnet_of(network))


def services_reach_whom_they_call(release):
    """Both ends of every arrow in the services' configuration are open, and no others between services."""
    if not _on(release):
        return
    called = {}
    for service, (owner, meta, _) in release.deployed().items():
        config = tomllib.loads(release.named("ConfigMap", owner["metadata"]["name"])["data"][f"{service}.toml"])
        for neighbor, url in config["service"].get("neighbors", {}).items():
            address = urlsplit(url)
            target = release.named("Service", address.hostname.split(".")[0])
            if not target or target["spec"]["selector"][COMPONENT] != neighbor:
                yield f"{title(owner)}: {url} is not {neighbor}"
                continue
            if (address.scheme == "https") != release.values["tls"]["enabled"]:
                yield f"{title(owner)}: calls {url} with TLS {release.values['tls']['enabled']}"
            called.setdefault(neighbor, set()).add(service)
            there = release.deployed()[neighbor][1]["labels"]
            if not _allows(release, "egress", meta["labels"], there, address.port):
                yield f"{service} may not go out to {neighbor}"
            if not _allows(release, "ingress", there, meta["labels"], address.port):
                yield f"{neighbor} does not let {service} in"
    for service, (_, meta, _) in release.deployed().items():
        port = release.values["services"][service]["port"]
        for other, (_, theirs, _) in release.deployed().items():
            if other not in called.get(service, ()) and _allows(release, "ingress", meta["labels"], theirs["labels"], port):
                yield f"{service} lets {other} in, who never calls it"


def neighbors_are_those_of_the_program(release):
    """The arrows of the values are those of the examples that the services themselves bring along."""
    for service, (owner, _, _) in release.deployed().items():
        example = tomllib.loads((ROOT / "services" / service / "config.example.toml").read_text())
        config = tomllib.loads(release.named("ConfigMap", owner["metadata"]["name"])["data"][f"{service}.toml"])
        wanted, given = set(example["service"]["neighbors"]), set(config["service"].get("neighbors", {}))
        if wanted != given:
            yield f"{title(owner)}: calls {sorted(given)}, the program {sorted(wanted)}"


def pods_reach_what_they_stand_on(release):
    if not _on(release):
        return
    values = release.values["networkPolicy"]
    wanted = {"DNS": 53, "Postgres": values["postgres"]["port"], "Redis": values["redis"]["port"]}
    endpoint = release.values["process"].get("telemetry", {}).get("otlp_endpoint")
    if endpoint:
        wanted["OTLP"] = urlsplit(endpoint).port or 4317
    needs = {"Deployment": wanted, "Job": {name: wanted[name] for name in ("DNS", "Postgres")}, "Pod": {"DNS": 53}}
    for owner, meta, _ in release.pods:
        open_ports = {
            port["port"]
            for rule in _rules(release, "egress", meta["labels"], hook(owner))
            for port in rule.get("ports", [])
            if not (rule.get("to") and all(COMPONENT in peer.get("podSelector", {}).get("matchLabels", {}) for peer in rule["to"]))
        }
        yield from (f"{title(owner)}: cannot reach {name}" for name, port in needs[owner["kind"]].items() if port not in open_ports)


def pods_reach_what_their_settings_name(release):
    """Object stores, scanners, mail servers, keys of issuers: whatever a service is told to call."""
    if not _on(release):
        return
    for service, (owner, meta, _) in release.deployed().items():
        config = tomllib.loads(release.named("ConfigMap", owner["metadata"]["name"])["data"][f"{service}.toml"])
        open_ports = {port["port"] for rule in _rules(release, "egress", meta["labels"]) for port in rule.get("ports", [])}
        for what, port in _called(config):
            if port not in open_ports:
                yield f"{service} cannot reach {what}"


def _called(config):
    """(what, port) of what a configuration has a service call beside the other services."""
    usual = {"http": 80, "https": 443, "s3": 443, "gs": 443, "az": 443}
    for path, value in walk(config):
        if path and path[-1] in ("jwks_url", "store", "aws_endpoint", "address") and "://" in str(value):
            address = urlsplit(value)
            if port := address.port or usual.get(address.scheme):
                yield value, port
    mail = config.get("mail", {})
    if "from" in mail:
        yield mail["host"], mail.get("port", {"tls": 465, "none": 25}.get(mail.get("tls"), 587))


def tests_reach_the_services(release):
    if not (_on(release) and release.values["test"]["enabled"]):
        return
    for owner, meta, _ in release.pods:
        if owner["kind"] == "Pod":
            for service, (_, theirs, _) in release.deployed().items():
                port = release.values["services"][service]["port"]
                if not _allows(release, "egress", meta["labels"], theirs["labels"], port):
                    yield f"{title(owner)}: may not go out to {service}"
                if not _allows(release, "ingress", theirs["labels"], meta["labels"], port):
                    yield f"{service} does not let {title(owner)} in"


def metrics_can_be_scraped(release):
    values = release.values
    if _on(release) and values["metrics"]["enabled"] and values["networkPolicy"]["metrics"]:
        for service, (_, meta, _) in release.deployed().items():
            if not any(
                port["port"] == values["probePort"] for rule in _rules(release, "ingress", meta["labels"]) for port in rule["ports"]
            ):
                yield f"{service} lets nobody scrape it"


def _rules(release, side, labels, hooks=frozenset()):
    """The rules of every policy that finds a pod with these labels; a hook's policy counts only beside that hook."""
    for it in release.of("NetworkPolicy"):
        if hook(it) <= set(hooks) and matches(it["spec"]["podSelector"], labels):
            yield from it["spec"].get(side) or []


def _allows(release, side, mine, theirs, port):
    hooks = set().union(*(hook(owner) for owner, meta, _ in release.pods if meta["labels"] == mine))
    key = {"ingress": "from", "egress": "to"}[side]
    return any(
        port in [it["port"] for it in rule.get("ports", [])]
        and any("namespaceSelector" not in peer and matches(peer["podSelector"], theirs) for peer in rule.get(key, []) if "podSelector" in peer)
        for rule in _rules(release, side, mine, hooks)
    )
