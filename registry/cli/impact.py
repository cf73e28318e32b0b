"""``tidu impact``: what another text would mean for the enterprises of the registry."""

from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path

import click

from registry.cli.common import (
    DayParam,
    Procedure,
    Refused,
    apart,
    batch_option,
    command,
    console,
    desk,
    json_option,
    output_option,
    tell_unproved,
    tiers_option,
)
from registry.desk.simulating import LABEL, SimulationRequest, SimulationRun, simulate
from registry.kit.files import written_whole
from registry.kit.workbooks import workbook
from registry.reports import impact as impact_report


@command("impact")
@click.option(
    "--from",
    "before",
    help="前一文本：文件夹（如 miit-2022-63）、根规则、标准目录或 随附；默认是此前适用的文本。",
)
@click.option(
    "--to", "after", required=True, help="后一文本：写法同上；修改中的草案写其目录，如 ./draft。"
)
@tiers_option
@click.option("--procedure", type=Procedure(), help="程序；默认认定，加 --holders 时默认复核。")
@batch_option
@click.option(
    "--region", "regions", multiple=True, help="只看此省、市或县，可多次给出；计划单列市自成一省。"
)
@click.option("--holders", is_flag=True, help="只看按填报持有该层级有效称号的企业。")
@click.option(
    "--changed",
    is_flag=True,
    help="只逐户说明结论改变的企业（后一文本符合或不符合，前一文本不是），其余只计家数：用筛查计算，适合大批量。",
)
@click.option("--as-of", type=DayParam(), help="按此日期的情况检查；默认用各自的填报日期。")
@output_option(
    ".xlsx",
    ".html",
    ".htm",
    help="写入此文件：.xlsx 逐户的工作簿，.html 汇总和图的网页；可多次给出。",
    replaced=True,
    multiple=True,
)
@json_option
def impact_of(
    before: str | None,
    after: str,
    tiers: tuple[str, ...],
    procedure: str | None,
    batch: str,
    regions: tuple[str, ...],
    holders: bool,
    changed: bool,
    as_of: date | None,
    output: tuple[Path, ...],
    as_json: bool,
) -> None:
    """摸底：换用另一文本，哪些企业仍符合、不再符合、新符合，哪些不能判断、缺什么。

    同一份填报按两个文本各算一遍；也可用于修改中的草案。结果是模拟，不是决定，不写入登记库。
    """
    for path in output:
        apart(path, *(Path(name) for name in (before, after) if name and Path(name).exists()))
    request = SimulationRequest(
        after=after,
        before=before,
        tiers=tiers,
        procedure=procedure,
        batch=batch,
        regions=regions,
        holders=holders,
        changed=changed,
        as_of=as_of,
    )
    for name in (before, after):
        tell_unproved(Path(name) if name else None)
    books = [path for path in output if path.suffix.lower() == ".xlsx"]
    pages = [path for path in output if path not in books]
    page = impact_report.PageSink() if pages else None
    printed = impact_report.JsonSink() if as_json else None
    with ExitStack() as stack:
        listed = [impact_report.WorkbookSink(stack.enter_context(workbook(p))) for p in books]
        with desk() as at:
            run = simulate(at, request, [*listed, *(s for s in (page, printed) if s is not None)])
        for book in listed:
            book.close(run)
    for path in pages:
        assert page is not None
        with written_whole(path) as fresh:
            fresh.write_text(page.html(run), encoding="utf-8")
    if printed is not None:
        printed.write(run, partial(click.echo, nl=False))
    else:
        _show(run, output)
    if run.faults:
        raise Refused(f"{run.faults}家企业因程序出错未能检查，原因见上；其余不受影响")


def _show(run: SimulationRun, output: tuple[Path, ...]) -> None:
    if not run.tallies and not run.number_refused:
        raise Refused("范围内没有企业：请核对 --region、--tier 和 --holders")
    impact_report.print_summary(run, console)
    for path in output:
        click.echo(f"（{LABEL}）已写入 {path}")
