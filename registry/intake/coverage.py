"""What a county summary does not have though conditions of its day are decided by it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from registry.filings import Submission
from registry.intake.composite import FIELD_WORDS
from registry.intake.tables.headers import Column, Header
from rules.language.provinces import acting

#: What a column is known by: a fact and its year, a list, titles of one kind, the fields of the product.
Key: TypeAlias = tuple[str, int | str | None]


class Wanted(NamedTuple):
    """A column that is asked for, by its heading; any column of ``instead`` does as well."""

    heading: str
    instead: tuple[Key, ...] = ()


#: Gives what is asked for on a day in a province.
Asking: TypeAlias = Callable[[date, str], Mapping[Key, Wanted]]

FIELDS: Final[Key] = ("fields", None)
#: A table with fewer of these columns is no county summary, and lacks most of them on purpose.
_ENOUGH: Final = 15


def wanted(filed: Iterable[Submission], asked: Asking) -> Mapping[Key, Wanted]:
    """What is asked for of any of these filings; those without a day are not asked for anything."""
    cases = dict.fromkeys(
        (s.as_of, acting(s.identity.get("province", ""), s.identity.get("city", "")))
        for s in filed
        if s.as_of is not None
    )
    return {key: item for case in cases for key, item in asked(*case).items()}


def lacking(
    own: Collection[Key], further: Collection[Key], asked: Mapping[Key, Wanted]
) -> list[str]:
    """The headings of what is asked for and stands neither in a county summary nor on further sheets.

    What only takes the place of another column is not named beside that one.
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
    """What the columns of a sheet that are read are known by; all of a list's own sheet by the list."""
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
