"""Quantities of resources: they can be read, and nobody requests more than the limit."""

import re
from decimal import Decimal

from manifests import containers, title

QUANTITY = re.compile(r"^([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$")
UNITS = {"m": Decimal("0.001"), **{unit: Decimal(1000) ** place for place, unit in enumerate(["", "k", "M", "G", "T", "P"])}}
UNITS |= {f"{unit}i": Decimal(1024) ** (place + 1) for place, unit in enumerate("KMGTP")}


def _amount(text):
    found = QUANTITY.match(str(text))
    return Decimal(found[1]) * UNITS[found[2] or ""] if found else None


def quantities_can_be_read(release):
    for owner, _, spec in release.pods:
        for it in containers(spec):
            resources = it.get("resources", {})
            for part in ("requests", "limits"):
                for name, text in resources.get(part, {}).items():
                    if _amount(text) is None:
                        yield f"{title(owner)}: {part} {text} of {name}"
            for name, text in resources.get("requests", {}).items():
                limit = resources.get("limits", {}).get(name)
                if limit and _amount(limit) is not None and _amount(text) is not None and _amount(text) > _amount(limit):
                    yield f"{title(owner)}: requests {text} of {name}, and may have {limit}"
        for volume in spec.get("volumes", []):
            size = (volume.get("emptyDir") or {}).get("sizeLimit")
            if size and _amount(size) is None:
                yield f"{title(owner)}: a volume of {size}"


def every_container_requests_memory(release):
    for owner, _, spec in release.pods:
        for it in containers(spec):
            resources = it.get("resources", {})
            if "memory" not in resources.get("requests", {}) or "memory" not in resources.get("limits", {}):
                yield f"{title(owner)}: {it['name']} has no memory of its own"
