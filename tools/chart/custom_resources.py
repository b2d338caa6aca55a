"""What must hold for kinds that operators bring along, whose schemas are not Kubernetes' own."""

import re

DURATION = re.compile(r"^([0-9]+(h|m|s))+$")


def findings(thing):
    """What is wrong with one of the kinds that the chart makes; of others nothing is known."""
    check = {"ServiceMonitor": service_monitor, "Certificate": certificate}.get(thing["kind"])
    return list(check(thing)) if check else []


def service_monitor(thing):
    if thing["apiVersion"] != "monitoring.coreos.com/v1":
        yield f"apiVersion {thing['apiVersion']}"
    spec = thing["spec"]
    yield from unknown(spec, {"selector", "namespaceSelector", "targetLabels", "endpoints", "jobLabel", "podTargetLabels"})
    for endpoint in spec.get("endpoints") or [{}]:
        yield from unknown(endpoint, {"port", "path", "interval", "scrapeTimeout", "scheme", "honorLabels", "relabelings", "metricRelabelings"})
        if not DURATION.match(endpoint.get("interval", "30s")):
            yield f"interval {endpoint.get('interval')}"


def certificate(thing):
    if thing["apiVersion"] != "cert-manager.io/v1":
        yield f"apiVersion {thing['apiVersion']}"
    spec = thing["spec"]
    known = {"secretName", "issuerRef", "duration", "renewBefore", "privateKey", "usages", "dnsNames", "isCA", "commonName", "subject"}
    yield from unknown(spec, known)
    yield from unknown(spec["issuerRef"], {"name", "kind", "group"})
    if not spec.get("isCA") and not set(spec.get("usages", [])) >= {"server auth", "client auth"}:
        yield "must serve as a server's and as a client's"
    for key in ("duration", "renewBefore"):
        if key in spec and not DURATION.match(spec[key]):
            yield f"{key} {spec[key]}"


def unknown(thing, known):
    return [f"unknown field {key}" for key in thing if key not in known]
