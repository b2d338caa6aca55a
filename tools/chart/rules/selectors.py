"""Who is found by whom: selectors and the labels that they look for."""

from manifests import matches, title

STABLE = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}


def deployments_find_their_own_pods(release):
    for owner, meta, _ in release.pods:
        if owner["kind"] == "Deployment":
            selector = owner["spec"]["selector"]
            if not matches(selector, meta["labels"]):
                yield f"{title(owner)}: its selector does not find its pods"
            # It can never be changed, so nothing that changes may be in it.
            if set(selector["matchLabels"]) != STABLE:
                yield f"{title(owner)}: selects by {sorted(selector['matchLabels'])}"


def services_find_one_deployment(release):
    for service in release.of("Service"):
        owners = [title(owner) for owner, _, _ in release.selected({"matchLabels": service["spec"]["selector"]})]
        expected = "Deployment/" + service["metadata"]["name"].removesuffix("-headless")
        if owners != [expected]:
            yield f"{title(service)}: finds {owners}"


def spread_counts_the_pods_themselves(release):
    for owner, meta, spec in release.pods:
        places = []
        for it in spec.get("topologySpreadConstraints", []):
            if not matches(it["labelSelector"], meta["labels"]):
                yield f"{title(owner)}: counts other pods"
            if set(it.get("matchLabelKeys", [])) & set(it["labelSelector"].get("matchLabels", {})):
                yield f"{title(owner)}: a label is in matchLabelKeys and labelSelector"
            places.append((it["topologyKey"], it["whenUnsatisfiable"]))
        if len(set(places)) < len(places):
            yield f"{title(owner)}: one spread twice"


def monitors_find_a_port(release):
    for monitor in release.of("ServiceMonitor"):
        for endpoint in monitor["spec"]["endpoints"]:
            found = [
                it
                for it in release.of("Service")
                if matches(monitor["spec"]["selector"], it["metadata"]["labels"])
                and endpoint["port"] in [port["name"] for port in it["spec"]["ports"]]
            ]
            if len(found) != len(release.values["services"]):
                yield f"{title(monitor)}: {endpoint['port']} is a port of {len(found)} Services"
