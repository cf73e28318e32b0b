"""``tidu check``: the tiers for which an enterprise qualifies, and the reasons."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, datetime
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import click

from registry.cli.common import (
    DayParam,
    Moment,
    Refused,
    apart,
    batch_option,
    closed,
    command,
    console,
    desk,
    errors,
    jobs_option,
    json_option,
    output_option,
    procedure_option,
    province_option,
    tell_unproved,
    tiers_option,
)
from registry.cli.remedies import told
from registry.cli.targets import CodeOrFile, file_among
from registry.desk import checking
from registry.desk.checking import Inquiry, Refusal, Request, unwritten
from registry.desk.place import Desk
from registry.filings import FileReading
from registry.portable.clock import china_text
from registry.reports import results

_FEW: Final = 50


@command("check")
@click.argument(
    "targets",
    nargs=-1,
    type=CodeOrFile(),
    metavar="[信用代码… | 文件]",
    help="已登记企业的信用代码或名称，或一个未登记的文件。",
)
@click.option("--all", "everything", is_flag=True, help="检查登记的全部企业。")
@tiers_option
@procedure_option
@batch_option
@province_option
@click.option("--as-of", type=DayParam(), help="按此日期检查；默认用填报日期。")
@click.option(
    "--known-at",
    type=Moment(),
    help="只用此日期（当日终了）或北京时间（如 2023-06-30 17:00）以前登记的填报、认定和发布的规则。",
)
@click.option(
    "--rules",
    "rules_of",
    type=click.Choice(["then", "now"]),
    help="与 --known-at 一起：用当时（then，默认）或现在（now）发布的规则。",
)
@click.option("--explain", is_flag=True, help="逐条说明理由、数据来源和差距。")
@click.option(
    "--features",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="用此目录中的标准（例如修改中的草案）检查，代替随附的标准。",
)
@output_option(
    ".xlsx", help="把结果写入此 xlsx 文件；一张工作表写满后接着写下一张。", replaced=True
)
@jobs_option
@json_option
def check(
    targets: tuple[str, ...],
    everything: bool,
    tiers: tuple[str, ...],
    procedure: str,
    batch: str,
    province: str | None,
    as_of: date | None,
    known_at: datetime | None,
    rules_of: str | None,
    explain: bool,
    features: Path | None,
    output: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """检查企业可获得的层级：给出信用代码、--all，或一个未登记的文件。

    结果随算随出，不全部留在内存；超过500家时，总表每500家一段。
    """
    if everything == bool(targets):
        raise click.UsageError("请给出信用代码或文件，或用 --all 检查全部（二者择一）")
    if rules_of and (known_at is None or features):
        raise click.UsageError("--rules 只与 --known-at 一起使用，且不与 --features 同用")
    file = file_among(targets)
    if file is not None and known_at is not None:
        raise click.UsageError("--known-at 只用于已登记的企业：未登记的文件没有登记的时间")
    if output is not None:
        apart(output, *filter(None, (file, features)))
    inquiry = Inquiry(
        request=Request(tiers, procedure, batch, province, as_of),
        usccs=() if file else targets,
        known_at=known_at,
        rules_of_now=rules_of == "now",
        features=features,
        jobs=jobs,
    )
    tell_unproved(features)
    with ExitStack() as stack:
        at = stack.enter_context(desk())
        reading = _read(at, file, batch, features) if file else None
        form = results.Json if as_json else results.Explanations if explain else results.Tables
        takers = [form, *([_books().ResultBook] if output else []), results.VerdictCounts]
        view = results.Views(tuple(taker.view for taker in takers))
        run = stack.enter_context(checking.run(at, inquiry, reading, view=view))
        if known_at is not None and not as_json:
            whose = "此目录中" if features else "现行" if rules_of == "now" else "当时"
            click.echo(f"按{china_text(known_at)}（北京时间）以前登记的事实、{whose}的规则")
        counts = results.VerdictCounts()
        sinks: list[results.Sink[Any]] = [_shown(known_at, explain, as_json)]
        if output is not None:
            sinks.append(stack.enter_context(_books().opened(output)))
        # results on the same terminal need no progress bar, which would break them up
        quiet = console.is_terminal and (explain or as_json or run.number > results.PART)
        refused = _handed_on(run, sinks, counts, quiet)
    if not as_json:
        if not explain:
            print_counts(counts, file)
        if output is not None:
            click.echo(f"结果已写入 {output}")
    if batch and counts.number and batch not in counts.batches:
        errors.print(f"批次「{batch}」在这一天没有另外的规定，按办法检查", markup=False)
    _print_refused(refused[len(run.held_back) :])
    if refused:
        raise Refused(f"{len(refused)}家企业未能检查，原因见上")


def _handed_on(
    run: checking.CheckRun[results.Viewed],
    sinks: Sequence[results.Sink[Any]],
    counts: results.VerdictCounts,
    quiet: bool,
) -> list[str]:
    """Pass all results on, and close the first sink in any case; returns the refusals."""
    refused = [*run.held_back]
    with closed(partial(sinks[0].close, refused)):
        for found in run.results(quiet=quiet):
            if failure := tell(found, [*sinks, counts]):
                refused.append(failure)
        for sink in sinks[1:]:
            sink.close(refused)
    return refused


def _print_refused(texts: Sequence[str]) -> None:
    for text in texts[:_FEW]:
        errors.print(f"拒绝 {text}", markup=False)
    if len(texts) > _FEW:
        errors.print(f"……共{len(texts)}家")


def _books() -> ModuleType:
    from registry.reports import books  # loaded only if a workbook is asked for

    return books


def _read(at: Desk, file: Path, batch: str, features: Path | None) -> FileReading:
    from registry.cli.issues import read_unstored  # a check by code reads no file

    return read_unstored(at, file, batch, features)


def tell(result: results.Viewed | Refusal, takers: Sequence[results.Taker[Any]]) -> str:
    """Pass a result on; returns the fault if it concerns this enterprise alone, else nothing."""
    if isinstance(result, Refusal):
        return told(result.text, result.remedy)
    try:
        for taker, part in zip(takers, result.parts, strict=True):
            taker.add(part)
    except (OSError, MemoryError):  # a full disk, a reader that has gone: these concern all
        raise
    except Exception as error:
        return unwritten(result.uscc, result.name, error).text
    return ""


def _shown(known_at: datetime | None, explain: bool, as_json: bool) -> results.Sink[Any]:
    """The sink that shows results as they come."""
    if as_json:
        moment = {"known_at": china_text(known_at, "microseconds")} if known_at else {}
        return results.Json(partial(click.echo, nl=False), moment)
    return results.Explanations(console) if explain else results.Tables(console)


def print_counts(counts: results.VerdictCounts, file: Path | None = None) -> None:
    """Print the outcomes, and where to find the reasons for a single one."""
    for line in counts.lines():
        click.echo(line)
    if counts.number == 1:
        # an enterprise in a file need not be on record
        what = counts.last if file is None else f'"{file}"' if " " in str(file) else file
        click.echo(f"逐条理由：tidu check {what} --explain")
