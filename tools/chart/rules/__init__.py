"""What must hold for every release of the chart: each rule is a function of a release that names what breaks it."""

from types import FunctionType

from rules import (
    configuration,
    hooks,
    identity,
    names,
    network,
    pod_security,
    ports,
    quantities,
    references,
    scaling,
    schemas,
    selectors,
    stopping,
    words,
)

SUBJECTS = [
    schemas,
    words,
    names,
    selectors,
    ports,
    references,
    identity,
    scaling,
    network,
    pod_security,
    stopping,
    hooks,
    quantities,
    configuration,
]

# What begins with an underscore only helps the rules beside it.
RULES = {
    name: rule
    for subject in SUBJECTS
    for name, rule in vars(subject).items()
    if isinstance(rule, FunctionType) and rule.__module__ == subject.__name__ and not name.startswith("_")
}


def findings(release):
    """(rule, what breaks it) for all that is wrong."""
    found = []
    for name, rule in RULES.items():
        try:
            found += [(name, finding) for finding in rule(release) or ()]
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            # What cannot even be read is wrong, but the rule has not said what.
            found.append((f"{name} stumbles", repr(error)))
    return found
