"""``tidu titles``: who holds which title, until when, and which document says so."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from registry.cli.common import (
    Day,
    Moment,
    Number,
    by_option,
    console,
    group,
    json_option,
    print_json,
    registry,
)
from registry.cli.lists import holders, renamed_option
from registry.cli.targets import Code, CodeOrFile, is_code, refuse_unknown
from registry.desk.place import now
from registry.kit.files import sha256_of
from registry.kit.screens import listing
from registry.record import journal, register
from registry.record.register import REASONS, Notice
from registry.record.wording import registered_text
from rules.model.roles import TIERS


@group("titles")
def titles() -> None:
    """称号登记簿：授予、延期、终止，各依据一份公告或决定；前置称号和复核以它为准。"""


def _who(command: Callable[..., None]) -> Callable[..., None]:
    """The enterprises and the title that a notice is about."""
    for decorate in (
        renamed_option,
        click.option("--tier", type=click.Choice(list(TIERS)), required=True, help="称号的层级。"),
        click.argument(
            "targets",
            nargs=-1,
            type=CodeOrFile(),
            required=True,
            metavar="信用代码… | 名单文件",
            help="统一社会信用代码或企业名称，或一份公告名单（xlsx、csv，有企业名称、统一社会信用代码列）。",
        ),
    ):
        command = decorate(command)
    return command


def notice_options(command: Callable[..., None]) -> Callable[..., None]:
    """The document, and who registers what it says."""
    for decorate in (
        json_option,
        by_option,
        click.option(
            "--evidence",
            multiple=True,
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="公告等文件，可多次给出；登记簿只记其摘要，请自行保存原件。名单文件自动记入。",
        ),
        click.option("--dated", type=Day(), required=True, help="公告或决定的日期。"),
        click.option("--document", required=True, help="公告或决定的文号。"),
    ):
        command = decorate(command)
    return command


_first = click.option("--from", "first", type=Day(), help="称号有效期始；有多项时用来指明哪一项。")
_last = click.option("--until", "last", type=Day(), help="称号有效期至。")


@titles.command("grant")
@_who
@click.option(
    "--from", "first", type=Day(), help="有效期始；默认为公告的日期。名单有此列的，以名单为准。"
)
@click.option("--until", "last", type=Day(), help="有效期至；默认三年。名单有此列的，以名单为准。")
@notice_options
def grant(
    targets: tuple[str, ...],
    tier: str,
    renamed: tuple[str, ...],
    first: date | None,
    last: date | None,
    document: str,
    dated: date,
    evidence: tuple[Path, ...],
    by: str,
    as_json: bool,
) -> None:
    """登记新认定（公告）的称号；有一家不能登记的，整份名单都不登记。"""
    listed = holders(targets, renamed, first, last, ("first", "last"))
    notice = notice_of(document, dated, evidence, targets)
    with registry(write=True) as session:
        done = register.grant(
            session, listed, TIERS[tier], notice,
            first=first or dated, last=last, by=by, now=now(),
        )  # fmt: skip
    show(done, as_json)


@titles.command("extend")
@_who
@_first
@click.option(
    "--until",
    "last",
    type=Day(),
    help="延至此日；默认在原有效期之后延长三年。名单有此列的，以名单为准。",
)
@notice_options
def extend(
    targets: tuple[str, ...],
    tier: str,
    renamed: tuple[str, ...],
    first: date | None,
    last: date | None,
    document: str,
    dated: date,
    evidence: tuple[Path, ...],
    by: str,
    as_json: bool,
) -> None:
    """登记复核通过而延长的称号。"""
    listed = holders(targets, renamed, last=last, uses=("last",))
    notice = notice_of(document, dated, evidence, targets)
    with registry(write=True) as session:
        done = register.extend(
            session, listed, TIERS[tier], notice, first=first, last=last, by=by, now=now()
        )
    show(done, as_json)


@titles.command("end")
@_who
@click.option("--on", type=Day(), help="自此日起不再持有；默认为公告的日期。")
@click.option("--reason", type=click.Choice(REASONS), required=True, help="原因。")
@_first
@_last
@notice_options
def end(
    targets: tuple[str, ...],
    tier: str,
    renamed: tuple[str, ...],
    on: date | None,
    reason: str,
    first: date | None,
    last: date | None,
    document: str,
    dated: date,
    evidence: tuple[Path, ...],
    by: str,
    as_json: bool,
) -> None:
    """登记提前终止的称号：撤销、注销、未通过复核等。"""
    listed, notice = holders(targets, renamed), notice_of(document, dated, evidence, targets)
    with registry(write=True) as session:
        done = register.end(
            session, listed, TIERS[tier], notice,
            on=on or dated, reason=reason, first=first, last=last, by=by, now=now(),
        )  # fmt: skip
    show(done, as_json)


@titles.command("strike")
@click.argument("seq", type=Number(), metavar="编号", help="这项称号现行登记的编号。")
@notice_options
def strike(
    seq: int, document: str, dated: date, evidence: tuple[Path, ...], by: str, as_json: bool
) -> None:
    """划销误登的称号，如同没有登记过；原登记仍留在登记簿中。"""
    notice = notice_of(document, dated, evidence, ())
    with registry(write=True) as session:
        done = register.strike(session, seq, notice, by=by, now=now())
    show([done], as_json)


@titles.command("list")
@click.argument(
    "codes", nargs=-1, type=Code(), metavar="[信用代码…]", help="只列这些企业；默认全部。"
)
@click.option("--tier", type=click.Choice(list(TIERS)), help="只列此层级的称号。")
@click.option("--as-of", type=Day(), help="只列在此日期持有的称号。")
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
    with registry() as session:
        refuse_unknown(session, codes)
        until = None if known_at is None else journal.until(session, known_at)
        found = register.titles(session, codes or register.holders(session), until=until)
    kept = [
        {"seq": e.seq, **e.content, "by": e.by}
        for entries in found.values()
        for e in (entries if history else register.standing(entries))
        if tier in (None, *(t for t in TIERS if TIERS[t] == e.content["kind"]))
        and (as_of is None or register.held(e, as_of))
    ]
    if as_json:
        print_json(kept)
        return
    show_table(kept)


def show_table(lines: Sequence[dict[str, Any]], what: str = "称号") -> None:
    """Registrations as a table."""
    rows = []
    for line in lines:
        who = f"{line['name']} {line['uscc']}".strip()
        done = register.ACTIONS[line["action"]]
        rows.append((str(line["seq"]), who, done, registered_text(line), line["by"]))
    console.print(listing(("编号", "企业", "登记", what, "经办"), rows, console.width))
    click.echo(f"共{len(lines)}条")


def notice_of(
    document: str, dated: date, evidence: tuple[Path, ...], targets: tuple[str, ...]
) -> Notice:
    """A document with the digests of its files, a list that was given among them."""
    files = [*evidence, *(Path(t) for t in targets if not is_code(t))]
    return Notice(document, dated, tuple(sha256_of(path) for path in files))


def show(done: Sequence[journal.Entry], as_json: bool) -> None:
    """What was registered."""
    if as_json:
        print_json([{"seq": entry.seq, **entry.content} for entry in done])
        return
    first, last = done[0], done[-1]
    if first is last:
        what = register.ACTIONS[first.content["action"]]
        # of a holding, the phrase names the enterprise itself
        name = "" if first.kind == "holding" else f"{first.content['name']} "
        click.echo(
            f"第{first.seq}号{what} {name.lstrip()}{first.subject} {registered_text(first.content)}"
        )
    else:
        click.echo(f"已登记{len(done)}家：第{first.seq}号至第{last.seq}号")
