"""What an enterprise filed, for reading: yearly figures side by side, single facts, and lists."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rules.explanation.wording import value_text
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact, Profile, RecordKind, RecordList

_COMPLETE: Final = {True: "已报全", False: "未报全", None: "未说明是否报全"}


@dataclass(frozen=True)
class FiledValue:
    """A value in words with its source; for drawing, its share of the largest in per cent."""

    text: str
    source: str
    share: float = 0.0
    below_zero: bool = False


@dataclass(frozen=True)
class YearlyRow:
    """A figure over the years of a table; None where nothing was filed."""

    name: str
    values: tuple[FiledValue | None, ...]


@dataclass(frozen=True)
class FiledList:
    """A list of records: its header, the records with their sources, and whether it is complete."""

    name: str
    complete: str
    header: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], str], ...]


@dataclass(frozen=True)
class FiledFacts:
    """A profile for reading; ``years`` are the columns of ``yearly``, newest last."""

    years: tuple[str, ...]
    yearly: tuple[YearlyRow, ...]
    once: tuple[tuple[str, FiledValue], ...]
    lists: tuple[FiledList, ...]


def filed(profile: Profile, catalogue: Catalogue) -> FiledFacts:
    """Everything that was filed, in the order of the catalogue."""
    years = tuple(sorted({y for key in profile.values if (y := key.partition("@")[2])}))
    yearly, once = [], []
    for fact in catalogue.facts:
        if fact.yearly and (row := _row(profile, fact, years)):
            yearly.append(row)
        elif (value := profile.values.get(fact.id)) is not None:
            source = profile.sources.get(fact.id, "")
            once.append((fact.name, FiledValue(value_text(fact, value), source)))
    lists = [
        _list(profile, kind, profile.records[kind.id])
        for kind in catalogue.records
        if kind.id in profile.records
    ]
    return FiledFacts(years, tuple(yearly), tuple(once), tuple(lists))


def _row(profile: Profile, fact: Fact, years: tuple[str, ...]) -> YearlyRow | None:
    keys = [f"{fact.id}@{year}" for year in years]
    found = {key: profile.values[key] for key in keys if key in profile.values}
    if not found:
        return None
    sizes = {k: Fraction(str(v)) for k, v in found.items() if fact.kind == "number"}
    largest = max(map(abs, sizes.values()), default=Fraction(0))
    return YearlyRow(
        fact.name,
        tuple(
            FiledValue(
                value_text(fact, found[key]),
                profile.sources.get(key, ""),
                float(round(100 * abs(sizes.get(key, Fraction(0))) / largest, 1))
                if largest
                else 0.0,
                sizes.get(key, Fraction(0)) < 0,
            )
            if key in found
            else None
            for key in keys
        ),
    )


def _list(profile: Profile, kind: RecordKind, filed: RecordList) -> FiledList:
    fields = [f for f in kind.fields if any(f.id in item for item in filed.items)]
    rows = [
        (
            tuple(value_text(f, item[f.id]) if f.id in item else "" for f in fields),
            profile.sources.get(f"{kind.id}#{number}", ""),
        )
        for number, item in enumerate(filed.items)
    ]
    return FiledList(
        kind.name, _COMPLETE[filed.complete], tuple(f.name for f in fields), tuple(rows)
    )
