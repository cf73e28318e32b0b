"""What a county summary does not ask for though conditions are decided by it."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from registry.intake.composite import FIELD_WORDS
from registry.intake.headers import Column
from rules.facts import FACTS, TITLES, record_kind

#: Yearly facts that conditions read, with how many years back from T.
_YEARS: Final = {
    "staff": 1, "rd_staff": 1, "revenue": 2, "main_revenue": 3, "net_profit": 1,
    "rd_expense": 2, "total_assets": 1, "total_liabilities": 1,
}  # fmt: skip
#: The measures of 2026 read more, from the day they are in force on.
_IN_FORCE: Final = date(2026, 4, 1)
_YEARS_2026: Final = {**_YEARS, "revenue": 3, "development_score": 2}
_ADDED_2026: Final = frozenset([
    "law_abiding", "safety_accident", "data_incident", "environment_offence", "quality_problem",
    "industry_breach", "tech_title", "tech_title_until", "international_share", "domestic_rank",
    "ip_own_earning",
])  # fmt: skip
#: What only some provinces or the notice of one round ask for.
_LOCAL: Final = frozenset([
    "plan_field", "leading_chain", "strategy_field", "city_field", "county_field", "first_product",
    "contest_prize", "core_process", "new_forms", "overseas_research", "lean_production",
    "provincial_rank", "listed", "pre_listed", "heritage", "geographical_mark", "single_champion",
    "giant_holding",
])  # fmt: skip
#: What the code gives by itself, or what is added where it is needed.
_SPARED: Final = frozenset(["registered_in_prc", *FIELD_WORDS]) | _LOCAL
_LISTS: Final = ("awards", "honours", "institutions", "competitions")
_TITLES: Final = TITLES[:2]
#: A table with fewer of these columns is no county summary, and lacks most of them on purpose.
_ENOUGH: Final = 15


def lacking(columns: Iterable[Column], as_of: date | None) -> list[str]:
    """The columns that a county summary of that filing date lacks, as headings."""
    known = set(_known(columns))
    wanted = dict(_wanted(as_of))
    if len(known & wanted.keys()) < _ENOUGH:
        return []
    return [name for key, name in wanted.items() if key not in known]


def _known(columns: Iterable[Column]) -> Iterator[object]:
    for column in columns:
        target, year = column.heading.target, column.heading.year
        if target.role == "fields" or (target.fact and target.fact.id in FIELD_WORDS):
            yield "fields"
        elif target.role == "records":
            yield target.record, target.constants.get("kind") if target.record == "titles" else None
        elif target.fact:
            yield target.fact.id, year


def _wanted(as_of: date | None) -> Iterator[tuple[object, str]]:
    in_force = as_of is not None and as_of >= _IN_FORCE
    years = _YEARS_2026 if in_force else _YEARS
    spared = _SPARED if in_force else _SPARED | _ADDED_2026
    for item in FACTS:
        if item.yearly and as_of is not None:
            newest = as_of.year if item.rating else as_of.year - 1
            for year in range(newest, newest - years.get(item.id, 0), -1):
                yield (item.id, year), f"{year}年{item.name}"
        elif not item.yearly and item.origin == "填报" and item.id not in spared:
            yield (item.id, None), item.name
    yield "fields", "主导产品所属领域"
    for name in _LISTS:
        yield (name, None), record_kind(name).name
    for title in _TITLES:
        yield ("titles", title), f"{title}有效期至"
