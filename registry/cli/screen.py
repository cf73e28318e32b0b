"""``tidu snapshot`` and ``tidu screen``: the whole registry at once, by the engine's criteria."""

import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from registry.cli.common import (
    DayParam,
    NewFolder,
    Refused,
    apart,
    batch_option,
    command,
    console,
    desk,
    errors,
    jobs_option,
    json_option,
    output_option,
    print_json,
    procedure_option,
    tell_unproved,
    tiers_option,
)
from registry.desk import screening
from registry.desk.screening import ListedFirm
from registry.kit.jsontext import fields_of
from registry.reports import screening as report

_LISTED = 10


@command("snapshot")
@click.option(
    "--as-of", type=DayParam(), required=True, help="按此日期（含）以前各企业最近一份填报。"
)
@click.option(
    "--output",
    "-o",
    type=NewFolder(),
    help="写到哪个新文件夹；默认 snapshot-日期。",
)
@json_option
def take_snapshot(as_of: date, output: Path | None, as_json: bool) -> None:
    """写出登记库某日的快照（Parquet），供 tidu screen 和其他数据库读取。

    每家企业一行，年度数据按上年度、上上年度、再上年度、前四年度展开；清单各成一表。快照含企业填报的全部内容，请妥善保管。
    """
    folder = output or Path(f"snapshot-{as_of.isoformat()}")
    with desk() as at:
        found = screening.take_snapshot(at, folder, as_of)
    if as_json:
        print_json({"folder": str(folder), **fields_of(found)})
        return
    click.echo(f"已写入 {folder}：{found.filings}家，{as_of.isoformat()}的情况")
    for reason, number in found.routed.items():
        click.echo(f"  其中{number}家不含数据，筛查时由规则引擎判定：{reason}")


class Near(click.ParamType[Fraction]):
    """A share such as 5%."""

    name = "比例"

    def convert(self, value: Any, param: Any, ctx: Any) -> Fraction:
        """The share; anything else is misuse."""
        if isinstance(value, Fraction):
            return value
        written = re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,6})?)%", str(value))
        share = Fraction(written[1]) / 100 if written else Fraction(0)
        if not share:
            self.fail(f"「{value}」应是大于 0%、小于 100% 的比例，例如 5%", param, ctx)
        return share


@command("screen")
@tiers_option
@click.option(
    "--region", "regions", multiple=True, help="只看此省、市或县，可多次给出；计划单列市自成一省。"
)
@click.option(
    "--as-of", type=DayParam(), help="按此日期的情况；默认用快照的日期，或登记库中最近的填报日期。"
)
@click.option(
    "--ruleset", help="按此文本筛查：文件夹（如 miit-2026-2）或根规则；默认用适用的标准。"
)
@click.option(
    "--draft",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="按此标准目录（例如修改中的草案）筛查。",
)
@procedure_option
@batch_option
@click.option(
    "--near",
    type=Near(),
    default="5%",
    show_default=True,
    help="差距在此比例内算接近；分档计分的指标，按此比例内可得的最高分算。",
)
@click.option(
    "--engine",
    "kind",
    type=click.Choice(screening.ENGINES),
    default=screening.ENGINES[0],
    show_default=True,
    help="用哪个数据库计算；结果相同。",
)
@click.option(
    "--master",
    default="local[*]",
    show_default=True,
    help="Spark 集群的地址，只用于 --engine spark。",
)
@click.option(
    "--snapshot",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="tidu snapshot 写成的文件夹；默认现取。",
)
@output_option(
    ".xlsx",
    ".parquet",
    ".csv",
    help="写入此文件：.xlsx 汇总和名单，.parquet 或 .csv 每家一行。",
    replaced=True,
)
@jobs_option
@json_option
def screen(
    tiers: tuple[str, ...],
    regions: tuple[str, ...],
    as_of: date | None,
    ruleset: str | None,
    draft: Path | None,
    procedure: str,
    batch: str,
    near: Fraction,
    kind: str,
    master: str,
    folder: Path | None,
    output: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """筛查全部企业：逐条符合多少家，哪些符合，哪些失去资格，哪些接近、差在哪里。

    一条 SQL 语句由同一标准编译而成；门槛附近的符合企业和随机抽取的企业由规则引擎逐项复核，有一处不同即不给出结果。
    结果不是决定，不写入登记库。
    """
    if ruleset is not None and draft is not None:
        raise click.UsageError("--ruleset 和 --draft 只能给出一个")
    if output is not None:
        apart(output, *filter(None, (draft, folder)))
    tell_unproved(draft)
    request = screening.ScreeningRequest(
        tiers=tiers,
        regions=regions,
        as_of=as_of,
        text=str(draft or ruleset) if draft or ruleset else None,
        procedure=procedure,
        batch=batch,
        near=near,
        engine=kind,
        master=master,
        snapshot=folder,
        jobs=jobs,
        explained=screening.EXPLAINED if output is not None or as_json else _LISTED,
    )
    with desk() as at, screening.run(at, request) as found:
        heading, tallies = screening.heading(request, found), list(found.tallies.values())
        if as_json:
            print_json(report.to_json(heading, tallies))
        else:
            report.print_summary(heading, tallies, console)
            report.print_lists(_first(found.firms()), tallies, console)
        if output is not None:
            report.write(output, heading, tallies, found.doubted_firms())
            click.echo(f"（{report.LABEL}）已写入 {output}", err=as_json)
        if batch and batch not in found.batches:
            errors.print(f"批次「{batch}」在这一天没有另外的规定，按办法筛查", markup=False)
        if found.faults:
            raise Refused(f"{found.faults}家企业的差距因程序出错没有算出，见名单；其余不受影响")


def _first(firms: Iterator[ListedFirm]) -> list[ListedFirm]:
    """The first few of each group and tier."""
    kept: dict[tuple[str, str], list[ListedFirm]] = {}
    for firm in firms:
        listed = kept.setdefault((firm.tier, firm.group), [])
        if firm.group in ("失去资格", "接近") and len(listed) < _LISTED:
            listed.append(firm)
    return [firm for listed in kept.values() for firm in listed]
