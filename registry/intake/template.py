"""The workbook for enterprises to fill in, generated from the catalogue with all its facts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from registry.filings import IDENTITY
from registry.intake.tables.mapping import AS_OF, CODE, COMPLETE, NAME, YEAR
from registry.kit.workbooks import save
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact, RecordKind

GUIDE: Final = "填写说明"
BASIC: Final = "企业基本情况"
YEARLY: Final = "年度数据"
OPTIONS: Final = "选项"

_LAST_ROW: Final = 20_001
_FLAGS: Final = '"是,否"'
_HEAD: Final = PatternFill("solid", fgColor="DDEBF7")
_FORMATS: Final = {"date": "yyyy-mm-dd", "text": "@", "code": "@"}

_GUIDE: Final = (
    "优质中小企业梯度培育 填报模板",
    f"一、先在“{BASIC}”为每家企业填一行，再在其余工作表按统一社会信用代码逐年、逐项填写。",
    f"二、“{YEARLY}”每家企业每年一行，填审计报告的期末数；金额单位以表头为准。",
    "三、没有数据的单元格留空或写 未提供，不要写 0；写 0 或 无 表示确实没有。",
    "四、日期写到日，例如 2023-06-30；占比写百分号，例如 18%。",
    f"五、清单（知识产权等）填完后，在“{BASIC}”相应的“{COMPLETE}”列写 是；确实没有的，不填清单也写 是。",
    "六、标有（认定）的项目由审核人填写。表头可以调换次序，不要改名。",
)


@dataclass(frozen=True)
class _Column:
    """A column of the template: its heading, the kind of its cells, and its comment."""

    heading: str
    kind: str
    unit: str = ""
    codes: tuple[str, ...] = ()
    note: str = ""


def write_template(
    path: str | Path, catalogue: Catalogue, only: Collection[str] | None = None
) -> None:
    """Write the empty template; the filled one can contain every fact and record list.

    ``only`` limits it to these facts and lists, by id.
    """
    book = Workbook()
    guide = book.active
    assert guide is not None
    guide.title = GUIDE
    for line in _GUIDE:
        guide.append([line])
    guide.column_dimensions["A"].width = 110
    guide["A1"].font = Font(bold=True, size=14)
    options = book.create_sheet(OPTIONS)
    options.sheet_state = "hidden"
    facts = [f for f in catalogue.facts if only is None or f.id in only]
    lists = [r for r in catalogue.records if only is None or r.id in only]
    for title, columns in _sheets(facts, lists):
        _write(book.create_sheet(title, len(book.sheetnames) - 1), columns, options)
    save(book, Path(path))


def _sheets(
    facts: Sequence[Fact], lists: Sequence[RecordKind]
) -> Iterator[tuple[str, list[_Column]]]:
    key = [_Column(CODE, "text", note="18位"), _Column(NAME, "text", note="全称")]
    basic = [
        *(_column(f) for f in IDENTITY),
        *(_column(f) for f in facts if not f.yearly),
        *(
            _Column(r.name + COMPLETE, "flag", note=f"“{r.name}”工作表是否已列出全部")
            for r in lists
        ),
    ]
    yield BASIC, [*key, _Column(AS_OF, "date"), *basic]
    year = _Column(YEAR, "number", note="四位年份，例如 2022")
    yield YEARLY, [*key, year, *(_column(f) for f in facts if f.yearly)]
    for record in lists:
        yield record.name, [*key, *(_column(f) for f in record.fields)]


def _column(fact: Fact) -> _Column:
    found = "（认定）由审核人填写" if fact.origin == "认定" else ""
    share = "写百分号，例如 18%" if fact.unit == "%" else ""
    one_of = f"取值：{'、'.join(fact.codes)}" if fact.codes else ""
    proof = f"佐证：{fact.evidence}" if fact.evidence else ""
    note = "；".join(text for text in (found, fact.note, one_of, share, proof) if text)
    unit = f"（{fact.unit}）" if fact.unit and fact.unit != "%" else ""
    return _Column(fact.name + unit, fact.kind, fact.unit, fact.codes, note)


def _write(sheet: Worksheet, columns: Sequence[_Column], options: Worksheet) -> None:
    sheet.freeze_panes = "C2"
    for index, column in enumerate(columns, 1):
        letter = get_column_letter(index)
        cell = sheet.cell(1, index, column.heading)
        cell.font = Font(bold=True)
        cell.fill = _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        if column.note:
            cell.comment = Comment(column.note, "")
        dimension = sheet.column_dimensions[letter]
        dimension.width = max(12, min(24, 2 * len(column.heading) + 2))
        dimension.number_format = (
            "0.00##%" if column.unit == "%" else _FORMATS.get(column.kind, "General")
        )
        if choice := _choice(column, options):
            rule = DataValidation("list", formula1=choice, allow_blank=True)
            rule.errorTitle, rule.error = "请从下拉列表中选择", "可选内容见下拉列表"
            rule.add(f"{letter}2:{letter}{_LAST_ROW}")
            sheet.add_data_validation(rule)


def _choice(column: _Column, options: Worksheet) -> str:
    """A column's drop-down; codes are on the hidden sheet, because Excel limits inline lists."""
    if column.kind == "flag":
        return _FLAGS
    if not column.codes:
        return ""
    index = options.max_column + 1 if options["A1"].value else 1
    for row, text in enumerate((column.heading, *column.codes), 1):
        options.cell(row, index, text)
    letter = get_column_letter(index)
    return f"{OPTIONS}!${letter}$2:${letter}${len(column.codes) + 1}"
