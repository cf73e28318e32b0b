"""Compares, node by node, a program's results for filings with those of both evaluators."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from registry.screening.compiler.program import Place, Program
from registry.screening.engines import Database, ScreeningError
from rules.model.ruleset import Trace


@dataclass(frozen=True)
class VerdictDifference:
    """A node of a filing whose screened and decided results differ."""

    filing_id: int
    key: str
    screened: object
    decided: object


#: A program's results for one filing, as the database returned them.
Row: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Columns:
    """Reads the rows of a program; ``names`` are the names of the columns."""

    names: tuple[str, ...]
    nodes: Mapping[str, Place]
    scale: int

    def filing(self, row: Row) -> int:
        """The filing of a row."""
        return int(row[self.names.index("filing_id")])

    def reader(self) -> Callable[[Row], Trace]:
        """A function that reads the results in a row."""
        return reader(self.names, self.nodes, self.scale)


def rows(
    database: Database, program: Program, among: sa.Select[Any] | None = None
) -> tuple[Columns, Iterator[Row]]:
    """A program's results for every node except those of single records, one row per filing."""
    statement = program.statement(program.everything(), among=among, fence=database.fence)
    names = tuple(c.name for c in statement.selected_columns)
    return Columns(names, program.nodes, program.scale), database.rows(statement)


def results(
    database: Database, program: Program, among: sa.Select[Any] | None = None
) -> Iterator[tuple[int, Trace]]:
    """The results of ``rows``, filing by filing."""
    columns, found = rows(database, program, among)
    read = columns.reader()
    return ((columns.filing(row), read(row)) for row in found)


def record_results(
    database: Database, program: Program, records: str
) -> Iterator[tuple[int, int, Trace]]:
    """A program's results for the nodes of every record of a list: filing, index and results."""
    statement = program.record_statement(records, database.fence)
    if statement is None:
        return
    names = [c.name for c in statement.selected_columns]
    read = reader(names, program.record_nodes[records], program.scale)
    id, position = names.index("filing_id"), names.index("position")
    for row in database.rows(statement):
        yield int(row[id]), int(row[position]), read(row)


def reader(names: Sequence[str], nodes: Mapping[str, Place], scale: int) -> Callable[[Row], Trace]:
    """A function that reads the results of nodes in a row, given the names of its columns."""
    readers = {key: place.reader(names, scale) for key, place in nodes.items()}
    return lambda row: {key: read(row) for key, read in readers.items()}


def differences(filing_id: int, screened: Trace, decided: Trace) -> list[VerdictDifference]:
    """The nodes, except those of records, on which screened and decided traces differ."""
    ours = {k: result for k, result in decided.items() if k in screened or not _of_record(k)}
    if ours == screened:
        return []
    return [
        VerdictDifference(filing_id, key, screened.get(key), ours.get(key))
        for key in sorted({**ours, **screened})
        if screened.get(key) != ours.get(key)
    ]


def _of_record(key: str) -> bool:
    return "#" in key and ":" in key and "#" in key.partition(":")[0]


def refuse(found: Sequence[VerdictDifference], root: str) -> None:
    """Raise ``ScreeningError`` if there is any difference."""
    if found:
        first = found[0]
        raise ScreeningError(
            "screening-disagrees",
            "筛查与规则引擎不一致（{where}，填报编号{filing}，{key}：筛查得{value}，"
            "引擎得{expected}，共{number}处）：结果不予显示，请保留快照并报告",
            where=root,
            filing=first.filing_id,
            key=first.key,
            value=first.screened,
            expected=first.decided,
            number=len(found),
        )
