"""``tidu explain``: recorded decisions told to the enterprise, the officer or the auditor."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import click
from sqlmodel import Session

from registry.cli.common import (
    Number,
    Refused,
    command,
    console,
    errors,
    is_folder,
    json_option,
    output_option,
    progress,
    refuse_ending,
    registry,
    tiers_option,
)
from registry.cli.targets import Code, is_code
from registry.errors import RegistryError, fault
from registry.kit.files import write_new
from registry.kit.uscc import tidy
from registry.record import cases, journal
from registry.record.replay import Replayer
from registry.reports import explaining
from registry.reports.explaining import Explanation
from registry.reports.layout import html, text
from registry.reports.letter import letter, letters
from registry.reports.readers import READERS, report
from registry.reports.verdicts import COLOURS, SHORT
from rules.errors import RulesError
from rules.model.roles import TIERS
from rules.model.ruleset import Outcome

#: How wide tables are where there is no terminal.
_WIDTH: Final = 110
#: How many refusals are shown.
_FEW: Final = 50
#: How long the name of an enterprise may be in the name of a file.
_LONGEST: Final = 50
#: What no file system takes in a name, and what cannot be seen.
_UNSAFE: Final = re.compile(
    r'[<>:"/\\|?*\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+'
)
_RANGE: Final = re.compile(r"([0-9]+)(?:[-－—–～~至到]+([0-9]+))?")


@dataclass(frozen=True)
class Form:
    """A format: how its files end, and what one is called."""

    suffixes: tuple[str, ...]
    name: str
    kind: str = ""


_FORMS: Final = {
    "text": Form((".txt",), "说明", "文字说明是文本文件，"),
    "json": Form((".json",), "数据", "JSON 是数据文件，"),
    "html": Form((".html", ".htm"), "说明", "网页说明是网页文件，"),
    "letter": Form((".html", ".htm"), "告知书", "告知书是网页文件（可用浏览器打印），"),
}

#: What is to be explained: some numbers, all decisions on an enterprise.
Wanted: TypeAlias = range | str


class Numbers(click.ParamType[Wanted]):
    """The number of a decision, a range such as 3-40, or the credit code or name of an enterprise."""

    name = "编号"

    def convert(self, value: Any, param: Any, ctx: Any) -> Wanted:
        """A range of numbers, or a credit code in its one form; a name is never of ASCII alone."""
        if is_code(code := tidy(value)):
            return code
        found = _RANGE.fullmatch(value)
        if found is None and not value.isascii():
            return Code().convert(value, param, ctx)
        if found is None:
            self.fail(
                f"「{value}」不是编号，请写成 1 以上的整数，一段写成 3-40，也可以写信用代码或企业名称",
                param,
                ctx,
            )
        first, last = (Number().convert(n, param, ctx) for n in (found[1], found[2] or found[1]))
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
@tiers_option
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
    type=click.Choice(list(_FORMS)),
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
    wanted: tuple[Wanted, ...],
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
    with registry() as session, closing(Replayer(session)) as replayer:
        writer = Writer(form, reader or "officer", office, to_file=output is not None)

        def written(entry: journal.Entry) -> str:
            return writer.one(explaining.explanation(session, replayer, entry))

        to_folder = output is not None and is_folder(output)
        if (seq := _only(wanted)) and not (to_folder or tiers or outcomes):
            _put(output, writer.file([written(journal.entry(session, seq))], seq))
            return
        chosen = _chosen(session, wanted, tiers, outcomes)
        refused: list[str] = []
        parts = _written(chosen, written, refused)
        if output is not None and to_folder:
            _into(output, chosen, parts, writer)
        elif form == "html":
            raise Refused("许多项决定的网页说明请写入文件夹：用 -o 给出文件夹的名称")
        elif found := [part for _, part in parts]:
            _put(output, writer.file(found), f"：{len(found)}项决定")
    _tell(refused)


def _form(output: Path | None, form: str | None) -> str:
    """The format: the one asked for, or else that of the file's name; both have to agree."""
    if output is None or is_folder(output):
        return form or "text"
    if form is not None:
        refuse_ending(output, _FORMS[form].suffixes, _FORMS[form].kind)
        return form
    by_ending = {s: name for name in ("json", "html", "text") for s in _FORMS[name].suffixes}
    refuse_ending(output, tuple(by_ending))
    return by_ending[output.suffix.lower()]


# -- which decisions -------------------------------------------------------------------------------


def _only(wanted: Sequence[Wanted]) -> int | None:
    """The number, where just one was asked for."""
    match wanted:
        case [range() as numbers] if len(numbers) == 1:
            return numbers.start
    return None


