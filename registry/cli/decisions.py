"""``tidu decide``, ``determine``, ``confirm`` and ``withdraw``: what goes on the record."""

from collections import deque
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from registry.cli.common import (
    DayParam,
    NumberParam,
    Refused,
    TierParam,
    batch_option,
    by_option,
    command,
    console,
    desk,
    errors,
    jobs_option,
    json_option,
    print_json,
    print_json_array,
    procedure_option,
    province_option,
    tiers_option,
)
from registry.cli.issues import show_issues
from registry.cli.remedies import told
from registry.cli.targets import CodeOrFile, CodeParam, file_among
from registry.desk import deciding, duties
from registry.desk.deciding import Decided, DecisionTally, Request, Ruling, Target
from registry.desk.duties import Papers
from registry.desk.evidence import taken
from registry.desk.place import Desk
from registry.kit.jsontext import fields_of
from registry.reports.verdicts import DOUBTED


@command("decide")
@click.argument(
    "targets",
    nargs=-1,
    type=CodeOrFile(),
    metavar="[信用代码… | 文件]",
    help="已登记企业的信用代码或名称，或一个文件（先登记，再决定其中的企业）。",
)
@click.option("--all", "everything", is_flag=True, help="决定登记的全部企业。")
@tiers_option
@procedure_option
@batch_option
@province_option
@click.option("--as-of", type=DayParam(), help="按此日期决定；默认用填报日期。")
@jobs_option
@by_option
@json_option
def decide(
    targets: tuple[str, ...],
    everything: bool,
    tiers: tuple[str, ...],
    procedure: str,
    batch: str,
    province: str | None,
    as_of: date | None,
    jobs: int | None,
    by: str,
    as_json: bool,
) -> None:
    """作出决定并记入登记簿：给出信用代码、--all，或一个文件。

    决定按已发布的规则作出，记下后不能改动；同一填报的决定没有变化时不再重复记录，所以中断后再次运行即接着做。
    """
    if everything == bool(targets):
        raise click.UsageError("请给出信用代码或文件，或用 --all 决定全部（二者择一）")
    file = file_among(targets)
    request = Request(tiers, procedure, batch, province, as_of)
    with desk(by) as at:
        codes: Sequence[str] | None = None if everything else targets
        if file is not None:
            codes = _load(at, file, as_of)
        with deciding.run(at, codes, request, jobs=jobs) as run:
            if as_json:
                print_json_array(map(_plain, run))
            else:
                deque(run, maxlen=0)
            tally = run.tally
    if not as_json:
        _show(tally)
    if tally.refused:
        raise Refused(f"{tally.refused}项未能作出决定，原因见上")


def _load(at: Desk, path: Path, as_of: date | None) -> list[str]:
    """Store a file as ``tidu import`` does; returns its credit codes."""
    if not path.suffix:
        raise Refused(f"「{path}」不是18位信用代码，也没有这个名称的文件：请核对")
    loaded = deciding.load(at, path, as_of)
    if loaded.refused:
        show_issues(loaded.reading.issues, to=errors, headings=loaded.reading.headings)
        raise Refused(f"{path.name} 有错误，没有登记，也没有作出决定：请改正后重试")
    show_issues(loaded.done.names, to=errors)
    return loaded.codes


def _reason(line: Decided) -> str:
    return told(line.reason, line.remedy)


def _plain(line: Decided) -> dict[str, Any]:
    return fields_of(line, without=["remedy"]) | {"reason": _reason(line)}


def _show(tally: DecisionTally) -> None:
    if tally.whole:
        _show_lines(tally.lines)
    else:
        _show_counts(tally)
    for said in tally.rounds:
        click.echo(f"注意：{said}")


def _show_counts(tally: DecisionTally) -> None:
    """Print the counts and the first refusals."""
    for line in tally.lines:
        if line.seq is None:
            errors.print(
                f"拒绝 {line.name} {line.tier}：{_reason(line)}", markup=False, soft_wrap=True
            )
    for tier, counted in tally.verdicts.items():
        click.echo(f"{tier}：{'，'.join(f'{word}{n}家' for word, n in counted.items())}")
    if tally.numbers:
        first, last = tally.numbers
        click.echo(f"新记录{tally.new}项决定：第{first}号至第{last}号")
    if tally.earlier:
        click.echo(f"{tally.earlier}项已有内容相同的决定，没有重复记录")
    if tally.doubted:
        click.echo(f"{tally.doubted}项决定所依据的数据存疑：tidu check --all 标{DOUBTED}的各家")


def _show_lines(lines: Sequence[Decided]) -> None:
    for line in lines:
        if line.seq is None:
            console.print(
                f"拒绝 {line.name} {line.tier}：{_reason(line)}", markup=False, soft_wrap=True
            )
            continue
        word = f"已有第{line.seq}号决定，内容相同" if line.earlier else f"第{line.seq}号决定"
        rests = "、".join(f"第{n}号" for n in line.determinations)
        note = f"（含人工认定{rests}）" if rests else ""
        console.print(
            f"{word} {line.name} {line.tier}：{line.verdict}{note}",
            markup=False,
            soft_wrap=True,
        )
        if line.doubts:
            said = f"有{len(line.doubts)}处数据存疑，请核对：{'；'.join(line.doubts)}"
            console.print(f"  {DOUBTED} {said}", markup=False, soft_wrap=True)
    if len(lines) == 1 and lines[0].seq is not None:
        click.echo(f"说明理由：tidu explain {lines[0].seq}")


