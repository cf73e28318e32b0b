"""``tidu explain``: a recorded decision told to the enterprise, the officer or the auditor."""

from pathlib import Path
from typing import Final

import click

from registry.audit.replay import Replayer
from registry.characters import json_text
from registry.cli.common import Number, Output, command, console, json_option, registry, write_new
from registry.record import journal
from registry.reports import explaining
from registry.reports.layout import html, text
from registry.reports.letter import letter
from registry.reports.readers import READERS, report

#: How wide tables are where there is no terminal.
_WIDTH: Final = 110


@command("explain")
@click.argument("seq", type=Number(), metavar="编号", help="决定的编号。")
@click.option(
    "--for",
    "reader",
    type=click.Choice(list(READERS)),
    help="写给谁：enterprise 企业，officer 经办人（默认），auditor 审计人。",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html", "letter"]),
    help="text 文字（默认）；json 全部数据，不分对象；html 一个网页文件；letter 寄给企业的决定告知书。",
)
@click.option("--office", default="", help="告知书的出具单位；默认留空待填。")
@click.option("--output", "-o", type=Output(), help="写入此文件；默认显示出来。")
@json_option
def explain(
    seq: int, reader: str | None, form: str | None, office: str, output: Path | None, as_json: bool
) -> None:
    """说明一项已记录的决定：理由、依据、差距，怎样的变化会改变结论。

    按记录所依据的事实和当时的规则重新作出，与记录逐字节一致才说明；不按现在的规则另作判断。
    """
    if as_json and form not in (None, "json"):
        raise click.UsageError("--json 就是 --format json，不能同时要求另一种格式")
    form = "json" if as_json else form or "text"
    if form == "letter" and reader not in (None, "enterprise"):
        raise click.UsageError("告知书（--format letter）是写给企业的，请去掉 --for")
    if office and form != "letter":
        raise click.UsageError("--office 只用于告知书（--format letter）")
    with registry() as session:
        replayer = Replayer(session)
        try:
            found = explaining.explanation(session, replayer, journal.entry(session, seq))
        finally:
            replayer.close()
    written = _written(found, form, reader or "officer", office, to_file=output is not None)
    if output is None:
        click.echo(written, nl=False)
        return
    write_new(output, written.encode())
    click.echo(f"已写入 {output}")


def _written(
    found: explaining.Explanation, form: str, reader: str, office: str, *, to_file: bool
) -> str:
    if form == "json":
        return json_text(found.to_json()) + "\n"
    if form == "letter":
        return letter(found, office) + "\n"
    told = report(found, reader)
    if form == "html":
        return html(told) + "\n"
    return text(told, _WIDTH if to_file else console.width)
