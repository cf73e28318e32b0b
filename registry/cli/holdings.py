"""``tidu holdings``: who holds which share of which enterprise, since when, by which document."""

from datetime import date, datetime

import click

from registry.cli.common import DayParam, Moment, desk, group, json_option
from registry.cli.notices import (
    DocumentOptions,
    document_options,
    firms_of,
    renamed_option,
    show,
    show_table,
)
from registry.cli.targets import CodeOrFile, CodeParam
from registry.desk import notices
from registry.desk.notices import Registered, Validity


@group("holdings")
def holdings() -> None:
    """持股登记簿：谁持有哪家企业多少股权，各依据一份文件；用来判断与“小巨人”的控制关系。

    只有证明了控制关系的登记才起作用；登记簿里查不到的，以企业的填报为准。
    """


@holdings.command("add")
@click.argument(
    "target",
    type=CodeOrFile(),
    metavar="信用代码 | 名单文件",
    help="被持有的企业的统一社会信用代码或名称，或一份名单（xlsx、csv）。",
)
@click.option("--holder", help="持股方的信用代码；没有信用代码的（自然人、境外机构）写名称。")
@click.option("--share", help="持股比例，例如 51%。")
@click.option("--from", "first", type=DayParam(), help="持股始；默认为文件的日期。")
@click.option("--until", "last", type=DayParam(), help="持股至（含当日）；默认不限。")
@renamed_option
@document_options
def add(
    target: str,
    holder: str | None,
    share: str | None,
    first: date | None,
    last: date | None,
    renamed: tuple[str, ...],
    document: DocumentOptions,
) -> None:
    """登记持股；同一持股方对同一企业的，以最后一次登记为准。

    名单文件（xlsx、csv）有这些列：企业名称、统一社会信用代码、持股方、持股方统一社会信用代码、持股比例；
    有一行不能登记的，整份名单都不登记。只有名称的持股方可能同名，不用来认定两家企业受同一方控制。
    """
    firms, days = firms_of([target], renamed), Validity(first, last)
    if firms.file is None and not (holder and share):
        raise click.UsageError("登记一项持股，须写明 --holder 和 --share")
    if firms.file is not None and (holder or share):
        raise click.UsageError("名单文件自己写明持股方和比例，不与 --holder、--share 同用")
    with desk(document.by) as at:
        if holder and share:
            done = notices.hold(at, target, holder, share, document.notice, days)
        else:
            done = notices.hold_listed(at, firms, document.notice, days)
    show(done, document.as_json)


@holdings.command("end")
@click.argument(
    "code", type=CodeParam(), metavar="信用代码", help="被持有的企业的统一社会信用代码或名称。"
)
@click.option("--holder", required=True, help="持股方的信用代码或名称，与登记的一致。")
@click.option("--on", type=DayParam(), help="自此日起不再持有；默认为文件的日期。")
@document_options
def end(code: str, holder: str, on: date | None, document: DocumentOptions) -> None:
    """登记不再持有的股权。"""
    with desk(document.by) as at:
        done = notices.end_holding(at, code, holder, document.notice, on=on)
    show(Registered([done]), document.as_json)


@holdings.command("list")
@click.argument(
    "code", type=CodeParam(), required=False, metavar="[信用代码]", help="只列此企业的；默认全部。"
)
@click.option("--as-of", type=DayParam(), help="只列在此日期持有的。")
@click.option("--known-at", type=Moment(), help="只按此日期或时间以前的登记。")
@click.option("--history", is_flag=True, help="列出每一次登记，而不只是现行的。")
@json_option
def list_holdings(
    code: str | None, as_of: date | None, known_at: datetime | None, history: bool, as_json: bool
) -> None:
    """列出登记的持股；一家企业的，包括它持有的和持有它的。"""
    if history and as_of is not None:
        raise click.UsageError("--history 列出每一次登记，不能与 --as-of 同用")
    with desk() as at:
        found = notices.holdings(at, code, as_of=as_of, known_at=known_at, history=history)
    show_table(found, "持股", as_json)
