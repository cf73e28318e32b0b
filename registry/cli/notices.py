"""What the commands on titles and holdings share: document, enterprises, and results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from registry.cli.common import DayParam, by_option, console, errors, json_option, print_json
from registry.cli.targets import CodeOrFile, CodeParam, is_code
from registry.desk import notices
from registry.desk.evidence import taken
from registry.desk.notices import (
    Entry,
    Firms,
    Notice,
    Registered,
    Registration,
    registered_text,
)
from registry.kit.screens import listing

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class DocumentOptions:
    """The document that a command registers, the person, and how to show the result."""

    number: str
    dated: date
    evidence: tuple[Path, ...]
    by: str
    as_json: bool
    rehearsing: bool = False

    @property
    def notice(self) -> Notice:
        """The document, with the digests of its files; they are not kept if it is only tried."""
        return Notice(self.number, self.dated, digests(self.evidence, rehearsing=self.rehearsing))


def digests(files: Sequence[Path], *, rehearsing: bool = False) -> tuple[str, ...]:
    """The digests of files of evidence."""
    return tuple(taken(file, rehearsing=rehearsing) for file in files)


def evidence_option(what: str, more: str = "") -> Callable[[_F], _F]:
    """The option for files of evidence."""
    return click.option(
        "--evidence",
        multiple=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help=f"{what}，可多次给出；登记簿只记其摘要；设有 TIDU_EVIDENCE 的"
        f"另存一份，否则请自行保存原件。{more}",
    )


def document_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options for a document, passed on as one value."""

    @wraps(command)
    def run(
        *args: Any,
        document: str,
        dated: date,
        evidence: tuple[Path, ...],
        by: str,
        as_json: bool,
        **options: Any,
    ) -> None:
        given = DocumentOptions(
            number=document, dated=dated, evidence=evidence, by=by, as_json=as_json
        )
        command(*args, document=given, **options)

    run.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
    decorated: Callable[..., None] = run
    for decorate in (
        json_option,
        by_option,
        evidence_option("公告等文件", "名单文件自动记入。"),
        click.option("--dated", type=DayParam(), required=True, help="公告、决定或通知的日期。"),
        click.option("--document", required=True, help="公告、决定或通知的文号。"),
    ):
        decorated = decorate(decorated)
    return decorated


renamed_option = click.option(
    "--renamed",
    multiple=True,
    type=CodeParam(),
    metavar="信用代码",
    help="名单上的名称与登记的不同而确是同一家（已更名）的企业；按名单上的名称登记，可多次给出。",
)


#: The term of a title that a notice grants.
first_option = click.option(
    "--from",
    "first",
    type=DayParam(),
    help="有效期始；默认为公告的日期。名单有此列的，以名单为准。",
)
last_option = click.option(
    "--until",
    "last",
    type=DayParam(),
    help="有效期至；默认按标准写明的有效期。名单有此列的，以名单为准。",
)


def list_argument(what: str, *, required: bool = True) -> Callable[[_F], _F]:
    """The argument for enterprises, which are named one by one or in a list."""
    return click.argument(
        "targets",
        nargs=-1,
        type=CodeOrFile(),
        required=required,
        metavar="信用代码… | 名单文件",
        help=f"统一社会信用代码或企业名称，或一份{what}（xlsx、csv，有企业名称、统一社会信用代码列）。",
    )


def firms_of(targets: Sequence[str], renamed: Sequence[str]) -> Firms:
    """The enterprises that a notice names: codes, or one file."""
    if len(targets) > 1 or is_code(targets[0]):
        return Firms(tuple(targets))
    return Firms(file=Path(targets[0]), renamed=frozenset(renamed))


def show_table(found: Sequence[Registration], what: str, as_json: bool) -> None:
    """Print registrations as a table."""
    lines: list[dict[str, Any]] = [{"seq": e.seq, **e.content, "by": e.by} for e in found]
    if as_json:
        print_json(lines)
        return
    rows = []
    for line in lines:
        who = f"{line['name']} {line['uscc']}".strip()
        done = notices.ACTIONS[line["action"]]
        rows.append((str(line["seq"]), who, done, registered_text(line), line["by"]))
    console.print(listing(("编号", "企业", "登记", what, "经办"), rows, console.width))
    click.echo(f"共{len(lines)}条")


def show(found: Registered, as_json: bool) -> None:
    """Print what was registered, and what its list left open."""
    for said in found.notices:
        errors.print(said if said.startswith("……") else f"提示 {said}", markup=False)
    if as_json:
        print_json([{"seq": entry.seq, **entry.content} for entry in found.entries])
        return
    first, last = found.entries[0], found.entries[-1]
    if first is last:
        click.echo(_said(first))
    else:
        click.echo(f"已登记{len(found.entries)}家：第{first.seq}号至第{last.seq}号")


def _said(entry: Entry) -> str:
    what = notices.ACTIONS[entry.content["action"]]
    # the phrase for a holding already names the enterprise
    name = "" if entry.kind == "holding" else f"{entry.content['name']} "
    return f"第{entry.seq}号{what} {name.lstrip()}{entry.subject} {registered_text(entry.content)}"
