"""A pod that stops has the time that its program takes to stop."""

import math
import tomllib

from manifests import title

# How long a program waits, after the drain, for what was taken in to be stored.
PATIENCE = 10


def grace_outlasts_the_drain(release):
    for service, (owner, _, spec) in release.deployed().items():
        config = tomllib.loads(release.named("ConfigMap", owner["metadata"]["name"])["data"][f"{service}.toml"])
        limits = config["service"].get("limits", {})
        sleep = spec["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        drain = math.ceil((limits.get("drain_notice_ms", 0) + limits.get("drain_ms", 10_000)) / 1000)
        grace = spec.get("terminationGracePeriodSeconds", 30)
        if grace <= sleep + drain + PATIENCE:
            yield f"{title(owner)}: {grace} s, and stopping takes {sleep} + {drain} + {PATIENCE} s"
        if sleep != release.service(service)["preStopSeconds"]:
            yield f"{title(owner)}: sleeps {sleep} s before SIGTERM"


def upgrades_take_no_pod_away_first(release):
    for owner, _, _ in release.deployed().values():
        if owner["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{title(owner)}: an upgrade takes pods away before new ones are ready"
