"""``tidu recheck``: whose titles are to be re-checked on a day, and who would not pass."""

from collections import Counter
from datetime import date
from pathlib import Path

import click

from registry.cli.common import (
    DayParam,
    TierParam,
    batch_option,
    command,
    console,
    desk,
    jobs_option,
    json_option,
    output_option,
    print_json,
)
from registry.desk import finding, rechecks
from registry.desk.rechecks import MOST, Rechecks
from registry.kit.names import present
from registry.kit.screens import hanging, listing

_SHOWN = ("企业名称", "层级", "情形", "最后一日", "按标准")


@command("recheck")
@click.option("--on", "day", type=DayParam(), help="哪一日的情形；默认今天（北京时间）。")
@click.option("--tier", type=TierParam(), help="只列此层级的称号。")
@click.option(
    "--place", default="", metavar="地区", help="只列此地区（及以下）的企业：名称或代码。"
)
@click.option("--round", "named", default="", metavar="轮次", help="此轮次的：名称或编号。")
@batch_option
@output_option(".xlsx", help="把名单写入此工作簿（xlsx）。", replaced=True)
@jobs_option
@json_option
def recheck(
    day: date | None,
    tier: str | None,
    place: str,
    named: str,
    batch: str,
    output: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """列出某日的复核名单：谁该申报、谁已申报、谁失去资格和原因，谁按标准通不过、差在哪里、缺什么。

    标准是当日适用于复核的，与 tidu check --procedure 复核 --as-of 的结论相同；结果不是决定，不写入登记库。
    """
    with desk() as at:
        asked = rechecks.Asked(
            day=day or at.today, tier=tier or "", place=finding.region(place) if place else "", round=named,
            batch=batch,
        )  # fmt: skip
        limit = MOST if output is None and not as_json else None
        found = rechecks.judge(at, rechecks.find(at, asked, limit=limit), jobs=jobs)
    _show(found, output, as_json)


def _show(found: Rechecks, output: Path | None, as_json: bool) -> None:
    from registry.reports import rechecks as report  # only files need what writes them

    if output is not None:
        report.write_workbook(found, output)
    if as_json:
        print_json(report.plain(found))
        return
    if output is not None:
        click.echo(f"{len(found.holders)}家已写入 {output}")
        return
    places = [report.HEADER.index(name) for name in _SHOWN[1:]]
    rows, told = [], []
    for holder in found.holders:
        cells = report.row(holder, found.judged.get(holder.key))
        name = present(holder.line.name or holder.line.uscc, holder.line.former)
        rows.append([name, *(cells[place] for place in places)])
        why = "；".join(filter(None, (cells[report.HEADER.index(name)] for name in _TOLD)))
        if why:
            told.append(f"  {holder.line.name or holder.line.uscc}：{why}")
    if rows:
        console.print(listing(_SHOWN, rows, console.width))
    for line in told:
        console.print(hanging(line))
    click.echo(f"{found.asked.day}：{_counted(found)}{_more(found)}")


_TOLD = ("申报", "失去资格的原因", "未达到的条件", "缺少")


def _counted(found: Rechecks) -> str:
    from registry.reports.rechecks import STANDINGS

    counts = Counter[str]()
    for (_, standing), number in found.counts.items():
        counts[standing] += number
    said = "、".join(f"{one}{counts[one]}家" for one in STANDINGS if counts[one])
    verdicts = Counter(judged.outcome for judged in found.judged.values())
    by = "、".join(f"{outcome}{number}家" for outcome, number in verdicts.most_common())
    if not said:
        coming = f"；最早{found.coming}起可申报" if found.coming else ""
        return f"没有须复核的{coming}"
    return f"{said}{f'；按标准{by}' if by else ''}"


def _more(found: Rechecks) -> str:
    if found.total <= len(found.holders):
        return ""
    return f"；超过{MOST}家，其余没有列出：请选定层级、地区或轮次，或用 -o 写成文件"
