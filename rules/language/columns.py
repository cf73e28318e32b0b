"""Reads the rows of declaring tables, whose columns may be left out if no row needs them."""

from collections.abc import Iterable, Iterator, Sequence

from rules.errors import Problem
from rules.language.source import Clause, Row
from rules.model.nearness import near


def rows_of(
    clauses: Iterable[Clause],
    sentence: str,
    columns: Sequence[str],
    required: Sequence[str],
    problems: list[Problem],
) -> Iterator[tuple[Clause, Row, dict[str, str]]]:
    """The rows under a sentence, each with its cells by column; a column left out is empty.

    A table with another header is left out and added to ``problems``.
    """
    for clause in clauses:
        if clause.definition.text != sentence:
            continue
        header, *rows = clause.definition.table
        if amiss := _amiss(header.cells, columns, required):
            problems.append(Problem(clause.path, header.line, amiss))
            continue
        for row in rows:
            filled = dict(zip(header.cells, row.cells, strict=True))
            yield clause, row, dict.fromkeys(columns, "") | filled


def _amiss(header: Sequence[str], columns: Sequence[str], required: Sequence[str]) -> str:
    """What is wrong with a header; empty if nothing is."""
    for column in header:
        if column not in columns:
            return f"表头「{column}」不认识{near(column, columns)}：可用的有{'、'.join(columns)}"
    if lacking := [c for c in required if c not in header]:
        return f"表头缺少{'、'.join(lacking)}：请补列"
    if list(header) != sorted(set(header), key=columns.index):
        return f"表头的次序应为：{' | '.join(c for c in columns if c in header)}"
    return ""
