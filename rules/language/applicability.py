"""Reads the applicability tables: which ruleset judges a case, and which workflow handles it."""

from collections.abc import Collection, Iterator
from typing import Final

from rules.errors import Problem
from rules.language import provinces, tables
from rules.language.editions import OTHERS, UNENCODED, ApplicabilityRow, parse_day
from rules.language.source import Clause, Row
from rules.model.catalogue import Catalogue
from rules.model.nearness import near
from rules.model.ruleset import Position

#: The folder of provinces' settings; nothing in it applies to others.
PROVINCES_FOLDER: Final = "provinces"


def read_rows(
    clause: Clause, catalogue: Catalogue, known: Collection[str]
) -> tuple[list[ApplicabilityRow], list[Problem]]:
    """The rows of a table, and its faults; ``known`` are the ids that a row may name."""
    found: list[ApplicabilityRow] = []
    problems: list[Problem] = []
    for row in clause.definition.table[1:]:
        problems += (
            Problem(clause.path, row.line, said) for said in _faults(clause, row, catalogue, known)
        )
        tier, procedure, province, batch, start, end, named, basis = row.cells
        try:
            first, last = parse_day(start), parse_day(end)
        except ValueError:
            continue  # told among the faults
        found.append(
            ApplicabilityRow(
                tier=tier,
                procedure=procedure,
                province=province,
                batch=batch,
                start=first,
                end=last,
                ruleset=named,
                basis=basis,
                position=Position(clause.path, row.line),
            )
        )
    return found, problems


def _faults(
    clause: Clause, row: Row, catalogue: Catalogue, known: Collection[str]
) -> Iterator[str]:
    tier, procedure, province, _, start, end, named, basis = row.cells
    column = clause.definition.table[0].cells[6]
    if not all((tier, procedure, province, named, basis)):
        yield f"层级、程序、省份、{column}、依据不能为空：请补写"
    tiers = [t.name for t in catalogue.tiers]
    if tier and tier not in tiers:
        said = f"层级「{tier}」没有声明{near(tier, tiers)}：已声明的有{'、'.join(tiers) or '无'}"
        yield f"{said}；请改正，或写一张“层级如下”表"
    try:
        first, last = parse_day(start), parse_day(end)
    except ValueError:
        yield "自、至应为日期，例如 2026年4月1日，或留空"
        return
    if first and last and first > last:
        yield f"自{start}晚于至{end}：请改正"
    yield from unknown_province(province)
    if province == OTHERS and PROVINCES_FOLDER in clause.path.split("/"):
        yield "省级文件只能规定本省：请写明省份"
    if named in known or (clause.definition.text == tables.APPLICABILITY and _uncoded(named)):
        return
    if clause.definition.text == tables.APPLICABILITY:
        yield f"规则集「{named}」不存在{near(named, known)}：请写根规则编号，或注明（未编码）"
    else:
        yield f"办理程序「{named}」不存在{near(named, known)}：请写“{tables.WORKFLOW}”的规则的编号"


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
