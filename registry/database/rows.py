"""Converts a submission to rows of the fact tables, and the rows back to a profile, exactly.

A fact has one form: numbers are plain decimals without trailing zeros, dates are ISO texts. Values
that cannot be stored unchanged (fractions of a fen, facts not in the catalogue) raise
``FactsError``. A column is used only for a fact that it fits: of its name, kind and unit. Every other
fact is a row that names it, so the rows say what was filed without any catalogue.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlmodel import SQLModel

from registry.database.columns import LARGEST_ROW, Count, Day, Exact, Yuan, fen
from registry.database.models import (
    FLOORS,
    RECORD_TABLES,
    STATED_TABLES,
    VALUES,
    FiledFact,
    Finding,
    OtherRecord,
    RecordField,
    RecordListRow,
    Stated,
    Versioned,
    YearlyFact,
    YearlyFigure,
)
from registry.errors import AlteredError
from registry.filings import IDENTITY, Submission
from registry.kit.decimals import decimal_text
from rules.errors import FactsError
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact, Profile, RecordKind, RecordList, Scalar, check_value, yearly_key
from rules.portable.canonical import canonical_json, digest, sha256
from rules.portable.errors import Remedy

Row: TypeAlias = dict[str, Any]
#: table -> what a filing's rows state: the values of ``STATES``, without keys and period.
Rows: TypeAlias = dict[type[Stated], list[tuple[Any, ...]]]

_KEYS: Final = {*Versioned.model_fields, "filing_id"} - {"sources"}
#: The columns of each table that state something, not those that identify the owner: the sources,
#: the subject of the row (year, fact, kind or position), and the values.
STATES: Final[dict[type[Stated], tuple[str, ...]]] = {
    model: ("sources", *(name for name in model.model_fields if name not in {"sources", *_KEYS}))
    for model in STATED_TABLES
}

_YEARLY: Final = STATES[YearlyFigure][2:]
_KINDS: Final = {table: kind for kind, table in RECORD_TABLES.items()}
_WHOLE_UNITS: Final = ("人", "名")
_REMEMBERED: Final = 1000
#: Most amounts: in their only form and in whole fen.
_PLAIN_YUAN: Final = re.compile(r"-?[1-9][0-9]{0,13}(\.[0-9]?[1-9])?|0(\.[0-9]?[1-9])?")
#: The most characters of a filing with its sources: a backup can copy such a row.
_LONGEST: Final = LARGEST_ROW >> 2
#: Characters that no database keeps: NUL and surrogates.
_UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Statement:
    """A submission ready to be stored: its texts, and its rows without their keys.

    ``sources`` are those that belong to no row; ``digest`` does not cover sources.
    """

    identity: str
    facts: str
    digest: str
    sources: str
    rows: Mapping[type[Stated], Sequence[tuple[Any, ...]]]


class Layout:
    """Where the facts of one catalogue are stored."""

    def __init__(self, catalogue: Catalogue) -> None:
        #: The SHA-256 of the catalogue's canonical JSON, under which it is published.
        self.digest = digest(catalogue.to_json())
        yearly = {True: YearlyFigure, False: None}
        self._facts = {f.id: _Taken(f, yearly[f.yearly]) for f in catalogue.facts}
        self._lists = {kind.id: _fields(kind) for kind in catalogue.records}
        self._places: dict[str, tuple[_Taken, int | None]] = {}

    def state(self, submission: Submission) -> Statement:
        """The rows of a submission; ``FactsError`` names the first fact that does not fit."""
        sources = dict(submission.sources)
        rows: Rows = {table: [] for table in STATED_TABLES}
        stated = {
            "values": self._values(submission.values, sources, rows),
            "records": self._records(submission.records, sources, rows),
            "identity": _identity(submission),
            "sources": dict(submission.sources),
        }
        # the texts share most of their members, so each member is written once
        texts = {name: canonical_json(value) for name, value in stated.items()}
        if sum(map(len, texts.values())) > _LONGEST:
            raise FactsError(
                "filing-too-long",
                "一份填报超过{expected}字，不是正常的填报：请核对清单是否重复或填错了企业",
                expected=_LONGEST,
            )
        return Statement(
            texts["identity"],
            _object(texts, "records", "sources", "values"),
            sha256(_object(texts, "identity", "records", "values")),
            canonical_json(sources),
            rows,
        )

    def _values(self, filed: Mapping[str, Scalar], sources: dict[str, str], rows: Rows) -> Row:
        values: Row = {}
        years: defaultdict[int, tuple[Row, list[str]]] = defaultdict(lambda: ({}, []))
        for key, value in filed.items():
            taken, year = self._places.get(key) or self._place(key)
            stored, values[key] = taken[value]
            fact = taken.fact
            if year is None:
                row = (_cut(sources, key), fact.id, *taken.row(stored))
                rows[Finding if fact.origin == "认定" else FiledFact].append(row)
            elif taken.column:
                rows[YearlyFact].append((_cut(sources, key), year, fact.id, *taken.row(stored)))
            else:
                figures, where = years[year]
                figures[fact.id] = stored
                if key in sources:
                    where.append(_member(sources, key))
        rows[YearlyFigure] += [
            (f"{{{','.join(sorted(where))}}}", year, *map(figures.get, _YEARLY))
            for year, (figures, where) in years.items()
        ]
        return values

    def _place(self, key: str) -> "tuple[_Taken, int | None]":
        """The fact in a key, and the fiscal year if it is yearly."""
        name, _, year = key.partition("@")
        taken: _Taken = _known(self._facts, name)
        if taken.fact.yearly != bool(year) or (year and not _is_year(year)):
            raise FactsError(
                "wrong-year",
                "「{where}」的年度不对：年度指标写成 名称@年份，其他指标不带年份",
                where=key,
            )
        found = self._places[key] = taken, int(year) if year else None
        return found

    def _records(self, filed: Mapping[str, RecordList], sources: dict[str, str], rows: Rows) -> Row:
        records: Row = {}
        for kind, listed in filed.items():
            fields, table = _known(self._lists, kind), RECORD_TABLES.get(kind)
            items = []
            rows[RecordListRow].append((_cut(sources, kind), kind, listed.complete))
            for position, item in enumerate(listed.items):
                taken = {f: _known(fields, f)[v] for f, v in item.items()}
                items.append({f: plain for f, (_, plain) in taken.items()})
                source = _cut(sources, f"{kind}#{position}")
                named = {f: v for f, (v, _) in taken.items() if fields[f].column}
                if table is None:
                    rows[OtherRecord].append((source, kind, position))
                else:
                    own = {f: v for f, (v, _) in taken.items() if f not in named}
                    rows[table].append((source, position, *map(own.get, STATES[table][2:])))
                rows[RecordField] += [
                    ("{}", kind, position, f, *fields[f].row(v)) for f, v in named.items()
                ]
            records[kind] = {"complete": listed.complete, "items": items}
        return records


@lru_cache(maxsize=8)
def layout(catalogue: Catalogue) -> Layout:
    """The layout of a catalogue, made once."""
    return Layout(catalogue)


def refuse_altered(filing_id: int, digested: str, identity: Row, facts: Row) -> None:
    """Raise ``AlteredError`` unless a filing's digest matches its content."""
    stated = {"identity": identity, "records": facts["records"], "values": facts["values"]}
    places = facts["sources"].values()  # the digest does not cover them
    if digest(stated) != digested or not all(isinstance(place, str) for place in places):
        raise altered_filing(filing_id)


