"""The typed columns of a snapshot: one row for each filing, and one table for each list of records.

A number is stored as a whole number in parts of 1/``scale`` of its column (money in fen), yes and
no as 1 and 0, a code as its index in the catalogue's list, which the manifest of a snapshot
repeats, and text unchanged. A yearly figure has a column for each year that an indicator may name,
counted back from T, the last complete year before the day of the snapshot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cached_property, lru_cache
from math import ceil
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from registry.errors import RegistryError
from registry.screening.compiler.widths import Size, UnsupportedError, size_of
from rules.model.catalogue import Catalogue
from rules.model.facts import IDENTITY as KNOWN
from rules.model.facts import PERIODS, Fact, Profile, Scalar, yearly_key

Value: TypeAlias = int | str | date | None

#: The number of parts in which each unit is stored, and the greatest number stored.
_SCALES: Final = {"万元": (100, 10**17), "%": (10**10, 10**12), "分": (10**4, 10**12)}
_COUNTED: Final = (1, 10**12)
#: The most records of one list.
MOST_RECORDS: Final = 10**6

FILING: Final = "filing"
#: The columns of a filing besides its facts; none of them decides anything.
IDENTITY: Final[Mapping[str, sa.types.TypeEngine[Any]]] = {
    "filing_id": sa.BigInteger(),
    "uscc": sa.Text(),
    "name": sa.Text(),
    "province": sa.Text(),
    "city": sa.Text(),
    "county": sa.Text(),
    "as_of": sa.Date(),
    "newest_year": sa.Integer(),
    "routed": sa.Text(),
    "linked": sa.BigInteger(),
}


class NotStoredError(RegistryError):
    """A filing states something that the columns cannot hold."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One fact as a column: numbers lie from ``low`` to ``high``, in parts of 1/``scale``.

    The sum over the records of one filing is at most ``most``.
    """

    name: str
    fact: Fact
    scale: int = 1
    low: int = 0
    high: int = 1
    most: int = 1

    @property
    def size(self) -> Size:
        """The width of its numbers; those of the catalogue fit BIGINT."""
        return max(size_of(self.low, self.high), Size.LONG)

    @property
    def type(self) -> sa.types.TypeEngine[Any]:
        """The type of the column."""
        match self.fact.kind:
            case "number":
                return sa.Numeric(38, 0) if self.size is Size.WIDE else sa.BigInteger()
            case "flag" | "code":
                return sa.SmallInteger()
            case "date":
                return sa.Date()
        return sa.Text()

    def described(self) -> str:
        """The type in words, and the meaning of the numbers of codes."""
        return " ".join([str(self.type), *self.fact.codes])

    def stored(self, value: Scalar | None) -> Value:
        """The stored form of a value; raises ``NotStoredError`` if the column cannot hold it."""
        if value is None:
            return None
        match self.fact.kind:
            case "flag":
                return int(bool(value))
            case "code":
                if value not in self.fact.codes:
                    raise NotStoredError(
                        "unlisted-value",
                        "{name}「{value}」不在代码表中",
                        name=self.fact.name,
                        value=value,
                    )
                return self.fact.codes.index(str(value))
            case "date":
                return _day(str(value))
            case "number":
                number = _scaled(str(value), self.scale)
                if number is None or not self.low <= number <= self.high:
                    raise NotStoredError(
                        "beyond-column",
                        "{name}「{value}」超出快照的精度或范围",
                        name=self.fact.name,
                        value=value,
                    )
                return number
        if "\x00" in str(value):
            raise NotStoredError(
                "unstorable-character", "{name}含有不能保存的字符", name=self.fact.name
            )
        return str(value)


_day = lru_cache(maxsize=1 << 14)(date.fromisoformat)


@lru_cache(maxsize=1 << 14)
def _scaled(text: str, scale: int) -> int | None:
    if text.isdecimal():
        return int(text) * scale
    number = Fraction(text) * scale
    return number.numerator if number.denominator == 1 else None


def column(name: str, fact: Fact) -> Column:
    """The column of a fact of the catalogue."""
    if fact.kind != "number":
        return Column(name=name, fact=fact)
    scale, limit = _SCALES.get(fact.unit, _COUNTED)
    low = -limit if fact.minimum is None or fact.signed else _part(fact.minimum, scale)
    return Column(name=name, fact=fact, scale=scale, low=low, high=limit, most=limit)


def _part(value: Fraction, scale: int) -> int:
    return int(value * scale)


@dataclass(frozen=True)
class Schema:
    """The columns: facts by key (``revenue-1`` is the figure of year T - 1), and fields by list."""

    facts: Mapping[str, Column]
    lists: Mapping[str, Mapping[str, Column]] = field(default_factory=dict)

    def fact(self, id: str) -> Column:
        """The column of a fact that is not yearly."""
        return self._found(self.facts, id)

    def year(self, id: str, offset: int) -> Column:
        """The column of a yearly figure."""
        return self._found(self.facts, year_key(id, offset))

    def field(self, records: str, id: str) -> Column:
        """The column of a field of the records of a list."""
        return self._found(self.lists.get(records, {}), id)

    def _found(self, columns: Mapping[str, Column], key: str) -> Column:
        if key not in columns:
            raise UnsupportedError(
                "missing-snapshot-column", "快照中没有「{value}」一列", value=key
            )
        return columns[key]

    def narrowed(self, bounds: Mapping[str, tuple[int, int]]) -> "Schema":
        """The schema with the least and greatest number that each column actually holds."""

        def narrow(columns: Mapping[str, Column]) -> dict[str, Column]:
            return {
                k: replace(
                    c, low=max(c.low, bounds[c.name][0]), high=min(c.high, bounds[c.name][1])
                )
                if c.name in bounds and c.fact.kind == "number"
                else c
                for k, c in columns.items()
            }

        return Schema(narrow(self.facts), {k: narrow(v) for k, v in self.lists.items()})

    @property
    def described(self) -> dict[str, dict[str, str]]:
        """The columns of each table in words; a snapshot with the same words can be read."""
        said = {c.name: c.described() for c in self.facts.values()}
        said |= {c.name: c.described() for fields in self.lists.values() for c in fields.values()}
        return {
            table: {n: said.get(n, str(kind)) for n, kind in columns.items()}
            for table, columns in self.tables.items()
        }

    @property
    def tables(self) -> dict[str, dict[str, sa.types.TypeEngine[Any]]]:
        """The tables of a snapshot with the types of their columns."""
        facts = {c.name: c.type for c in self.facts.values()}
        complete = {complete_column(k): sa.SmallInteger() for k in self.lists}
        return {FILING: {**IDENTITY, **facts, **complete}} | {
            name: {"filing_id": sa.BigInteger(), "position": sa.Integer()}
            | {c.name: c.type for c in columns.values()}
            for name, columns in self.lists.items()
        }

    @cached_property
    def filing(self) -> sa.TableClause:
        """The table of filings."""
        return self.table(FILING)

    def table(self, name: str) -> sa.TableClause:
        """A table, to select from."""
        return sa.table(name, *(sa.column(c, t) for c, t in self.tables[name].items()))

    @property
    def numbers(self) -> dict[str, list[Column]]:
        """The columns of each table that hold numbers."""
        found = {FILING: list(self.facts.values())}
        found |= {k: list(v.values()) for k, v in self.lists.items()}
        return {k: [c for c in v if c.fact.kind == "number"] for k, v in found.items()}

    # rows

    def rows(self, profile: Profile, year: int) -> dict[str, list[tuple[Value, ...]]]:
        """A profile's facts as rows of the tables, without their keys; T is ``year``.

        Yearly figures of other years are left out: no indicator can name them.

        Raises ``NotStoredError`` if the columns cannot hold a value.
        """
        values, lists = profile.values, profile.records
        facts: list[Value] = [
            None if (value := values.get(key)) is None else c.stored(value)
            for key, c in self._filed_keys(year)
        ]
        complete: list[Value] = [
            None
            if (found := lists.get(k)) is None or found.complete is None
            else int(found.complete)
            for k in self.lists
        ]
        rows: dict[str, list[tuple[Value, ...]]] = {FILING: [(*facts, *complete)]}
        for name, columns in self.lists.items():
            items = lists[name].items if name in lists else ()
            rows[name] = [
                tuple(c.stored(item.get(id)) for id, c in columns.items()) for item in items
            ]
            self._refuse_long(name, rows[name])
        return rows

    def _refuse_long(self, name: str, rows: list[tuple[Value, ...]]) -> None:
        if len(rows) > MOST_RECORDS:
            raise NotStoredError("too-long-list", "清单「{value}」过长", value=name)
        for n, column_ in enumerate(self.lists[name].values()):
            if column_.fact.kind == "number" and rows:
                total = sum(int(str(r[n])) for r in rows if r[n] is not None)
                if total > column_.most:
                    raise NotStoredError(
                        "total-beyond-column", "{name}的合计超出快照的范围", name=column_.fact.name
                    )

    def _filed_keys(self, year: int) -> Sequence[tuple[str, Column]]:
        """The columns with the keys of their facts in a profile; T is ``year``."""
        if year not in self._keys:
            keys = ((_filed_key(k, c.fact, year), c) for k, c in self.facts.items())
            self._keys[year] = tuple(keys)
        return self._keys[year]

    @cached_property
    def _keys(self) -> dict[int, Sequence[tuple[str, Column]]]:
        return {}


def _filed_key(key: str, fact: Fact, year: int) -> str:
    if not fact.yearly:
        return key
    return yearly_key(fact.id, year + int(key.removeprefix(fact.id)))


def share_stored(share: Fraction) -> int:
    """A share of holdings in the parts in which shares are stored, rounded up.

    >>> share_stored(Fraction(1, 2))
    5000000000
    """
    return ceil(share * _SCALES["%"][0])


def year_key(id: str, offset: int) -> str:
    """The name of a yearly figure of year T + ``offset`` in a schema.

    >>> year_key("revenue", -1), year_key("revenue", 0)
    ('revenue-1', 'revenue+0')
    """
    return f"{id}{offset:+d}"


def complete_column(records: str) -> str:
    """The column that says whether a list is complete."""
    return f"{records}_complete"


@lru_cache(maxsize=8)
def schema_of(catalogue: Catalogue) -> Schema:
    """The columns of everything that may be filed."""
    return Schema(
        _facts(catalogue),
        {
            kind.id: {f.id: column(f"{kind.id}_{f.id}", f) for f in kind.fields}
            for kind in catalogue.records
        },
    )


def _facts(catalogue: Catalogue) -> dict[str, Column]:
    found = {}
    # the place of an enterprise has columns already
    for fact in (*(f for f in KNOWN if f.id not in IDENTITY), *catalogue.facts):
        if not fact.yearly:
            found[fact.id] = column(fact.id, fact)
            continue
        for offset in PERIODS.values():
            if offset <= 0 or fact.rating:
                name = f"{fact.id}_t{-offset}" if offset <= 0 else f"{fact.id}_next"
                found[year_key(fact.id, offset)] = column(name, fact)
    return found
