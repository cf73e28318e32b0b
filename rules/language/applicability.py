"""Reads the applicability tables: which ruleset judges a case, which workflow handles it, by which clocks."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from rules.errors import Problem
from rules.language import provinces, tables
from rules.language.editions import OTHERS, UNENCODED, ApplicabilityRow
from rules.language.source import Clause
from rules.model.catalogue import Catalogue
from rules.model.days import optional_day
from rules.model.nearness import near
from rules.model.ruleset import Position

#: The folder of provinces' settings; nothing in it applies to others.
PROVINCES_FOLDER: Final = "provinces"
_MAY_BE_EMPTY: Final = ("批次", "自", "至")
#: The sentence whose rules a table may name, by the sentence of the table.
_NAMED: Final = {tables.WORKFLOW_ROWS: tables.WORKFLOW, tables.CLOCK_ROWS: tables.CLOCKS}


def read_rows(
    clause: Clause, catalogue: Catalogue, known: Collection[str]
) -> tuple[list[ApplicabilityRow], list[Problem]]:
    """The rows of a table, and its faults; ``known`` are the ids that a row may name."""
    found: list[ApplicabilityRow] = []
    problems: list[Problem] = []
    header, *rows = clause.definition.table
    for row in rows:
        cells = dict(zip(header.cells, row.cells, strict=True))
        problems += (
            Problem(clause.path, row.line, said)
            for said in _faults(clause, cells, catalogue, known)
        )
        try:
            first, last = optional_day(cells["自"]), optional_day(cells["至"])
        except ValueError:
            continue  # reported among the faults
        found.append(
            ApplicabilityRow(
                tier=cells["层级"],
                procedure=cells.get("程序", ""),
                province=cells["省份"],
                batch=cells.get("批次", ""),
                start=first,
                end=last,
                ruleset=cells[header.cells[-2]],
                basis=cells["依据"],
                position=Position(clause.path, row.line),
            )
        )
    return found, problems


def _faults(
    clause: Clause, cells: Mapping[str, str], catalogue: Catalogue, known: Collection[str]
) -> Iterator[str]:
    *_, column, _ = cells
    tier, province, named = cells["层级"], cells["省份"], cells[column]
    needed = [name for name in cells if name not in _MAY_BE_EMPTY]
    if not all(cells[name] for name in needed):
        yield f"{'、'.join(needed)}不能为空：请补写"
    tiers = [t.name for t in catalogue.tiers]
    if tier and tier not in tiers:
        said = f"层级「{tier}」没有声明{near(tier, tiers)}：已声明的有{'、'.join(tiers) or '无'}"
        yield f"{said}；请改正，或写一张“层级如下”表"
    try:
        first, last = optional_day(cells["自"]), optional_day(cells["至"])
    except ValueError:
        yield "自、至应为日期，例如 2026年4月1日，或留空"
        return
    if first and last and first > last:
        yield f"自{cells['自']}晚于至{cells['至']}：请改正"
    yield from unknown_province(province)
    if province == OTHERS and PROVINCES_FOLDER in clause.path.split("/"):
        yield "省级文件只能规定本省：请写明省份"
    sentence = _NAMED.get(clause.definition.text)
    if named in known or (sentence is None and _uncoded(named)):
        return
    if sentence is None:
        yield f"规则集「{named}」不存在{near(named, known)}：请写根规则编号，或注明（未编码）"
    else:
        yield f"{column}「{named}」不存在{near(named, known)}：请写“{sentence}”的规则的编号"


def _uncoded(named: str) -> bool:
    return named.endswith(UNENCODED)


def unknown_province(name: str) -> Iterator[str]:
    """What is wrong with a name that no case could have, because cases have full names."""
    full = provinces.full_name(name)
    if name != full:
        yield f"省份「{name}」应写全称：{full}"
    elif name not in (*provinces.PROVINCES, OTHERS, ""):
        hint = near(name, provinces.PROVINCES)
        yield f"「{name}」不是省级行政区，也不是计划单列市{hint}：请查对"
