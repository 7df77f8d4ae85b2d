"""Reads notebooks: source format and `.ipynb`, as a list of cells."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Optional

_COMMENTS = {"python": "#", "sql": "--", "scala": "//", "r": "#"}
_LANGUAGES = {"py": "python", "ipynb": "python", "sql": "sql", "scala": "scala", "r": "r"}
_MAGIC = re.compile(r"\A%{1,2}([a-zA-Z]\w*)[ \t]*(.*)\Z", re.DOTALL)


@dataclass
class Cell:
    """One cell. `kind` is a language or the name of a magic command.

    `text` of a magic command starts with the rest of its first line.
    """

    number: int
    kind: str
    text: str
    title: str = ""


def read(content: str, language: Optional[str], form: Optional[str], file_name: str = "") -> list[Cell]:
    """Splits a notebook into cells.

    Language and format may be missing: then the content and the name tell.
    """
    suffix = file_name.rpartition(".")[2].lower() if "." in file_name else ""
    default = (language or "").lower() or _language_of(content) or _LANGUAGES.get(suffix, "python")
    jupyter = (form or "").upper() == "JUPYTER" if form else content.lstrip().startswith("{")
    if jupyter:
        return _jupyter(content, default)
    return _source(content, default)


def one(text: str, language: str) -> Cell:
    """The only cell of a text that is no notebook."""
    return _cell(1, text, language.lower())


def _language_of(content: str) -> Optional[str]:
    first = content.lstrip("\ufeff").partition("\n")[0].strip()
    for language, comment in _COMMENTS.items():
        if first == f"{comment} Databricks notebook source":
            return language
    return None


def _jupyter(content: str, default: str) -> list[Cell]:
    try:
        cells = json.loads(content)["cells"]
    except (ValueError, KeyError, TypeError) as err:
        raise ValueError(f"the notebook is no valid .ipynb document: {err!r}") from None
    found = []
    for number, cell in enumerate(cells, start=1):
        source = cell.get("source", "")
        text = source if isinstance(source, str) else "".join(source)
        kind = default if cell.get("cell_type") == "code" else "md"
        found.append(_cell(number, text, kind) if kind != "md" else Cell(number, "md", text))
    return [cell for cell in found if cell.text.strip() or cell.kind not in _COMMENTS]


def _source(content: str, default: str) -> list[Cell]:
    comment = re.escape(_COMMENTS.get(default, "#"))
    lines = content.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    if re.fullmatch(rf"{comment} Databricks notebook source\s*", lines[0]):
        del lines[0]
    parts: list[list[str]] = [[]]
    for line in lines:
        if re.fullmatch(rf"{comment} COMMAND -+\s*", line):
            parts.append([])
        else:
            parts[-1].append(line)
    cells = [_source_cell(number, part, default, comment) for number, part in enumerate(parts, 1)]
    return [cell for cell in cells if cell.text.strip() or cell.kind not in _COMMENTS]


def _source_cell(number: int, lines: list[str], default: str, comment: str) -> Cell:
    title = ""
    text: list[str] = []
    # The marker between cells stands in blank lines.
    while lines and not lines[0].strip():
        lines = lines[1:]
    for line in lines:
        found = re.match(rf"{comment} DBTITLE \d+,(.*)", line)
        if found:
            title = found[1].strip()
        else:
            text.append(re.sub(rf"\A{comment} MAGIC ?", "", line))
    cell = _cell(number, "\n".join(text), default)
    cell.title = title
    return cell


def _cell(number: int, text: str, default: str) -> Cell:
    """A cell whose first line, comments aside, may be a magic command."""
    comment = _COMMENTS.get(default, "#")
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith(comment):
            continue
        found = _MAGIC.match("\n".join(lines[index:]).strip())
        if found and found[1] in ("python", "sql", "scala", "r"):
            # Blank lines keep the line numbers of traces right.
            return Cell(number, found[1], "\n" * index + found[2])
        return Cell(number, found[1], found[2].rstrip()) if found else Cell(number, default, text)
    return Cell(number, default, "")
