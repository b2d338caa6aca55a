"""Hooks run while the release is not there, or is still the old one: they stand on nothing but earlier hooks and what exists."""

from manifests import hook, names_in, title, weight

KNOWN = {f"{when}-{what}" for when in ("pre", "post") for what in ("install", "upgrade", "delete", "rollback")} | {"test"}
POLICIES = {"before-hook-creation", "hook-succeeded", "hook-failed"}


def hooks_are_known(release):
    for it in release.objects:
        annotations = it["metadata"].get("annotations", {})
        if unknown := hook(it) - KNOWN:
            yield f"{title(it)}: {unknown}"
        policies = {word.strip() for word in annotations.get("helm.sh/hook-delete-policy", "").split(",")}
        if hook(it) and (policies - POLICIES or "before-hook-creation" not in policies):
            yield f"{title(it)}: the next upgrade finds it there ({sorted(policies)})"


def hooks_name_only_hooks_before_them(release):
    for owner, _, spec in release.pods:
        if not hook(owner) or hook(owner) == {"test"}:
            continue  # a test runs when everything is there
        for kind, name in names_in(spec):
            it = release.named(kind, name)
            if kind == "Secret" or not it:
                continue  # exists before; what does not is found by others
            if not hook(it) >= hook(owner):
                yield f"{title(owner)}: {title(it)} is not there yet"
            elif weight(it) >= weight(owner):
                yield f"{title(owner)}: {title(it)} comes after it"


def policies_come_before_their_hooks(release):
    for owner, meta, _ in release.pods:
        for it in release.of("NetworkPolicy"):
            own = hook(it) and hook(it) == hook(owner)
            if own and release.selected(it["spec"]["podSelector"]) and weight(it) >= weight(owner):
                yield f"{title(it)}: comes after {title(owner)}"


def every_service_is_migrated_once(release):
    jobs = [it for it in release.of("Job") if {"pre-install", "pre-upgrade"} <= hook(it)]
    for service, (_, _, spec) in release.deployed().items():
        image = spec["containers"][0]["image"]
        mine = [it for it in jobs if it["spec"]["template"]["spec"]["containers"][0]["image"] == image]
        if len(mine) != release.values["migrations"]["enabled"]:
            yield f"{service} has {len(mine)} migrations"
        for it in mine:
            pod = it["spec"]["template"]["spec"]
            variables = [variable["name"] for variable in pod["containers"][0]["env"]]
            if f"HUIYIN_{service.upper()}__SERVICE__DATABASE__URL" not in variables:
                yield f"{title(it)}: is not told the database"
            if pod.get("restartPolicy") not in ("Never", "OnFailure"):
                yield f"{title(it)}: restartPolicy {pod.get('restartPolicy')}"
            if pod["containers"][0].get("args", [None])[0] != "migrate":
                yield f"{title(it)}: does not migrate"
