"""The results of intake: filings of enterprises, and the issues found in reading them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from string import ascii_uppercase
from typing import Final, Literal, NamedTuple, TypeAlias

from rules.model.characters import clipped
from rules.model.facts import Fact, Profile, RecordList, Scalar
from rules.portable.errors import Remedy, Words

Severity: TypeAlias = Literal["提示", "错误"]

#: The columns of ``registry.database.models.Enterprise`` that a table can fill, besides code and name.
IDENTITY: Final = (
    Fact("province", "省份", "text"),
    Fact("city", "城市", "text"),
    Fact("county", "区县", "text"),
    Fact("registered_on", "注册时间", "date"),
    Fact("registered_capital", "注册资本", "number", "万元"),
    Fact("legal_representative", "法定代表人", "text"),
    Fact("controlling_shareholder", "控股股东", "text"),
    Fact("actual_controller", "实际控制人", "text"),
    Fact("size", "企业规模", "text"),
    Fact("enterprise_type", "企业类型", "text"),
    Fact("listing", "上市情况", "text"),
    Fact("leading_product", "主导产品名称", "text"),
    Fact("segment", "主导产品所属细分市场", "text"),
)


@dataclass(frozen=True)
class Issue:
    """An issue in a file.

    A 提示 (an unreadable cell is stored as unknown) does not hold its row back; a 错误 does. ``doubt``
    marks a 提示 about a figure that was read and stands as filed, although it can hardly be true.
    ``facts`` are the keys of the values and records concerned; none means the whole filing.
    ``remedy`` is what else may be done; each face words it.
    """

    severity: Severity
    sheet: str
    cell: str
    value: str
    message: str
    expected: str = ""
    uscc: str = ""
    doubt: bool = False
    facts: tuple[str, ...] = ()
    remedy: Remedy | None = None

    def worded(self, words: Words) -> "Issue":
        """The issue with its remedy worded by a face, as part of what to do."""
        if self.remedy is None or not (said := words(self.remedy)):
            return self
        return replace(self, expected="，".join(filter(None, (self.expected, said))), remedy=None)

    @property
    def where(self) -> str:
        """Sheet and cell, or a source that has neither."""
        return f"{self.sheet}!{self.cell}" if self.sheet and self.cell else self.sheet or self.cell

    @property
    def said(self) -> str:
        """The fault and what to do, without the place."""
        return f"{self.message}{self.expected and '，' + self.expected}"

    def __str__(self) -> str:
        shown = f"「{clipped(self.value)}」" if self.value else ""
        return f"{self.severity} {self.where}{shown}：{self.said}"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """An enterprise's filing as read from a file, keyed as in ``rules.model.facts.Profile``.

    ``identity`` describes the enterprise but decides nothing (``IDENTITY``); ``where`` is the
    source row.
    """

    uscc: str
    name: str
    as_of: date | None
    identity: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Scalar] = field(default_factory=dict)
    records: Mapping[str, RecordList] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    where: str = ""

    def profile(self, as_of: date) -> Profile:
        """The facts of this filing as of a day."""
        return Profile(as_of, self.values, self.records, self.sources)


class Heading(NamedTuple):
    """A column's heading as it is, which may be ``understood`` and yet not ``read``.

    ``levels`` are the stacked headings that make it up, if there are several.
    """

    sheet: str
    letter: str
    row: int
    text: str
    understood: bool = True
    read: bool = True
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileReading:
    """Everything read from one file: good submissions, and all issues in one list.

    A submission with a 错误 is in ``refused``, not in ``submissions``. ``digest`` is the SHA-256 of
    the file's bytes. ``headings`` are those of all tables that were read.
    """

    file: str
    digest: str
    submissions: tuple[Submission, ...]
    refused: tuple[Submission, ...]
    issues: tuple[Issue, ...]
    headings: tuple[Heading, ...] = ()

    @property
    def errors(self) -> list[Issue]:
        """The issues that hold rows back."""
        return [i for i in self.issues if i.severity == "错误"]

    def reasons(self, refused: Submission) -> str:
        """Why a submission was refused: the errors for its code or, without one, for its place."""
        return "；".join(map(str, self._errors.get(refused.uscc or refused.where, ())))

    @cached_property
    def _errors(self) -> Mapping[str, Sequence[Issue]]:
        found: defaultdict[str, list[Issue]] = defaultdict(list)
        for error in self.errors:
            found[error.uscc or error.where].append(error)
        return found

    def named(self, issue: Issue) -> str:
        """The name of the enterprise that an issue is about; empty if there is none, or it is unknown."""
        return self._names.get(issue.uscc) or self._names.get(_row(issue.sheet, issue.cell), "")

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """The names of enterprises by credit code and by row."""
        found: dict[str, str] = {}
        for filed in (*self.submissions, *self.refused):
            sheet, _, cell = filed.where.rpartition("!")
            found[_row(sheet, cell)] = filed.name
            if filed.uscc:
                found.setdefault(filed.uscc, filed.name)
        return found

    @property
    def doubts(self) -> list[Issue]:
        """The issues about figures that stand as filed, although they can hardly be true."""
        return [i for i in self.issues if i.doubt]


def _row(sheet: str, cell: str) -> str:
    return f"{sheet}!{cell.lstrip(ascii_uppercase)}"
