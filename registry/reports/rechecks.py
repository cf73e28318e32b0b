"""Re-checks of a day: as lines of a table, a workbook, and plain JSON values."""

from pathlib import Path
from typing import Any, Final

from registry.kit import workbooks
from registry.kit.jsontext import fields_of
from registry.record.rechecks import APPLIED, OPEN, Applied, Holder, Judged, Lost, Miss, Rechecks
from registry.reports.dues import recorded
from rules.portable.clocks import LOST
from rules.portable.timing import NEAR, OVERDUE

HEADER: Final = (
    "企业名称", "统一社会信用代码", "地区", "层级", "情形", "最后一日", "依据", "申报", "失去资格的原因",
    "按标准", "未达到的条件", "缺少", "适用", "原名",
)  # fmt: skip
#: How holders stand, in the order in which they are counted.
STANDINGS: Final = (OVERDUE, NEAR, OPEN, APPLIED, LOST)


def row(holder: Holder, judged: Judged | None) -> tuple[str, ...]:
    """A holder as the columns of ``HEADER``; the four on the verdict are empty without one."""
    line = holder.line
    found = judged or Judged(outcome="")
    return (
        line.name,
        line.uscc,
        line.place,
        line.tier,
        holder.standing,
        str(line.due or ""),
        f"{line.basis}（{line.clocks}）" if line.basis else line.clocks,
        applied(holder.applied),
        "；".join(map(lost, holder.lost)),
        found.outcome,
        "；".join(map(miss, found.misses)),
        "；".join((*found.missing, *filter(None, (found.note,)))),
        found.ruleset,
        line.former,
    )


def applied(found: Applied | None) -> str:
    """An application in words; empty for none."""
    if found is None:
        return ""
    until = f"，最迟{found.due}" if found.due else ""
    late = recorded(found.day, found.recorded)
    return f"第{found.seq}号，{found.day}申报{late}，{found.state}{until}"


def lost(why: Lost) -> str:
    """Why the right is lost, in words."""
    papers = f"，{why.document}" if why.document else ""
    return (
        f"{why.matter}{why.subject}（最迟{why.due}，{why.basis}，{why.clocks}），"
        f"{why.day}决定{recorded(why.day, why.recorded)}（第{why.seq}号{papers}）"
    )


def miss(found: Miss) -> str:
    """A requirement that is not met, in words."""
    said = (found.requirement, f"实为{found.value}", found.distance)
    return f"{found.rule} {'，'.join(filter(None, said))}"


def plain(found: Rechecks) -> dict[str, Any]:
    """The same as plain JSON values."""
    asked = found.asked
    return {
        "day": asked.day.isoformat(),
        "batch": asked.batch,
        "counts": [
            {"tier": tier, "standing": standing, "count": number}
            for (tier, standing), number in found.counts.items()
        ],
        "holders": [
            {
                **fields_of(holder.line),
                "standing": holder.standing,
                "procedure": holder.procedure,
                "applied": holder.applied,
                "lost": holder.lost,
                "judged": found.judged.get(holder.key),
            }
            for holder in found.holders
        ],
    }


def write_workbook(found: Rechecks, path: Path) -> None:
    """Write a workbook: a line for each holder."""
    with workbooks.workbook(path) as book:
        rows = (row(holder, found.judged.get(holder.key)) for holder in found.holders)
        book.sheet(f"{found.asked.day}复核", list(HEADER), rows=rows)
