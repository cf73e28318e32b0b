"""One submission as rows of the fact tables, and the rows as a profile again, exactly.

A fact has one form: numbers are plain decimals without trailing zeros, dates are ISO texts. What
cannot be stored as it stands (finer than a fen, not in the catalogue) raises ``FactsError``.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Final, TypeAlias

from registry.database.columns import decimal_text, fen
from registry.database.models import (
    RECORD_TABLES,
    STATED_TABLES,
    FiledFact,
    Finding,
    RecordListRow,
    Stated,
    YearlyFigure,
)
from registry.filings import IDENTITY, Submission
from rules.canonical import canonical_json, digest
from rules.errors import FactsError
from rules.facts import (
    FACTS,
    RECORDS,
    Fact,
    Profile,
    RecordList,
    Scalar,
    check_value,
    yearly_key,
)

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[type[Stated], list[Row]]

_IDENTITY: Final = {f.id: f for f in IDENTITY}
_FACTS: Final = {f.id: f for f in FACTS}
_YEARLY: Final = tuple(f.id for f in FACTS if f.yearly)
_FIELDS: Final = {kind.id: {f.id: f for f in kind.fields} for kind in RECORDS}
_KINDS: Final = {table: kind for kind, table in RECORD_TABLES.items()}
_SCALAR_COLUMNS: Final = ("flag", "money", "number", "day", "words")
_WHOLE_UNITS: Final = ("人", "名")


@dataclass(frozen=True)
class Statement:
    """A submission ready to be stored: its texts, and its rows without their keys.

    ``sources`` are those of no row; ``digest`` does not cover sources.
    """

    name: str
    identity: str
    facts: str
    digest: str
    sources: str
    rows: Rows


def digest_of(submission: Submission) -> str:
    """The digest of a submission's statement, without its rows; raises as ``state`` does."""
    values = {key: _value(key, value)[2] for key, value in submission.values.items()}
    records: Row = {}
    for kind, listed in submission.records.items():
        fields = _known(_FIELDS, kind)
        items = [
            {f: _taken(_known(fields, f), v)[1] for f, v in item.items()} for item in listed.items
        ]
        records[kind] = {"complete": listed.complete, "items": items}
    return digest({"values": values, "records": records, "identity": _identity(submission)})


def state(submission: Submission) -> Statement:
    """The rows of a submission; what does not fit raises ``FactsError`` naming the fact."""
    sources = dict(submission.sources)
    rows: Rows = {table: [] for table in STATED_TABLES}
    values = _state_values(submission.values, sources, rows)
    records = _state_records(submission.records, sources, rows)
    identity = _identity(submission)
    facts = {"values": values, "records": records}
    return Statement(
        submission.name,
        canonical_json(identity),
        canonical_json({**facts, "sources": dict(submission.sources)}),
        digest({**facts, "identity": identity}),
        canonical_json(sources),
        rows,
    )


def _identity(submission: Submission) -> Row:
    return {
        "name": _text("企业名称", submission.name),
        **{k: _taken(_known(_IDENTITY, k), v)[1] for k, v in submission.identity.items()},
    }


def identity_columns(identities: Iterable[str]) -> Row:
    """The columns of ``Enterprise`` from the identities of its filings, older first."""
    merged: dict[str, Scalar] = {}
    for identity in identities:
        merged |= json.loads(identity)
    name = merged.pop("name")
    return {"name": name, **dict.fromkeys(_IDENTITY)} | {
        k: _taken(_IDENTITY[k], v)[0] for k, v in merged.items()
    }


def restore(as_of: date, sources: str, rows: Mapping[type[Stated], Iterable[Row]]) -> Profile:
    """The profile that the rows of one filing state; records must come in their order."""
    values: dict[str, Scalar] = {}
    lists: dict[str, list[dict[str, Scalar]]] = {}
    where: dict[str, str] = json.loads(sources)
    for table, found in rows.items():
        for row in found:
            where |= json.loads(row["sources"])
            if table is YearlyFigure:
                # a year may stand twice, once as filed and once reopened: both say the same
                values |= {yearly_key(f, row["fiscal_year"]): v for f, v in _filled(row, _YEARLY)}
            elif table in (FiledFact, Finding):
                [(_, values[row["fact"]])] = _filled(row, _SCALAR_COLUMNS)
            elif table in _KINDS:
                kind = _KINDS[table]
                lists.setdefault(kind, []).append(dict(_filled(row, _FIELDS[kind])))
    records = {
        row["kind"]: RecordList(tuple(lists.get(row["kind"], ())), row["complete"])
        for row in rows.get(RecordListRow, ())
    }
    return Profile(as_of, values, records, where)


