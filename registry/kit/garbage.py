"""The garbage collector, which a process of Tidu's own slows down: the command line, a worker, a job."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: After how many new objects, and how many such rounds, garbage is looked for.
_SELDOM: Final = (100_000, 20, 50)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have garbage looked for seldom: what was made so far stays, and what follows rarely forms cycles.

    Only a process that is Tidu's own may do so; a library leaves the collector of its host alone.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
