"""Filings in the making: combines what a file's sheets say about each enterprise."""

from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import date
from string import ascii_uppercase
from typing import Final, NamedTuple

from registry.filings import Issue, Severity, Submission
from registry.intake.cells import CellValue, plain
from registry.intake.identity import (
    CHECK_LICENCE,
    code_fault,
    code_of,
    name_fault,
    name_of,
    swapped,
)
from registry.judging.relations import check
from registry.kit import names, uscc
from rules.model.catalogue import Catalogue
from rules.model.facts import RecordList, Scalar
from rules.portable.errors import Remedy

NO_DATE: Final = "没有填报日期"
_VERIFIED: Final = "统一社会信用代码校验通过"
_ADMITTED: Final = "统一社会信用代码经登记认可"


class CellPlace(NamedTuple):
    """A cell of a sheet; its text is the form kept in ``Submission.sources``."""

    sheet: str
    cell: str = ""

    def __str__(self) -> str:
        return f"{self.sheet}!{self.cell}" if self.cell else self.sheet


class Log(list[Issue]):
    """The issues of one file, in reading order."""

    def add(
        self,
        severity: Severity,
        place: CellPlace,
        value: CellValue,
        message: str,
        expected: str = "",
        code: str = "",
        *,
        doubt: bool = False,
        remedy: Remedy | None = None,
    ) -> None:
        """Add an issue."""
        shown = plain(value)
        self.append(
            Issue(
                severity,
                place.sheet,
                place.cell,
                shown,
                message,
                expected,
                code,
                doubt,
                remedy=remedy,
            )
        )


