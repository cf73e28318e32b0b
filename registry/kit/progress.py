"""How far long work has come: who does it tells, who watches shows."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeAlias, TypeVar

_T = TypeVar("_T")

#: Fewer are done before anybody could look.
FEW: Final = 50
#: Told how much of a stage is done.
Done: TypeAlias = Callable[[int], None]
#: Opens a stage, called by its name in Chinese, of so many parts; None where that is not known.
Watch: TypeAlias = Callable[[str, int | None], AbstractContextManager[Done]]


def ignored(_done: int) -> None:
    """Be told how much is done, and show nothing."""


@contextmanager
def unwatched(_stage: str, _total: int | None = None) -> Iterator[Done]:
    """Open a stage that nobody watches.

    >>> with unwatched("读取", 3) as done:
    ...     done(1)
    """
    yield ignored


def watched(watch: Watch, stage: str, items: Iterable[_T], total: int) -> Iterator[_T]:
    """Items as they come, counted in a stage; of a few nobody is told.

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
