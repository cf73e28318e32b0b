"""What a county summary lacks although the criteria of its day depend on it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from registry.filings import Submission
from registry.intake.composite import FIELD_WORDS
from registry.intake.tables.headers import Column, Header
from rules.language.provinces import acting

#: Identifies a column: a fact and its year, a list, titles of one kind, or the product's fields.
Key: TypeAlias = tuple[str, int | str | None]


class Wanted(NamedTuple):
    """A requested column with its heading; any column of ``instead`` serves as well."""

    heading: str
    instead: tuple[Key, ...] = ()


#: Returns what is requested on a day in a province.
Asking: TypeAlias = Callable[[date, str], Mapping[Key, Wanted]]

FIELDS: Final[Key] = ("fields", None)
#: A table with fewer of these columns is not a county summary and lacks most of them on purpose.
_ENOUGH: Final = 15


def wanted(filed: Iterable[Submission], asked: Asking) -> Mapping[Key, Wanted]:
    """Everything requested for any of these filings; nothing is requested of undated ones."""
    cases = dict.fromkeys(
        (s.as_of, acting(s.identity.get("province", ""), s.identity.get("city", "")))
        for s in filed
        if s.as_of is not None
    )
    return {key: item for case in cases for key, item in asked(*case).items()}


def lacking(
    own: Collection[Key], further: Collection[Key], asked: Mapping[Key, Wanted]
) -> list[str]:
    """The headings of requested columns that are neither in a county summary nor on other sheets.

    A column that could only replace another missing one is not named beside it.
    """
    if len(asked.keys() & own) < _ENOUGH:
        return []
    known = {*own, *further}
    return [
        item.heading
        for key, item in asked.items()
        if known.isdisjoint((key, *item.instead)) and asked.keys().isdisjoint(item.instead)
    ]


def keys(header: Header, columns: Iterable[Column]) -> set[Key]:
    """The keys of a sheet's columns that are read; a list's own sheet has the key of the list."""
    if header.record is not None:
        return {(header.record.id, None)}
    return set(_keys(columns))


def _keys(columns: Iterable[Column]) -> Iterator[Key]:
    for column in columns:
        target, year = column.heading.target, column.heading.year
        if target.role == "fields" or (target.fact and target.fact.id in FIELD_WORDS):
            yield FIELDS
        elif target.role == "records":
            kind = target.constants.get("kind") if target.record == "titles" else None
            yield target.record, kind if isinstance(kind, str) else None
        elif target.fact:
            yield target.fact.id, year
