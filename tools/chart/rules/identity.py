"""As whom a service calls others, and whom it believes: the files that its settings name are mounted."""

import tomllib

from manifests import title, walk

FOLDER = "/etc/huiyin/"


def files_of_the_settings_are_mounted(release):
    for service, (owner, _, spec) in release.deployed().items():
        config = tomllib.loads(release.named("ConfigMap", owner["metadata"]["name"])["data"][f"{service}.toml"])
        mounted = set(_mounted(spec))
        for path, value in walk(config):
            if isinstance(value, str) and value.startswith(FOLDER) and value not in mounted:
                yield f"{title(owner)}: {path[-1]} is {value}, which is not mounted"


def _mounted(spec):
    places = {it["name"]: it["mountPath"] for it in spec["containers"][0]["volumeMounts"]}
    for volume in spec["volumes"]:
        place = places.get(volume["name"])
        if volume["name"] == "tls":  # a Secret of Kubernetes' own kind has these
            yield from (f"{place}/{name}" for name in ("tls.crt", "tls.key", "ca.crt"))
        for source in volume.get("projected", {}).get("sources", []):
            yield from (f"{place}/{item['path']}" for item in source.get("secret", {}).get("items", []))
