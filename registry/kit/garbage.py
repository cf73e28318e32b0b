"""Slows down the garbage collector in Tidu's own processes: the command line, a worker, a job."""

import atexit
import gc
from typing import Final

#: The collector's thresholds: new objects, then rounds of each younger generation. An ordinary
#: command makes fewer than the first from its start to its end.
_SELDOM: Final = (200_000, 20, 50)


def collect_seldom() -> None:
    """Collect garbage seldom, and not at the end of the process, when all its memory goes anyway.

    Existing objects stay, and later ones rarely form cycles. Only for processes that are Tidu's
    own; a library leaves its host's collector alone.
    """
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    atexit.register(gc.freeze)
