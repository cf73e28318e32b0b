"""Lists of enterprises as workbooks: each with what was last decided on it."""

from collections.abc import Iterable

from registry.kit import workbooks
from registry.kit.files import working_folder
from registry.record.finding import EnterpriseLine
from registry.reports.verdicts import SHORT


def workbook(lines: Iterable[EnterpriseLine]) -> bytes:
    """The workbook of a list: an enterprise per row, and two columns for each tier."""
    header = ["统一社会信用代码", "企业名称", "所在地", "填报日期"]
    for short in SHORT.values():
        header += [short, f"{short}决定编号"]
    with working_folder() as folder:
        path = folder / "list.xlsx"
        with workbooks.workbook(path) as book:
            sheet = book.sheet("企业", header, filtered=True)
            for line in lines:
                sheet.add(_row(line))
        return path.read_bytes()


def _row(line: EnterpriseLine) -> list[str | int]:
    decided = {d.tier: d for d in line.decisions}
    cells: list[str | int] = []
    for tier in SHORT:
        found = decided.get(tier)
        earlier = "" if found is None or found.current else "（以前的填报）"
        cells += ["", ""] if found is None else [f"{found.outcome}{earlier}", found.seq]
    filed = line.filed.isoformat() if line.filed else "已撤销"
    return [line.uscc, line.name, line.place, filed, *cells]
