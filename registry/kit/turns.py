"""Turns between processes that write once and processes that write again and again.

A process that writes once holds a shared lock on the folder while it waits. One that writes again
and again waits, each time, until nobody holds such a lock. The system releases the lock of a
process that was killed, and nobody waits for ever for one that hangs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: The seconds that are left to others where folders have no locks: more than between two attempts.
_PAUSE: Final = 0.15
#: The most seconds to wait for others: longer than anybody waits for a registry.
_LONGEST: Final = 60.0
#: The most seconds until others know that somebody waits; they look only for a moment.
_TOLD: Final = 1.0
#: The seconds between two attempts.
_STEP: Final = 0.005


@contextmanager
def waiting(folder: Path) -> Iterator[None]:
    """Have those who ``give_way`` at a folder wait meanwhile."""
    with _locked(folder, shared=True, seconds=_TOLD):
        yield


def give_way(folder: Path) -> None:
    """Wait until nobody is ``waiting`` at a folder, a minute at most; where it has no locks, a moment."""
    with _locked(folder, shared=False, seconds=_LONGEST) as locked:
        pass
    if not locked:
        sleep(_PAUSE)


@contextmanager
def _locked(folder: Path, *, shared: bool, seconds: float) -> Iterator[bool]:
    """A lock on a folder, if it can be had within that many seconds."""
    handle, locked, end = None, False, monotonic() + seconds
    try:
        if fcntl is not None:
            with suppress(OSError):  # a disk without locks
                handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                while not (locked := _had(handle, shared=shared)) and monotonic() < end:
                    sleep(_STEP)
        yield locked
    finally:
        if handle is not None:
            if locked:  # a process that was begun meanwhile may have it open too
                fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)


def _had(handle: int, *, shared: bool) -> bool:
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