def altered_filing(filing_id: int) -> AlteredError:
    """The error for a filing that differs from what was filed."""
    return AlteredError(
        "altered-filing",
        "填报{value}已被改动，不可采信",
        value=filing_id,
        remedy=Remedy("verify-record"),
    )


def _object(texts: Mapping[str, str], *names: str) -> str:
    """The canonical JSON of an object, from that of its members in order of name."""
    return "{" + ",".join(f'"{name}":{texts[name]}' for name in names) + "}"


def _identity(submission: Submission) -> Row:
    return {
        "name": _text("企业名称", submission.name),
        **{k: _known(_IDENTITY, k)[v][1] for k, v in submission.identity.items()},
    }


def identity_columns(identities: Iterable[str]) -> Row:
    """The columns of ``Enterprise`` from its filings' identities, older ones first."""
    merged: dict[str, Scalar] = {}
    for identity in identities:
        merged |= json.loads(identity)
    name = merged.pop("name")
    return {"name": name, **dict.fromkeys(_IDENTITY)} | {
        k: _IDENTITY[k][v][0] for k, v in merged.items()
    }


def restore(as_of: date, sources: str, rows: Mapping[type[Stated], Iterable[Row]]) -> Profile:
    """The profile in the rows of one filing; records must be in order, and before their fields."""
    values: dict[str, Scalar] = {}
    lists: dict[str, list[dict[str, Scalar]]] = {}
    where: dict[str, str] = json.loads(sources)
    for table, found in rows.items():
        for row in found:
            where |= json.loads(row["sources"])
            if table is YearlyFigure:
                # a year may occur twice, as filed and as reopened: both state the same
                values |= {yearly_key(f, row["fiscal_year"]): v for f, v in _filled(row, _YEARLY)}
            elif table is YearlyFact:
                key = yearly_key(row["fact"], row["fiscal_year"])
                [(_, values[key])] = _filled(row, VALUES)
            elif table in (FiledFact, Finding):
                [(_, values[row["fact"]])] = _filled(row, VALUES)
            elif table in _KINDS:
                fields = dict(_filled(row, STATES[table][2:]))
                lists.setdefault(_KINDS[table], []).append(fields)
            elif table is OtherRecord:
                lists.setdefault(row["kind"], []).append({})
            elif table is RecordField:
                item = lists[row["kind"]][row["position"]]
                [(_, item[row["field"]])] = _filled(row, VALUES)
    records = {
        row["kind"]: RecordList(tuple(lists.get(row["kind"], ())), row["complete"])
        for row in rows.get(RecordListRow, ())
    }
    return Profile(as_of, values, records, where)


