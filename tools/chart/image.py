"""Checks the Dockerfile: hadolint reads it, and what it shares with other files is the same there."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from services import CHART, ROOT

DOCKERFILE = ROOT / "Dockerfile"


def findings():
    hadolint = Path(sys.executable).with_name("hadolint")
    answer = subprocess.run([hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True)
    yield from (answer.stdout + answer.stderr).splitlines()
    text = DOCKERFILE.read_text()
    stages = re.split(r"^FROM ", text, flags=re.M)
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)", text, re.M))

    channel = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    if arguments["RUST"] != channel:
        yield f"builds with Rust {arguments['RUST']}, and everybody else with {channel}"
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    if not arguments["VERSION"] == about["appVersion"] == package["version"]:
        yield f"is {arguments['VERSION']}, the chart's {about['appVersion']}, the crates' {package['version']}"

    user = re.findall(r"^USER (\S+)", stages[-1], re.M)
    values = yaml.safe_load((CHART / "values.yaml").read_text())["user"]
    if user != [f"{values['runAsUser']}:{values['runAsGroup']}"] or user[0].startswith("0"):
        yield f"runs as {user}, the chart's pods as {values['runAsUser']}"
    if re.search(r"^(RUN|ADD)\b", stages[-1], re.M):
        yield "the last stage only takes what was built: it has neither RUN nor ADD"
    for label in ("title", "description", "version", "revision", "licenses"):
        if f"org.opencontainers.image.{label}=" not in stages[-1]:
            yield f"no label {label}"
    if "huiyin.sbom=" not in stages[-1]:
        yield "does not say where its list of parts is"
    if not re.search(r'^ENTRYPOINT \["', stages[-1], re.M):
        yield "a shell would stand between SIGTERM and the service"
