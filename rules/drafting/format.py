"""Aligns the tables of feature files, and changes nothing else.

Columns are aligned by display width: characters that Unicode calls wide or full-width count two,
all others one. Characters of ambiguous width (“ ” Ⅰ) count one, as terminals and editors show them
except with old East Asian fonts. A table is indented two spaces more than its step or 例子.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rules.errors import Problem, SourceError
from rules.language.source import syntax_tree

_INDENT: Final = "  "


def width(text: str) -> int:
    """The number of columns that a text takes.

    >>> width("研发费用3%“Ⅰ类”")
    15
    """
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def format_text(text: str) -> str:
    """The text with its tables aligned; a text that Gherkin cannot read stays unchanged."""
    feature, errors = syntax_tree(text)
    if errors:
        return text
    lines = text.split("\n")
    for owner, rows in _tables(feature):
        above = lines[owner - 1]
        indent = above[: len(above) - len(above.lstrip())] + _INDENT
        cells = [[_escaped(c["value"]) for c in r["cells"]] for r in rows]
        widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
        for row, texts in zip(rows, cells, strict=True):
            number = row["location"]["line"] - 1
            padded = [t + " " * (w - width(t)) for t, w in zip(texts, widths, strict=True)]
            end = "\r" if lines[number].endswith("\r") else ""
            lines[number] = f"{indent}| {' | '.join(padded)} |{end}"
    return "\n".join(lines)


def aligned(path: Path) -> bytes | None:
    """The content of a file with its tables aligned, for the caller to write; None if unchanged."""
    stored = path.read_bytes()
    try:
        before = stored.decode("utf-8")
    except UnicodeDecodeError as error:
        message = "文件不是 UTF-8 编码：请另存为 UTF-8（无 BOM）"
        raise SourceError([Problem(path.name, 1, message)]) from error
    after = format_text(before).encode("utf-8")
    return after if after != stored else None


def _tables(node: Any) -> Iterator[tuple[int, list[Any]]]:
    """Every table under a node of the syntax tree: the line it belongs to, and its rows."""
    if isinstance(node, list):
        for item in node:
            yield from _tables(item)
    elif isinstance(node, dict):
        if "dataTable" in node:
            yield node["location"]["line"], node["dataTable"]["rows"]
        elif "tableHeader" in node:
            yield node["location"]["line"], [node["tableHeader"], *node["tableBody"]]
        else:
            for part in node.values():
                yield from _tables(part)


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "\\n")
