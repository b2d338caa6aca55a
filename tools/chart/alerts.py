"""Checks alert rules and dashboards with promtool: syntax, what is played in k8s/base/rules/tests, and that each alert has its runbook.

usage: python tools/chart/alerts.py
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from queries import ROOT, RULES, panels, rule_files, rules

RUNBOOKS = "docs/runbooks.md"
SEVERITIES = {"page", "ticket", "none"}


def runbook_complaints():
    """Alerts without a section, sections without an alert, and what an alert must say of itself."""
    sections = {title.lower() for title in re.findall(r"^## (Huiyin\w+)$", (ROOT / RUNBOOKS).read_text(), re.MULTILINE)}
    alerts = {rule["alert"].lower(): rule for _, rule in rules() if "alert" in rule}
    for alert, rule in alerts.items():
        if rule["annotations"].get("runbook_url") != f"{RUNBOOKS}#{alert}" or alert not in sections:
            yield f"{rule['alert']} has no section in {RUNBOOKS}"
        if rule["labels"].get("severity") not in SEVERITIES or not rule["annotations"].get("summary"):
            yield f"{rule['alert']} lacks a severity or a summary"
    for section in sorted(sections - alerts.keys()):
        yield f"{RUNBOOKS} has a section for {section}, which is no alert"


def as_prometheus_reads(folder):
    """Writes the rules without what Kubernetes wants around them, and the dashboards' queries as if they were rules."""
    for file, groups in rule_files():
        (folder / file.name).write_text(yaml.safe_dump({"groups": groups}))
    asked = [
        {"record": f"panel:{number}", "expr": re.sub(r"\$__\w+", "5m", query)}
        for number, (_, _, query) in enumerate(panels())
    ]
    (folder / "dashboards.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": asked}]}))
    for test in (RULES / "tests").glob("*.yaml"):
        shutil.copy(test, folder / f"test-{test.name}")


def main():
    """Says what is wrong."""
    promtool = shutil.which("promtool") or ROOT / ".tools/bin/promtool"
    wrong = list(runbook_complaints())
    print(*wrong, sep="\n", end="\n" if wrong else "")
    failed = bool(wrong)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        as_prometheus_reads(folder)
        tests = sorted(folder.glob("test-*.yaml"))
        checked = sorted(set(folder.glob("*.yaml")) - set(tests))
        for action, files in (("check", checked), ("test", tests)):
            failed |= not files or subprocess.run([promtool, action, "rules", *files], check=False).returncode != 0
    print(f"alerts: {'failed' if failed else 'fine'}, {len(tests)} files played")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
