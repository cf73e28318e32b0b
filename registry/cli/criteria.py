"""``tidu rules``: the criteria as they are read, checked and written."""

from pathlib import Path
from typing import Final

import click
from rich import box
from rich.markup import escape
from rich.table import Table

from registry import resources
from registry.cli.common import Refused, console, group, json_option, print_json, rulebook
from rules.decider import by_reference
from rules.drafting import check as checker
from rules.drafting.examples import examples, read_indicator, run
from rules.drafting.format import format_file
from rules.drafting.scaffold import scaffold
from rules.source import feature_files

#: The kinds of definition table by the names that officers read.
_KINDS: Final = {"情形": "cases", "分档": "bands", "阶梯": "ladder", "合计": "total"}


@group("rules")
def rules() -> None:
    """标准：查看、检查、排版和新建规则。"""


@rules.command("list")
@click.argument("prefix", default="", metavar="[编号开头]", help="例如 63.2。")
@json_option
def list_rules(prefix: str, as_json: bool) -> None:
    """列出全部规则，或编号以某段开头的规则。"""
    found = [r for id, r in rulebook().rules.items() if id.startswith(prefix)]
    if as_json:
        print_json(
            [
                {"id": r.id, "title": r.title, "citation": r.citation, "position": str(r.position)}
                for r in found
            ]
        )
        return
    if not found:
        raise Refused(f"没有编号以「{prefix}」开头的规则：用 tidu rules list 查看全部")
    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for name in ("编号", "条文", "依据", "位置"):
        table.add_column(name, overflow="fold")
    for rule in found:
        table.add_row(*map(escape, (rule.id, rule.title, rule.citation, str(rule.position))))
    console.print(table)


@rules.command("show")
@click.argument("id", metavar="编号", help="规则编号，例如 63.2.研发费用。")
@json_option
def show_rule(id: str, as_json: bool) -> None:
    """显示一条规则：条文、定义表、解读，以及每个例子的结果。"""
    clause = rulebook().clauses.get(id)
    if clause is None:
        rulebook().rule(id)
    assert clause is not None
    runs = [r for e in examples(clause) for r in run(rulebook(), e, by_reference, read_indicator)]
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
    click.echo(f"位置：features/{clause.path}:{clause.line}")
    for line in clause.prose:
        click.echo(f"  {line}")
    click.echo(f"\n{clause.definition.text}：")
    shown = Table(*table[0], box=box.SIMPLE_HEAD, header_style="bold")
    for row in table[1:]:
        shown.add_row(*map(escape, row))
    console.print(shown)
    results = Table("例子", "应为", "结果", box=box.SIMPLE_HEAD, header_style="bold")
    for r in runs:
        verdict = "✓" if r.passed else f"✗ 得“{r.actual}”"
        results.add_row(*map(escape, (r.example.name, r.expectation.text, verdict)))
    console.print(results)


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

    给出文件时，连同它所在的标准目录一起编译，只报告该文件的问题。
    """
    target = path or resources.features()
    if not target.exists():
        raise Refused(f"{target} 不存在：请给出 .feature 文件或其目录")
    target = target.resolve()
    if not feature_files(target) or (target.is_file() and target.suffix != ".feature"):
        raise Refused(f"{target} 不是标准文件，也不含标准文件：请给出 .feature 文件或其目录")
    root = _root(target)
    found, problems = checker.check(root)
    if target != root:
        prefix = target.relative_to(root).as_posix()
        problems = [p for p in problems if p.path.startswith(prefix)]
    if as_json:
        print_json([{"path": p.path, "line": p.line, "message": p.message} for p in problems])
    else:
        for problem in problems:
            click.echo(str(problem))
    if problems:
        raise Refused(f"发现{len(problems)}个问题")
    if not as_json:
        count = sum(s.runs for c in found.clauses.values() for s in c.scenarios)
        click.echo(f"{len(found.clauses)}条规则、{count}个例子，全部通过")


def _root(path: Path) -> Path:
    """The features folder around a file or folder: that with the maps and applicability, or itself."""
    folder = path if path.is_dir() else path.parent
    for candidate in (folder, *folder.parents):
        if (candidate / "maps").is_dir() and list(candidate.glob("*.feature")):
            return candidate
    return folder


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
    files = [f for p in paths or (resources.features(),) for f in feature_files(p)]
    changed = [f for f in files if format_file(f, check=only_check)]
    if as_json:
        print_json({"files": len(files), "changed": [str(f) for f in changed]})
    for file in () if as_json else changed:
        click.echo(f"{'需要排版' if only_check else '已排版'}：{file}")
    if only_check and changed:
        raise Refused(f"{len(changed)}个文件需要排版：请运行 tidu rules format")
    if not changed and not as_json:
        click.echo(f"{len(files)}个文件，无须改动")


@rules.command("new")
@click.argument("file", type=click.Path(path_type=Path), metavar="文件", help="新标准文件的位置。")
@click.option("--id", "id", required=True, help="规则编号，例如 63.2.1.3。")
@click.option("--title", required=True, help="条文，用自己的话写明要求和数字。")
@click.option(
    "--kind",
    type=click.Choice(list(_KINDS)),
    default="情形",
    show_default=True,
    help="定义表的种类。",
)
@json_option
def new_rule(file: Path, id: str, title: str, kind: str, as_json: bool) -> None:
    """新建一个标准文件的样子；补齐边界例子之前检查不会通过。"""
    if file.exists():
        raise Refused(f"{file} 已存在：请另取文件名")
    file.write_text(scaffold(id, title, _KINDS[kind]), encoding="utf-8")
    if as_json:
        print_json({"file": str(file)})
    else:
        click.echo(f"已写出 {file}；请补齐标有「待填」之处，再运行 tidu rules check {file}")
