"""Forms of one enterprise: headings in a column, with the answers to their right."""

import re
from collections.abc import Sequence
from typing import Final

from openpyxl.utils import get_column_letter

from registry.intake.cells import not_given, plain, squeeze
from registry.intake.files.sheets import Row
from registry.intake.tables.headers import Header
from registry.intake.tables.mapping import CODE, HeaderMapping
from registry.intake.tables.rowkinds import good_code

#: What to do with a form.
FORM_REMEDY: Final = "请改成每家企业一行的表（复制后选择性粘贴，勾选“转置”），或把内容填入填报模板"
_CELL: Final = re.compile(rf"{CODE}[^0-9A-Za-z]{{0,6}}[0-9A-Z]{{18}}")


def one_form(rows: Sequence[Row], headings: HeaderMapping) -> str:
    """The message for a sheet with a credit code right of its heading; else empty."""
    for number, row in enumerate(rows, 1):
        given = [(i, cell) for i, cell in enumerate(row) if not not_given(cell)]
        for n, (index, cell) in enumerate(given):
            text = plain(cell) if isinstance(cell, str) else ""
            follows = n + 1 < len(given) and good_code(given[n + 1][1])
            if _CELL.search(squeeze(text)) or (follows and _names_codes(text, headings)):
                place = f"{get_column_letter(index + 1)}{number}"
                said = f"{place}的{CODE}写在标题的同一行，像是一家企业的申请表或横排的表，不是每家企业一行"
                return f"{said}，整张工作表未读取"
    return ""


def is_form(header: Header, rows: Sequence[Row], headings: HeaderMapping) -> bool:
    """Whether a supposed heading row is a line of a form."""
    return one_form(rows[header.first - 1 : header.row], headings) != ""


def _names_codes(text: str, headings: HeaderMapping) -> bool:
    found = headings.resolve(text) if text else None
    return found is not None and found.target.role == "uscc"
