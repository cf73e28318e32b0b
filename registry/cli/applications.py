"""``tidu apply``, ``step``, ``object`` and ``announce``: applications and what is done with them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial, wraps
from pathlib import Path
from typing import Any, Final

import click

from registry.cli.common import (
    DayParam,
    NumberParam,
    Procedure,
    TierParam,
    batch_option,
    by_option,
    command,
    desk,
    dry_run_option,
    errors,
    json_option,
    print_json,
)
from registry.cli.notices import (
    DocumentOptions,
    digests,
    document_options,
    evidence_option,
    firms_of,
    first_option,
    last_option,
    list_argument,
)
from registry.cli.targets import CodeParam
from registry.desk import applications
from registry.desk.applications import ENTERPRISE, LEVELS, Applying, Doing, Done, Stand
from registry.desk.place import Desk

_UPHELD: Final = {"成立": True, "不成立": False}


def who(command: Callable[..., None] | None = None, *, required: bool = True) -> Callable[..., Any]:
    """Adds the parameters for the enterprises, which are named one by one or in a list."""
    if command is None:
        return partial(who, required=required)
    for decorate in (
        click.option(
            "--renamed",
            multiple=True,
            type=CodeParam(),
            metavar="信用代码",
            help="名单上的名称与登记的不同而确是同一家（已更名）的企业，可多次给出。",
        ),
        list_argument("名单", required=required),
    ):
        command = decorate(command)
    return command


@dataclass(frozen=True, kw_only=True)
class ActOptions:
    """What an act states of itself, the person, and how it is done and shown."""

    day: date | None
    document: str
    evidence: tuple[Path, ...]
    dry_run: bool
    by: str
    as_json: bool

    def at(self, at: Desk) -> Desk:
        """The desk for the act."""
        return at.rehearsal() if self.dry_run else at

    def digests(self) -> tuple[str, ...]:
        """The digests of its files."""
        return digests(self.evidence, rehearsing=self.dry_run)


def act_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of an act, passed on as one value."""

    @wraps(command)
    def run(*args: Any, **given: Any) -> None:
        own = {name: given.pop(name) for name in ActOptions.__dataclass_fields__}
        command(*args, options=ActOptions(**own), **given)

    run.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
    decorated: Callable[..., None] = run
    for decorate in (
        json_option,
        by_option,
        dry_run_option,
        evidence_option("申报书、核查表等文件"),
        click.option("--document", default="", help="所依据的文号。"),
        click.option("--day", type=DayParam(), help="申报或办理的日期；默认今天（北京时间）。"),
    ):
        decorated = decorate(decorated)
    return decorated


_tier = click.option("--tier", type=TierParam(), required=True, help="申报的层级。")
_level = click.option(
    "--level",
    type=click.Choice([*LEVELS, ENTERPRISE]),
    required=True,
    help="以哪一级办理；企业交来的（撤回、补正）写 企业。",
)


@command("apply")
@who
@_tier
@click.option("--procedure", type=Procedure(), help="程序；默认按轮次，没有轮次的为认定。")
@click.option("--round", "round_name", default="", metavar="名称", help="轮次的名称或编号。")
@batch_option
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default=LEVELS[0],
    show_default=True,
    help="由哪一级登记。",
)
@act_options
def apply(
    targets: tuple[str, ...],
    renamed: tuple[str, ...],
    tier: str,
    procedure: str | None,
    round_name: str,
    batch: str,
    level: str,
    options: ActOptions,
) -> None:
    """登记企业的申报，一家或一份名单；有一家不能登记的，整份名单都不登记。"""
    if round_name and batch:
        raise click.UsageError("批次由轮次写明：--round 与 --batch 不能同用")
    firms = firms_of(targets, renamed)
    with desk(options.by) as at:
        applying = Applying(
            tier=tier, procedure=procedure or "", day=options.day or at.today, level=level, batch=batch,
            document=options.document, evidence=options.digests(),
        )  # fmt: skip
        done = applications.apply(options.at(at), firms, applying, round_name=round_name)
    _show(done, "登记申报", options)


@command("step")
@click.argument("act", metavar="办理", help="办理程序中的一项，例如 推荐、退回补正。")
@who
@_tier
@_level
@click.option("--ground", default="", help="理由。")
@act_options
def step(
    act: str,
    targets: tuple[str, ...],
    renamed: tuple[str, ...],
    tier: str,
    level: str,
    ground: str,
    options: ActOptions,
) -> None:
    """办理申报的一步，例如 推荐、退回补正、不予推荐；一家或一份名单，有一家不能办理的都不办理。

    能办理什么、由哪一级、须有什么，由已发布的办理程序写明，见 tidu case 企业。授予、延续称号的一步用 tidu announce。
    """
    firms = firms_of(targets, renamed)
    with desk(options.by) as at:
        doing = _doing(at, act, level, ground, options)
        done = applications.step(options.at(at), firms, tier, doing)
    _show(done, f"办理“{act}”", options)


