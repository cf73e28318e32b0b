"""Texts cached on disk to save time: private, few, and no loss if they disappear.

Nothing here stops work. A text that cannot be read, or is not this user's own, counts as absent. A
text that cannot be written is not cached.
"""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.kit import settings
from registry.kit.files import PRIVATE_FOLDER, content, written_whole

#: The most texts that are kept, and the most bytes of one and of all together.
MOST: Final = 256
LARGEST: Final = 4 << 20
LARGEST_SUM: Final = 64 << 20
#: The permissions of anybody else.
_OTHERS: Final = 0o077


@dataclass(frozen=True)
class Cache:
    """A folder of texts by name; the oldest of too many go. Several processes may share it."""

    folder: Path

    def read(self, name: str) -> str | None:
        """The text of that name; None if it is absent or cannot be trusted as this user's own."""
        with suppress(OSError, UnicodeDecodeError):
            file = self.folder / name
            if _own(self.folder, stat.S_ISDIR) and _own(file, stat.S_ISREG):
                data = content(file, LARGEST)
                return data.decode() if len(data) <= LARGEST else None
        return None

    def write(self, name: str, text: str) -> None:
        """Keep a text if possible."""
        data = text.encode()
        with suppress(OSError):
            self.folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            if len(data) > LARGEST or not _own(self.folder, stat.S_ISDIR):
                return
            with written_whole(self.folder / name, private=True) as fresh:
                fresh.write_bytes(data)
            self._clear()

    def _clear(self) -> None:
        """Remove the oldest texts beyond the limits."""
        found = [(file, file.lstat()) for file in self.folder.iterdir() if file.is_file()]
        found.sort(key=lambda one: one[1].st_mtime_ns, reverse=True)
        size = 0
        for place, (file, status) in enumerate(found):
            size += status.st_size
            if place >= MOST or size > LARGEST_SUM:
                file.unlink(missing_ok=True)


def _own(path: Path, kind: Callable[[int], bool]) -> bool:
    """Whether a path is of a kind, not a link, and accessible only to this user."""
    status = path.lstat()
    if not hasattr(os, "getuid"):  # Windows itself keeps a user's folders from others
        return kind(status.st_mode)
    return kind(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & _OTHERS


def programs() -> Cache | None:
    """The cache of compiled programs, where the settings say; None if there is no place for it."""
    folder = settings.cache()
    return None if folder is None else Cache(folder)
