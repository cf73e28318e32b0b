"""``tidu titles``: who holds which title, until when, by which document."""

from collections.abc import Callable
from datetime import date, datetime

import click

from registry.cli.common import DayParam, Moment, NumberParam, TierParam, desk, group, json_option
from registry.cli.notices import (
    DocumentOptions,
    document_options,
    firms_of,
    first_option,
    last_option,
    list_argument,
    renamed_option,
    show,
    show_table,
)
from registry.cli.targets import CodeParam
from registry.desk import notices
from registry.desk.notices import REASONS, Registered, Validity


@group("titles")
def titles() -> None:
    """称号登记簿：授予、延期、终止，各依据一份公告或决定；前置称号和复核以它为准。"""


def _who(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the parameters for the enterprises and the title of a notice."""
    for decorate in (
        renamed_option,
        click.option("--tier", type=TierParam(), required=True, help="称号的层级。"),
        list_argument("公告名单"),
    ):
        command = decorate(command)
    return command


_first = click.option(
    "--from", "first", type=DayParam(), help="称号有效期始；有多项时用来指明哪一项。"
)
_last = click.option("--until", "last", type=DayParam(), help="称号有效期至。")


@titles.command("grant")
@_who
@first_option
@last_option
@document_options
def grant(
    targets: tuple[str, ...],
    tier: str,
    renamed: tuple[str, ...],
    first: date | None,
    last: date | None,
    document: DocumentOptions,
) -> None:
    """登记新认定（公告）的称号；有一家不能登记的，整份名单都不登记。"""
    firms = firms_of(targets, renamed)
    with desk(document.by) as at:
        done = notices.grant(at, firms, tier, document.notice, Validity(first, last))
    show(done, document.as_json)


@titles.command("extend")
@_who
@_first
@click.option(
    "--until",
    "last",
    type=DayParam(),
    help="延至此日；默认在原有效期之后再加标准写明的有效期。名单有此列的，以名单为准。",
)
@document_options
def extend(
    targets: tuple[str, ...],
    tier: str,
    renamed: tuple[str, ...],
    first: date | None,
    last: date | None,
    document: DocumentOptions,
) -> None:
    """登记复核通过而延长的称号。"""
    firms = firms_of(targets, renamed)
    with desk(document.by) as at:
        done = notices.extend(at, firms, tier, document.notice, Validity(first, last))
    show(done, document.as_json)


@titles.command("end")
@_who
@click.option("--on", type=DayParam(), help="自此日起不再持有；默认为公告的日期。")
@click.option("--reason", type=click.Choice(REASONS), required=True, help="原因。")
@_first
@_last
@document_options
def end(
    targets: tuple[str, ...],
    tier: str,
    renamed: tuple[str, ...],
    on: date | None,
    reason: str,
    first: date | None,
    last: date | None,
    document: DocumentOptions,
) -> None:
    """登记提前终止的称号：撤销、注销、未通过复核等。"""
    firms = firms_of(targets, renamed)
    with desk(document.by) as at:
        done = notices.end(
            at, firms, tier, document.notice, Validity(first, last),
            on=on, reason=reason,
        )  # fmt: skip
    show(done, document.as_json)


@titles.command("strike")
@click.argument("seq", type=NumberParam(), metavar="编号", help="这项称号现行登记的编号。")
@document_options
def strike(seq: int, document: DocumentOptions) -> None:
    """划销误登的称号，如同没有登记过；原登记仍留在登记簿中。"""
    with desk(document.by) as at:
        done = notices.strike(at, seq, document.notice)
    show(Registered([done]), document.as_json)


@titles.command("list")
@click.argument(
    "codes", nargs=-1, type=CodeParam(), metavar="[信用代码…]", help="只列这些企业；默认全部。"
)
@click.option("--tier", type=TierParam(), help="只列此层级的称号。")
@click.option("--as-of", type=DayParam(), help="只列在此日期持有的称号。")
@click.option("--known-at", type=Moment(), help="只按此日期或时间以前的登记。")
@click.option("--history", is_flag=True, help="列出每一次登记，而不只是现行的。")
@json_option
def list_titles(
    codes: tuple[str, ...],
    tier: str | None,
    as_of: date | None,
    known_at: datetime | None,
    history: bool,
    as_json: bool,
) -> None:
    """列出登记的称号。"""
    if history and as_of is not None:
        raise click.UsageError("--history 列出每一次登记，不能与 --as-of 同用")
    kind = tier or ""
    with desk() as at:
        found = notices.titles(
            at, codes, kind=kind, as_of=as_of, known_at=known_at, history=history
        )
    show_table(found, "称号", as_json)
