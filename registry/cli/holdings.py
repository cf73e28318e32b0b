"""``tidu holdings``: who holds which share of which enterprise, since when, and which document says so."""

from collections.abc import Container, Sequence
from datetime import date, datetime
from pathlib import Path

import click
from sqlmodel import Session

from registry.cli.common import (
    Day,
    Moment,
    Refused,
    errors,
    group,
    json_option,
    print_json,
    registry,
)
from registry.cli.lists import coded, names, refuse_differing, renamed_option
from registry.cli.targets import Code, CodeOrFile, is_code, refuse_unknown
from registry.cli.titles import notice_of, notice_options, show, show_table
from registry.desk.place import now
from registry.intake.cells import GARBLED, half, read_share
from registry.intake.lists import Line, enterprises, read_list
from registry.intake.tables import headings
from registry.kit.characters import REPLACEMENT
from registry.kit.uscc import tidy
from registry.record import journal, register
from registry.record.naming import Names
from registry.record.register import Holder, Holding

#: The columns of a list, besides those of enterprises.
_HOLDER, _HOLDER_CODE, _SHARE = "持股方", "持股方统一社会信用代码", "持股比例"
#: The column of a share whose heading says that its numbers are percentages.
_PERCENTAGE = f"{_SHARE}(%)"


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
@click.option("--from", "first", type=Day(), help="持股始；默认为文件的日期。")
@click.option("--until", "last", type=Day(), help="持股至（含当日）；默认不限。")
@renamed_option
@notice_options
def add(
    target: str,
    holder: str | None,
    share: str | None,
    first: date | None,
    last: date | None,
    renamed: tuple[str, ...],
    document: str,
    dated: date,
    evidence: tuple[Path, ...],
    by: str,
    as_json: bool,
) -> None:
    """登记持股；同一持股方对同一企业的，以最后一次登记为准。

    名单文件（xlsx、csv）有这些列：企业名称、统一社会信用代码、持股方、持股方统一社会信用代码、持股比例；
    有一行不能登记的，整份名单都不登记。只有名称的持股方可能同名，不用来认定两家企业受同一方控制。
    """
    if is_code(target):
        if not holder or not share:
            raise click.UsageError("登记一项持股，须写明 --holder 和 --share")
        stated = [Holding(Holder(target), _holder(holder), _share(share))]
    elif holder or share:
        raise click.UsageError("名单文件自己写明持股方和比例，不与 --holder、--share 同用")
    else:
        with registry() as session:
            stated = _listed(session, Path(target), renamed)
    notice = notice_of(document, dated, evidence, (target,))
    with registry(write=True) as session:
        _tell_namesakes(session, stated)
        codes = {code for h in stated for code in (h.held.uscc, h.holder.uscc)} - {""}
        known = names(session, sorted(codes))
        done = register.hold(
            session,
            [Holding(_named(h.held, known), _named(h.holder, known), h.share) for h in stated],
            notice,
            first=first or dated,
            last=last,
            by=by,
            now=now(),
        )
    show(done, as_json)


@holdings.command("end")
@click.argument(
    "code", type=Code(), metavar="信用代码", help="被持有的企业的统一社会信用代码或名称。"
)
@click.option("--holder", required=True, help="持股方的信用代码或名称，与登记的一致。")
@click.option("--on", type=Day(), help="自此日起不再持有；默认为文件的日期。")
@notice_options
def end(
    code: str,
    holder: str,
    on: date | None,
    document: str,
    dated: date,
    evidence: tuple[Path, ...],
    by: str,
    as_json: bool,
) -> None:
    """登记不再持有的股权。"""
    notice = notice_of(document, dated, evidence, ())
    with registry(write=True) as session:
        done = register.end_holding(
            session, code, _holder(holder), notice, on=on or dated, by=by, now=now()
        )
    show([done], as_json)


