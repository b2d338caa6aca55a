"""Checks that every metric and label that an alert rule or dashboard asks for is measured in the Rust sources.

usage: python tools/chart/metrics.py [--list]
"""

import re
import sys

from promql import Query
from queries import ROOT, everything, rules

INSTRUMENT = re.compile(
    r'(\w+)(?::|\s*=)\s*(?:self\.)?(?:global::)?meter(?:\([^()]*\))?\s*'
    r'\.(?:u64|i64|f64)_(?:observable_)?(counter|up_down_counter|gauge|histogram)\(\s*"([^"]+)"\s*\)(.*?)\.build\(',
    re.DOTALL,
)
UNITS = {"s": "seconds", "ms": "milliseconds", "By": "bytes", "%": "percent"}
# What the SDK puts between the buckets of a histogram that says nothing else.
USUAL_BOUNDARIES = "0 5 10 25 50 75 100 250 500 750 1000 2500 5000 7500 10000".split()
# Labels of the scrape, and of the resource: every series has them.
OF_EVERY_SERIES = {"namespace", "pod", "container", "job", "instance"}
# Metrics of others that rules may ask for, with their labels: CloudNativePG and its backup plugin; the label of the Cluster comes from
# our PodMonitor.
OF_OTHERS = {
    "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp": {"cnpg_io_cluster"},
    "cnpg_pg_replication_lag": {"cnpg_io_cluster"},
}


def boundaries_of_times():
    """What the telemetry of the chassis puts between the buckets of every histogram in seconds."""
    source = (ROOT / "crates/chassis/src/telemetry.rs").read_text()
    return re.findall(r"\d[\d_.]*", re.search(r"boundaries = vec!\[(.*?)\]", source, re.DOTALL).group(1))


def snake(name):
    """As the Prometheus exporter writes a name."""
    return re.sub(r"\W", "_", name)


def functions(source):
    """(name, text) of each function of a file."""
    return re.findall(r"\bfn (\w+)(.*?)(?=\n *(?:pub(?:\([a-z]+\))? )?(?:async )?fn |\Z)", source, re.DOTALL)


def arguments(text, begin):
    """What stands between the bracket before `begin` and its other half."""
    depth = 1
    for end in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if not depth:
            return text[begin:end]
    return text[begin:]


def labels_in(text, body, others, depth=3):
    """Labels that an expression gives: those that it makes, and those of the variables and functions that it names."""
    labels = {snake(label) for label in re.findall(r'KeyValue::new\(\s*"([^"]+)"', text)}
    for word in set(re.findall(r"\b[a-z_]\w*\b", re.sub(r'"[^"]*"', "", text))) if depth else ():
        made = re.search(rf"let (?:mut )?{word}\b[^=;]*=(?!=)(.*?);\s*\n", body, re.DOTALL)
        if made:
            labels |= labels_in(made.group(1), body.replace(made.group(0), ""), others, depth - 1)
        elif f"{word}(" in text and word in others:
            labels |= labels_in(others[word], "", {}, 0)
    return labels


def recordings(source, names):
    """(instrument's variable, its labels) of each place in a file where something is measured."""
    others = dict(functions(source))
    for _, body in functions(source):
        aliases = dict(re.findall(r"let (\w+) = self\.(\w+)\.clone\(\)", body))
        for call in re.finditer(r"(\w+)\s*\.(?:add|record|observe)\(", body):
            variable = aliases.get(call.group(1), call.group(1))
            if len(names) == 1:
                variable = next(iter(names))
            if variable in names:
                yield variable, labels_in(arguments(body, call.end()), body, others)


def measured():
    """Metric → (its labels, the bounds of its buckets) as Prometheus knows them."""
    known = {}
    for file in sorted([*ROOT.glob("crates/*/src/**/*.rs"), *ROOT.glob("services/*/src/**/*.rs")]):
        source = file.read_text()
        # What is observed is kept by nobody, and the argument of its callback is called as it is.
        instruments = [(variable.lstrip("_"), *rest) for variable, *rest in INSTRUMENT.findall(source)]
        given = {variable: set() for variable, *_ in instruments}
        for variable, labels in recordings(source, given.keys()) if given else ():
            given[variable] |= labels
        for variable, kind, name, chain in instruments:
            labels = given[variable]
            unit = re.search(r'\.with_unit\("([^"]*)"\)', chain)
            unit = UNITS.get(unit.group(1)) if unit else None
            base = snake(name) + (f"_{unit}" if unit and not name.endswith(unit) else "")
            if kind == "histogram":
                bounds = boundaries_of_times() if unit == "seconds" else USUAL_BOUNDARIES
                known[f"{base}_bucket"] = (labels | {"le"}, {float(bound.replace("_", "")) for bound in bounds})
                known[f"{base}_sum"] = known[f"{base}_count"] = (labels, set())
            else:
                known[base + ("_total" if kind == "counter" else "")] = (labels, set())
    return known


def recorded():
    """Metric → (its labels, nothing) of what recording rules make."""
    return {
        rule["record"]: (Query(rule["expr"]).grouped - {"le"}, set()) for _, rule in rules() if "record" in rule
    }


def complaints(query, known):
    """What `query` asks for that nobody measures."""
    unknown = sorted(query.metrics - known.keys())
    for metric in unknown:
        yield f"unknown metric {metric}"
    if unknown:
        return
    anywhere = set().union(OF_EVERY_SERIES, query.made, *(known[metric][0] for metric in query.metrics))
    for label in sorted(query.grouped - anywhere):
        yield f"unknown label {label} of {', '.join(sorted(query.metrics))}"
    for metric, label, operator, value in query.matchers:
        labels, bounds = known[metric] if metric else (anywhere, set())
        if label not in labels | OF_EVERY_SERIES:
            yield f"unknown label {label} of {metric}"
        elif label == "le" and value != "+Inf" and (operator != "=" or float(value) not in bounds):
            yield f"{metric} has no bucket up to {value}"


def main():
    """Says what is wrong, and with --list what there is."""
    known = measured()
    if "--list" in sys.argv[1:]:
        for metric, (labels, _) in sorted(known.items()):
            print(metric, *sorted(labels))
    known |= recorded() | {metric: (labels, set()) for metric, labels in OF_OTHERS.items()}
    asked = [(where, Query(query)) for where, query in everything()]
    wrong = [f"{where}: {complaint}" for where, query in asked for complaint in complaints(query, known)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"metrics: {len(asked)} queries, {len(known)} metrics, {len(wrong)} complaints")
    return 1 if wrong or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
