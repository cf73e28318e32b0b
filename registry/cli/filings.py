"""``tidu import`` and ``template``: take filings in."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import click

from registry.cli.common import (
    DayParam,
    NumberParam,
    Output,
    Refused,
    apart,
    batch_option,
    by_option,
    command,
    desk,
    dry_run_option,
    jobs_option,
    json_option,
    new_workbook,
    print_json,
    province_option,
)
from registry.cli.issues import show_groups, show_issues
from registry.desk import importing
from registry.desk.importing import FolderCounts, LoadReport
from registry.desk.place import Desk
from registry.filings import FileReading
from registry.kit.jsontext import fields_of

_SHOWN = 20


@command("import")
@click.argument(
    "file",
    type=click.Path(path_type=Path),
    required=False,
    metavar="[文件或文件夹]",
    help="县级汇总表、tidu 模板、CSV 或 JSON，或装有数据表的文件夹或 .zip 压缩包；- 读标准输入（每行以表名开头）。",
)
@click.option("--as-of", type=DayParam(), help="填报日期；给出时优先于文件中写的日期。")
@click.option(
    "--mapping", type=click.Path(path_type=Path), help="补充或覆盖表头对应关系的 CSV 文件。"
)
@click.option(
    "--draft",
    type=Output(".csv"),
    help="把看不懂的表头写成对照表（新的 csv 文件），核对填好后用 --mapping 给出。",
)
@click.option(
    "--report",
    "--output",
    "-o",
    "report",
    type=Output(".xlsx", ".csv", replaced=True),
    help="把全部提示和错误写入此 xlsx 文件；文件夹的写入 csv 文件。",
)
@click.option(
    "--marked",
    type=Output(".xlsx", replaced=True),
    help="把原表写成标出问题的工作簿：有问题的格子加底色和批注；不能标出的文件写成问题清单。",
)
@click.option("--partial", is_flag=True, help="文件有错误时，仍登记无误的各行。")
@dry_run_option
@jobs_option
@click.option(
    "--undo", type=NumberParam(), metavar="编号", help="撤销某次导入（编号在导入时给出）。"
)
@by_option
@json_option
def import_file(
    file: Path | None,
    as_of: date | None,
    mapping: Path | None,
    draft: Path | None,
    report: Path | None,
    marked: Path | None,
    partial: bool,
    dry_run: bool,
    jobs: int | None,
    undo: int | None,
    by: str,
    as_json: bool,
) -> None:
    """登记一个文件中的企业：县级汇总表、tidu 模板、CSV 或 JSON；或一个文件夹的数据表。

    文件有错误时默认什么都不登记；同一文件登记两次不会改变任何内容。表头看不懂时，用 --draft 写出对照表，在 Excel 或 WPS 中逐行核对，
    再用 --mapping 给出；没有给出的，采用本单位的表头对照表（见设置 TIDU_MAPPING）。文件夹用于大批量：每张表一个 CSV（或 Parquet）文件，
    也可以打成 .zip 压缩包；分批登记，中断后再次运行即接着做；不用 --partial 时先检查全部再登记。
    """
    if (file is None) == (undo is None):
        raise click.UsageError("请给出一个文件，或用 --undo 编号 撤销一次导入（二者择一）")
    if undo is not None:
        _undo(undo, by, dry_run, as_json)
        return
    assert file is not None
    source = importing.Source(
        path=file,
        as_of=as_of,
        mapping=mapping,
        draft=draft,
        report=report,
        marked=marked,
        partial=partial,
        dry_run=dry_run,
        jobs=jobs,
    )
    inputs = [file] if mapping is None else [file, mapping]
    with desk(by) as at:
        if importing.holds_tables(file) or str(file) == "-":
            if marked is not None:
                raise Refused("文件夹和压缩包没有可以标出的原表：请用 --report 写出问题清单")
            if report is not None:
                _new_list(report, *inputs)
            with _folder(at, file) as folder:
                _show_folder(
                    importing.import_folder(at, replace(source, path=folder)),
                    folder,
                    source,
                    as_json,
                )
            return
        for output in filter(None, (report, marked)):
            new_workbook(output, *inputs)
        if report is not None and marked is not None and report.resolve() == marked.resolve():
            raise click.UsageError("--report 和 --marked 写成了同一个文件：请另取文件名")
        _show_file(importing.import_file(at, source), source, as_json)


def _show_file(found: importing.Imported, source: importing.Source, as_json: bool) -> None:
    if as_json:
        loaded = fields_of(found.done, without=["names"])
        print_json({**loaded, "issues": found.reading.issues})
    else:
        _report(found.done, found.reading, source.report, source.dry_run)
    _tell_draft(source.draft, found.drafted, as_json)
    if source.marked is not None:
        click.echo(_marked(source.marked, found.marking), err=as_json)
    if found.held_back:
        raise Refused(_held_back(source.path))


def _marked(path: Path, marking: importing.Marking | None) -> str:
    if marking is None:
        return f"没有错误和提示，没有写出 {path}"
    if marking.done:
        return f"已在原表上标出问题，写成 {path}：可以直接改好再登记"
    return f"{marking.why or '不是工作簿，不能在原表上标出，请看问题清单'}：{path}"


def _held_back(path: Path) -> str:
    return f"{path.name} 有错误，没有登记任何企业：请改正后重试，或用 --partial 登记无误的各行"


def _tell_draft(path: Path | None, drafted: bool, as_json: bool) -> None:
    if path is not None:
        said = (
            f"看不懂的表头已写入 {path}：请逐行核对填报项，改好后用 --mapping {path} 再读"
            if drafted
            else f"表头都看得懂，没有写出 {path}"
        )
        click.echo(said, err=as_json)


def _report(done: LoadReport, reading: FileReading, report: Path | None, dry_run: bool) -> None:
    new, changed, unchanged = len(done.new), len(done.changed), len(done.unchanged)
    counts = f"新增{new}家，变更{changed}家，未变{unchanged}家，退回{len(done.refused)}家"
    if not (new or changed or unchanged or done.refused):
        click.echo(f"{reading.file}：文件中没有企业")
    elif done.import_id is not None:
        click.echo(f"{reading.file}：已登记 {counts}")
    elif dry_run:
        click.echo(f"{reading.file}：将会登记 {counts}")
    elif done.refused:
        good = new + changed + unchanged
        click.echo(f"{reading.file}：没有登记任何企业：{good}家无误，{len(done.refused)}家有错误")
    else:
        click.echo(f"{reading.file}：内容没有变化，{unchanged}家均已登记")
    held_back = {s.where for s in reading.refused}
    by_reason: dict[str, list[str]] = {}
    for line in done.refused:
        if line.where not in held_back:  # those are among the issues
            by_reason.setdefault(line.reason, []).append(line.name or line.uscc)
    for reason, names in by_reason.items():
        more = f"等{len(names)}家" if len(names) > 1 else ""
        click.echo(f"  退回 {names[0]}{more}：{reason}")
    notices = len(reading.issues) - len(reading.errors)
    if reading.issues:
        click.echo(f"发现错误{len(reading.errors)}条、提示{notices}条：")
        show_issues(reading.issues, report, headings=reading.headings)
    if done.import_id is not None:
        click.echo(f"本次导入编号 {done.import_id}；如需撤销：tidu import --undo {done.import_id}")


def _new_list(path: Path, *inputs: Path) -> Path:
    """The path for a folder's issues: only .csv, and never an input."""
    if path.suffix.lower() != ".csv":
        raise Refused(f"{path}：文件夹的问题清单可能很长，请把文件名改为以 .csv 结尾")
    return apart(path, *inputs)