def _state_values(filed: Mapping[str, Scalar], sources: dict[str, str], rows: Rows) -> Row:
    values: Row = {}
    years: dict[str, Row] = {}
    for key, value in filed.items():
        fact, stored, values[key] = _value(key, value)
        name, _, year = key.partition("@")
        if fact.yearly:
            row = years.setdefault(
                year, {"fiscal_year": int(year), "sources": {}, **dict.fromkeys(_YEARLY)}
            )
            row[fact.id] = stored
        else:
            row = {"fact": name, "sources": {}, **dict.fromkeys(_SCALAR_COLUMNS)}
            # whole numbers have no column of their own among the scalar ones
            row[_scalar_column(fact)] = Decimal(stored) if type(stored) is int else stored
            rows[Finding if fact.origin == "认定" else FiledFact].append(row)
        if key in sources:
            row["sources"][key] = sources.pop(key)
    rows[YearlyFigure].extend(years.values())
    for row in (*years.values(), *rows[FiledFact], *rows[Finding]):
        row["sources"] = _sources_json(row["sources"])
    return values


@lru_cache(maxsize=1 << 16, typed=True)  # typed: 1 is not True
def _value(key: str, value: Scalar) -> tuple[Fact, object, Scalar]:
    """The fact of a key, and the value as its column takes it and in its one form."""
    name, _, year = key.partition("@")
    fact: Fact = _known(_FACTS, name)
    if fact.yearly != bool(year) or (year and not _is_year(year)):
        raise FactsError(f"「{key}」的年度不对：年度指标写成 名称@年份，其他指标不带年份")
    return fact, *_taken(fact, value)


def _state_records(filed: Mapping[str, RecordList], sources: dict[str, str], rows: Rows) -> Row:
    records: Row = {}
    for kind, listed in filed.items():
        fields = _known(_FIELDS, kind)
        items = []
        rows[RecordListRow].append(
            {"kind": kind, "complete": listed.complete, "sources": _cut(sources, kind)}
        )
        for position, item in enumerate(listed.items):
            taken = {f: _taken(_known(fields, f), v) for f, v in item.items()}
            items.append({f: plain for f, (_, plain) in taken.items()})
            rows[RECORD_TABLES[kind]].append(
                {"position": position, "sources": _cut(sources, f"{kind}#{position}")}
                | dict.fromkeys(fields)
                | {f: stored for f, (stored, _) in taken.items()}
            )
        records[kind] = {"complete": listed.complete, "items": items}
    return records


def _cut(sources: dict[str, str], key: str) -> str:
    return _sources_json({key: sources.pop(key)} if key in sources else {})


def _sources_json(sources: dict[str, str]) -> str:
    """The canonical JSON of where something stands; most rows have one source, and there are many."""
    if len(sources) == 1:
        [(key, where)] = sources.items()
        return f"{{{encode_basestring(key)}:{encode_basestring(where)}}}"
    return canonical_json(sources)


def _known(catalogue: Mapping[str, Any], name: str) -> Any:
    if name not in catalogue:
        raise FactsError(f"没有名为「{name}」的填报项")
    return catalogue[name]


def _is_year(year: str) -> bool:
    return year.isascii() and year.isdigit() and len(year) == 4 and "1949" <= year <= "2999"


def _scalar_column(fact: Fact) -> str:
    if fact.kind == "number":
        return "money" if fact.unit == "万元" else "number"
    return {"flag": "flag", "date": "day", "code": "words", "text": "words"}[fact.kind]


@lru_cache(maxsize=1 << 14, typed=True)
def _taken(fact: Fact, value: Scalar) -> tuple[object, Scalar]:
    """The value as its column takes it and in its one form, or ``FactsError``."""
    stored = _column(fact, value)
    return stored, _plain(stored)


def _column(fact: Fact, value: Scalar) -> object:
    """The value as its column takes it, or ``FactsError``."""
    complaint = check_value(fact, value)
    if complaint is not None:
        raise FactsError(f"{fact.name}「{value}」{complaint}")
    if isinstance(value, bool):
        return value
    if fact.kind == "date":
        return date.fromisoformat(value)
    if fact.kind == "number":
        return _number(fact, value)
    return _text(fact.name, value)


def _number(fact: Fact, text: str) -> Decimal | int:
    try:
        number = Decimal(text)
        plain = decimal_text(number)
        if fact.unit == "万元":
            fen(number)
    except InvalidOperation:
        raise FactsError(f"{fact.name}「{text}」应为十进制数字") from None
    except ValueError as error:
        raise FactsError(f"{fact.name}：{error}") from None
    if fact.unit not in _WHOLE_UNITS:
        return number
    if "." in plain or len(plain) > 18:
        raise FactsError(f"{fact.name}「{text}」应为整数")
    return int(plain)


def _text(name: str, text: str) -> str:
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise FactsError(f"{name}含有不能保存的字符")
    return text


def _plain(stored: object) -> Scalar:
    """The one form of a column's value in a profile."""
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
