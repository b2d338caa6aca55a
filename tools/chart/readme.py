"""Makes helm/huiyin/README.md: the words in tools/chart/README.md.in, and a table of what can be set from the comments of values.yaml."""

import json
import re

import yaml

from services import CHART

FILE = CHART / "README.md"
WORDS = CHART.parents[1] / "tools/chart/README.md.in"
KEY = re.compile(r"^( *)([A-Za-z][A-Za-z0-9]*):")


def rows(text):
    """(key, default, comment) of every key that a comment stands above."""
    values = yaml.safe_load(text)
    path, comment = [], []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# ") and not line.lstrip().startswith("# -"):
            comment.append(stripped[2:])
            continue
        if key := KEY.match(line):
            depth = len(key[1]) // 2
            path = [*path[:depth], key[2]]
            if comment:
                yield ".".join(path), default(values, path), " ".join(comment)
        comment = []


def default(values, path):
    for step in path:
        values = values[step]
    shown = json.dumps(values, ensure_ascii=False)
    # A table with keys of its own shows them in rows of their own.
    return "" if isinstance(values, dict) and len(shown) > 60 else f"`{shown}`"


def made():
    """The text of README.md."""
    table = ["| key | default | what |", "|---|---|---|"]
    for key, value, comment in rows((CHART / "values.yaml").read_text()):
        table.append(f"| `{key}` | {value} | {comment} |".replace("  ", " "))
    return WORDS.read_text().replace("@VALUES@\n", "\n".join(table) + "\n")
