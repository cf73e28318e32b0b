"""What all commands share: parameters, output, one sentence per refusal, and the desk."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from registry.cli.chinese import ChineseGroup as ChineseGroup
from registry.cli.chinese import Refused as Refused
from registry.cli.chinese import command as command
from registry.cli.chinese import group as group
from registry.cli.chinese import refused_in_chinese
from registry.cli.remedies import SYSTEM, words
from registry.desk import typed
from registry.desk.typed import day, last_instant
from registry.errors import fault
from registry.kit.characters import wrong
from registry.kit.jsontext import JsonStream, json_text
from registry.kit.progress import Done, ignored
from registry.kit.screens import Screen
from registry.portable.clock import now
from rules.language.editions import RECHECK, RECOGNITION

if TYPE_CHECKING:
    from registry.desk.place import Desk

_F = TypeVar("_F", bound=Callable[..., Any])

console = Screen(highlight=False, soft_wrap=False, emoji=False)
errors = Screen(stderr=True, highlight=False, soft_wrap=True, emoji=False)


class Output(click.Path[Path]):
    """A file to be written; its name and place are checked before the work begins.

    An existing file is overwritten only with ``replaced``. With ``folder``, a path that is a folder
    or has no suffix means a folder.
    """

    def __init__(self, *suffixes: str, replaced: bool = False, folder: bool = False) -> None:
        super().__init__(dir_okay=folder, path_type=Path)
        self.suffixes, self.replaced, self.folder = suffixes, replaced, folder

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """The path; refused if it cannot be written to or has another format's suffix."""
        path = super().convert(value, param, ctx)
        if said := wrong(str(path)) or ("" if str(value) else "请写明文件名"):
            raise click.BadParameter(said, ctx, param)
        into_folder = self.folder and is_folder(path)
        if not into_folder:
            refuse_ending(path, self.suffixes)
        _refuse_place(path)
        if path.exists() and not self.replaced and not into_folder:
            raise Refused(f"{path} 已存在：请另取文件名")
        return path


class NewFolder(click.Path[Path]):
    """A folder to be created; ``-`` stands for standard output."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """The path; refused if it exists or cannot be created."""
        path = super().convert(value, param, ctx)
        if said := wrong(str(path)) or ("" if str(value) else "请写明文件夹名"):
            raise click.BadParameter(said, ctx, param)
        if str(path) == "-":
            return path
        _refuse_place(path)
        if path.exists():
            raise Refused(f"{path} 已存在：请另取文件夹名")
        return path


def _refuse_place(path: Path) -> None:
    """Refuse a place where nothing can be written."""
    if not path.parent.is_dir():
        raise Refused(f"{path}：没有文件夹 {path.parent}，请先建立或换一个位置")
    if not os.access(path if path.is_dir() else path.parent, os.W_OK):
        raise Refused(f"{path}：{SYSTEM[errno.EACCES]}")
    if path.is_symlink():
        raise Refused(f"{path}：{SYSTEM[errno.ELOOP]}")


def is_folder(path: Path) -> bool:
    """Whether an output path means a folder."""
    return path.is_dir() or not path.suffix


def tell_unproved(draft: Path | None) -> None:
    """Tell whoever evaluates a draft that its examples do not hold."""
    if draft is None or not draft.is_dir():
        return
    from registry.desk import drafting  # the drafter's tools are not loaded for anything else

    if found := drafting.unproved(draft):
        errors.print(
            f"提示 草案 {draft} 有{len(found)}处不成立，以下结果按定义表算出，未必是起草人的本意"
            f"（第一处：{found[0]}）：请先运行 tidu rules check {draft}",
            markup=False,
        )


def refuse_ending(path: Path, suffixes: Sequence[str], what: str = "") -> None:
    """Refuse a file name without one of the suffixes; ``what`` describes the content."""
    if suffixes and path.suffix.lower() not in suffixes:
        *others, last = filter(None, suffixes)
        listed = f"{'、'.join(others)} 或 {last}" if others else last
        raise Refused(f"{path}：{what}文件名请以 {listed} 结尾")


def output_option(
    *suffixes: str, help: str, replaced: bool = False, folder: bool = False, **more: Any
) -> Callable[[_F], _F]:
    """The one option for where a command writes its result: ``-o`` or ``--output``."""
    rule = "已有的同名文件会被替换。" if replaced else "不覆盖已有的文件。"
    kind = Output(*suffixes, replaced=replaced, folder=folder)
    return click.option("--output", "-o", type=kind, help=f"{help}{rule}", **more)


def new_workbook(path: Path, *inputs: Path) -> Path:
    """The path for a new workbook: never an input, and only .xlsx."""
    if path.suffix.lower() != ".xlsx":
        raise Refused(f"{path}：结果写成 Excel 工作簿，请把文件名改为以 .xlsx 结尾")
    return apart(path, *inputs)


def apart(path: Path, *inputs: Path) -> Path:
    """The path for an output: never an input, nor inside a folder that is one."""
    for given in inputs:
        if path.resolve() == given.resolve():
            raise Refused(f"{path} 就是要读取的文件：请另取文件名，以免覆盖原表")
        if path.resolve().is_relative_to(given.resolve()):
            raise Refused(f"{path} 在要读取的文件夹里：请写到别处，以免覆盖原有的文件")
    return path


class DayParam(click.ParamType[date]):
    """A day as in a cell of a table: 2023-06-30, 2023.6.30, 2023年6月30日 and the like."""

    name = "日期"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """Read the day; anything else is misuse."""
        if isinstance(value, date):
            return value
        try:
            return day(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType[datetime]):
    """A moment by China's clock: a day, with or without a time; means its last instant.

    So a day stands for everything known by its end. A future moment is misuse, because nobody can
    tell what will be known then.
    """

    name = "日期[时间]"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        """Read the moment; the rest of today, or of this minute, is cut off."""
        if isinstance(value, datetime):
            return value
        try:
            return last_instant(value, now())
        except ValueError as error:
            self.fail(str(error), param, ctx)


class NumberParam(click.ParamType[int]):
    """The number of an entry or a load, within the range of database integers."""

    name = "编号"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Read the number; anything else is misuse."""
        with suppress(ValueError):
            if 1 <= (number := int(value)) < 2**63:
                return number
        self.fail(f"「{value}」不是编号，请写成 1 以上的整数", param, ctx)


