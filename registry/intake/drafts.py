"""Filings in the making: what the sheets of one file say about each enterprise, brought together."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from registry import uscc
from registry.characters import REPLACEMENT
from registry.filings import Issue, Severity, Submission
from registry.intake.cells import GARBLED, CellValue, Unsaved, not_given, plain
from registry.intake.checks import check_dates, check_parts, check_titles
from rules.facts import RecordList, Scalar

NO_DATE: Final = "没有填报日期"
#: What is said of a row without a code.
NO_CODE: Final = ("没有统一社会信用代码", "请填写18位代码")
_VERIFIED: Final = "统一社会信用代码校验通过"


class Place(NamedTuple):
    """A cell of a sheet; as text, the form kept in ``Submission.sources``."""

    sheet: str
    cell: str = ""

    def __str__(self) -> str:
        return f"{self.sheet}!{self.cell}" if self.cell else self.sheet


class Log(list[Issue]):
    """Every issue of one file, in reading order."""

    def add(
        self,
        severity: Severity,
        place: Place,
        value: CellValue,
        message: str,
        expected: str = "",
        code: str = "",
    ) -> None:
        """Note one issue."""
        shown = plain(value)
        self.append(Issue(severity, place.sheet, place.cell, shown, message, expected, code))


@dataclass
class Draft:
    """One enterprise's filing while it is read.

    ``stated`` has one entry per record column of a one-row table, and one for all columns of titles
    together; ``complete`` is what a 已报全 column says.
    """

    uscc: str
    where: Place
    name: str = ""
    as_of: date | None = None
    declared: bool = False
    refused: bool = False
    identity: dict[str, str] = field(default_factory=dict)
    values: dict[str, Scalar] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    items: defaultdict[str, list[dict[str, Scalar]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    stated: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    complete: dict[str, bool | None] = field(default_factory=dict)

    def put(self, key: str, value: Scalar, where: str) -> None:
        """Keep a fact and where it stands."""
        self.values[key] = value
        self.sources[key] = where

    def add(self, listing: str, item: dict[str, Scalar], where: str) -> None:
        """Keep a record and where it stands."""
        self.sources[f"{listing}#{len(self.items[listing])}"] = where
        self.items[listing].append(item)

    def submission(self) -> Submission:
        """The filing as read."""
        return Submission(
            self.uscc,
            self.name,
            self.as_of,
            self.identity,
            self.values,
            {name: found for name in self._lists() if (found := self._list(name))},
            self.sources,
            str(self.where),
        )

    def _lists(self) -> list[str]:
        return sorted(self.items.keys() | self.stated.keys() | self.complete.keys())

    def _list(self, name: str) -> RecordList | None:
        items = tuple(self.items.get(name, ()))
        if name in self.complete:
            return RecordList(items, self.complete[name])
        stated = self.stated.get(name, [])
        if stated and all(stated):
            return RecordList(items, True)
        return RecordList(items) if items or any(stated) else None


class Drafts:
    """The filings of one file in order of appearance, one per code."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._by_code: dict[str, Draft] = {}
        self._odd: list[Draft] = []

    def declare(self, code_cell: CellValue, name: CellValue, code: Place, name_at: Place) -> Draft:
        """The filing that a row opens; a bad or repeated code, or no name, holds it back."""
        text = "" if isinstance(code_cell, Unsaved) else uscc.tidy(plain(code_cell))
        draft = Draft(text, code, "" if not_given(name) else plain(name), declared=True)
        if (fault := _fault(code_cell, text)) is not None:
            self.log.add("错误", code, code_cell, *fault, text)
            draft.refused = True
        other = self._by_code.get(text)
        if not text:
            self._odd.append(draft)
        elif other is None:
            self._by_code[text] = draft
        elif other.declared:
            said = f"统一社会信用代码与{other.where}重复"
            self.log.add("错误", code, code_cell, said, "同一企业只填一行，请删去或更正其一", text)
            other.refused = draft.refused = True
            self._odd.append(draft)
        else:
            other.name, other.where, other.declared = draft.name, code, True
            other.refused |= draft.refused
            draft = other
        if not draft.name:
            fault = lacking(name, "没有企业名称", "请填写企业全称")
            self.log.add("错误", name_at, name, *fault, text)
            draft.refused = True
        elif REPLACEMENT in draft.name:
            self.log.add("错误", name_at, name, f"企业名称{GARBLED[0]}", GARBLED[1], text)
            draft.refused = True
        return draft

    def of(self, code_cell: CellValue, where: Place) -> Draft:
        """The filing that a row of a further sheet adds to."""
        text = uscc.tidy(plain(code_cell))
        if text not in self._by_code:
            self._by_code[text] = Draft(text, where)
        return self._by_code[text]

    def finish(self, as_of: date | None) -> tuple[tuple[Submission, ...], tuple[Submission, ...]]:
        """The good filings and those held back; ``as_of`` overrides what the file says."""
        self._override(as_of)
        good: list[Submission] = []
        held: list[Submission] = []
        for draft in [*self._by_code.values(), *self._odd]:
            if not draft.declared:
                said, expected = (
                    "基本情况中没有这个统一社会信用代码",
                    "请核对代码，或补上企业基本情况",
                )
                self.log.add("错误", draft.where, draft.uscc, said, expected, draft.uscc)
                draft.refused = True
            if not draft.refused and uscc.is_business(draft.uscc):
                draft.values.setdefault("registered_in_prc", True)
                draft.sources.setdefault("registered_in_prc", _VERIFIED)
            found = draft.submission()
            self.log.extend(check_dates(found))
            amiss = [*check_parts(found), *check_titles(found)]
            self.log.extend(amiss)
            (held if amiss or draft.refused else good).append(found)
        self._undated([*good, *held])
        return tuple(good), tuple(held)

    def _undated(self, found: list[Submission]) -> None:
        """Say once for the whole file that a filing date is wanted."""
        without = [s for s in found if s.as_of is None]
        if not without:
            return
        sheet = without[0].where.rpartition("!")[0]
        said = NO_DATE
        if len(without) < len(found):
            said = f"{len(without)}家企业{NO_DATE}，第一家在{without[0].where}"
        expected = "在表中写明「填报日期：2023年6月30日」，或用 --as-of 2023-06-30 给出"
        self.log.add("提示", Place(sheet), None, said, expected)

    def _override(self, as_of: date | None) -> None:
        if as_of is None:
            return
        told: set[date] = set()
        for draft in self._by_code.values():
            if draft.as_of is not None and draft.as_of not in (as_of, *told):
                told.add(draft.as_of)
                said = f"文件写明的填报日期是{draft.as_of}，已按指定的{as_of}处理"
                self.log.add("提示", Place(draft.where.sheet), draft.as_of, said)
            draft.as_of = as_of


def lacking(cell: CellValue, said: str, expected: str) -> tuple[str, str]:
    """What to say of a cell that gives nothing; a formula may well have meant something."""
    return Unsaved.SAID if isinstance(cell, Unsaved) else (said, expected)


def _fault(cell: CellValue, code: str) -> tuple[str, str] | None:
    if not code:
        return lacking(cell, *NO_CODE)
    if not isinstance(cell, str):
        return "统一社会信用代码存成了数字，后几位已失真", "请把单元格设为文本后重新录入18位代码"
    if (fault := uscc.fault(code)) is None:
        return None
    return f"统一社会信用代码{fault}", "请核对营业执照上的18位代码"
