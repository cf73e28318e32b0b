"""``tidu calendar``: the years whose days off and make-up days are known, and one that is added."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from registry.cli.common import (
    console,
    desk,
    dry_run_option,
    errors,
    group,
    json_option,
    print_json,
)
from registry.cli.notices import DocumentOptions, document_options
from registry.desk import calendars
from registry.desk.calendars import YearLine
from registry.kit.screens import listing

_YEARS: Final = click.IntRange(2000, 2999)


@group("calendar")
def calendar() -> None:
    """工作日历：各年的放假和调休上班，各依据一份通知；办理期限的工作日按它计算。

    没有公布放假安排的年度不作推算。
    """


@calendar.command("list")
@json_option
def list_years(as_json: bool) -> None:
    """列出各年的依据、放假和调休上班的日期、全年工作日数；未公布的写明未公布。"""
    with desk() as at:
        found = calendars.known(at)
    if as_json:
        print_json({"years": [_plain(y) for y in found.years], "unpublished_from": found.beyond})
        return
    if found.beyond is None:
        click.echo("现行标准发布时还没有工作日历：请先运行 tidu rules publish")
        return
    rows = [
        (f"{y.year}", y.basis, _spans(y), _days(y.work), f"{y.working}天")
        if y.published
        else (f"{y.year}", "未公布", "", "", "")
        for y in found.years
    ]
    console.print(listing(("年度", "依据", "放假", "调休上班", "工作日"), rows, console.width))
    click.echo(f"{found.beyond}年及以后：未公布，不推算工作日")


@calendar.command("add")
@click.argument("year", type=_YEARS, metavar="年度", help="例如 2027。")
@click.argument(
    "file",
    type=click.Path(path_type=Path),
    metavar="文件",
    help="放假安排表（xlsx、csv），列为 首日、末日、安排（放假或上班）、名目、年度、依据。",
)
@click.option("--replace", "replaced", is_flag=True, help="更正已在登记库中的年度。")
@dry_run_option
@document_options
def add(year: int, file: Path, replaced: bool, dry_run: bool, document: DocumentOptions) -> None:
    """登记一年的放假安排；--document 写放假安排通知的文号，与表中的依据一致。

    已在登记库中而相同的，不重复登记；不同的，列出不同之处，加上 --replace 才更正。
    """
    with desk(document.by) as at:
        found = calendars.add(
            at.rehearsal() if dry_run else at,
            year,
            file,
            replace(document, rehearsing=dry_run).notice,
            replaced=replaced,
        )
    for said in found.notices:
        errors.print(f"提示 {said}", markup=False)
    line, entry = found.line, found.entry
    if document.as_json:
        seq = None if entry is None or dry_run else entry.seq
        print_json({"seq": seq, "changed": entry is not None, **_plain(line)})
    elif entry is None:
        click.echo(f"{year}年的放假安排已在登记库中，没有变化")
    else:
        done = f"将会登记{year}年放假安排" if dry_run else f"第{entry.seq}号放假安排 {year}年"
        click.echo(
            f"{done}：放假{line.off}天，调休上班{len(line.work)}天，全年工作日{line.working}天，依据{line.basis}"
        )
        for said in found.changed:
            click.echo(f"  {said}")


def _plain(line: YearLine) -> dict[str, Any]:
    if not line.published:
        return {"year": line.year, "published": False}
    return {
        "year": line.year,
        "published": True,
        "basis": line.basis,
        "rest": line.rest,
        "work": line.work,
        "days_off": line.off,
        "working_days": line.working,
    }


def _spans(line: YearLine) -> str:
    return "、".join(_span(first, last, line.year) for first, last in line.rest)


def _span(first: date, last: date, year: int) -> str:
    """A range of days off, with the year of its first day only where it is the one before."""
    begin = f"{'' if first.year == year else f'{first.year}年'}{_day(first)}"
    if first == last:
        return begin
    return f"{begin}至{f'{last.day}日' if first.month == last.month else _day(last)}"


def _days(days: Iterable[date]) -> str:
    return "、".join(map(_day, days))


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"
