"""``tidu demo``: shows what Tidu does, with made-up enterprises."""

from pathlib import Path
from typing import Final

import click

from registry.cli.checks import print_counts, tell
from registry.cli.common import command, console, errors, json_option, print_json, progress
from registry.cli.remedies import words
from registry.cli.serve import answer, port_option
from registry.desk.demonstrating import demonstrate
from registry.desk.place import Desk
from registry.kit import settings
from registry.reports import results, verdicts

_DATABASE: Final = "tidu-demo.db"


@command("demo")
@click.option("--serve", "served", is_flag=True, help="然后在本机浏览器中查阅示例库。")
@port_option
@json_option
def demo(served: bool, port: int, as_json: bool) -> None:
    """用随附的示例工作簿演示：登记、检查三个层级、说明一家企业的理由。

    示例登记在当前目录的 tidu-demo.db 中，不影响正式登记库。
    """
    if served and as_json:
        raise click.UsageError("--serve 和 --json 不能同用")
    url = f"sqlite:///{Path(settings.HOME.value) / _DATABASE}"
    with Desk(url, watch=progress) as at:
        done = demonstrate(at)
    if as_json:
        print_json({"database": url, "results": [r.to_json() for r in done.results]})
        return
    click.echo(
        f"已从 {done.file} 登记{done.number}家（虚构的）示例企业，按各自填报日期检查三个层级：\n"
    )
    counts, tables = results.VerdictCounts(), results.Tables(console)
    view = results.Views((tables.view, counts.view))
    for result in done.results:
        if failure := tell(view(result), [tables, counts]):
            errors.print(f"拒绝 {failure}", markup=False, soft_wrap=True)
    tables.close([])
    print_counts(counts)
    chosen = done.instructive
    click.echo("\n以其中一家为例，逐条说明：\n")
    for line in verdicts.explanation(chosen, full=False):
        console.print(line, markup=False, soft_wrap=True)
    if served:
        click.echo()
        with Desk(url, words=words) as at:
            answer(at, port)
        return
    click.echo("\n接下来可以：")
    click.echo(f"  export TIDU_DATABASE_URL={url}  # 用示例库；不设则用 tidu.db")
    click.echo(f"  tidu check {chosen.uscc} --explain    # 再看这家企业")
    click.echo("  tidu serve                     # 在浏览器中查阅")
    click.echo("  tidu rules show 63.2.研发费用          # 看一条标准：条文、定义表、例子")
    click.echo("  tidu template 填报模板.xlsx    # 取填报模板；填好后 tidu import 填报模板.xlsx")
