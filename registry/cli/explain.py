"""``tidu explain``: explains recorded decisions to the enterprise, the officer or the auditor."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from registry.cli.common import (
    NumberParam,
    Refused,
    TierParam,
    command,
    console,
    desk,
    errors,
    is_folder,
    json_option,
    output_option,
    refuse_ending,
)
from registry.cli.remedies import sentence, words
from registry.cli.targets import CodeParam, is_code
from registry.desk import explaining
from registry.desk.explaining import ChosenDecisions, DecisionQuery, NamedDecisions, Unexplained
from registry.kit.files import write_new
from registry.kit.uscc import tidy
from registry.reports.readers import READERS
from registry.reports.verdicts import COLOURS
from registry.reports.writing import FORMS, WIDTH, Writer, file_name
from rules.model.ruleset import Outcome

#: The most refusals that are shown.
_FEW: Final = 50
_RANGE: Final = re.compile(r"([0-9]+)(?:[-－—–～~至到]+([0-9]+))?")


class Numbers(click.ParamType[NamedDecisions]):
    """A decision's number, a range such as 3-40, or an enterprise's credit code or name."""

    name = "编号"

    def convert(self, value: Any, param: Any, ctx: Any) -> NamedDecisions:
        """A range of numbers, or a credit code in standard form; names are never pure ASCII."""
        if is_code(code := tidy(value)):
            return code
        found = _RANGE.fullmatch(value)
        if found is None and not value.isascii():
            return CodeParam().convert(value, param, ctx)
        if found is None:
            self.fail(
                f"「{value}」不是编号，请写成 1 以上的整数，一段写成 3-40，也可以写信用代码或企业名称",
                param,
                ctx,
            )
        first, last = (
            NumberParam().convert(n, param, ctx) for n in (found[1], found[2] or found[1])
        )
        if last < first:
            self.fail(f"「{value}」的止号小于起号，请写成 {last}-{first}", param, ctx)
        return range(first, last + 1)


@command("explain")
@click.argument(
    "wanted",
    nargs=-1,
    type=Numbers(),
    metavar="[编号… | 起号-止号… | 信用代码…]",
    help="决定的编号，如 3；一段编号，如 3-40；或企业的信用代码或名称，即它各事项的最近一项决定。",
)
@click.option("--all", "everything", is_flag=True, help="全部企业各事项的最近一项决定。")
@click.option("--tier", "tiers", multiple=True, type=TierParam(), help="只看此层级，可多次给出。")
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    type=click.Choice([o for o in COLOURS if o in {x.text for x in Outcome}]),
    help="只看此结论，可多次给出。",
)
@click.option(
    "--for",
    "reader",
    type=click.Choice(list(READERS)),
    help="写给谁：enterprise 企业，officer 经办人（默认），auditor 审计人。",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMS)),
    help="text 文字；json 全部数据，不分对象；html 一个网页文件；letter 寄给企业的决定告知书。"
    "默认 text，写入文件时看文件名。",
)
@click.option("--office", default="", help="告知书的出具单位；默认留空待填。")
@output_option(
    help="写入此文件；没有后缀的是文件夹，每项决定一个文件，以企业名称、层级和编号命名。默认显示出来。",
    folder=True,
)
@json_option
def explain(
    wanted: tuple[NamedDecisions, ...],
    everything: bool,
    tiers: tuple[str, ...],
    outcomes: tuple[str, ...],
    reader: str | None,
    form: str | None,
    office: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """说明已记录的决定：理由、依据、差距，怎样的变化会改变结论；也可以一次写出许多告知书。

    按记录所依据的事实和当时的规则重新作出，与记录逐字节一致才说明；不按现在的规则另作判断。
    """
    if everything == bool(wanted):
        raise click.UsageError("请给出决定的编号或信用代码，或用 --all 说明全部（二者择一）")
    if as_json and form not in (None, "json"):
        raise click.UsageError("--json 就是 --format json，不能同时要求另一种格式")
    form = _form(output, "json" if as_json else form)
    if form == "letter" and reader not in (None, "enterprise"):
        raise click.UsageError("告知书（--format letter）是写给企业的，请去掉 --for")
    if office and form != "letter":
        raise click.UsageError("--office 只用于告知书（--format letter）")
    width = console.width if output is None else WIDTH
    writer = Writer(form, reader or "officer", office, width, words)
    to_folder = output is not None and is_folder(output)
    with desk() as at:
        if (seq := _only(wanted)) and not (to_folder or tiers or outcomes):
            _put(output, writer.file([writer.one(explaining.one(at, seq))], seq))
            return
        with explaining.chosen(at, DecisionQuery(wanted, tiers, outcomes)) as chosen:
            if output is not None and to_folder:
                _into(output, chosen, writer)
            elif form == "html":
                raise Refused("许多项决定的网页说明请写入文件夹：用 -o 给出文件夹的名称")
            elif found := [part for _, part in chosen.each(writer.one)]:
                _put(output, writer.file(found), f"：{len(found)}项决定")
    _tell(chosen.unexplained)


def _form(output: Path | None, form: str | None) -> str:
    """The format: the requested one, or that of the file name; the two must agree."""
    if output is None or is_folder(output):
        return form or "text"
    if form is not None:
        refuse_ending(output, FORMS[form].suffixes, FORMS[form].kind)
        return form
    by_ending = {s: name for name in ("json", "html", "text") for s in FORMS[name].suffixes}
    refuse_ending(output, tuple(by_ending))
    return by_ending[output.suffix.lower()]


def _only(wanted: Sequence[NamedDecisions]) -> int | None:
    """The number, if exactly one decision is requested."""
    match wanted:
        case [range() as numbers] if len(numbers) == 1:
            return numbers.start
    return None


def _into(folder: Path, chosen: ChosenDecisions, writer: Writer) -> None:
    """Write a file for each decision; writes none if one of the names already exists."""
    catalogue = chosen.desk.to_be_filed()
    names = {entry.seq: file_name(entry, writer.form, catalogue) for entry in chosen.decisions}
    there = [name for name in names.values() if (folder / name).exists()]
    if there:
        raise Refused(
            f"{folder} 中已有{len(there)}个同名文件（如 {there[0]}）：请换一个文件夹，或先移走"
        )
    folder.mkdir(exist_ok=True)
    count = 0
    for entry, part in chosen.each(writer.one):
        write_new(folder / names[entry.seq], writer.file([part], entry.seq).encode())
        count += 1
    click.echo(f"已写入 {folder}：{count}个文件")


def _put(output: Path | None, written: str, more: str = "") -> None:
    if output is None and console.is_terminal:
        console.print(written.rstrip("\n"), markup=False, soft_wrap=True)
        return
    if output is None:
        click.echo(written, nl=False)
        return
    write_new(output, written.encode())
    click.echo(f"已写入 {output}{more}")


def _tell(unexplained: Sequence[Unexplained]) -> None:
    for one in unexplained[:_FEW]:
        errors.print(f"拒绝 第{one.seq}号：{sentence(one.cause)}", markup=False)
    if unexplained:
        raise Refused(f"{len(unexplained)}项决定未能说明，原因见上")
