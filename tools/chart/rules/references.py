"""What one object names of another is there, or is documented as something that must be."""

from manifests import containers, names_in, title


def config_maps_and_accounts_exist(release):
    for owner, _, spec in release.pods:
        for kind, name in names_in(spec):
            if kind != "Secret" and not release.named(kind, name):
                yield f"{title(owner)}: {kind} {name} is not part of the release"
            if kind == "ConfigMap" and (it := release.named(kind, name)):
                for wanted in _files(spec):
                    if wanted not in it["data"]:
                        yield f"{title(owner)}: {name} has no {wanted}"


def _files(spec):
    """The files of a ConfigMap that a container is started with."""
    for it in containers(spec):
        yield from (word.removeprefix("/etc/huiyin/config/") for word in it.get("args", []) if word.startswith("/etc/huiyin/config/"))


def secrets_are_documented_ones(release):
    """The chart makes no Secret, and names those only that its README lists or the values name."""
    yield from (f"{title(it)}: the chart makes a Secret" for it in release.of("Secret"))
    values = release.values
    known = {f"{release.full}-identity", values["identity"]["existingSecret"]}
    for service in values["services"]:
        own = release.service(service)
        known |= {f"{release.full}-{service}", f"{release.full}-{service}-tls", own["existingSecret"], own["identitySecret"]}
        known |= {own["tlsSecret"], own["migrationDatabaseUrl"].get("name")}
        known |= {it.get("name") for it in own["secrets"].values() if it}
    for owner, _, spec in release.pods:
        for kind, name in names_in(spec):
            if kind == "Secret" and name not in known:
                yield f"{title(owner)}: nobody is told of Secret {name}"


def certificates_land_where_they_are_read(release):
    made = {it["spec"]["secretName"]: it for it in release.of("Certificate")}
    tls = release.values["tls"]
    for service, (owner, _, spec) in release.deployed().items():
        read = {it["secret"]["secretName"] for it in spec["volumes"] if it["name"] == "tls"}
        if bool(read) != tls["enabled"]:
            yield f"{title(owner)}: TLS is {'on' if tls['enabled'] else 'off'}, its Secret {read or 'missing'}"
        if tls["enabled"] and tls["certManager"]["enabled"]:
            for name in read:
                if name not in made:
                    yield f"{title(owner)}: nobody makes a certificate in {name}"
                elif f"{release.full}-{service}.feedback.svc" not in made[name]["spec"]["dnsNames"]:
                    yield f"{title(made[name])}: not for the name by which the others call it"


def volumes_are_there(release):
    for owner, _, spec in release.pods:
        volumes = [it["name"] for it in spec.get("volumes", [])]
        if len(set(volumes)) < len(volumes):
            yield f"{title(owner)}: a volume twice in {volumes}"
        for it in containers(spec):
            mounts = it.get("volumeMounts", [])
            paths = [mount["mountPath"] for mount in mounts]
            if len(set(paths)) < len(paths):
                yield f"{title(owner)}: two volumes at one place in {paths}"
            yield from (f"{title(owner)}: no volume {mount['name']}" for mount in mounts if mount["name"] not in volumes)


def variables_stand_once(release):
    for owner, _, spec in release.pods:
        for it in containers(spec):
            names = [variable["name"] for variable in it.get("env", [])]
            yield from (f"{title(owner)}: {name} twice" for name in set(names) if names.count(name) > 1)
