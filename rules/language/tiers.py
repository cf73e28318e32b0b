"""Reads the declarations of tiers: the tables 层级如下 of the feature files."""

import re
from collections.abc import Iterable
from typing import Final

from rules.errors import Problem
from rules.language.columns import rows_of
from rules.language.source import DECLARATIONS, Clause
from rules.model.catalogue import TITLE, Tier
from rules.model.nearness import near

TIERS: Final = DECLARATIONS[3]
#: The columns of the table; those that no row needs may be left out.
COLUMNS: Final = ("名称", "简称", "标识", "种类", "前置", "有效期")
_REQUIRED: Final = COLUMNS[:3]
#: What a root rule may decide besides a title; it is judged alike, and nobody holds it.
KINDS: Final = (TITLE, "自测", "措施")
_SLUG: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_YEARS: Final = re.compile(r"([1-9][0-9]?)年", re.ASCII)


def declared_tiers(clauses: Iterable[Clause]) -> tuple[tuple[Tier, ...], list[Problem]]:
    """The tiers that these clauses declare, lowest first, and the faults found on the way."""
    found: dict[str, Tier] = {}
    places: dict[str, str] = {}
    problems: list[Problem] = []
    asked: list[tuple[Clause, int, str]] = []
    for clause, row, cells in rows_of(clauses, TIERS, COLUMNS, _REQUIRED, problems):
        said = _unfit(cells)
        here = f"{clause.path}:{row.line}"
        for text in dict.fromkeys(cells[c] for c in _REQUIRED):
            if places.setdefault(text, here) != here:
                said = said or f"「{text}」与 {places[text]} 重复：请改名，或删去一行"
        if said:
            problems.append(Problem(clause.path, row.line, said))
            continue
        years = _YEARS.fullmatch(cells["有效期"])
        tier = Tier(
            name=cells["名称"],
            short=cells["简称"],
            slug=cells["标识"],
            kind=cells["种类"] or TITLE,
            prerequisite=cells["前置"],
            years=int(years[1]) if years else None,
        )
        found[tier.name] = tier
        if tier.prerequisite:
            asked.append((clause, row.line, tier.prerequisite))
    titles = [t.name for t in found.values() if t.kind == TITLE]
    for clause, line, name in asked:
        if name not in titles:
            said = f"前置「{name}」不是已声明的称号{near(name, titles)}：请改正"
            problems.append(Problem(clause.path, line, said))
    return tuple(found.values()), problems


def _unfit(cells: dict[str, str]) -> str:
    """What is wrong with a row; empty if nothing is."""
    if not cells["名称"] or not cells["简称"]:
        return "名称和简称不能为空：请补写"
    if not _SLUG.fullmatch(cells["标识"]):
        return f"标识「{cells['标识']}」应为小写字母、数字和连字符，例如 champion"
    kind = cells["种类"] or TITLE
    if kind not in KINDS:
        return f"种类「{kind}」不认识{near(kind, KINDS)}：可写{'、'.join(KINDS)}，或留空"
    if kind != TITLE and (cells["前置"] or cells["有效期"]):
        return f"{kind}不是称号，没有前置和有效期：请留空"
    if cells["有效期"] and not _YEARS.fullmatch(cells["有效期"]):
        return f"有效期「{cells['有效期']}」应写成 3年 的形式，或留空"
    return ""