def _cut(sources: dict[str, str], key: str) -> str:
    """The canonical JSON of an item's source, which is removed from ``sources``."""
    return f"{{{_member(sources, key)}}}" if key in sources else "{}"


def _member(sources: dict[str, str], key: str) -> str:
    return f'"{key}":{encode_basestring(sources.pop(key))}'


def _known(catalogue: Mapping[str, Any], name: str) -> Any:
    if name not in catalogue:
        raise FactsError("unknown-fact", "没有名为「{value}」的填报项", value=name)
    return catalogue[name]


def _is_year(year: str) -> bool:
    return year.isascii() and year.isdigit() and len(year) == 4 and "1949" <= year <= "2999"


def _scalar_column(fact: Fact) -> str:
    if fact.kind == "number":
        return "money" if fact.unit == "万元" else "number"
    return {"flag": "flag", "date": "day", "code": "words", "text": "words"}[fact.kind]


def _column_type(fact: Fact) -> type[Any]:
    """The type of a column that keeps a fact's values."""
    if fact.kind == "number":
        return {"万元": Yuan, **dict.fromkeys(_WHOLE_UNITS, Count)}.get(fact.unit, Exact)
    return {"flag": sa.Boolean, "date": Day, "code": sa.Text, "text": sa.Text}[fact.kind]


def _fits(model: type[Stated], fact: Fact) -> bool:
    """Whether a table has a column of its own for a fact."""
    if fact.id not in STATES[model][2:]:
        return False
    table = SQLModel.metadata.tables[str(model.__tablename__)]
    least = FLOORS.get(table.name, {}).get(fact.id)
    bounded = least is None or (fact.minimum is not None and fact.minimum >= Fraction(least))
    return bounded and isinstance(table.c[fact.id].type, _column_type(fact))


class _Taken(dict[Scalar, tuple[Any, Scalar]]):
    """The values of a fact, each as its column takes it and in its only form, or ``FactsError``.

    ``column`` is the one of a row that names the fact; empty if a table has a column of its own for
    it. Some values are kept, because many facts have few distinct values.
    """

    def __init__(self, fact: Fact, model: type[Stated] | None) -> None:
        self.fact = fact
        self.column = "" if model and _fits(model, fact) else _scalar_column(fact)
        at = VALUES.index(self.column) if self.column else 0
        self._before, self._after = (None,) * at, (None,) * (len(VALUES) - at - 1)

    def __missing__(self, value: Scalar) -> tuple[Any, Scalar]:
        stored, plain = _take(self.fact, value)
        if self.column and type(stored) is int:  # no such row has a column for whole numbers
            stored = Decimal(stored)
        if len(self) < _REMEMBERED:
            self[value] = stored, plain
        return stored, plain

    def row(self, stored: Any) -> tuple[Any, ...]:
        """A value among the columns of a row that names the fact."""
        return (*self._before, stored, *self._after)


def _fields(kind: RecordKind) -> dict[str, _Taken]:
    return {f.id: _Taken(f, RECORD_TABLES.get(kind.id)) for f in kind.fields}


_IDENTITY: Final = {f.id: _Taken(f, None) for f in IDENTITY}


def _take(fact: Fact, value: Scalar) -> tuple[Any, Scalar]:
    complaint = check_value(fact, value)
    if complaint is not None:
        raise FactsError(
            "unfit-value",
            "{where}「{value}」{expected}",
            where=fact.name,
            value=value,
            expected=complaint,
        )
    if isinstance(value, bool):
        return value, value
    if fact.kind == "date":
        day = date.fromisoformat(value)
        return day, day.isoformat()
    if fact.kind == "number":
        return _number(fact, value)
    return value, _text(fact.name, value)


def _number(fact: Fact, text: str) -> tuple[Decimal | int, str]:
    if fact.unit == "万元" and _PLAIN_YUAN.fullmatch(text):
        return Decimal(text), text
    try:
        number = Decimal(text)
        plain = decimal_text(number)
        if fact.unit == "万元":
            fen(number)
    except InvalidOperation:
        raise FactsError(
            "no-number", "{where}「{value}」应为十进制数字", where=fact.name, value=text
        ) from None
    except ValueError as error:
        raise FactsError(
            "unfit-value", "{where}：{cause}", where=fact.name, value=text, cause=error
        ) from None
    if fact.unit not in _WHOLE_UNITS:
        return number, plain
    if "." in plain or len(plain) > 18:
        raise FactsError("not-whole", "{where}「{value}」应为整数", where=fact.name, value=text)
    return int(plain), plain


def _text(name: str, text: str) -> str:
    if _UNKEPT.search(text):
        raise FactsError("unsavable-text", "{where}含有不能保存的字符", where=name)
    return text


def _plain(stored: object) -> Scalar:
    """The only form of a column's value in a profile."""
    match stored:
        case bool() | str():
            return stored
        case Decimal():
            return decimal_text(stored)
        case date():
            return stored.isoformat()
    return str(stored)


def _filled(row: Row, columns: Iterable[str]) -> list[tuple[str, Scalar]]:
    return [(c, _plain(row[c])) for c in columns if row[c] is not None]
