"""The officer's own workbook with its cells marked: each fault is shown where it is mended.

Nothing of the workbook changes but this: marked cells get a comment and a colour that lies over
their own format, and a sheet lists all issues. Earlier marks are removed first.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from registry.errors import RegistryError
from registry.filings import FileReading, Issue
from registry.intake.cells import plain
from registry.intake.files import limits
from registry.intake.files.package import BROKEN, Package
from registry.intake.files.sheets import Row
from registry.intake.grouped import CELL
from registry.kit.characters import legible
from registry.kit.workbooks import save

_SHEET: Final = "问题"
_COLUMNS: Final = ("级别", "位置", "企业", "原文", "问题", "应为")
#: Who comments; comments of others stay.
_AUTHOR: Final = "梯度"
#: Always true, and by this the rule is found again.
_RULE: Final = f'LEN("{_AUTHOR}")={len(_AUTHOR)}'
_COLOURS: Final = {"错误": "FFF4B6B2", "提示": "FFFBE3A6"}
_WIDTHS: Final = (8, 20, 30, 28, 48, 40)
#: The most cells that are marked, the most lines that are listed, and the most characters said at a cell.
_MARKED: Final = 20_000
_LISTED: Final = 50_000
_SAID: Final = 1_000
#: The most bytes, unpacked, of a workbook that is held in memory as a whole.
_HELD: Final = 64 << 20
_MARKUP: Final = (".xml", ".rels")
#: What comes of a workbook that other programs open, and openpyxl does not.
_UNOPENED: Final = (*BROKEN, TypeError, AttributeError, IndexError, AssertionError)


def mark(source: Path, reading: FileReading, target: Path) -> None:
    """Write the workbook ``source`` with the issues of its reading marked.

    Raises ``RegistryError`` if the workbook is too large to be held, or cannot be written anew.
    """
    with _whole(source.name):
        _refuse(source)
        book = load_workbook(source, rich_text=True)
        placed: dict[str, dict[str, list[Issue]]] = defaultdict(lambda: defaultdict(list))
        for issue in reading.issues[:_MARKED]:
            if (match := CELL.fullmatch(issue.cell)) and match[1]:
                placed[issue.sheet][issue.cell].append(issue)
        for sheet in list(book.worksheets):
            if is_list(_top(sheet)):
                book.remove(sheet)
            else:
                _clear(sheet)
                _mark(sheet, placed.get(sheet.title, {}))
        _list(book, reading)
        save(book, target)


@contextmanager
def _whole(where: str) -> Iterator[None]:
    try:
        yield
    except _UNOPENED as error:
        raise RegistryError(
            "unmarkable-workbook", "{where}：不能在原表上标出，请看问题清单", where=where
        ) from error


def _refuse(source: Path) -> None:
    """Refuse a workbook with a part that is no plain markup, or that is too large as a whole."""
    held = 0
    with Package(source) as package:
        for part in package.beginning(""):
            if not part.endswith(_MARKUP):
                continue
            for _ in package.parse(part, lambda _tag, _given: None):
                pass
            held += package.size(part)
    if held > _HELD:
        raise RegistryError(
            "too-large-to-mark",
            "{where}：表太大（解开后超过{expected}兆字节），不能在原表上标出，请看问题清单",
            where=source.name,
            expected=_HELD >> 20,
        )


# -- marks -----------------------------------------------------------------------------------------


def _clear(sheet: Worksheet) -> None:
    """Remove earlier marks."""
    kept = ConditionalFormattingList()
    for formatting in sheet.conditional_formatting:
        for rule in formatting.rules:
            if rule.formula != [_RULE]:
                kept.add(str(formatting.sqref), rule)
    sheet.conditional_formatting = kept
    # whatever walks over rows would make each cell of a sheet that is nearly empty
    for cell in [*sheet._cells.values()]:
        if not isinstance(cell, MergedCell) and cell.comment and cell.comment.author == _AUTHOR:
            cell.comment = None


def _mark(sheet: Worksheet, issues: Mapping[str, Sequence[Issue]]) -> None:
    corners = {
        cell: f"{get_column_letter(merged.min_col)}{merged.min_row}"
        for merged in sheet.merged_cells.ranges
        for cell in issues
        if cell in merged
    }
    found: dict[str, list[Issue]] = defaultdict(list)
    for cell, own in issues.items():
        found[corners.get(cell, cell)] += own
    for severity, colour in _COLOURS.items():
        cells = [c for c, own in found.items() if _worst(own) == severity]
        if cells:
            fill = PatternFill(fill_type="solid", start_color=colour, end_color=colour)
            rule = Rule(type="expression", formula=[_RULE], dxf=DifferentialStyle(fill=fill))
            sheet.conditional_formatting.add(" ".join(_runs(cells)), rule)
    for name, own in found.items():
        marked: Any = sheet[name]
        if marked.comment is None:
            said = "\n".join(f"{i.severity}：{i.said}" for i in own)
            marked.comment = Comment(legible(said)[:_SAID], _AUTHOR, height=120, width=320)


def _worst(issues: Iterable[Issue]) -> str:
    return "错误" if any(i.severity == "错误" for i in issues) else "提示"


def _runs(cells: Iterable[str]) -> Iterator[str]:
    """Cells as ranges, those below each other in one: B3:B5 D4."""
    places = [CELL.fullmatch(cell) for cell in cells]
    ordered = sorted((column_index_from_string(p[1]), int(p[2]), p[1]) for p in places if p)
    start = 0
    for n, (_, row, letter) in enumerate(ordered):
        following = ordered[n + 1][1:] if n + 1 < len(ordered) else None
        if following != (row + 1, letter):
            first = ordered[start][1]
            yield f"{letter}{first}:{letter}{row}" if first < row else f"{letter}{row}"
            start = n + 1


# -- the list --------------------------------------------------------------------------------------


def _top(sheet: Any) -> list[Row]:
    return [*sheet.iter_rows(max_row=1, max_col=len(_COLUMNS) + 1, values_only=True)]


def is_list(top: Sequence[Row]) -> bool:
    """Whether these are the first rows of such a list: it is no table of the bureau's.

    >>> is_list([("级别", "位置", "企业", "原文", "问题", "应为", None)])
    True
    """
    return bool(top) and tuple(plain(cell) for cell in top[0] if cell is not None) == _COLUMNS


def _list(book: Workbook, reading: FileReading) -> None:
    issues = sorted(reading.issues, key=lambda issue: issue.severity != "错误")
    sheet = book.create_sheet(_SHEET)  # openpyxl finds another name where this one is taken
    sheet.freeze_panes = "A2"
    for number, (column, width) in enumerate(zip(_COLUMNS, _WIDTHS, strict=True), 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
        _put(sheet, 1, number, column).font = Font(bold=True)
    for row, issue in enumerate(issues[:_LISTED], 2):
        name = reading.named(issue) or issue.uscc
        texts = (issue.severity, issue.where, name, issue.value, issue.message, issue.expected)
        for number, text in enumerate(texts, 1):
            _put(sheet, row, number, text)
        if issue.sheet in book.sheetnames and CELL.fullmatch(issue.cell):
            _link(sheet, row, issue)
    if len(issues) > _LISTED:
        said = f"共{len(issues)}条，这里只列前{_LISTED}条"
        _put(sheet, _LISTED + 2, len(_COLUMNS) - 1, said)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(_COLUMNS))}{sheet.max_row}"


def _put(sheet: Worksheet, row: int, column: int, text: str) -> Any:
    """A cell of text that no spreadsheet takes for a formula."""
    cell: Any = sheet.cell(row, column)
    cell.value = legible(text)[: limits.CELL]
    cell.data_type = "s"
    return cell


def _link(sheet: Worksheet, row: int, issue: Issue) -> None:
    at = issue.cell if issue.cell[0].isalpha() else f"A{issue.cell}"
    quoted = issue.sheet.replace("'", "''")
    cell: Any = sheet.cell(row, 2)
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{quoted}'!{at}")
    cell.font = Font(color="0563C1", underline="single")
