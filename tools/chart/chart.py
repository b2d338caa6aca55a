"""Renders the chart with Helm's own engine."""

import helm_python as helm
import yaml

from manifests import Release, over
from services import CHART

NAME, NAMESPACE = "huiyin", "feedback"
VALUES = CHART / "values"


class StrictLoader(yaml.CSafeLoader):
    """An API server refuses a key that stands twice; PyYAML would take the last."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"{key} stands twice, {node.start_mark}")
        return super().construct_mapping(node, deep)


def values_of(*names, folder=CHART):
    """Values as Helm reads them from the files of these names, the later over the earlier."""
    merged = {}
    for name in names:
        merged = over(merged, helm.values_from_yaml((folder / "values" / f"{name}.yaml").read_text()))
    return merged


def lint(values, folder=CHART):
    """What Helm's lint says, strictly: also its warnings are errors."""
    report = helm.lint(folder, values, strict=True, kube_version="v1.30.0", namespace=NAMESPACE)
    return [f"{it['path']}: {it['error']}" for it in report["messages"] if it["severity"] >= 2]


def rendered(values, folder=CHART, name=NAME, **options):
    """The texts that Helm makes of the templates, by file."""
    with helm.Chart.load(folder) as chart:
        return chart.render(values, name=name, namespace=NAMESPACE, **options)


def release(values, folder=CHART, **options):
    """The objects of a release with these values, and the values with the chart's own below them."""
    objects = []
    for file, text in sorted(rendered(values, folder, **options).items()):
        if file.endswith(".yaml"):
            objects += [it for it in yaml.load_all(text, StrictLoader) if it]
    with helm.Chart.load(folder) as chart:
        return Release(objects, chart.merge_values(values), options.get("name", NAME))
