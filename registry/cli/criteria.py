"""``tidu rules``: read, check and write the criteria."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from registry.cli.common import (
    Output,
    Province,
    Refused,
    apart,
    by_option,
    console,
    desk,
    errors,
    group,
    json_option,
    output_option,
    print_json,
    procedure_option,
    progress,
    refuse_ending,
    tiers_option,
)
from registry.desk import criteria, documenting, drafting
from registry.desk.rulebooks import in_force, rulebook
from registry.kit.files import write_new, written_whole
from registry.kit.jsontext import fields_of
from registry.kit.screens import listing
from registry.reports import differences, layout

if TYPE_CHECKING:
    from registry.desk.publishing import PreparedCriteria, Publication
    from rules.language.rulebook import Rulebook

#: The formats of a comparison by their suffixes.
_FORM_OF: Final = {".txt": "text", ".md": "markdown", ".html": "html", ".htm": "html"}
#: The width of a table in a text file, in columns.
_FILE_WIDTH: Final = 140


@group("rules")
def rules() -> None:
    """标准：查看、检查、排版和新建规则。"""


@rules.command("list")
@click.argument("prefix", default="", metavar="[编号开头]", help="例如 63.2。")
@click.option("--applicability", is_flag=True, help="列出适用表，含由各省设定得出的各行。")
@json_option
def list_rules(prefix: str, applicability: bool, as_json: bool) -> None:
    """列出全部规则，或编号以某段开头的规则。"""
    if applicability:
        _list_applicability(prefix, as_json)
        return
    found = criteria.listed(_in_force(), prefix)
    if as_json:
        print_json(found)
        return
    if not found:
        raise Refused(f"没有编号以「{prefix}」开头的规则：用 tidu rules list 查看全部")
    _print_table(
        ("编号", "条文", "依据", "位置"), [(r.id, r.title, r.citation, r.position) for r in found]
    )


def _list_applicability(prefix: str, as_json: bool) -> None:
    """The current applicability table: the rows as written, and those that follow from fills."""
    rows = criteria.applicability(_in_force(), prefix)
    if as_json:
        print_json(
            [
                {
                    "tier": r.tier,
                    "procedure": r.procedure,
                    "province": r.province,
                    "batch": r.batch,
                    "start": r.start and r.start.isoformat(),
                    "end": r.end and r.end.isoformat(),
                    "ruleset": r.ruleset,
                    "basis": r.basis,
                }
                for r in rows
            ]
        )
        return
    _print_table(
        ("层级", "程序", "省份", "批次", "期间", "规则集", "依据"),
        [(r.tier, r.procedure, r.province, r.batch, r.period, r.ruleset, r.basis) for r in rows],
    )


def _in_force() -> "Rulebook":
    """The criteria in force; tells if they are not those at hand."""
    with desk() as at:
        found = in_force(at)
    if found is not rulebook():
        errors.print(
            "提示 以下是登记库中已发布的标准，与随附的标准（连同 TIDU_FEATURES）不同："
            "对照用 tidu rules diff 随附 现行",
            markup=False,
            soft_wrap=True,
        )
    return found


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    console.print(listing(columns, rows, console.width))


@rules.command("show")
@click.argument("id", metavar="编号", help="规则编号，例如 63.2.研发费用。")
@json_option
def show_rule(id: str, as_json: bool) -> None:
    """显示一条规则：条文、定义表、解读，以及每个例子的结果。"""
    with desk() as at:
        told = criteria.told(in_force(at), id)
    clause, runs = told.clause, told.runs
    table = [list(row.cells) for row in clause.definition.table]
    if as_json:
        print_json(
            {
                "id": clause.id,
                "title": clause.title,
                "position": f"{clause.path}:{clause.line}",
                "prose": list(clause.prose),
                "sentence": clause.definition.text,
                "table": table,
                "examples": [
                    {
                        "name": r.example.name,
                        "line": r.example.line,
                        "expected": r.expectation.text,
                        "actual": r.actual,
                        "passed": r.passed,
                    }
                    for r in runs
                ],
            }
        )
        return
    click.echo(f"{clause.id}　{clause.title}")
    click.echo(f"位置：{told.place}")
    for line in clause.prose:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    click.echo(f"\n{clause.definition.text}：\n")
    _print_table(table[0], table[1:])
    click.echo()
    results = [
        (r.example.name, r.expectation.text, "✓" if r.passed else f"✗ 得“{r.actual}”") for r in runs
    ]
    _print_table(("例子", "应为", "结果"), results)


@rules.command("check")
@click.argument(
    "path",
    type=click.Path(path_type=Path),
    required=False,
    metavar="[文件或目录]",
    help="默认检查随附的全部标准。",
)
@json_option
def check_rules(path: Path | None, as_json: bool) -> None:
    """检查标准文件：能否编译、条文与定义表数字是否一致、例子是否成立。

    给出文件时，连同它所在的标准目录一起编译，只检查和报告该文件。本单位自己的省级设定和轮次要求（目录内有
    provinces 或 rounds）连同随附的标准一起编译。超出全国文本允许范围的设定列为提示，不算问题。
    """
    found = drafting.check(path)
    levels = [(p, "错误") for p in found.problems] + [(n, "提示") for n in found.notices]
    if as_json:
        print_json([{"level": level, **fields_of(p)} for p, level in levels])
    else:
        for problem, level in levels:
            click.echo(f"{'提示 ' if level == '提示' else ''}{problem}")
    if found.problems:
        raise Refused(f"发现{len(found.problems)}个问题")
    if not as_json:
        click.echo(f"{found.rules}条规则、{found.examples}个例子，全部通过")


@rules.command("format")
@click.argument(
    "paths",
    nargs=-1,
    type=click.Path(path_type=Path),
    metavar="[文件或目录…]",
    help="默认是随附的全部标准。",
)
@click.option("--check", "only_check", is_flag=True, help="只检查是否已排好，不改动文件。")
@json_option
def format_rules(paths: tuple[Path, ...], only_check: bool, as_json: bool) -> None:
    """按显示宽度对齐标准文件中的表格。"""
    found = drafting.format_tables(paths, write=not only_check)
    if as_json:
        print_json({"files": found.files, "changed": [str(f) for f in found.changed]})
    for file in () if as_json else found.changed:
        click.echo(f"{'需要排版' if only_check else '已排版'}：{file}")
    if only_check and found.changed:
        raise Refused(f"{len(found.changed)}个文件需要排版：请运行 tidu rules format")
    if not found.changed and not as_json:
        click.echo(f"{found.files}个文件，无须改动")


@rules.command("new")
@click.argument(
    "file", type=click.Path(path_type=Path), metavar="文件", help="新标准文件，以 .feature 结尾。"
)
@click.option("--id", "id", help="规则编号，例如 63.2.1.3；新建省级设定时不用。")
@click.option("--title", help="条文，用自己的话写明要求和数字；新建省级设定时不用。")
@click.option(
    "--kind",
    type=click.Choice(list(drafting.KINDS)),
    default="情形",
    show_default=True,
    help="定义表的种类。",
)
@click.option(
    "--province", type=Province(), help="新建此省份（或计划单列市）的设定，连同条款对照。"
)
@json_option
def new_rule(
    file: Path, id: str | None, title: str | None, kind: str, province: str | None, as_json: bool
) -> None:
    """新建一个标准文件的样子；补齐边界例子之前检查不会通过。

    省级设定请放在自己的目录中，例如 我的标准/provinces/hunan/specialised.feature。
    """
    refuse_ending(file, (".feature",))
    if province is not None:
        if id is not None or title is not None:
            raise click.UsageError("新建省级设定时不用 --id 和 --title")
        file.parent.mkdir(parents=True, exist_ok=True)
        feature, clauses = drafting.new_province(province)
        write_new(file, feature.encode())
        if not (listed := file.with_name("clauses.md")).exists():
            write_new(listed, clauses.encode())
    elif id is None or title is None:
        raise click.UsageError("请给出 --id 和 --title，或用 --province 新建省级设定")
    else:
        write_new(file, drafting.new_rule(id, title, kind).encode())
    if as_json:
        print_json({"file": str(file)})
    else:
        click.echo(f"已写出 {file}；请补齐标有「待填」之处，再运行 tidu rules check {file}")


@rules.command("site")
@click.argument(
    "text",
    default="",
    metavar="[文本]",
    help="标准目录（草案），或其中一个文本的文件夹；默认是随附的标准和 TIDU_FEATURES。",
)
@click.option(
    "--output",
    "-o",
    required=True,
    type=Output(replaced=True, folder=True),
    help="写入此文件夹；里面有别的内容时不写，以前写成的站点会被替换。",
)
@click.option("--no-mutants", is_flag=True, help="不运行变异，快几倍；页面上写明没有运行。")
@json_option
def write_site(text: str, output: Path, no_mutants: bool, as_json: bool) -> None:
    """把标准写成一个文件夹的网页：条款、定义表、解读、例子及其结果、何时适用、前后对照。

    打开其中的 index.html 即可查看，不需要网络和服务器。例子不成立的，首页和每一页都会写明。
    """
    documenting.refuse_others(output)
    if text and Path(text).is_dir():
        apart(output, Path(text))
    made = documenting.documented(text, with_mutants=not no_mutants, watch=progress)
    with desk() as at:
        written = documenting.write(documenting.since(at, made), output)
    if as_json:
        print_json(written)
    else:
        click.echo(
            f"{written.rules}条规则、{written.examples}个例子已写入 {output}：请打开 {output}/index.html"
        )
    if written.failed:
        raise Refused(f"有{written.failed}个例子不成立，已在每一页写明")


@rules.command("publish")
@click.argument(
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=False,
    metavar="[目录]",
    help="标准目录，或只有本单位省级设定和轮次要求的目录；默认发布随附的标准和 TIDU_FEATURES。",
)
@by_option
@json_option
def publish(folder: Path | None, by: str, as_json: bool) -> None:
    """检查并发布标准：此后的决定按它作出，以前的决定不受影响。

    例子、条文与定义表的数字、边界例子和适用表都须通过检查，每个例子由两个引擎各算一遍；
    不是随附的规则集，两个引擎还须在代表全部取值的情形上逐一一致。
    """
    from registry.desk import publishing  # nothing else here opens a registry

    prepared = publishing.prepare(folder, by=by, watch=progress)
    if prepared.problems:
        for problem in prepared.problems:
            click.echo(str(problem))
        raise Refused(f"发现{len(prepared.problems)}个问题，没有发布")
    with desk(by) as at:
        done = publishing.publish(at, prepared)
    if as_json:
        print_json({**fields_of(done), "certified": prepared.certified})
    else:
        _show_published(prepared, done)


@rules.command("export")
@click.argument("folder", type=Output(folder=True), metavar="目录", help="写入这个新的文件夹。")
@by_option
@json_option
def export(folder: Path, by: str, as_json: bool) -> None:
    """把现行（已发布）的标准写成一个文件夹：可以在别处检查、修改和发布。"""
    from registry.desk import publishing  # nothing else here opens a registry

    with desk(by) as at:
        files = publishing.export(at, folder)
    if as_json:
        print_json({"files": files, "folder": str(folder)})
    else:
        click.echo(f"现行标准的{files}个文件已写入 {folder}")


def _show_published(prepared: "PreparedCriteria", done: "Publication") -> None:
    for notice in prepared.notices:
        click.echo(f"提示 {notice}")
    if prepared.certified:
        click.echo(f"两个引擎在新规则集的{prepared.certified}个代表情形上一致")
    if done.seq is None:
        click.echo("与已发布的标准相同，没有变化")
        return
    for year, said in done.years.items():
        click.echo(
            f"提示 {year}年的放假安排与登记库原有的不同，已改为随标准发布的：{'；'.join(said)}"
        )
    for root, digest in done.changed.items():
        click.echo(f"已发布 {root}　{digest}")
    for root in done.unchanged:
        click.echo(f"未变 {root}")
    click.echo(f"第{done.seq}号记录；此后的决定按新发布的标准作出")


@rules.command("diff")
@click.argument(
    "before", metavar="前", help="文件夹（如 miit-2022-63）、根规则、标准目录、随附 或 现行。"
)
@click.argument("after", metavar="后", help="同上；修改中的草案写其目录，如 ./draft。")
@tiers_option
@procedure_option
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "markdown", "html")),
    help="格式；默认 text，写入文件时看文件名。",
)
@output_option(*_FORM_OF, help="写入此文件，以 .txt、.md 或 .html 结尾。", replaced=True)
@json_option
def diff(
    before: str,
    after: str,
    tiers: tuple[str, ...],
    procedure: str,
    form: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """对照两个文本：逐个指标列出改变、新增、取消和相同的要求。

    对照依据编译后的标准（指标及其所用的数据），不凭文字相似；对不上的列为只在一个文本中。
    """
    if output is not None:
        apart(output, *(Path(name) for name in (before, after) if Path(name).exists()))
        by_ending = _FORM_OF[output.suffix.lower()]
        if form not in (None, by_ending):
            fitting = tuple(s for s, f in _FORM_OF.items() if f == form)
            refuse_ending(output, fitting, f"--format {form} 的")
        form = by_ending
    form = form or "text"
    with desk() as at:
        found = criteria.compared(at, before, after, tiers, procedure)
    if as_json:
        sides = {"before": found.before, "after": found.after, "only_in_one": found.alone}
        print_json({**sides, "tiers": [c.to_json() for c in found.comparisons]})
        return
    parts = [differences.part(c) for c in found.comparisons]
    parts += [differences.lone(tier, label) for tier, label in found.alone.items()]
    report = differences.report(found.before, found.after, parts)
    if form == "text":
        text = layout.text(report, console.width if output is None else _FILE_WIDTH)
    else:
        text = {"markdown": layout.markdown, "html": layout.html}[form](report)
    if output is None:
        click.echo(text, nl=False)
        return
    with written_whole(output) as fresh:
        fresh.write_text(text, encoding="utf-8")
    click.echo(f"对照表已写入 {output}")