@dataclass(kw_only=True)
class FilingDraft:
    """An enterprise's filing while it is read.

    ``stated`` has one entry per record column of a one-row table, and one for all title columns
    together; ``complete`` is the content of a 已报全 column. ``asked`` is what the columns of its
    tables ask for. Only code and name are known of an ``unread`` row.
    """

    uscc: str
    where: CellPlace
    name: str = ""
    name_at: CellPlace | None = None
    as_of: date | None = None
    declared: bool = False
    refused: bool = False
    unread: bool = False
    identity: dict[str, str] = field(default_factory=dict)
    values: dict[str, Scalar] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    items: defaultdict[str, list[dict[str, Scalar]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    asked: frozenset[object] = frozenset()
    stated: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    complete: dict[str, bool | None] = field(default_factory=dict)

    def put(self, key: str, value: Scalar, where: str) -> None:
        """Keep a fact and its source."""
        self.values[key] = value
        self.sources[key] = where

    def add(self, listing: str, item: dict[str, Scalar], where: str) -> None:
        """Keep a record and its source."""
        self.sources[f"{listing}#{len(self.items[listing])}"] = where
        self.items[listing].append(item)

    def submission(self) -> Submission:
        """The filing as read."""
        return Submission(
            uscc=self.uscc,
            name=self.name,
            as_of=self.as_of,
            identity=self.identity,
            values=self.values,
            records={name: found for name in self._lists() if (found := self._list(name))},
            sources=self.sources,
            where=str(self.where),
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

    def __init__(self, log: Log, catalogue: Catalogue, admitted: Container[str] = ()) -> None:
        """``admitted`` are codes that are valid although their check digit is wrong.

        ``tables`` counts those that contribute to the filings.
        """
        self.log = log
        self.catalogue = catalogue
        self.tables = 0
        self._admitted = admitted
        self._by_code: dict[str, FilingDraft] = {}
        self._odd: list[FilingDraft] = []

    def declare(
        self, code_cell: CellValue, name: CellValue, code: CellPlace, name_at: CellPlace
    ) -> FilingDraft:
        """The filing that a row opens; held back if its code is bad or repeated, or has no name."""
        text, given = code_of(code_cell), name_of(name)
        draft = FilingDraft(uscc=text, where=code, name=given, name_at=name_at, declared=True)
        mixed_up = swapped(text, given)
        if (fault := mixed_up or code_fault(code_cell, text, self._admitted)) is not None:
            early = fault[1] == CHECK_LICENCE and uscc.is_early(text)
            remedy = Remedy("admit-code", {"code": text}) if early else None
            self.log.add("错误", code, code_cell, *fault, text, remedy=remedy)
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
            other.name, other.name_at, other.where = draft.name, name_at, code
            other.declared = True
            other.refused |= draft.refused
            draft = other
        if not mixed_up and (fault := name_fault(name)) is not None:
            self.log.add("错误", name_at, name, *fault, text)
            draft.refused = True
        return draft

    def unread(self, where: CellPlace) -> None:
        """Hold back an entry that is entirely unreadable, even its owner."""
        self._odd.append(
            FilingDraft(uscc="", where=where, declared=True, refused=True, unread=True)
        )

    def known(self, code_cell: CellValue) -> FilingDraft | None:
        """The filing that a row of this file has opened for a code."""
        draft = self._by_code.get(uscc.tidy(plain(code_cell)))
        return draft if draft is not None and draft.declared else None

    def of(self, code_cell: CellValue, where: CellPlace) -> FilingDraft:
        """The filing to which a row of a further sheet adds."""
        text = code_of(code_cell)
        if text not in self._by_code:
            self._by_code[text] = FilingDraft(uscc=text, where=where)
        return self._by_code[text]

    def rows(self, sheet: str) -> set[int]:
        """The numbers of the rows of a sheet from which something is kept."""
        places = (
            place
            for draft in [*self._by_code.values(), *self._odd]
            for place in (str(draft.where), *draft.sources.values())
        )
        cells = (place.rpartition("!") for place in places)
        digits = (cell.lstrip(ascii_uppercase) for at, _, cell in cells if at == sheet)
        return {int(number) for number in digits if number.isdecimal()}

    def finish(self, as_of: date | None) -> tuple[tuple[Submission, ...], tuple[Submission, ...]]:
        """The good filings and those held back; ``as_of`` overrides the file's date."""
        self._override(as_of)
        good: list[Submission] = []
        held: list[Submission] = []
        for draft in [*self._by_code.values(), *self._odd]:
            if not draft.declared:
                said, expected = _undeclared(draft.uscc)
                self.log.add("错误", draft.where, draft.uscc, said, expected, draft.uscc)
                draft.refused = True
            if not draft.refused:
                self._verified(draft)
            found = draft.submission()
            amiss = list(check(found, self.catalogue))
            self.log.extend(amiss)
            contradicted = any(issue.severity == "错误" for issue in amiss)
            (held if contradicted or draft.refused else good).append(found)
        self._namesakes()
        self._undated()
        return tuple(good), tuple(held)

    def _verified(self, draft: FilingDraft) -> None:
        """Check an enterprise by what a good code itself tells."""
        early = draft.uscc in self._admitted and uscc.is_early(draft.uscc)
        if early:
            said = f"信用代码{draft.uscc}校验码不符，已按登记的认可接受"
            self.log.add("提示", draft.where, None, said, code=draft.uscc)
        if uscc.is_business(draft.uscc):
            draft.values.setdefault("registered_in_prc", True)
            draft.sources.setdefault("registered_in_prc", _ADMITTED if early else _VERIFIED)

    def _namesakes(self) -> None:
        """Report each name with two codes: one of them may be another enterprise's."""
        first: dict[str, FilingDraft] = {}
        for draft in self._by_code.values():
            if not draft.name or draft.name_at is None:
                continue
            other = first.setdefault(names.folded(draft.name), draft)
            if other is not draft:
                said = f"与{other.name_at}同名（{other.name}），但信用代码不同：{other.uscc}、{draft.uscc}"
                expected = "请核对是否重复填报、名称错行或代码有误"
                self.log.add(
                    "提示", draft.name_at, draft.name, said, expected, draft.uscc, doubt=True
                )

    def _undated(self) -> None:
        """Report once per file that a row lacks a filing date."""
        drafts = [*self._by_code.values(), *self._odd]
        found = [draft for draft in drafts if draft.declared and not draft.unread]
        without = [draft for draft in found if draft.as_of is None]
        if not without:
            return
        sheet = without[0].where.sheet
        said = NO_DATE
        if len(without) < len(found):
            said = f"{len(without)}家企业{NO_DATE}，第一家在{without[0].where}"
        expected = "请在表中写明「填报日期：2023年6月30日」"
        self.log.add("提示", CellPlace(sheet), None, said, expected, remedy=Remedy("give-day"))

    def _override(self, as_of: date | None) -> None:
        if as_of is None:
            return
        told: set[date] = set()
        for draft in [*self._by_code.values(), *self._odd]:
            if draft.as_of is not None and draft.as_of not in (as_of, *told):
                told.add(draft.as_of)
                said = f"文件写明的填报日期是{draft.as_of}，已按指定的{as_of}处理"
                self.log.add("提示", CellPlace(draft.where.sheet), draft.as_of, said)
            draft.as_of = as_of


def _undeclared(code: str) -> tuple[str, str]:
    """The message for rows about an enterprise without a row of its own."""
    if not uscc.is_early(code) and (fault := uscc.fault(code)) is not None:
        return f"统一社会信用代码{fault}", CHECK_LICENCE
    return "基本情况中没有这个统一社会信用代码", "请核对代码，或补上企业基本情况"
