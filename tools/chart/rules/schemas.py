"""Every object as Kubernetes itself, or the operator that brings its kind along, would have it."""

import custom_resources
import kubernetes_schemas
from manifests import title


def kubernetes_takes_it(release):
    for it in release.objects:
        if not kubernetes_schemas.is_custom(it):
            for finding in kubernetes_schemas.findings(kubernetes_schemas.text_of(it)):
                yield f"{title(it)}: {finding}"


def operators_take_it(release):
    for it in release.objects:
        if kubernetes_schemas.is_custom(it):
            yield from (f"{title(it)}: {finding}" for finding in custom_resources.findings(it))
