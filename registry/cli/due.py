"""``tidu due``: what titles make due on a day: overdue, near or ahead, with the consequences."""

from collections import Counter
from datetime import date
from functools import partial
from pathlib import Path

import click

from registry.cli.common import (
    DayParam,
    TierParam,
    command,
    console,
    desk,
    json_option,
    output_option,
)
from registry.cli.targets import CodeParam
from registry.desk import due as desk_due
from registry.desk import finding
from registry.desk.due import MATTERS, MOST, PRESSING, STATES, Asked, Due
from registry.desk.place import Desk
from registry.kit.names import present
from registry.kit.screens import hanging, listing

_SHOWN = ("企业名称", "层级", "事项", "情形", "最后一日", "逾期后果", "依据")


@command("due")
@click.argument(
    "code",
    required=False,
    type=CodeParam(),
    metavar="[信用代码]",
    help="只列这家企业：统一社会信用代码或名称。",
)
@click.option("--on", "day", type=DayParam(), help="哪一日的情形；默认今天（北京时间）。")
@click.option("--tier", type=TierParam(), help="只列此层级的称号。")
@click.option("--matter", type=click.Choice(MATTERS), help="只列这一事项。")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES),
    help="只列这些情形，可多次给出；默认逾期、未公布和临近。",
)
@click.option("--until", type=DayParam(), help="只列最后一日在此日以前（含）的，未到的也列出。")
@click.option(
    "--place", default="", metavar="地区", help="只列此地区（及以下）的企业：名称或代码。"
)
@output_option(
    ".xlsx", ".ics", help="把结果写入此文件：工作簿（xlsx），或日历（ics）。", replaced=True
)
@json_option
def due(
    code: str | None,
    day: date | None,
    tier: str | None,
    matter: str | None,
    states: tuple[str, ...],
    until: date | None,
    place: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """列出某日称号的到期事项：更新、变化报告、复核、举报答复、有效期和不得申报的期间。

    逾期的后果由人决定，见 tidu consequence；何时起算、最迟哪一日，由所发布的计时表写明。
    """
    usual = (*PRESSING, "未到") if until else PRESSING
    with desk() as at:
        asked = Asked(
            day=day or at.today, states=states or usual, tier=tier or "", matter=matter or "",
            place=finding.region(place) if place else "", uscc=code or "", until=until,
        )  # fmt: skip
        if output is not None:
            said = _written(at, asked, output)
        if as_json:
            _print(at, asked)
        elif output is not None:
            click.echo(said)
        else:
            _show(desk_due.due(at, asked))


def _written(at: Desk, asked: Asked, output: Path) -> str:
    """Write everything into a file; returns what was written."""
    from registry.reports import dues  # only files need the libraries that write them

    with desk_due.whole(at, asked) as found:
        if output.suffix.lower() == ".ics":
            counted = dues.write_calendar(found.lines, output)
            left = f"，{counted[False]}项没有最后一日，不在其中" if counted[False] else ""
            return f"{counted[True]}项已写入 {output}{left}"
        count = dues.write_workbook(found.day, found.lines, found.texts, output)
        return f"{count}项已写入 {output}"


def _print(at: Desk, asked: Asked) -> None:
    from registry.reports import dues

    with desk_due.whole(at, asked) as found:
        dues.write_json(found.day, found.lines, found.texts, partial(click.echo, nl=False))


def _show(found: Due) -> None:
    from registry.reports import dues

    places = [dues.HEADER.index(name) for name in _SHOWN[1:]]
    rows = [
        [present(line.name or line.uscc, line.former), *(dues.row(line)[place] for place in places)]
        for line in found.lines
    ]
    if rows:
        console.print(listing(_SHOWN, rows, console.width))
    counted = Counter(line.state for line in found.lines)
    said = "、".join(f"{state}{counted[state]}项" for state in STATES if counted[state])
    click.echo(f"{found.asked.day}：{said or '没有到期事项'}{_more(found)}")
    for text in found.texts:
        for line in filter(None, (f"{text.id}　{text.title}", *text.prose)):
            console.print(hanging(f"  {line}"))


def _more(found: Due) -> str:
    if not found.cut:
        return ""
    return f"；超过{MOST}项，其余没有列出：请选定层级、事项或地区，或用 -o 写成文件"
