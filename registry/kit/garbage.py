"""Slows down the garbage collector in Tidu's own processes: the command line, a worker, a job."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: The collector's thresholds: new objects, then rounds of each younger generation.
_SELDOM: Final = (100_000, 20, 50)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Collect garbage seldom: existing objects stay, and later ones rarely form cycles.

    Only for processes that are Tidu's own; a library leaves its host's collector alone.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
