"""``tidu update``, ``change``, ``complain``, ``consequence`` and ``cancel``: what follows a title."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import click

from registry.cli.applications import ActOptions, act_options, who
from registry.cli.common import (
    DayParam,
    NumberParam,
    TierParam,
    command,
    desk,
    dry_run_option,
    errors,
    print_json,
)
from registry.cli.notices import DocumentOptions, document_options, firms_of
from registry.cli.targets import CodeParam
from registry.desk import duties
from registry.desk.due import MATTERS
from registry.desk.duties import Cancelling, Change, Done, Matter, Papers, Validity
from registry.desk.place import Desk


@command("update")
@who
@click.option("--year", type=int, required=True, help="更新哪一年的信息，即最后一日所在的年度。")
@act_options
def update(
    targets: tuple[str, ...], renamed: tuple[str, ...], year: int, options: ActOptions
) -> None:
    """登记企业的年度更新，一家或一份名单；有一家不须更新的，整份名单都不登记。"""
    firms = firms_of(targets, renamed)
    with desk(options.by) as at:
        done = duties.update(options.at(at), firms, year, _papers(at, options))
    _show(done, f"登记{year}年的更新", options)


@command("change")
@who(required=False)
@click.option("--kind", default="", help="发生了什么变化，例如 更名；应为标准写明的一种。")
@click.option("--happened", type=DayParam(), help="发生变化的日期。")
@click.option("--reported", type=DayParam(), help="企业报告的日期；还没有报告的不写。")
@click.option("--name", default="", help="变化后的名称。")
@click.option("--of", "seq", type=NumberParam(), help="补登报告：原先登记这一变化的编号。")
@click.option("--ground", default="", help="说明。")
@act_options
def change(
    targets: tuple[str, ...],
    renamed: tuple[str, ...],
    kind: str,
    happened: date | None,
    reported: date | None,
    name: str,
    seq: int | None,
    ground: str,
    options: ActOptions,
) -> None:
    """登记企业的重大变化和报告的日期；先登记而后来才报告的，用 --of 补登。"""
    with desk(options.by) as at:
        papers = _papers(at, options, ground)
        if seq is not None:
            if targets or kind or happened or not reported:
                raise click.UsageError(
                    "--of 补登一次报告：只与 --reported 同用，企业和变化以原登记为准"
                )
            done = duties.report(options.at(at), seq, replace(papers, day=reported))
        else:
            if not targets or not kind or happened is None:
                raise click.UsageError("请写明企业、--kind 和 --happened，或用 --of 补登报告")
            changed = Change(kind=kind, day=happened, reported=reported, renamed=name)
            done = duties.change(options.at(at), firms_of(targets, renamed), changed, papers)
    _show(done, "登记变化", options)


@command("complain")
@click.argument(
    "uscc",
    required=False,
    type=CodeParam(),
    metavar="[信用代码]",
    help="被举报的企业：统一社会信用代码或企业名称。",
)
@click.option("--informant", default="", help="举报人的姓名或名称；封存于登记簿，不随证据包交出。")
@click.option("--answer", "seq", type=NumberParam(), help="答复哪一件举报：登记它的编号。")
@click.option("--outcome", default="", help="核查的结果，例如 属实、不属实。")
@click.option("--ground", default="", help="举报的内容，或答复的说明。")
@act_options
def complain(
    uscc: str | None,
    informant: str,
    seq: int | None,
    outcome: str,
    ground: str,
    options: ActOptions,
) -> None:
    """登记对一家企业的实名举报，或用 --answer 登记对它的答复。

    查实后的处理另行登记：tidu cancel 取消称号。
    """
    if (uscc is None) == (seq is None):
        raise click.UsageError("请写明被举报的企业，或用 --answer 答复一件举报")
    with desk(options.by) as at:
        papers = _papers(at, options, ground)
        if seq is not None:
            done = duties.answer(options.at(at), seq, outcome, papers)
        else:
            done = duties.complain(options.at(at), uscc or "", papers, informant)
    _show(done, "登记答复" if seq else "登记举报", options)


@command("consequence")
@who
@click.option("--tier", type=TierParam(), required=True, help="哪一层级的称号。")
@click.option("--matter", type=click.Choice(MATTERS), required=True, help="逾期的事项。")
@click.option("--which", "subject", default="", help="有几项时写明哪一项：2024年，或登记它的编号。")
@click.option("--draw", "consequence", default="", help="决定的后果；应为标准对此写明的一种。")
@click.option("--none", "excused", is_flag=True, help="决定不追究。")
@click.option("--ground", required=True, help="理由。")
@act_options
def consequence(
    targets: tuple[str, ...],
    renamed: tuple[str, ...],
    tier: str,
    matter: str,
    subject: str,
    consequence: str,
    excused: bool,
    ground: str,
    options: ActOptions,
) -> None:
    """决定逾期事项的后果，或不追究；一家或一份名单。哪些逾期、可有什么后果，见 tidu due。"""
    if bool(consequence) == excused:
        raise click.UsageError("请用 --draw 写明后果，或用 --none 不追究")
    firms = firms_of(targets, renamed)
    meant = Matter(tier=tier, matter=matter, subject=subject)
    with desk(options.by) as at:
        papers = _papers(at, options, ground)
        done = duties.decide(options.at(at), firms, meant, consequence, papers)
    _show(done, f"决定{consequence}" if consequence else "决定不追究", options)


@command("cancel")
@who
@click.option(
    "--tier", "tiers", type=TierParam(), multiple=True,
    help="取消哪一层级的称号，可多次给出；默认企业当日持有的全部称号。",
)  # fmt: skip
@click.option("--cause", required=True, help="取消的事由，例如 数据造假；应为标准写明的一种。")
@click.option("--on", type=DayParam(), help="自此日起不再持有；默认为决定的日期。")
@click.option(
    "--barred-until", type=DayParam(), help="不得申报的最后一日；决定写明比标准更长的才须写。"
)
@click.option("--from", "first", type=DayParam(), help="这项称号的有效期始；有几项时写明是哪一项。")
@click.option("--until", "last", type=DayParam(), help="这项称号的有效期至；没有登记过的须写明。")
@dry_run_option
@document_options
def cancel(
    targets: tuple[str, ...],
    renamed: tuple[str, ...],
    tiers: tuple[str, ...],
    cause: str,
    on: date | None,
    barred_until: date | None,
    first: date | None,
    last: date | None,
    dry_run: bool,
    document: DocumentOptions,
) -> None:
    """取消称号：依据一份决定，写明事由；不得再申报的期间由标准按事由写明，及于各个层级。"""
    firms = firms_of(targets, renamed)
    cancelling = Cancelling(
        cause=cause, on=on, barred_until=barred_until, days=Validity(first, last)
    )
    with desk(document.by) as at:
        notice = replace(document, rehearsing=dry_run).notice
        done = duties.cancel(at.rehearsal() if dry_run else at, firms, tiers, notice, cancelling)
    options = ActOptions(
        day=None, document=document.number, evidence=document.evidence, dry_run=dry_run,
        by=document.by, as_json=document.as_json,
    )  # fmt: skip
    _show(done, "取消称号", options)


def _papers(at: Desk, options: ActOptions, ground: str = "") -> Papers:
    return Papers(
        day=options.day or at.today, document=options.document, evidence=options.digests(),
        ground=ground,
    )  # fmt: skip


def _show(done: Done, what: str, options: ActOptions) -> None:
    """Print what was entered, and what the list left open."""
    for said in done.notices:
        errors.print(said if said.startswith("……") else f"提示 {said}", markup=False)
    entries: Sequence[duties.Entry] = done.entries
    if options.as_json:
        print_json(
            {
                "dry_run": options.dry_run,
                "entries": [
                    {"seq": None if options.dry_run else e.seq, "kind": e.kind, **e.content}
                    for e in entries
                ],
            }
        )
        return
    first, last = entries[0], entries[-1]
    numbers = f"第{first.seq}号" if first is last else f"第{first.seq}号至第{last.seq}号"
    verb = f"将会{what}" if options.dry_run else f"已{what}"
    body = first.content
    firms = dict.fromkeys(e.subject for e in entries)
    who = f"{body['name']} {body['uscc']}".strip() if len(firms) == 1 else f"{len(firms)}家"
    click.echo(f"{verb}：{who}{'' if options.dry_run else f'（{numbers}）'}")