class Procedure(click.ParamType[str]):
    """认定 or 复核; also accepts new and recheck."""

    name = "程序"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The Chinese word."""
        found = {"new": RECOGNITION, "recheck": RECHECK}.get(value, value)
        if found not in (RECOGNITION, RECHECK):
            self.fail(f"「{value}」应为 认定 或 复核", param, ctx)
        return str(found)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Shown like a choice."""
        return "[认定|复核]"


class TierParam(click.ParamType[str]):
    """A tier by its name, short name or slug; the desk knows which the criteria declare."""

    name = "层级"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The text, which must not be empty."""
        text = str(value).strip()
        if said := wrong(text) or ("" if text else "请写明层级"):
            self.fail(said, param, ctx)
        return text


class Province(click.ParamType[str]):
    """A province or a city with independent planning status, in full or short: 广东省, 广东, 深圳."""

    name = "省份"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The full name."""
        try:
            return typed.province(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


province_option = click.option(
    "--province", type=Province(), help="按此省份（或计划单列市）的规定；默认用登记的所在地。"
)
procedure_option = click.option(
    "--procedure", type=Procedure(), default=RECOGNITION, show_default=True, help="程序。"
)
tiers_option = click.option(
    "--tier",
    "tiers",
    multiple=True,
    type=TierParam(),
    help="只看此层级（全称、简称或标识，见 tidu rules list --applicability），可多次给出。"
    "默认是各地都有的称号；只在个别省份的层级，以及自测、措施，须在此写明。",
)


dry_run_option = click.option("--dry-run", is_flag=True, help="只说明将会怎样，不登记。")
batch_option = click.option("--batch", default="", help="申报或复核的批次，例如 2026年复核。")
by_option = click.option(
    "--by", default="", envvar="TIDU_BY", help="经办人姓名；也可用环境变量 TIDU_BY。"
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1, 512),
    help="用几个计算进程；默认数量多时每个处理器一个，数量少时不另开进程。",
)
json_option = click.option("--json", "as_json", is_flag=True, help="输出 JSON，供程序读取。")


def print_json(value: object) -> None:
    """Print JSON for machines."""
    click.echo(json_text(value))


def print_json_array(values: Iterable[object]) -> None:
    """Print a JSON array for machines, each value as it comes: there may be a million.

    If that stops midway, the last value is an object with the reason as ``error``.
    """
    stream = JsonStream(partial(click.echo, nl=False))
    with closed(lambda error: stream.close(error=error)):
        for value in values:
            stream.add(value)


@contextmanager
def closed(close: Callable[[str], object]) -> Iterator[None]:
    """Close a document written in parts, with the reason if it stops midway.

    Nothing more is written if the reader has gone.
    """
    try:
        with refused_in_chinese():
            yield
    except BrokenPipeError:
        raise
    except click.ClickException as error:
        close(error.message)
        raise
    except Exception as error:
        close(fault(error))
        raise
    except KeyboardInterrupt:
        close("中途停止")
        raise
    close("")


def desk(by: str = "") -> "Desk":
    """The desk of the registry that the settings name; shows long work on this terminal."""
    from registry.desk.place import Desk  # a command that opens no registry does not wait for it

    return Desk(by=" ".join(by.split()), watch=progress, words=words)


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Done]:
    """A progress bar on standard error for long work: the ``Watch`` of this terminal."""
    if not errors.is_terminal:
        yield ignored
        return
    from registry.cli.bars import bar  # most commands end before there is anything to watch

    with bar(errors, label, total) as done:
        yield done
