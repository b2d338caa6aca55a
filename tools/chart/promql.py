"""What a PromQL query names: metrics, and the labels that it asks of each. No parser: enough of one for our own queries."""

import re

WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'")
GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
MATCHERS = re.compile(r"(?:([a-zA-Z_:][a-zA-Z0-9_:]*)\s*)?\{([^{}]*)\}")
MADE = re.compile(r'label_(?:replace|join)\(.*?,\s*"([a-zA-Z_]\w*)"\s*,', re.DOTALL)
KEYWORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "inf", "nan"}


class Query:
    """The names in one query."""

    def __init__(self, text):
        text = re.sub(r"#[^\n]*", "", text)
        self.made = set(MADE.findall(text))
        # [(metric, label, operator, value)]
        self.matchers = []
        text = MATCHERS.sub(self._matchers, text)
        self.grouped = set()
        text = GROUPING.sub(self._grouping, text)
        text = re.sub(r"\[[^\]]*\]", " ", TEXT.sub(" ", text))
        text = re.sub(r"\$\w+", " ", text)
        self.metrics = set()
        for found in WORD.finditer(text):
            word, rest = found.group(), text[found.end() :].lstrip()
            of_number = found.start() and text[found.start() - 1].isdigit()
            if not of_number and not rest.startswith("(") and word.lower() not in KEYWORDS:
                self.metrics.add(word)

    def _matchers(self, found):
        metric, inside = found.groups()
        for label, operator, value in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"', inside):
            self.matchers.append((metric, label, operator, value))
        return f" {metric or ''} "

    def _grouping(self, found):
        self.grouped |= set(WORD.findall(found.group(2)))
        return " "
