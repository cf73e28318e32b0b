"""Files that wait to be registered: kept beside the registry under their digest, for a day at most.

A file's own name is kept as a text. It becomes a path only in a private folder, where the file is
read, and only after whatever could lead elsewhere has been taken out of it.
"""

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final

from pydantic import TypeAdapter

from registry.desk.place import Desk
from registry.errors import RecordError, RegistryError, StorageError
from registry.kit import settings
from registry.kit.files import PRIVATE_FOLDER, working_folder, written_whole
from registry.kit.names import file_name

#: How long a file waits.
WAIT: Final = timedelta(days=1)
#: The most bytes of one file, and of all that wait.
LARGEST: Final = 64 << 20
LARGEST_SUM: Final = 1 << 30

_DIGEST: Final = re.compile("[0-9a-f]{64}")
_BLOCK: Final = 1 << 20
_CONTENT: Final = "content"
_ABOUT: Final = "about.json"
_CHANGING: Final = Lock()


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A file that waits: its SHA-256, name and size, since when, and the filing day given for it.

    ``job`` is the number of the job that examines or registers it, if there is one.
    """

    digest: str
    name: str
    size: int
    since: datetime
    as_of: date | None = None
    job: int | None = None

    @property
    def until(self) -> datetime:
        """When it will be removed."""
        return self.since + WAIT


_WAITING: Final = TypeAdapter(Waiting)


class WaitingFiles:
    """The files that wait for one registry; threads and processes may share them.

    Those of one ``kind`` know nothing of those of another.
    """

    def __init__(self, desk: Desk, kind: str = "waiting") -> None:
        self._desk = desk
        self.folder = _beside(desk, kind)

    def keep(self, stream: BinaryIO, name: str) -> Waiting:
        """Keep what a stream holds under its digest; one that waits already goes on waiting.

        ``RegistryError`` for one that is empty or too large, ``StorageError`` if there is no place for it.
        """
        self.clear()
        name = file_name(name)
        with self._written(), working_folder(self.folder) as scratch:
            fresh = scratch / _CONTENT
            digest, size = _copied(stream, fresh, name)
            if not size:
                raise RegistryError("empty-file", "{where}：文件是空的，请核对后重试", where=name)
            with _CHANGING:
                if (found := self._found(digest)) is None:
                    self._make_room(size)
                    self._folder(digest).mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
                    fresh.replace(self._content(digest))
                    found = Waiting(digest=digest, name=name, size=size, since=self._desk.clock())
                return self._write(found, name=name)

    def get(self, digest: str) -> Waiting:
        """A file that waits; ``RecordError`` if there is none of that digest any more."""
        found = self._found(digest)
        if found is None:
            raise RecordError(
                "no-such-waiting-file",
                "这个文件不在等待登记的文件之中：上传的文件最多保留一天，请重新上传",
            )
        return found

    def listed(self) -> list[Waiting]:
        """All files that wait, the newest first."""
        digests = (path.name for path in self.folder.glob("*/*") if path.is_dir())
        found = filter(None, map(self._found, digests))
        return sorted(found, key=lambda one: one.since, reverse=True)

    def change(self, digest: str, *, as_of: date | None, job: int | None = None) -> Waiting:
        """Give another filing day, and the job that is about the file."""
        with _CHANGING:
            found = self.get(digest)
            return self._write(found, as_of=as_of, job=job)

    def drop(self, digest: str) -> None:
        """Remove a waiting file, with everything that was found out about it."""
        if _DIGEST.fullmatch(digest):
            shutil.rmtree(self._folder(digest), ignore_errors=True)

    def clear(self) -> None:
        """Remove what has waited for too long."""
        for path in self.folder.glob("*/*"):
            if path.is_dir() and self._found(path.name) is None:
                self.drop(path.name)

    @contextmanager
    def opened(self, digest: str) -> Iterator[Path]:
        """The file under its own name, for as long as it is read."""
        found = self.get(digest)
        with working_folder(self.folder) as folder:
            path = folder / found.name
            try:
                os.link(self._content(digest), path)
            except OSError:  # a disk without links
                shutil.copyfile(self._content(digest), path)
            yield path

    def beside(self, digest: str, name: str) -> Path:
        """Where something about a file is kept, as long as the file itself."""
        return self._folder(digest) / name

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Make the folder, and say in words why nothing can be written there."""
        try:
            self.folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise StorageError(
                "nowhere-to-wait",
                "上传的文件不能存放在 {where}（{value}）：请管理员检查后再上传",
                where=self.folder,
                value="磁盘空间不足" if full else "不能写入",
            ) from error

    def _found(self, digest: str) -> Waiting | None:
        """The file of a digest, unless its time is over."""
        if not _DIGEST.fullmatch(digest):
            return None
        with suppress(OSError, ValueError):
            found = _WAITING.validate_json((self._folder(digest) / _ABOUT).read_bytes())
            if self._desk.clock() < found.until and self._content(digest).is_file():
                return found
        return None

    def _write(self, waiting: Waiting, **changed: object) -> Waiting:
        kept = _WAITING.validate_python({**_WAITING.dump_python(waiting), **changed})
        with written_whole(self._folder(kept.digest) / _ABOUT, private=True) as fresh:
            fresh.write_bytes(_WAITING.dump_json(kept))
        return kept

    def _make_room(self, size: int) -> None:
        """Let the oldest files go until there is room for another."""
        waiting = self.listed()
        while waiting and sum(one.size for one in waiting) + size > LARGEST_SUM:
            self.drop(waiting.pop().digest)

    def _folder(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    def _content(self, digest: str) -> Path:
        return self._folder(digest) / _CONTENT


def _copied(stream: BinaryIO, path: Path, name: str) -> tuple[str, int]:
    """Write what a stream holds; its SHA-256 and its size."""
    hashed, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > LARGEST:
                raise RegistryError(
                    "too-large-file",
                    "{where}：超过{expected}兆字节，请拆分成几个文件，或在服务器上登记",
                    where=name,
                    expected=LARGEST >> 20,
                )
            hashed.update(block)
            file.write(block)
    return hashed.hexdigest(), size


def _beside(desk: Desk, kind: str) -> Path:
    """The folder beside an SQLite registry, or else where the settings have what belongs to one."""
    url = desk.database.url
    if desk.database.dialect.name == "sqlite":
        return Path(url.database or "").with_suffix(f".{kind}")
    return settings.home() / f"{url.database}.{kind}"
