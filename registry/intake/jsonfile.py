"""Filings as JSON: a list of {uscc, name, as_of, identity, values, records}, in base units."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NoReturn

from registry.errors import RegistryError
from registry.filings import IDENTITY
from registry.intake.cells import MONEY, CellValue, Percent, plain, read_date, read_fact
from registry.intake.drafts import CellPlace, Drafts, FilingDraft
from registry.intake.files.sheets import decode
from registry.intake.tables.mapping import AS_OF
from registry.kit.characters import LONGEST, visible
from rules.errors import FactsError
from rules.model.facts import Fact, Scalar, yearly_key

_KEYS: Final = ("uscc", "name", "as_of", "identity", "values", "records")


#: The bounds of a file, so that none exhausts memory: some ten thousand enterprises, each with
#: thousands of records. Use Parquet or CSV for more.
LARGEST: Final = 32 << 20
MOST_ENTRIES: Final = 50_000
LARGEST_ENTRY: Final = 4 << 20
#: Entry, records, a list, its items, one of them: anything deeper is not a filing.
DEEPEST: Final = 8
#: There are some hundred facts, each for three years.
MOST_KEYS: Final = 1_000
LONGEST_KEY: Final = 100
#: The digits of a number, and its largest exponent; amounts have up to fifteen digits.
MOST_DIGITS: Final = 40

_STRUCTURE: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_EXPONENT: Final = re.compile(r"[eE]([+-]?[0-9]+)")


def read(path: Path, drafts: Drafts) -> None:
    """Read the filings of a JSON file; numbers are taken digit by digit, never as floats.

    Amounts are in yuan and ratios plain numbers (or 18%). Keys are ids or names of the catalogue,
    yearly ones with ``@year``.
    """
    if path.stat().st_size > LARGEST:
        raise RegistryError(
            "too-large-json",
            "{where}：超过{expected}MB，请分成几个文件，或改用 Parquet 或 CSV 的文件夹",
            where=path.name,
            expected=LARGEST >> 20,
        )
    number = 0
    try:
        for number, entry in enumerate(_entries(decode(path))):
            _Entry(path.name, f"[{number}]", drafts).read(entry)
    except (json.JSONDecodeError, RecursionError) as error:
        raise _refused(path, "broken-json", "不是完整的 JSON") from error
    except _UnfitError as error:
        raise _refused(path, error.slug, error.pattern, **error.fields) from error


def _refused(path: Path, slug: str, pattern: str, **fields: Any) -> RegistryError:
    return RegistryError(
        slug, "{where}：" + pattern + "，请重新导出后再试", where=path.name, **fields
    )


def _entries(text: str) -> Iterator[Any]:
    """The entries of a JSON list, one at a time; each is checked before it is built."""
    at = _after_blank(text, 0)
    if not text.startswith("[", at):
        if text.startswith("{", at):
            raise _UnfitError("no-json-list", "最外层应为企业的列表")
        raise json.JSONDecodeError("no list", "", at)
    at, number = _after_blank(text, at + 1), 0
    if not text.startswith("]", at):
        while True:
            if number == MOST_ENTRIES:
                raise _UnfitError(
                    "too-many-entries",
                    "超过{expected}家企业，须分成几个文件",
                    expected=MOST_ENTRIES,
                )
            _look_at(text, at, number)
            try:
                entry, at = _DECODER.raw_decode(text, at)
            except _UnfitError as error:
                raise _UnfitError(
                    error.slug, "[{entry}] 中" + error.pattern, entry=number, **error.fields
                ) from None
            yield entry
            at, number = _after_blank(text, at), number + 1
            if not text.startswith(",", at):
                break
            at = _after_blank(text, at + 1)
    if text[at : at + 1] != "]" or _after_blank(text, at + 1) != len(text):
        raise json.JSONDecodeError("list not closed", "", at)


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found is not None
    return found.end()


def _look_at(text: str, start: int, number: int) -> None:
    """Refuse an entry that is too deep, too large or has too long a text, before it is built."""
    if text[start : start + 1] not in ("[", "{", '"'):
        return
    depth = 0
    for found in _STRUCTURE.finditer(text, start):
        sign = found[0][0]
        if found.end() - start > LARGEST_ENTRY:
            raise _UnfitError(
                "too-large-entry",
                "[{entry}] 超过{expected}MB",
                entry=number,
                expected=LARGEST_ENTRY >> 20,
            )
        if sign == '"' and found.end() - found.start() > LONGEST + 2:
            raise _UnfitError(
                "too-long-text",
                "[{entry}] 中有超过{expected}个字的文字",
                entry=number,
                expected=LONGEST,
            )
        depth += (sign in "[{") - (sign in "]}")
        if depth > DEEPEST:
            raise _UnfitError(
                "too-deep-entry", "[{entry}] 的层次超过{expected}层", entry=number, expected=DEEPEST
            )
        if depth <= 0:
            return
    raise json.JSONDecodeError("entry not closed", "", start)


class _Absurd(str):
    """A number, as it is written, that no filing can state."""


def _number(text: str) -> Decimal | _Absurd:
    exponent = _EXPONENT.search(text)
    shifted = exponent is not None and (len(exponent[1]) > 4 or abs(int(exponent[1])) > MOST_DIGITS)
    return _Absurd(text[:MOST_DIGITS]) if shifted or len(text) > MOST_DIGITS else Decimal(text)


def _absurd(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The places of such numbers in an entry."""
    if isinstance(value, _Absurd):
        yield path, str(value)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _absurd(part, f"{path}.{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _absurd(part, f"{path}[{number}]")


class _UnfitError(RegistryError):
    """JSON that is beyond the bounds or ambiguous; does not name its file yet."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_KEYS:
        raise _UnfitError("too-many-keys", "一个对象的键超过{expected}个", expected=MOST_KEYS)
    for key, _ in pairs:
        if len(key) > LONGEST_KEY:
            raise _UnfitError(
                "too-long-key",
                "键「{value}…」超过{expected}个字",
                value=plain(key[:20]),
                expected=LONGEST_KEY,
            )
    found = {plain(key): value for key, value in pairs}
    if len(found) != len(pairs):
        twice = next(
            key for key, count in Counter(plain(key) for key, _ in pairs).items() if count > 1
        )
        raise _UnfitError("repeated-key", "同一对象里有两个「{value}」", value=twice)
    return found


def _no_constant(text: str) -> NoReturn:
    raise _UnfitError("no-number", "{value} 不是数字", value=text)


_DECODER: Final = json.JSONDecoder(
    parse_float=_number,
    parse_int=_number,
    parse_constant=_no_constant,
    object_pairs_hook=_once,
)


class _Entry:
    def __init__(self, file: str, path: str, drafts: Drafts) -> None:
        self._file = file
        self._path = path
        self._drafts = drafts

    def read(self, entry: Any) -> None:
        if not isinstance(entry, dict):
            self._log("", None, "应为一个对象", "请对照说明核对文件结构", error=True)
            self._drafts.unread(self._place(""))
            return
        self._draft = self._drafts.declare(
            _cell(entry.get("uscc")), _cell(entry.get("name")),
            self._place(".uscc"), self._place(".name"),
        )  # fmt: skip
        for path, text in _absurd(entry):
            self._log(
                path, text, "数字过大、过小或位数过多", f"应不超过{MOST_DIGITS}位", error=True
            )
            self._draft.refused = self._draft.unread = True
        if self._draft.unread:  # nothing else in it is trusted
            return
        for key in entry.keys() - set(_KEYS):
            self._log(f".{key}", None, "不认识的键，未读取", f"应为{'、'.join(_KEYS)}之一")
        if entry.get("as_of") is not None:
            found = read_date(_cell(entry["as_of"]))
            if isinstance(found.value, str):
                self._draft.as_of = date.fromisoformat(found.value)
            else:
                self._log(".as_of", entry["as_of"], found.said(AS_OF), found.expected)
        known = {f.id: f for f in IDENTITY}
        for key, value in self._object(entry, "identity").items():
            if key not in known:
                self._log(
                    f".identity.{key}", value, "不认识的键，未读取", f"应为{'、'.join(known)}之一"
                )
            elif (one := self._value(known[key], value, f".identity.{key}")) is not None:
                self._draft.identity[key] = str(one)
        for key, value in self._object(entry, "values").items():
            self._fact(key, value)
        for key, value in self._object(entry, "records").items():
            self._list(key, value)

    def _fact(self, key: str, value: Any) -> None:
        path = f".values.{key}"
        name, _, year = key.partition("@")
        try:
            found = self._drafts.catalogue.fact(name)
        except FactsError as error:
            self._log(path, value, "不认识的填报项，未读取", str(error))
            return
        if found.yearly != (year.isdecimal() and len(year) == 4):
            expected = f"应为 {found.id}@2022 的样子" if found.yearly else f"应为 {found.id}"
            self._log(path, value, "年份与填报项不符，未读取", expected)
            return
        one = self._value(found, value, path)
        if one is not None:
            at = yearly_key(found.id, int(year)) if year else found.id
            self._draft.put(at, one, str(self._place(path)))

    def _list(self, key: str, value: Any) -> None:
        path = f".records.{key}"
        try:
            kind = self._drafts.catalogue.record_kind(key)
        except FactsError as error:
            self._log(path, None, "不认识的清单，未读取", str(error))
            return
        complete = value.get("complete") if isinstance(value, dict) else None
        items = value.get("items", []) if isinstance(value, dict) else value
        if not isinstance(items, list) or not (complete is None or isinstance(complete, bool)):
            self._log(path, None, "清单结构不符，未读取", '应为 {"complete": true, "items": […]}')
            return
        self._draft.complete[kind.id] = complete
        for number, item in enumerate(items):
            here = f"{path}[{number}]"
            record: dict[str, Scalar] = {}
            for name, cell in (item if isinstance(item, dict) else {"": item}).items():
                own = kind.field(name)
                if own is None:
                    self._log(f"{here}.{name}", cell, f"不是{kind.name}清单的字段，未读取")
                elif (one := self._value(own, cell, f"{here}.{name}")) is not None:
                    record[own.id] = one
            self._draft.add(kind.id, record, str(self._place(here)))

    def _object(self, entry: dict[str, Any], key: str) -> dict[str, Any]:
        found = entry.get(key)
        if isinstance(found, dict):
            return found
        if found is not None:
            self._log(f".{key}", None, "应为一个对象，未读取", "请对照说明核对文件结构")
        return {}

    def _value(self, one: Fact, value: Any, path: str) -> Scalar | None:
        unit = "元" if one.unit in MONEY else ""
        cell = _cell(value)
        if one.unit == "%" and (ratio := _ratio(cell)) is not None:
            cell = Percent(ratio)
        parsed = read_fact(one, cell, unit)
        if parsed.notice:
            self._log(path, value, parsed.said(one.name), parsed.expected)
        return parsed.value

    def _place(self, path: str) -> CellPlace:
        return CellPlace(self._file, self._path + path)

    def _log(
        self, path: str, value: Any, message: str, expected: str = "", *, error: bool = False
    ) -> None:
        draft: FilingDraft | None = getattr(self, "_draft", None)
        self._drafts.log.add(
            "错误" if error else "提示", self._place(path), _cell(value), message, expected,
            draft.uscc if draft else "",
        )  # fmt: skip


def _ratio(value: CellValue) -> Decimal | None:
    """A ratio in base units: a bare number in JSON is never ambiguous."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,30})?", value):
        return Decimal(value)
    return value if isinstance(value, Decimal) else None


def _cell(value: Any) -> CellValue:
    """A JSON scalar as a cell; anything nested becomes its text, which no reader accepts."""
    if isinstance(value, str):
        return visible(value)
    if value is None or isinstance(value, (bool, Decimal)):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)[:LONGEST_KEY]