@contextmanager
def _folder(at: Desk, path: Path) -> Iterator[Path]:
    """A folder of tables, or an archive or standard input as one."""
    if str(path) != "-":
        with importing.opened(at, path) as folder:
            yield folder
        return
    # the caller may have closed standard input, which then gives nothing
    stream = sys.stdin.buffer if sys.stdin else BytesIO()
    with importing.streamed(at, stream, "标准输入") as folder:
        yield folder


def _show_folder(
    found: importing.FolderImported, folder: Path, source: importing.Source, as_json: bool
) -> None:
    _tell_draft(source.draft, found.drafted, as_json)
    _report_folder(folder, found.counts, source.report, stored=found.stored, as_json=as_json)
    if found.held_back:
        raise Refused(_held_back(folder))


def _report_folder(
    folder: Path, counts: FolderCounts, report: Path | None, *, stored: bool, as_json: bool
) -> None:
    if as_json:
        print_json(counts.to_json())
        return
    word = "已登记" if stored else "检查了"
    kept = f"，中断前已登记{counts.kept}家" if counts.kept else ""
    click.echo(
        f"{folder.name}：{word} 新增{counts.new}家，变更{counts.changed}家，"
        f"未变{counts.unchanged}家，退回{counts.refused}家{kept}"
    )
    if counts.errors or counts.notices:
        click.echo(f"发现错误{counts.errors}条、提示{counts.notices}条：")
        show_groups(counts.groups, report, kind="csv")
    if counts.first is not None:
        click.echo(f"本次导入编号 {counts.first} 至 {counts.last}，每{importing.CHUNK}家一次")


