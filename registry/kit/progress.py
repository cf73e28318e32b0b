"""The progress of long work: the worker reports it, the watcher shows it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeAlias, TypeVar

_T = TypeVar("_T")

#: Fewer items are done before anybody could look.
FEW: Final = 50
#: Receives how much of a stage is done.
Done: TypeAlias = Callable[[int], None]
#: Opens a stage with a Chinese name and a number of parts, None if unknown.
Watch: TypeAlias = Callable[[str, int | None], AbstractContextManager[Done]]


def ignored(_done: int) -> None:
    """Ignore the progress."""


@contextmanager
def unwatched(_stage: str, _total: int | None = None) -> Iterator[Done]:
    """Open a stage that nobody watches.

    >>> with unwatched("读取", 3) as done:
    ...     done(1)
    """
    yield ignored


def watched(watch: Watch, stage: str, items: Iterable[_T], total: int) -> Iterator[_T]:
    """Items as they come, counted in a stage; a few items are not reported.

    >>> list(watched(unwatched, "检查", "ab", 2))
    ['a', 'b']
    """
    if total < FEW:
        yield from items
        return
    with watch(stage, total) as done:
        for number, item in enumerate(items, 1):
            yield item
            done(number)