@holdings.command("list")
@click.argument(
    "code", type=Code(), required=False, metavar="[信用代码]", help="只列此企业的；默认全部。"
)
@click.option("--as-of", type=Day(), help="只列在此日期持有的。")
@click.option("--known-at", type=Moment(), help="只按此日期或时间以前的登记。")
@click.option("--history", is_flag=True, help="列出每一次登记，而不只是现行的。")
@json_option
def list_holdings(
    code: str | None, as_of: date | None, known_at: datetime | None, history: bool, as_json: bool
) -> None:
    """列出登记的持股；一家企业的，包括它持有的和持有它的。"""
    if history and as_of is not None:
        raise click.UsageError("--history 列出每一次登记，不能与 --as-of 同用")
    with registry() as session:
        if code is not None:
            refuse_unknown(session, [code])
        until = None if known_at is None else journal.until(session, known_at)
        found = register.holdings(session, code, until=until)
    kept = [
        {"seq": e.seq, **e.content, "by": e.by}
        for e in (found if history else register.standing(found))
        if as_of is None or register.held(e, as_of)
    ]
    if as_json:
        print_json(kept)
        return
    show_table(kept, "持股")


def _holder(text: str) -> Holder:
    """A holder as it was typed: a credit code, or a name."""
    code = tidy(text)
    return Holder(code) if is_code(code) else Holder("", half(text))


def _named(holder: Holder, known: dict[str, str]) -> Holder:
    return Holder(holder.uscc, holder.name or known.get(holder.uscc, ""))


def _share(text: str) -> str:
    read = read_share(text)
    if read.value is None:
        raise Refused(f"持股比例「{text}」读不懂：请写成 51% 这样的百分数")
    return str(read.value)


def _column(heading: str) -> str:
    """The column that a heading of a list names, if it is one."""
    text = headings.key(heading)
    if (found := headings.words(text)).term == _SHARE and found.unit == "%":
        return _PERCENTAGE
    return enterprises(heading) or (text if text in (_HOLDER, _HOLDER_CODE, _SHARE) else "")


def _listed(session: Session, path: Path, renamed: Container[str]) -> list[Holding]:
    """The holdings of a list: of every block that has a share."""
    listing = read_list(path, _column, (_SHARE, _PERCENTAGE))
    if not listing.lines:
        raise Refused(f"{path.name} 中没有持股：须有统一社会信用代码、{_SHARE}和{_HOLDER}等列")
    stated = [(line, _stated(line, held, path)) for line, held in coded(session, path, listing)]
    named = [(line, firm) for line, h in stated for firm in (h.held, h.holder)]
    refuse_differing(session, path, named, renamed)
    return [holding for _, holding in stated]


def _stated(line: Line, held: Holder, path: Path) -> Holding:
    where = f"{path.name} {line.where}"
    if any(REPLACEMENT in line.text(key) for key in line.cells):
        raise Refused(f"{where}：{'，'.join(GARBLED)}")
    share = _SHARE if _SHARE in line.cells else _PERCENTAGE
    if share in line.spread:
        raise Refused(f"{where}：{_SHARE}合并在几行之间，不知归哪一行，请逐行填写")
    read = read_share(line.cells.get(share), "%" if share == _PERCENTAGE else "")
    if read.value is None:
        raise Refused(f"{where}：持股比例「{line.text(share)}」读不懂，请写成 51% 这样的百分数")
    holder = Holder(tidy(line.text(_HOLDER_CODE)), line.text(_HOLDER))
    if not (holder.uscc or holder.name):
        raise Refused(f"{where}：没有持股方，请填写{_HOLDER}或{_HOLDER_CODE}")
    return Holding(held, holder, str(read.value))


def _tell_namesakes(session: Session, stated: Sequence[Holding]) -> None:
    """Tell where a holder that is named alone has the name of an enterprise: a name joins no two."""
    nameless = [h.holder.name for h in stated if not h.holder.uscc]
    known = Names(session) if nameless else None
    for name in dict.fromkeys(nameless):
        if known and (found := known.of(name)):
            errors.print(
                f"提示 持股方「{name}」只写了名称；登记库中有同名企业{'、'.join(found)}，如就是它，请写信用代码",
                markup=False,
            )