def _chosen(
    session: Session, wanted: Sequence[Wanted], tiers: Sequence[str], outcomes: Sequence[str]
) -> list[journal.Entry]:
    """The decisions that are asked for, in order of their numbers."""
    titles = {TIERS[t] for t in tiers}
    found: dict[int, journal.Entry] = {}
    for one in wanted or (None,):
        listed = list(_decisions(session, one))
        if not listed:
            raise Refused(f"{_called(one)}没有决定：用 tidu audit log 查看全部记录")
        found |= {entry.seq: entry for entry in listed}
    chosen = [
        entry
        for _, entry in sorted(found.items())
        if (not titles or entry.tier in titles)
        and (not outcomes or Outcome(entry.content["verdict"]).text in outcomes)
    ]
    if not chosen:
        raise Refused("没有这样的决定：请核对 --tier 和 --outcome")
    return chosen


def _called(wanted: Wanted | None) -> str:
    match wanted:
        case None:
            return "登记库中还"
        case str(code):
            return f"信用代码{code}"
    return (
        f"第{wanted.start}号至第{wanted.stop - 1}号中" if len(wanted) > 1 else f"第{wanted.start}号"
    )


def _decisions(session: Session, wanted: Wanted | None) -> Iterator[journal.Entry]:
    if isinstance(wanted, range):
        first, last = wanted.start, wanted.stop - 1
        yield from journal.entries(session, first=first, last=last, kinds=["decision"])
        return
    ids = None if wanted is None else cases.of_enterprise(session, wanted)
    yield from _latest(journal.entries(session, kinds=["decision"], filing_ids=ids))


def _latest(entries: Iterable[journal.Entry]) -> Iterable[journal.Entry]:
    """The last decision on each matter: of those before, no enterprise is to be told any more."""
    asked = ("uscc", "tier", "filed_as_of", "procedure", "batch")
    return {tuple(e.content["case"][k] for k in asked): e for e in entries}.values()


# -- what is written -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Writer:
    """Writes explanations in a format, for a reader."""

    form: str
    reader: str
    office: str
    to_file: bool

    def one(self, found: Explanation) -> str:
        """One decision: a whole file, or of a letter its part of one."""
        match self.form:
            case "json":
                return json.dumps(found.to_json(), ensure_ascii=False)
            case "letter":
                return letter(found, self.office)
            case "html":
                return html(report(found, self.reader))
        return text(report(found, self.reader), _WIDTH if self.to_file else console.width)

    def file(self, parts: Sequence[str], seq: int | None = None) -> str:
        """One file of all of them; ``seq`` is the number where one was asked for."""
        match self.form:
            case "json":
                return f"{parts[0]}\n" if seq else f"[{', '.join(parts)}]\n"
            case "letter":
                which = f"　第{seq}号" if seq else f"（{len(parts)}份）"
                return f"{letters(parts, f'决定告知书{which}')}\n"
            case "html":
                return f"{parts[0]}\n"
        return "\n\n".join(parts)


def _written(
    chosen: Sequence[journal.Entry], written: Callable[[journal.Entry], str], refused: list[str]
) -> Iterator[tuple[journal.Entry, str]]:
    """What is written of each; one that cannot be explained is refused and holds up no other."""
    with progress("说明", len(chosen)) as done:
        for number, entry in enumerate(chosen, 1):
            try:
                yield entry, written(entry)
            except (RegistryError, RulesError) as error:
                refused.append(f"第{entry.seq}号：{error}")
            except (OSError, MemoryError, GeneratorExit):
                raise  # of all
            except Exception as error:
                refused.append(f"第{entry.seq}号：{fault(error)}")
            done(number)


def _into(
    folder: Path,
    chosen: Sequence[journal.Entry],
    parts: Iterable[tuple[journal.Entry, str]],
    writer: Writer,
) -> None:
    """Write a file for each decision; none if one of that name is there already."""
    names = {entry.seq: file_name(entry, writer.form) for entry in chosen}
    there = [name for name in names.values() if (folder / name).exists()]
    if there:
        raise Refused(
            f"{folder} 中已有{len(there)}个同名文件（如 {there[0]}）：请换一个文件夹，或先移走"
        )
    folder.mkdir(exist_ok=True)
    count = 0
    for entry, part in parts:
        write_new(folder / names[entry.seq], writer.file([part], entry.seq).encode())
        count += 1
    click.echo(f"已写入 {folder}：{count}个文件")


def file_name(entry: journal.Entry, form: str) -> str:
    """What a file of a decision is called: enterprise, tier and number, as every system takes it."""
    name = _UNSAFE.sub("", entry.content["case"]["name"])[:_LONGEST].strip(".")
    what = f"第{entry.seq}号{_FORMS[form].name}{_FORMS[form].suffixes[0]}"
    return "_".join(filter(None, (name, SHORT.get(entry.tier, entry.tier), what)))


def _put(output: Path | None, written: str, more: str = "") -> None:
    if output is None and console.is_terminal:
        console.print(written.rstrip("\n"), markup=False, soft_wrap=True)
        return
    if output is None:
        click.echo(written, nl=False)
        return
    write_new(output, written.encode())
    click.echo(f"已写入 {output}{more}")


def _tell(refused: Sequence[str]) -> None:
    for line in refused[:_FEW]:
        errors.print(f"拒绝 {line}", markup=False)
    if refused:
        raise Refused(f"{len(refused)}项决定未能说明，原因见上")