def _doing(
    at: Desk, act: str, level: str, ground: str, options: ActOptions, objection: int | None = None
) -> Doing:
    return Doing(
        act=act, level=level, day=options.day or at.today, ground=ground,
        document=options.document, evidence=options.digests(), objection=objection,
    )  # fmt: skip


@command("object")
@click.argument("uscc", type=CodeParam(), metavar="信用代码", help="统一社会信用代码或企业名称。")
@_tier
@_level
@click.option("--ground", required=True, help="异议的内容，或处理的理由。")
@click.option(
    "--settle", type=click.Choice([*_UPHELD]), help="处理异议：成立或不成立；不给则登记一件异议。"
)
@click.option(
    "--objection",
    type=NumberParam(),
    help="处理哪一件异议，即登记它的编号；只有一件未处理的可以不写。",
)
@click.option("--act", default="", metavar="办理", help="有几项办理都是时，写明是哪一项。")
@act_options
def object_(
    uscc: str,
    tier: str,
    level: str,
    ground: str,
    settle: str | None,
    objection: int | None,
    act: str,
    options: ActOptions,
) -> None:
    """登记对一家企业的异议，或用 --settle 处理一件异议。"""
    if objection and not settle:
        raise click.UsageError("--objection 写明处理哪一件异议，请与 --settle 同用")
    with desk(options.by) as at:
        doing = _doing(at, act, level, ground, options, objection)
        if settle:
            done = applications.settle(options.at(at), uscc, tier, doing, upheld=_UPHELD[settle])
        else:
            done = applications.object_to(options.at(at), uscc, tier, doing)
    _show(done, f"处理异议（{settle}）" if settle else "登记异议", options)


@command("announce")
@who
@_tier
@_level
@first_option
@last_option
@dry_run_option
@document_options
def announce(
    targets: tuple[str, ...],
    renamed: tuple[str, ...],
    tier: str,
    level: str,
    first: date | None,
    last: date | None,
    dry_run: bool,
    document: DocumentOptions,
) -> None:
    """公告认定（或复核通过）的企业：登记称号，了结申报；有一家不能公告的，整份名单都不登记。

    公告的日期即办理的日期。只登记别处公告的称号，用 tidu titles grant。
    """
    firms = firms_of(targets, renamed)
    with desk(document.by) as at:
        done = applications.announce(
            at.rehearsal() if dry_run else at, firms, tier, replace(document, rehearsing=dry_run).notice,
            level=level, first=first, last=last,
        )  # fmt: skip
    options = ActOptions(
        day=None, document=document.number, evidence=document.evidence, dry_run=dry_run,
        by=document.by, as_json=document.as_json,
    )  # fmt: skip
    _show(done, "公告", options)


def _show(done: Done, what: str, options: ActOptions) -> None:
    """Print what was done, where the enterprises stand now, and what the list left open."""
    for said in done.notices:
        errors.print(said if said.startswith("……") else f"提示 {said}", markup=False)
    if options.as_json:
        print_json(
            {
                "dry_run": options.dry_run,
                "entries": [
                    {"seq": None if options.dry_run else e.seq, "kind": e.kind, **e.content}
                    for e in done.entries
                ],
                "stands": [asdict(stand) for stand in done.stands],
            }
        )
        return
    first, last = done.entries[0].seq, done.entries[-1].seq
    numbers = f"第{first}号" if first == last else f"第{first}号至第{last}号"
    verb = f"将会{what}" if options.dry_run else f"已{what}"
    if len(done.stands) == 1:
        [one] = done.stands
        who, where = f" {one.name} {one.uscc}", _where(one)
    else:
        who = f"{len(done.stands)}家"
        counted = Counter(map(_where, done.stands))
        where = "；".join(f"{number}家{place}" for place, number in counted.items())
    click.echo(f"{verb}{who}{'' if options.dry_run else f'（{numbers}）'}：{where}")


def _where(stand: Stand) -> str:
    if stand.level is None:
        return f"办结为“{stand.state}”"
    return f"在“{stand.state}”，待{stand.level}办理{f'，最迟{stand.due}' if stand.due else ''}"
