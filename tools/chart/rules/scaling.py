"""How many pods there are: autoscalers, disruption budgets and replicas agree."""

from manifests import title


def autoscalers_have_a_target(release):
    for it in release.of("HorizontalPodAutoscaler"):
        spec, target = it["spec"], it["spec"]["scaleTargetRef"]
        deployment = release.named(target["kind"], target["name"])
        if not deployment or deployment["apiVersion"] != target["apiVersion"]:
            yield f"{title(it)}: no {target['kind']} {target['name']}"
            continue
        if "replicas" in deployment["spec"]:
            yield f"{title(it)}: {title(deployment)} says how many pods there are, at every upgrade"
        if not 1 <= spec["minReplicas"] <= spec["maxReplicas"]:
            yield f"{title(it)}: from {spec['minReplicas']} to {spec['maxReplicas']}"
        for metric in spec["metrics"]:
            resource = metric["resource"]["name"]
            for container in deployment["spec"]["template"]["spec"]["containers"]:
                if resource not in container.get("resources", {}).get("requests", {}):
                    yield f"{title(it)}: {title(deployment)} requests no {resource} to be a part of"


def replicas_are_said_once(release):
    scaled = {it["spec"]["scaleTargetRef"]["name"] for it in release.of("HorizontalPodAutoscaler")}
    for service, (owner, _, _) in release.deployed().items():
        wanted = release.service(service)["autoscaling"]["enabled"]
        if wanted != (owner["metadata"]["name"] in scaled):
            yield f"{title(owner)}: autoscaling is {wanted}, and an autoscaler {'missing' if wanted else 'there'}"
        if not wanted and "replicas" not in owner["spec"]:
            yield f"{title(owner)}: nobody says how many pods there are"


def budgets_let_nodes_be_drained(release):
    for it in release.of("PodDisruptionBudget"):
        spec = it["spec"]
        owners = [owner for owner, _, _ in release.selected(spec["selector"])]
        if [owner["kind"] for owner in owners] != ["Deployment"]:
            yield f"{title(it)}: finds {[title(owner) for owner in owners]}"
            continue
        scaler = release.named("HorizontalPodAutoscaler", owners[0]["metadata"]["name"])
        fewest = scaler["spec"]["minReplicas"] if scaler else owners[0]["spec"].get("replicas", 1)
        if ("minAvailable" in spec) == ("maxUnavailable" in spec):
            yield f"{title(it)}: one of minAvailable and maxUnavailable"
        if spec.get("maxUnavailable") in (0, "0%", None) and "minAvailable" not in spec:
            yield f"{title(it)}: no pod may ever be moved"
        if isinstance(spec.get("minAvailable"), int) and spec["minAvailable"] >= fewest:
            yield f"{title(it)}: {spec['minAvailable']} of {fewest} pods must stay"
