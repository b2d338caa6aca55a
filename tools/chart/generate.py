"""Writes what is made from something else: values.schema.json and README.md of the chart. `--check` only says whether they are fresh."""

import sys

import readme
import values_schema


def stale():
    """What is not as it would be made now."""
    return [maker.FILE for maker in (values_schema, readme) if not maker.FILE.exists() or maker.FILE.read_text() != maker.made()]


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit("".join(f"{file.name} is stale; `make chart-files` makes it anew\n" for file in stale()) or 0)
    for maker in (values_schema, readme):
        maker.FILE.write_text(maker.made())
