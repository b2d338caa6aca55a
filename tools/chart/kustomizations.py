"""What a cluster needs around the chart: every kustomization in k8s/, rendered by kubectl and held against the same schemas."""

import shutil
import subprocess

import yaml

from chart import StrictLoader
from manifests import Release
from rules import RULES
from services import ROOT

FOLDER = ROOT / "k8s"
# Those of the rules that ask nothing of the chart's own values.
HELD = [
    "kubernetes_takes_it",
    "operators_take_it",
    "words_are_known",
    "no_name_twice",
    "names_are_valid",
    "labels_are_valid",
    "volumes_are_there",
    "variables_stand_once",
    "pods_are_restricted",
    "quantities_can_be_read",
]


def folders():
    """Each that can be rendered by itself; a Component is part of others."""
    for file in sorted([*FOLDER.rglob("kustomization.yaml"), *FOLDER.rglob("kustomization.yml")]):
        if yaml.safe_load(file.read_text()).get("kind") != "Component":
            yield file.parent


def kubectl():
    return next((it for it in (shutil.which("kubectl"), shutil.which(ROOT / ".tools/bin/kubectl")) if it), None)


def findings(folder):
    """What is wrong with what a kustomization makes."""
    answer = subprocess.run([kubectl(), "kustomize", folder], capture_output=True, text=True)
    if answer.returncode:
        return [f"kubectl kustomize: {answer.stderr.strip()}"]
    objects = [it for it in yaml.load_all(answer.stdout, StrictLoader) if it]
    release = Release(objects, {}, "")
    return [f"{name}: {finding}" for name in HELD for finding in RULES[name](release) or ()]
