"""Lists of enterprises as workbooks: each with what was last decided on it."""

from collections.abc import Iterable, Sequence

from registry.kit import workbooks
from registry.kit.files import working_folder
from registry.record.finding import EnterpriseLine
from rules.model.catalogue import Tier


def workbook(lines: Iterable[EnterpriseLine], tiers: Sequence[Tier]) -> bytes:
    """The workbook of a list: an enterprise per row, two columns for each tier, and its former name."""
    header = ["统一社会信用代码", "企业名称", "所在地", "填报日期"]
    for tier in tiers:
        header += [tier.short, f"{tier.short}决定编号"]
    header.append("原名")
    with working_folder() as folder:
        path = folder / "list.xlsx"
        with workbooks.workbook(path) as book:
            sheet = book.sheet("企业", header, filtered=True)
            for line in lines:
                sheet.add(_row(line, tiers))
        return path.read_bytes()


def _row(line: EnterpriseLine, tiers: Sequence[Tier]) -> list[str | int]:
    decided = {d.tier: d for d in line.decisions}
    cells: list[str | int] = []
    for tier in tiers:
        found = decided.get(tier.name)
        earlier = "" if found is None or found.current else "（以前的填报）"
        cells += ["", ""] if found is None else [f"{found.outcome}{earlier}", found.seq]
    filed = line.filed.isoformat() if line.filed else "已撤销"
    return [line.uscc, line.name, line.place, filed, *cells, line.former]
