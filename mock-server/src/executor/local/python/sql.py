"""Runs SQL text, statement by statement."""

from __future__ import annotations

import re
from typing import Any

# Strings, quoted names and comments, none of which ends a statement.
_TOKEN = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|;|[^;'\"`/-]+|.", re.DOTALL
)
_TEMPLATE = re.compile(r"\{\{\s*([^}\s]+)\s*\}\}")
_MARKER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")


def statements(text: str) -> list[str]:
    """Splits SQL text at its semicolons and drops comments."""
    found = [""]
    for token in _TOKEN.findall(text):
        if token == ";":
            found.append("")
        elif not token.startswith(("--", "/*")):
            found[-1] += token
        else:
            found[-1] += " "
    return [it.strip() for it in found if it.strip()]


def run(spark: Any, text: str, parameters: dict[str, str]) -> Any:
    """Runs every statement and returns the last result, `None` without a statement.

    `{{name}}` is replaced in the text, `:name` is bound as a value.
    """
    result = None
    for statement in statements(text):
        filled = _TEMPLATE.sub(lambda it: parameters.get(it[1], it[0]), statement)
        bound = {name: parameters[name] for name in _MARKER.findall(filled) if name in parameters}
        result = spark.sql(filled, args=bound) if bound else spark.sql(filled)
    return result