def _undo(number: int, by: str, dry_run: bool, as_json: bool) -> None:
    with desk(by) as at:
        done = importing.undo(at, number, dry_run=dry_run)
    if as_json:
        print_json(done)
        return
    click.echo(
        f"{'将会撤销' if dry_run else '已撤销'}导入{done.import_id}（{done.file}）："
        f"撤回{len(done.withdrawn)}家，恢复原内容{len(done.restored)}家"
    )
    resting = {
        "决定": done.decisions, "人工认定": done.determinations, "这些企业的称号登记": done.titles,
        "这些企业的持股登记": done.holdings,
    }  # fmt: skip
    told = [f"{name}{len(n)}项（{_numbered(n)}）" for name, n in resting.items() if n]
    if told:
        click.echo(f"登记簿中仍有{'、'.join(told)}，撤销导入不改变它们")
    if done.decisions or done.determinations:
        click.echo(
            "  这些决定、认定依据的是撤回的填报：请登记更正后的填报，再作认定和决定（tidu determine、tidu decide），"
            "已发出的告知书请一并更正"
        )
    if done.titles:
        click.echo("  称号依据公告，误登的请用 tidu titles strike 划销")
    if done.holdings:
        click.echo("  持股依据所附文件，误登的请用 tidu holdings end 终止")


def _numbered(numbers: Sequence[int]) -> str:
    """Numbers of entries, in order, as text."""
    few = "、".join(f"第{n}号" for n in numbers[:_FEW])
    return few if len(numbers) <= _FEW else f"{few}等，至第{numbers[-1]}号"


#: The most numbers of entries that are listed.
_FEW = 5


@command("template")
@click.argument(
    "file",
    type=Output(".xlsx"),
    default=Path("tidu-template.xlsx"),
    metavar="[文件]",
    help="写到哪里，默认 tidu-template.xlsx。",
)
@click.option(
    "--as-of", type=DayParam(), help="只列这一填报日期的认定要读取的填报项；不给则列出全部。"
)
@province_option
@batch_option
@json_option
def template(
    file: Path, as_of: date | None, province: str | None, batch: str, as_json: bool
) -> None:
    """写出多工作表的填报模板，内有下拉选项、单位和说明。

    用 --as-of 给出填报日期时，只列那一天适用的文本所读取的填报项；省份和批次另有要求的，用 --province 和 --batch 指明。
    """
    if as_of is None and (province or batch):
        raise click.UsageError("--province 和 --batch 要与 --as-of 一起给出")
    importing.template(file, as_of, province or "", batch)
    if as_json:
        print_json({"file": str(file)})
    else:
        click.echo(f"已写出 {file}；填好后运行 tidu import {file}")
