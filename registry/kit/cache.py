"""Texts remembered on disk to save time: their owner's alone, few, and no loss when they are gone.

Nothing here stops work. Whatever cannot be read, or is not this user's own, counts as not there, and
what cannot be written is not remembered.
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

#: How many texts are kept, and how many bytes one may have, and all of them.
MOST: Final = 256
LARGEST: Final = 4 << 20
LARGEST_SUM: Final = 64 << 20
#: Who else may look, or write.
_OTHERS: Final = 0o077


@dataclass(frozen=True)
class Cache:
    """A folder of texts by name; of too many the oldest go. Several processes may use it at once."""

    folder: Path

    def read(self, name: str) -> str | None:
        """The text of that name; None where there is none that is to be trusted to be one's own."""
        with suppress(OSError, UnicodeDecodeError):
            file = self.folder / name
            if _own(self.folder, stat.S_ISDIR) and _own(file, stat.S_ISREG):
                data = content(file, LARGEST)
                return data.decode() if len(data) <= LARGEST else None
        return None

    def write(self, name: str, text: str) -> None:
        """Keep a text, if that is possible."""
        data = text.encode()
        with suppress(OSError):
            self.folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            if len(data) > LARGEST or not _own(self.folder, stat.S_ISDIR):
                return
            with written_whole(self.folder / name, private=True) as fresh:
                fresh.write_bytes(data)
            self._clear()

    def _clear(self) -> None:
        """Remove the oldest of what is too much."""
        found = [(file, file.lstat()) for file in self.folder.iterdir() if file.is_file()]
        found.sort(key=lambda one: one[1].st_mtime_ns, reverse=True)
        size = 0
        for place, (file, status) in enumerate(found):
            size += status.st_size
            if place >= MOST or size > LARGEST_SUM:
                file.unlink(missing_ok=True)


def _own(path: Path, kind: Callable[[int], bool]) -> bool:
    """Whether something is of a kind and no link, and this user's alone."""
    status = path.lstat()
    if not hasattr(os, "getuid"):  # Windows keeps a user's folders from the others by itself
        return kind(status.st_mode)
    return kind(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & _OTHERS


def programs() -> Cache | None:
    """Where compiled programs are remembered, as the settings say; None where there is no place."""
    folder = settings.cache()
    return None if folder is None else Cache(folder)
