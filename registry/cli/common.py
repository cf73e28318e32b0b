"""What all commands share: Chinese help and errors, JSON output, the open registry."""

import errno
import gettext
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlmodel import Session

from registry import resources, storage
from registry.errors import RegistryError
from rules.editions import parse_day
from rules.errors import RulesError
from rules.rulebook import Rulebook, load

_F = TypeVar("_F", bound=Callable[..., Any])

# click takes its own texts from the process-wide gettext domain; ours are Chinese whatever the locale.
os.environ["LANGUAGE"] = "zh_CN"
gettext.bindtextdomain("tidu", resources.locale())
gettext.textdomain("tidu")

console = Console(highlight=False, soft_wrap=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


class Refused(click.ClickException):
    """Data or files refuse what was asked: exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Print the one sentence."""
        click.echo(f"错误：{self.message}", file=file, err=file is None)


class ChineseCommand(click.Command):
    """A command whose refusals become one Chinese sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (RegistryError, RulesError) as error:
            raise Refused(str(error)) from error
        except BrokenPipeError:
            raise  # click ends quietly when the reader has gone
        except OSError as error:
            said = _SYSTEM.get(error.errno or 0, "无法读写，请检查位置、权限和磁盘空间")
            raise Refused(f"{error.filename or '文件'}：{said}") from error


_SYSTEM: Final = {
    errno.ENOENT: "没有这个文件或文件夹，请核对位置",
    errno.EACCES: "没有读写权限，请换一个位置或请管理员授权",
    errno.EPERM: "没有读写权限，请换一个位置或请管理员授权",
    errno.EROFS: "所在的磁盘只能读取，请换一个位置",
    errno.EISDIR: "是文件夹，请给出文件名",
    errno.ENOSPC: "磁盘空间不足，请清理后重试",
}


def new_workbook(path: Path, *inputs: Path) -> Path:
    """Where a workbook is to be written; never over an input, and only as .xlsx."""
    if path.suffix.lower() != ".xlsx":
        raise Refused(f"{path}：结果写成 Excel 工作簿，请把文件名改为以 .xlsx 结尾")
    if any(path.resolve() == given.resolve() for given in inputs):
        raise Refused(f"{path} 就是要读取的文件：请另取文件名，以免覆盖原表")
    return path


class ChineseGroup(click.Group):
    """A group of such commands."""

    command_class = ChineseCommand
    group_class = type


def command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a Chinese command."""
    return click.command(name, cls=ChineseCommand)


def group(name: str) -> Callable[[Callable[..., Any]], ChineseGroup]:
    """Make a group of Chinese commands."""
    return click.group(name, cls=ChineseGroup)


class Day(click.ParamType[date]):
    """A day written 2023-06-30 or 2023年6月30日."""

    name = "日期"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """Read the day; anything else is misuse."""
        if isinstance(value, date):
            return value
        try:
            day = parse_day(value)
        except ValueError:
            day = None
        if day is None:
            self.fail(f"「{value}」不是日期，请写成 2023-06-30 或 2023年6月30日", param, ctx)
        return day


json_option = click.option("--json", "as_json", is_flag=True, help="输出 JSON，供程序读取。")


def print_json(value: object) -> None:
    """Print JSON for machines."""
    click.echo(json.dumps(value, ensure_ascii=False))


@contextmanager
def registry(*, write: bool = False) -> Iterator[Session]:
    """A session on the registry that the environment names."""
    engine = storage.connect()
    try:
        with storage.session(engine, write=write) as session:
            yield session
    finally:
        engine.dispose()


@cache
def rulebook(folder: Path | None = None) -> Rulebook:
    """The packaged criteria, or those of another features folder; compiled once."""
    return load(folder or resources.features())


def now() -> datetime:
    """The moment of recording; it never decides anything."""
    return datetime.now(UTC)


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, for work that takes long."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)
