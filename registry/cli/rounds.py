"""``tidu round``: what a notice calls for, within which days, and what became of it."""

from dataclasses import replace
from datetime import date
from typing import Any

import click

from registry.cli.common import (
    DayParam,
    Procedure,
    Province,
    TierParam,
    batch_option,
    by_option,
    console,
    desk,
    dry_run_option,
    group,
    json_option,
    print_json,
)
from registry.cli.notices import DocumentOptions, document_options
from registry.desk import rounds
from registry.desk.rounds import Call, RoundView, Term
from registry.kit.screens import listing
from rules.language.editions import RECOGNITION


class StateTerm(click.ParamType[tuple[str, Term]]):
    """The term of a state, written 县级初审=10个工作日."""

    name = "环节=时限"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Term]:
        """The state, and its term."""
        state, equals, text = str(value).replace("＝", "=").partition("=")
        if not (state.strip() and equals):
            self.fail(f"「{value}」应写成 环节=时限，例如 县级初审=10个工作日", param, ctx)
        try:
            return state.strip(), rounds.term(text.strip())
        except ValueError as error:
            self.fail(str(error), param, ctx)


@group("round")
def round_() -> None:
    """轮次：依据一份通知受理申报，自某日至某日；没有规定的期限可在此写明。"""


@round_.command("open")
@click.argument("name", metavar="名称", help="轮次的名称，例如 2026年第一批。")
@click.option("--tier", type=TierParam(), required=True, help="申报的层级。")
@click.option(
    "--procedure", type=Procedure(), default=RECOGNITION, show_default=True, help="程序。"
)
@click.option("--opens", type=DayParam(), required=True, help="自此日起受理。")
@click.option("--closes", type=DayParam(), help="受理至此日（含）；默认至结束轮次为止。")
@batch_option
@click.option("--province", type=Province(), help="只受理此省份（或计划单列市）的；默认都受理。")
@click.option(
    "--term",
    "terms",
    multiple=True,
    type=StateTerm(),
    help="这一轮一个环节的期限，代替办理程序所写的，例如 县级初审=10个工作日、公示=公示7个工作日；可多次给出。",
)
@click.option(
    "--lag",
    type=click.IntRange(0, 3650),
    default=0,
    metavar="天数",
    help="办理日期早于登记日期超过这些天的，标为补录；默认早一天即标。",
)
@dry_run_option
@document_options
def open_round(
    name: str,
    tier: str,
    procedure: str,
    opens: date,
    closes: date | None,
    batch: str,
    province: str | None,
    terms: tuple[tuple[str, Term], ...],
    lag: int,
    dry_run: bool,
    document: DocumentOptions,
) -> None:
    """开始一轮申报或复核，依据通知的文号。"""
    stated = dict(terms)
    if len(stated) < len(terms):
        raise click.UsageError("同一环节的 --term 只能给出一次")
    call = Call(
        name=name, tier=tier, procedure=procedure, batch=batch, province=province or "",
        opens=opens, closes=closes, terms=stated, lag=lag,
    )  # fmt: skip
    with desk(document.by) as at:
        acting = at.rehearsal() if dry_run else at
        entry = rounds.open_round(acting, call, replace(document, rehearsing=dry_run).notice)
    body = entry.content
    if document.as_json:
        print_json({"dry_run": dry_run, "seq": None if dry_run else entry.seq, **body})
        return
    done = "将会开始" if dry_run else f"第{entry.seq}号开始"
    click.echo(
        f"{done}轮次「{body['name']}」：{body['tier']}{body['procedure']}，"
        f"受理{_window(opens, closes)}，依据{body['document']}（{body['dated']}）"
    )


@round_.command("list")
@json_option
def list_rounds(as_json: bool) -> None:
    """列出各轮次：受理时间、依据的通知、是否受理，其申报现在各在哪个环节。"""
    with desk() as at:
        known = reversed(rounds.every(at))
        found = [rounds.numbered(at, view.round.seq) for view in known]
    if as_json:
        print_json(list(map(_plain, found)))
        return
    rows = []
    for view in found:
        said = view.round.body
        batch = f"（{said['batch']}）" if said["batch"] else ""
        rows.append(
            (
                str(view.round.seq),
                view.round.name,
                f"{said['tier']}{said['procedure']}{batch}{said['province']}",
                f"{_window(said['opens'], said['closes'])}，{view.status}",
                f"{said['document']}（{said['dated']}）",
                _counted(view),
            )
        )
    header = ("编号", "轮次", "申报", "受理", "依据", "所在环节")
    console.print(listing(header, rows, console.width))
    click.echo(f"共{len(found)}轮")


def _plain(view: RoundView) -> dict[str, Any]:
    found = view.round
    return {
        "seq": found.seq,
        **found.body,
        "terms": dict(view.terms),
        "closed_on": found.closed_on,
        "status": view.status,
        "by": found.by,
        "counts": view.counts,
    }


def _counted(view: RoundView) -> str:
    each = "，".join(f"{one.state}{one.count}" for one in view.counts)
    return f"{view.total}家：{each}" if each else "0家"


def _window(opens: date | str, closes: date | str | None) -> str:
    return f"{opens}至{closes or '另行通知'}"


@round_.command("close")
@click.argument("name", metavar="名称或编号", help="轮次的名称或编号。")
@click.option("--on", type=DayParam(), help="自此日起不再受理；默认今天。")
@click.option("--ground", required=True, help="理由。")
@dry_run_option
@by_option
@json_option
def close_round(
    name: str, on: date | None, ground: str, dry_run: bool, by: str, as_json: bool
) -> None:
    """结束一轮，自某日起不再受理；已受理的申报继续办理。"""
    with desk(by) as at:
        acting = at.rehearsal() if dry_run else at
        entry = rounds.close_round(acting, name, on=on or at.today, ground=ground)
    if as_json:
        print_json({"dry_run": dry_run, "seq": None if dry_run else entry.seq, **entry.content})
        return
    done = "将会结束" if dry_run else f"第{entry.seq}号结束"
    click.echo(f"{done}轮次「{name}」：自{entry.content['closed_on']}起不再受理")
