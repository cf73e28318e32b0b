"""Shows the issues of what was read, and reads a file without storing it."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from rich.console import Console

from registry.cli.common import Refused, console, errors
from registry.desk import checking, importing
from registry.desk.importing import Groups
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.filings import FileReading, Heading, Issue

_SHOWN = 20


def show_issues(
    issues: Sequence[Issue],
    report: Path | None = None,
    to: Console = console,
    headings: Sequence[Heading] = (),
) -> None:
    """Print issues, errors first, one line per kind, and where to find the rest."""
    show_groups(importing.grouped(issues, headings), report, to)
    if unknown := sum(not h.understood for h in headings):
        to.print(
            f"  {unknown}列的表头看不懂：tidu import 文件 --dry-run --draft 表头.csv 写出对照表，核对后用 --mapping 表头.csv 给出",
            markup=False,
            soft_wrap=True,
        )


def show_groups(
    groups: Groups, report: Path | None, to: Console = console, kind: str = "xlsx"
) -> None:
    """Print issues by kind, the first ones of each, and where to find the rest."""
    for one in islice(groups, _SHOWN):
        to.print(f"  {one}", markup=False, soft_wrap=True)
    if len(groups) > _SHOWN:
        where = (
            f"全部见 {report}"
            if report
            else f"用 tidu import --dry-run --report 文件.{kind} 可导出全部"
        )
        to.print(f"  ……共{len(groups)}种，{where}", markup=False)


def read_unstored(at: Desk, path: Path, batch: str, features: Path | None) -> FileReading:
    """Read a file without storing it, by the criteria of a folder, and show its issues."""
    if not path.suffix:
        raise Refused(f"「{path}」不是18位信用代码，也没有这个名称的文件：请核对")
    criteria = checking.for_file(at, features)
    if features is None and criteria is not rulebook():
        errors.print(
            f"提示 {path.name} 按登记库中已发布的标准检查，与随附的标准（连同 TIDU_FEATURES）不同："
            "对照用 tidu rules diff 随附 现行",
            markup=False,
            soft_wrap=True,
        )
    reading = importing.read_file(at, path, criteria.catalogue, batch=batch)
    if reading.issues:
        notices = len(reading.issues) - len(reading.errors)
        errors.print(f"{path.name}：错误{len(reading.errors)}条、提示{notices}条")
        show_issues(reading.issues, to=errors, headings=reading.headings)
    return reading
