"""``tidu enterprise``: list, find and show enterprises and what they filed."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import click
from rich.table import Table

from registry.cli.common import (
    DayParam,
    Refused,
    TierParam,
    by_option,
    console,
    desk,
    group,
    json_option,
    print_json,
)
from registry.cli.targets import CodeParam, TypedCode
from registry.desk import enterprises, finding
from registry.desk.enterprises import Notice
from registry.desk.evidence import taken
from registry.kit.names import present
from registry.kit.screens import listing
from rules.explanation.wording import value_text
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact, RecordKind
from rules.model.facts import Profile as RulesProfile
from rules.model.ruleset import OUTCOMES


@group("enterprise")
def enterprise() -> None:
    """企业：列出、查找、查看登记的内容。"""


@enterprise.command("list")
@click.option("--search", default="", help="只列名称或信用代码含此文字的企业。")
@json_option
def list_enterprises(search: str, as_json: bool) -> None:
    """列出登记的企业及其填报。"""
    with desk() as at:
        found = enterprises.listed(at, search)
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo(
            f"没有名称或信用代码含「{search}」的企业：请核对，或去掉 --search 列出全部"
            if search
            else "没有登记的企业：先用 tidu import 文件 登记，或用 tidu demo 看示例"
        )
        return
    header = ("统一社会信用代码", "企业名称", "所在地", "填报日期", "来源文件")
    rows = []
    for f in found:
        place = "".join(filter(None, (f.province, f.city, f.county)))
        rows.append((f.uscc, present(f.name, f.former), place, f.as_of.isoformat(), f.file))
    console.print(listing(header, rows, console.width))
    click.echo(f"共{len(found)}份填报")


@enterprise.command("find")
@click.argument(
    "query", default="", metavar="[查找]", help="名称中的字，或信用代码的开头；不写则列出全部。"
)
@click.option("--tier", type=TierParam(), help="只列在此层级有决定的企业。")
@click.option(
    "--outcome",
    type=click.Choice([finding.UNDECIDED_WORD, *OUTCOMES]),
    help="只列最近一次决定为此结论的企业，或最近的填报尚未决定的企业。",
)
@click.option(
    "--region", default="", metavar="地区", help="只列在此省、市或县的企业，例如 广东省广州市。"
)
@click.option("--after", default="", metavar="信用代码", help="从此代码之后列起（上一页给出）。")
@click.option(
    "--limit",
    type=click.IntRange(1, finding.LONGEST),
    default=20,
    show_default=True,
    metavar="家数",
    help=f"一页列几家，最多{finding.LONGEST}家。",
)
@json_option
def find_enterprises(
    query: str,
    tier: str | None,
    outcome: str | None,
    region: str,
    after: str,
    limit: int,
    as_json: bool,
) -> None:
    """按名称中的字或信用代码的开头查找企业，连同各层级最近的决定；一页一页地列。

    不写查找的字时列出全部。名称不计大小写、全角半角和空格；只写一两个字而名称中有它的企业太多时，请再写一个字。
    """
    with desk() as at:
        short = finding.short_names(at)
        found = finding.find(
            at, query, tier=tier or "", outcome=outcome or "", after=after, limit=limit
        )
    if as_json:
        print_json(found)
        return
    if found.told:
        raise Refused(found.told)
    if not found.count:
        click.echo("没有找到这样的企业：请核对查找的字，或去掉一些条件")
        return
    rows = []
    for line in found.lines:
        said = [
            f"{short.get(d.tier, d.tier)}{d.outcome}{'' if d.current else '（以前的填报）'}"
            for d in line.decisions
        ]
        filed = line.filed.isoformat() if line.filed else "已撤销"
        rows.append(
            (line.uscc, present(line.name, line.former), line.place, filed, "，".join(said))
        )
    header = ("统一社会信用代码", "企业名称", "所在地", "填报日期", "最近的决定")
    console.print(listing(header, rows, console.width))
    more = f"；下一页：加上 --after {found.after}" if found.after else ""
    click.echo(f"共{found.counted}{more}")


@enterprise.command("admit")
@click.argument("uscc", type=TypedCode(), metavar="信用代码", help="校验码不符的18位代码。")
@click.option("--document", required=True, help="证明代码属实的文件，例如 营业执照 或其文号。")
@click.option("--dated", type=DayParam(), required=True, help="文件的日期。")
@click.option(
    "--evidence",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="证件的扫描件等，可多次给出；登记簿只记其摘要，设有 TIDU_EVIDENCE 的另存一份，否则请自行保存原件。",
)
@click.option("--revoke", is_flag=True, help="撤回以前的认可。")
@by_option
@json_option
def admit(
    uscc: str,
    document: str,
    dated: date,
    evidence: tuple[Path, ...],
    revoke: bool,
    by: str,
    as_json: bool,
) -> None:
    """认可一个早期发放、校验码不符而属实的信用代码，记入登记簿；此后可以登记这家企业。

    只认可这一个代码；撤回认可不影响已登记的填报和决定。
    """
    notice = Notice(document, dated, tuple(map(taken, evidence)))
    with desk(by) as at:
        entry = enterprises.admit(at, uscc, notice, revoke=revoke)
    if as_json:
        print_json({"seq": entry.seq, **entry.content})
    else:
        done = enterprises.ADMISSIONS[entry.content["action"]]
        click.echo(f"第{entry.seq}号{done}信用代码 {uscc}，依据{document}（{dated}）")


@enterprise.command("show")
@click.argument("uscc", type=CodeParam(), metavar="信用代码", help="统一社会信用代码或企业名称。")
@click.option("--as-of", type=DayParam(), help="按此日期（含）以前最近的一份填报。")
@click.option("--history", is_flag=True, help="列出各个版本，含已被替代的。")
@json_option
def show_enterprise(uscc: str, as_of: date | None, history: bool, as_json: bool) -> None:
    """查看一家企业的填报内容及每项的来源。"""
    with desk() as at:
        found = enterprises.shown(at, uscc, as_of=as_of, history=history)
    versions, profile, catalogue = found.versions, found.profile, found.catalogue
    if as_json:
        print_json({"versions": versions, "profile": profile.to_json()})
        return
    name = present(versions[-1].name, versions[-1].former)
    click.echo(f"{name}（{uscc}） 填报日期 {profile.as_of.isoformat()}")
    click.echo(f"划型（{found.source}）：{found.size}")
    if history:
        for v in versions:
            until = v.known_until.isoformat(timespec="seconds") if v.known_until else "现行"
            click.echo(
                f"  填报 {v.as_of}：{v.known_from.isoformat(timespec='seconds')} 起 {until}，"
                f"导入{v.import_id} {v.file}"
            )
    console.print(_values_table(profile, catalogue))
    for name, filed in profile.records.items():
        kind = catalogue.lists.get(name, RecordKind(name, name, ()))
        state = {True: "已报全", False: "未报全", None: "未说明是否报全"}[filed.complete]
        click.echo(f"{kind.name}（{state}）{len(filed.items)}条")
        for item in filed.items:
            shown = [f"{f.name} {value_text(f, item[f.id])}" for f in _ordered(kind.fields, item)]
            click.echo(f"  · {'，'.join(shown)}")


def _values_table(profile: RulesProfile, catalogue: Catalogue) -> Table:
    rows = []
    for fact in _ordered(catalogue.facts, [k.partition("@")[0] for k in profile.values]):
        keys = [k for k in profile.values if k.partition("@")[0] == fact.id]
        for key in sorted(keys, reverse=True):
            year = key.partition("@")[2]
            value = value_text(fact, profile.values[key])
            rows.append((fact.name, year, value, profile.sources.get(key, "")))
    return listing(("填报项", "年度", "值", "来源"), rows, console.width)


def _ordered(declared: Sequence[Fact], ids: Iterable[str]) -> list[Fact]:
    """The facts with these ids in order of declaration; last, those no longer declared."""
    filed = set(ids)
    known = [fact for fact in declared if fact.id in filed]
    return [*known, *(Fact(id, id, "text") for id in sorted(filed - {f.id for f in known}))]
