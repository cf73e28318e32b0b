"""The progress bar of a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from registry.kit.progress import Done


class _RateColumn(ProgressColumn):
    """The number of items done per second."""

    def render(self, task: Task) -> Text:
        """The rate, once there is one."""
        return Text(f"每秒{task.speed:.0f}" if task.speed else "")


@contextmanager
def bar(screen: Console, label: str, total: int | None) -> Iterator[Done]:
    """Show on a terminal how much of some work is done, while it goes on."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TextColumn("还需"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as shown:
        task = shown.add_task(label, total=total)
        yield lambda done: shown.update(task, completed=done)
