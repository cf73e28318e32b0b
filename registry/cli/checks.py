"""``tidu check`` and ``tidu demo``: which tier an enterprise qualifies for, and why not."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Final

import click

from registry.cli.common import (
    Day,
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
    print_json,
    procedure_option,
    progress,
    province_option,
    tiers_option,
)
from registry.cli.filings import show_issues
from registry.cli.remedies import told
from registry.cli.targets import CodeOrFile, is_code
from registry.desk import checking, importing
from registry.desk.checking import CaseResult, Inquiry, Refusal, Request
from registry.desk.place import Desk
from registry.errors import fault
from registry.filings import Reading
from registry.kit import settings
from registry.kit.workbooks import workbook
from registry.portable.clock import china_text
from registry.reports import results, verdicts
from rules.model.roles import titles_of

_DEMO_DATABASE: Final = "tidu-demo.db"
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
@click.option("--as-of", type=Day(), help="按此日期检查；默认用填报日期。")
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
    file = Path(targets[0]) if len(targets) == 1 and not is_code(targets[0]) else None
    if file is not None and known_at is not None:
        raise click.UsageError("--known-at 只用于已登记的企业：未登记的文件没有登记的时间")
    if output is not None:
        apart(output, *filter(None, (file, features)))
    inquiry = Inquiry(
        request=Request(titles_of(tiers), procedure, batch, province, as_of),
        usccs=() if file else targets,
        known_at=known_at,
        rules_of_now=rules_of == "now",
        features=features,
        jobs=jobs,
    )
    with ExitStack() as stack:
        at = stack.enter_context(desk())
        reading = _read(at, file, batch) if file else None
        run = stack.enter_context(checking.run(at, inquiry, reading))
        if known_at is not None and not as_json:
            whose = "此目录中" if features else "现行" if rules_of == "now" else "当时"
            click.echo(f"按{china_text(known_at)}（北京时间）以前登记的事实、{whose}的规则")
        counts, sinks = results.Counts(), [_shown(known_at, explain, as_json)]
        if output is not None:
            sinks.append(results.Book(stack.enter_context(workbook(output))))
        # what is shown on the same terminal while it comes needs no bar, and a bar would break it up
        quiet = console.is_terminal and (explain or as_json or run.number > results.PART)
        refused = _handed_on(run, sinks, counts, quiet)
    if not as_json:
        if not explain:
            _print_counts(counts, file)
        if output is not None:
            click.echo(f"结果已写入 {output}")
    if batch and counts.number and batch not in counts.batches:
        errors.print(f"批次「{batch}」在这一天没有另外的规定，按办法检查", markup=False)
    _print_refused(refused[len(run.held_back) :])
    if refused:
        raise Refused(f"{len(refused)}家企业未能检查，原因见上")


def _handed_on(
    run: checking.Run, sinks: Sequence[results.Sink], counts: results.Counts, quiet: bool
) -> list[str]:
    """Hand on all results as they come, the first sink closed in any case; who was refused, and why."""
    refused = [*run.held_back]
    with closed(partial(sinks[0].close, refused)):
        for found in run.results(quiet=quiet):
            if failure := _told(found, [*sinks, counts]):
                refused.append(failure)
        for sink in sinks[1:]:
            sink.close(refused)
    return refused


def _print_refused(texts: Sequence[str]) -> None:
    for text in texts[:_FEW]:
        errors.print(f"拒绝 {text}", markup=False)
    if len(texts) > _FEW:
        errors.print(f"……共{len(texts)}家")


def _told(result: CaseResult | Refusal, takers: Iterable[results.Taker]) -> str:
    """Hand a result on; what stopped it, which is of this enterprise alone, or nothing."""
    if isinstance(result, Refusal):
        return told(result.text, result.remedy)
    try:
        for taker in takers:
            taker.add(result)
    except (OSError, MemoryError):  # a full disk, a reader that has gone: of all
        raise
    except Exception as error:
        return f"{result.name}（{result.uscc}）：结果没有写出：{fault(error)}"
    return ""


def _shown(known_at: datetime | None, explain: bool, as_json: bool) -> results.Sink:
    """Where results are shown as they come."""
    if as_json:
        moment = {"known_at": china_text(known_at, "microseconds")} if known_at else {}
        return results.Json(partial(click.echo, nl=False), moment)
    return results.Explanations(console) if explain else results.Tables(console)


def _print_counts(counts: results.Counts, file: Path | None = None) -> None:
    for line in counts.lines():
        click.echo(line)
    if counts.number == 1:
        # whom a file names need not be on record
        what = counts.last if file is None else f'"{file}"' if " " in str(file) else file
        click.echo(f"逐条理由：tidu check {what} --explain")


def _read(at: Desk, path: Path, batch: str) -> Reading:
    """Read a file that is not stored, and show what is amiss in it."""
    if not path.suffix:
        raise Refused(f"「{path}」不是18位信用代码，也没有这个名称的文件：请核对")
    reading = importing.read_file(at, path, batch=batch)
    if reading.issues:
        notices = len(reading.issues) - len(reading.errors)
        errors.print(f"{path.name}：错误{len(reading.errors)}条、提示{notices}条")
        show_issues(reading.issues, to=errors, headings=reading.headings)
    return reading


@command("demo")
@json_option
def demo(as_json: bool) -> None:
    """用随附的示例工作簿演示：登记、检查三个层级、说明一家企业的理由。

    示例登记在当前目录的 tidu-demo.db 中，不影响正式登记库。
    """
    url = f"sqlite:///{Path(settings.HOME.value) / _DEMO_DATABASE}"
    with Desk(url, watch=progress) as at:
        done = checking.demonstrate(at)
    if as_json:
        print_json({"database": url, "results": [r.to_json() for r in done.results]})
        return
    click.echo(
        f"已从 {done.file} 登记{done.number}家（虚构的）示例企业，按各自填报日期检查三个层级：\n"
    )
    counts, tables = results.Counts(), results.Tables(console)
    for result in done.results:
        if failure := _told(result, [tables, counts]):
            errors.print(f"拒绝 {failure}", markup=False, soft_wrap=True)
    tables.close([])
    _print_counts(counts)
    chosen = done.instructive
    click.echo("\n以其中一家为例，逐条说明：\n")
    for line in verdicts.explanation(chosen, full=False):
        console.print(line, markup=False, soft_wrap=True)
    click.echo("\n接下来可以：")
    click.echo(f"  export TIDU_DATABASE_URL={url}  # 用示例库；不设则用 tidu.db")
    click.echo(f"  tidu check {chosen.uscc} --explain    # 再看这家企业")
    click.echo("  tidu rules show 63.2.研发费用          # 看一条标准：条文、定义表、例子")
    click.echo("  tidu template 填报模板.xlsx    # 取填报模板；填好后 tidu import 填报模板.xlsx")
