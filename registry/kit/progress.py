"""How far long work has come: who does it tells, who watches shows."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

#: Told how much of a stage is done.
Done: TypeAlias = Callable[[int], None]
#: Opens a stage, called by its name in Chinese, of so many parts; None where that is not known.
Watch: TypeAlias = Callable[[str, int | None], AbstractContextManager[Done]]


@contextmanager
def unwatched(_stage: str, _total: int | None = None) -> Iterator[Done]:
    """Open a stage that nobody watches.

    >>> with unwatched("读取", 3) as done:
    ...     done(1)
    """
    yield lambda _done: None
