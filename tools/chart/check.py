"""Checks the chart: fresh, linted, rendered with every file of values, held against Kubernetes and our own rules, broken; then k8s/."""

import sys
import time

import alerts
import behaviour
import chart
import cluster
import generate
import image
import metrics
import mutations
import rules

# Every file of values alone, and regions as they are meant: over another.
REGIONS = [file.stem for file in sorted(chart.VALUES.glob("region-*.yaml"))]
RELEASES = [(), *((file.stem,) for file in sorted(chart.VALUES.glob("*.yaml"))), *(("ha", region) for region in REGIONS)]

passed, failed = [], []


def told(what, findings):
    """Counts one check, and says what it found."""
    findings = list(findings)
    (failed if findings else passed).append(what)
    if findings:
        print(f"chart: FAILED {what}")
        for finding in findings[:20]:
            print(f"    {finding}")


def main():
    begun = time.monotonic()
    told("made files are fresh", (f"{file.name} is stale; `make chart-files` makes it anew" for file in generate.stale()))
    told("the images' recipe", image.findings())

    for names in RELEASES:
        what, values = " over ".join(reversed(names)) or "values.yaml alone", chart.values_of(*names)
        told(f"lint of {what}", chart.lint(values))
        release = chart.release(values)
        found = rules.findings(release)
        for rule in dict.fromkeys([*rules.RULES, *(name for name, _ in found)]):
            told(f"{rule} in {what}", (finding for name, finding in found if name == rule))
        print(f"chart: {what}: {len(release.objects)} objects, {len(rules.RULES)} rules")

    for check in behaviour.BEHAVIOUR:
        told(check.__name__, check())
    print(f"chart: {len(behaviour.BEHAVIOUR)} comparisons of releases")

    for mutation in mutations.MUTATIONS:
        noticed = mutations.noticed(mutation)
        told(f"mutation: {mutation}", [] if mutation.noticed_by in noticed else [f"{mutation.noticed_by} says nothing, {sorted(noticed)} do"])
    tried = {mutation.noticed_by for mutation in mutations.MUTATIONS}
    told("every rule is tried by a mutation", (rule for rule in rules.RULES if rule not in tried))
    print(f"chart: broken in {len(mutations.MUTATIONS)} ways")

    for around in (cluster, metrics, alerts):
        told(f"{around.__name__}.py", ["see what it says above"] if around.main() else [])

    print(f"chart: {time.monotonic() - begun:.0f} s")
    print(f"chart: {len(passed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
