"""Turns between who writes once and who writes again and again, in whatever processes.

Who writes once holds a shared lock on the folder while it waits. Who writes again and again waits,
before each time, until nobody holds one. The system releases the lock of a process that was killed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import Final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: The seconds that are left to others where folders have no locks: more than between two attempts.
_PAUSE: Final = 0.15


@contextmanager
def waiting(folder: Path) -> Iterator[None]:
    """Have those who ``give_way`` at a folder wait meanwhile."""
    with _locked(folder, shared=True):
        yield


def give_way(folder: Path) -> None:
    """Wait until nobody is ``waiting`` at a folder; where it cannot be locked, a moment."""
    with _locked(folder, shared=False) as locked:
        pass
    if not locked:
        sleep(_PAUSE)


@contextmanager
def _locked(folder: Path, *, shared: bool) -> Iterator[bool]:
    """A lock on a folder; False on a system or a disk without such locks."""
    handle, locked = None, False
    try:
        if fcntl is not None:
            with suppress(OSError):
                handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
                locked = True
        yield locked
    finally:
        if handle is not None:
            if locked:  # a process that was begun meanwhile may have it open too
                fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)
