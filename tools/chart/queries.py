"""The queries of the alert rules and dashboards under k8s/, each with where it stands."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "k8s/base/rules"
DASHBOARDS = ROOT / "k8s/base/dashboards"


def rule_files():
    """(file, its groups) of each PrometheusRule."""
    for file in sorted(RULES.glob("*.yaml")):
        if file.name != "kustomization.yaml":
            yield file, yaml.safe_load(file.read_text())["spec"]["groups"]


def rules():
    """(file, rule) of each rule."""
    for file, groups in rule_files():
        for group in groups:
            for rule in group["rules"]:
                yield file, rule


def panels():
    """(file, title, query) of each target of each panel, and of each variable that asks Prometheus."""
    for file in sorted(DASHBOARDS.glob("*.json")):
        board = json.loads(file.read_text())
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield file, panel["title"], target["expr"]
        for variable in board["templating"]["list"]:
            if asked := re.fullmatch(r"label_values\((.+), *\w+\)", str(variable.get("query", ""))):
                yield file, f"variable {variable['name']}", asked.group(1)


def everything():
    """(where, query) of all."""
    for file, rule in rules():
        yield f"{file.relative_to(ROOT)}: {rule.get('alert') or rule['record']}", rule["expr"]
    for file, title, query in panels():
        yield f"{file.relative_to(ROOT)}: {title}", query
