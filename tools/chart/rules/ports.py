"""Ports: of containers, Services, probes, and those at which the programs listen."""

import tomllib

from manifests import containers, title


def named_ports_exist(release):
    for service in release.of("Service"):
        pods = release.selected({"matchLabels": service["spec"]["selector"]})
        names = [port["name"] for port in service["spec"]["ports"]]
        if len(set(names)) < len(names):
            yield f"{title(service)}: a port's name twice"
        for port in service["spec"]["ports"]:
            for owner, _, spec in pods:
                offered = {it["name"]: it["containerPort"] for inner in spec["containers"] for it in inner.get("ports", [])}
                target = port.get("targetPort", port["port"])
                if target not in offered and target not in offered.values():
                    yield f"{title(service)}: {title(owner)} has no port {target}"
                # Callers and network policies name the same number.
                elif offered.get(target, target) != port["port"]:
                    yield f"{title(service)}: {port['name']} is {port['port']} here and {offered.get(target, target)} there"


def ports_are_valid(release):
    for owner, _, spec in release.pods:
        ports = [port for it in containers(spec) for port in it.get("ports", [])]
        for key in ("name", "containerPort"):
            values = [port[key] for port in ports]
            if len(set(values)) < len(values):
                yield f"{title(owner)}: {key} twice in {values}"
        for port in ports:
            if len(port["name"]) > 15 or not 1024 <= port["containerPort"] <= 65535:
                yield f"{title(owner)}: port {port}"


def probes_have_a_port(release):
    for owner, _, spec in release.pods:
        if owner["kind"] != "Deployment":
            continue
        for it in spec["containers"]:
            offered = {port["containerPort"] for port in it.get("ports", [])}
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                probe = it.get(kind)
                if not probe or "grpc" not in probe:
                    yield f"{title(owner)}: no {kind} over gRPC"
                elif probe["grpc"]["port"] not in offered:
                    yield f"{title(owner)}: {kind} asks at {probe['grpc']['port']}"
                elif probe["grpc"]["port"] != release.values["probePort"]:
                    yield f"{title(owner)}: {kind} asks at a port that may speak TLS"
                if probe and kind != "readinessProbe" and probe.get("successThreshold", 1) != 1:
                    yield f"{title(owner)}: {kind} must succeed once"


def programs_listen_where_they_are_called(release):
    for service, (owner, _, spec) in release.deployed().items():
        config = tomllib.loads(release.named("ConfigMap", owner["metadata"]["name"])["data"][f"{service}.toml"])
        offered = {port["name"]: port["containerPort"] for port in spec["containers"][0]["ports"]}
        listening = {"grpc": config["service"]["listen"], "probe": config["service"]["probe_listen"]}
        listening |= {name: config.get(name, {}).get("listen", "") for name in offered if name not in listening}
        for name, port in offered.items():
            if listening[name] != f"0.0.0.0:{port}":
                yield f"{title(owner)}: {name} is {port} and the program listens at {listening[name]!r}"
