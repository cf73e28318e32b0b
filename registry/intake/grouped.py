"""Groups issues of one kind in one column: sixty cells with one fault become one line."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from registry.filings import Heading, Issue

#: A cell or a row, as issues name it.
CELL: Final = re.compile(r"([A-Z]{0,3})([0-9]+)")
#: The parts that vary between notices of one kind: quotations, text after a colon, and numbers.
#: Places do not count as numbers: a notice that names another cell is of its own kind.
_OWN: Final = re.compile(r"「[^」]*」|：[^!]*$|(?<![0-9A-Z.])[0-9][0-9.,%-]*")
_INDEX: Final = re.compile(r"\[\d+\]")
#: The most places kept per group, and the most groups: a folder may have millions of issues.
_PLACES: Final = 200
_GROUPS: Final = 10_000
#: The most places shown for a 提示; a 错误 shows all, because they must be mended.
_FEW: Final = 3

_Kind: TypeAlias = tuple[str, str, str, str, str]


@dataclass(kw_only=True)
class Group:
    """Issues of one kind; ``column`` is common to all, ``places`` has the place of each.

    Issues with ``headings`` are side by side in a heading row, each with its text. Adjacent cells
    in a column are one place; places beyond ``_PLACES`` are only counted.
    """

    first: Issue
    column: str
    headings: bool = False
    count: int = 0
    places: list[str] = field(default_factory=list)
    _run: tuple[str, int, int] | None = None

    def add(self, issue: Issue) -> None:
        """Count one more issue."""
        self.count += 1
        match = CELL.fullmatch(issue.cell)
        if match and not self.headings and self._run and self._run[0] == match[1]:
            letter, start, end = self._run
            if int(match[2]) == end + 1:
                self._run = letter, start, end + 1
                self.places[-1] = f"{letter}{start}至{letter}{end + 1}"
                return
        self._run = None
        if len(self.places) < _PLACES:
            self.places.append(f"{issue.cell}「{issue.value}」" if self.headings else issue.cell)
            self._run = (match[1], int(match[2]), int(match[2])) if match else None

    def where(self, few: int = _PLACES) -> str:
        """The places, possibly shortened: X6至X20、X31等60格."""
        listed = "、".join(filter(None, self.places[:few]))
        whole = len(self.places) <= few and len(self.places) < _PLACES
        return listed if whole else f"{listed}等"

    def __str__(self) -> str:
        one = self.first
        if self.count == 1:
            return str(one)
        said = one.message + (one.expected and f"，{one.expected}")
        example = "" if self.headings or not one.value else f"，如{one.cell}「{one.value}」"
        all_told = self.headings or one.severity == "错误" or one.doubt
        places = self.where(_PLACES if all_told else _FEW)
        where = " ".join(filter(None, (one.sheet, self.column)))
        count = f"{self.count}{'列' if self.headings else '处'}"
        return f"{one.severity} {where} {count}{example}：{said}（{places}）"


class Groups:
    """Issues grouped as they come, in flat memory; ``headings`` name the columns."""

    def __init__(self, headings: Sequence[Heading] = ()) -> None:
        self._headings = {(h.sheet, h.letter): h.text for h in headings}
        self._rows = {(h.sheet, h.row) for h in headings}
        self._groups: dict[_Kind, Group] = {}

    def add(self, issues: Iterable[Issue]) -> None:
        """Count issues."""
        for issue in issues:
            kind, fresh = self._kind(issue)
            if kind not in self._groups and len(self._groups) >= _GROUPS:
                kind, fresh = (
                    (issue.severity, "", "", "", ""),
                    Group(first=issue, column="等，其余各种问题"),
                )
            self._groups.setdefault(kind, fresh).add(issue)

    def __iter__(self) -> Iterator[Group]:
        """The groups: errors first, then doubts, then those with most cells."""
        return iter(sorted(self._groups.values(), key=_urgency))

    def __len__(self) -> int:
        return len(self._groups)

    def _kind(self, issue: Issue) -> tuple[_Kind, Group]:
        """The key that makes an issue similar to others, and a group for them."""
        said, wanted = issue.message, issue.expected
        if issue.severity != "错误":  # an error's own words are needed to mend its cell
            said, wanted = _OWN.sub("", said), _OWN.sub("", wanted)
        match = CELL.fullmatch(issue.cell)
        if match and (issue.sheet, int(match[2])) in self._rows:
            key = issue.severity, issue.sheet, match[2], said, wanted
            return key, Group(first=issue, column=f"第{match[2]}行表头", headings=True)
        letter = match[1] if match else _INDEX.sub("", issue.cell)
        heading = self._headings.get((issue.sheet, letter), "")
        column = f"{letter}列" if match and letter else letter
        group = Group(first=issue, column=f"{column}「{heading}」" if heading else column)
        return (issue.severity, issue.sheet, letter, said, wanted), group


def _urgency(group: Group) -> tuple[bool, bool, int]:
    return group.first.severity != "错误", not group.first.doubt, -group.count


def grouped(issues: Iterable[Issue], headings: Sequence[Heading] = ()) -> Groups:
    """The issues of a reading by kind and column."""
    found = Groups(headings)
    found.add(issues)
    return found