@command("determine")
@click.argument("uscc", type=CodeParam(), metavar="信用代码", help="统一社会信用代码或企业名称。")
@click.option("--fact", "name", help="填报项或字段的名称，例如 知名度和影响力。")
@click.option("--year", type=int, help="年度数据的年度，例如 2022。")
@click.option(
    "--records", default="", help="清单名称，例如 知识产权；不给 --number 时认定清单是否已报全。"
)
@click.option("--number", type=click.IntRange(min=1), default=None, help="清单的第几条。")
@click.option("--rule", help="规则编号：只限留待人工认定的规则。")
@click.option(
    "--value", required=True, help="认定为：是、否、120万元、3%、2023-06-30、符合、10分、未知……"
)
@click.option("--ground", required=True, help="理由。")
@click.option(
    "--evidence",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="证据文件，可多次给出；登记簿只记其摘要；设有 TIDU_EVIDENCE 的另存一份，"
    "否则请自行保存原件。",
)
@click.option("--tier", type=TierParam(), help="规则所属的层级（认定规则时必给）。")
@procedure_option
@batch_option
@province_option
@click.option("--as-of", type=DayParam(), help="认定此日期（含）以前最近的一份填报。")
@by_option
@json_option
def determine(
    uscc: str,
    name: str | None,
    year: int | None,
    records: str,
    number: int | None,
    rule: str | None,
    value: str,
    ground: str,
    evidence: tuple[Path, ...],
    tier: str | None,
    procedure: str,
    batch: str,
    province: str | None,
    as_of: date | None,
    by: str,
    as_json: bool,
) -> None:
    """人工认定：更正一项填报，或认定法规留给审核人判断的事项，记入登记簿。

    原填报保持不变；此后对这份填报的决定都写明所依据的认定。
    """
    if (rule is None) == (name is None and not records):
        raise click.UsageError(
            "请用 --fact（或 --records）给出填报项，或用 --rule 给出规则（二者择一）"
        )
    if rule is not None and tier is None:
        raise click.UsageError("认定规则时，请用 --tier 写明层级")
    if records and (name is None) != (number is None):
        raise click.UsageError("认定清单中的一条时，--number 和 --fact 须同时给出")
    if rule is not None:
        target = Target(rule, rule=True)
    else:
        target = Target(name or "", year, records, number or 0)
    ruling = Ruling(
        uscc=uscc,
        target=target,
        value=value,
        ground=ground,
        evidence=tuple(map(taken, evidence)),
        tier=tier or "",
        procedure=procedure,
        batch=batch,
        province=province,
        as_of=as_of,
    )
    with desk(by) as at:
        entry = deciding.determine(at, ruling)
    if as_json:
        print_json({"seq": entry.seq, **entry.content})
        return
    click.echo(f"已记录第{entry.seq}号认定")
    if entry.content["four_eyes"]:
        click.echo(f"须由另一人确认后生效：tidu confirm {entry.seq} --by 姓名")


@command("revoke")
@click.argument("seq", type=NumberParam(), metavar="编号", help="人工认定的编号。")
@click.option("--ground", required=True, help="理由。")
@click.option(
    "--evidence",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="证据文件，可多次给出；保存与 tidu determine 相同。",
)
@by_option
@json_option
def revoke(seq: int, ground: str, evidence: tuple[Path, ...], by: str, as_json: bool) -> None:
    """撤回一项人工认定，或误记的更新、变化、举报和后果。

    撤回认定的，填报项恢复为填报的值，规则恢复为留待认定；两条记录都留在登记簿中。以前对同一事项的认定不因此恢复，需要时另作认定。待第二人确认的认定，撤回后不再等待确认。
    """
    with desk(by) as at:
        digests = tuple(map(taken, evidence))
        if of_duty := duties.concerns(at, seq):
            papers = Papers(day=at.today, evidence=digests, ground=ground)
            [entry] = duties.revoke(at, seq, papers).entries
        else:
            entry = deciding.revoke(at, seq, ground, digests)
        waits = not of_duty and deciding.waits(at, entry)
    if as_json:
        print_json({"seq": entry.seq, **entry.content})
        return
    click.echo(f"已撤回第{seq}号{'记录' if of_duty else '认定'}（第{entry.seq}号记录）")
    if waits:
        click.echo(f"须由另一人确认后生效：tidu confirm {entry.seq} --by 姓名")


@command("confirm")
@click.argument("seq", type=NumberParam(), metavar="编号", help="人工认定的编号。")
@by_option
@json_option
def confirm(seq: int, by: str, as_json: bool) -> None:
    """以第二人身份确认一项人工认定（开启双人复核时）。"""
    with desk(by) as at:
        entry = deciding.confirm(at, seq)
    if as_json:
        print_json({"seq": entry.seq, "determination": seq})
    else:
        click.echo(f"第{seq}号认定已由{entry.by}确认（第{entry.seq}号记录）")


@command("withdraw")
@click.argument("uscc", type=CodeParam(), metavar="信用代码", help="统一社会信用代码或企业名称。")
@click.option("--ground", required=True, help="理由，例如 企业来函撤回申报。")
@click.option("--as-of", type=DayParam(), help="撤回此日期（含）以前最近的一份填报。")
@by_option
@json_option
def withdraw(uscc: str, ground: str, as_of: date | None, by: str, as_json: bool) -> None:
    """撤回申报：不作决定而了结一份填报，记入登记簿。"""
    with desk(by) as at:
        entry = deciding.withdraw(at, uscc, ground, as_of)
    if as_json:
        print_json({"seq": entry.seq, **entry.content})
    else:
        day = entry.content["case"]["as_of"]
        click.echo(f"已撤回 {uscc} {day}的填报（第{entry.seq}号记录）")
