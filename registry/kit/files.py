"""Files written whole or not at all; each run works in a private folder beside them.

Only its owner can look into that folder. A lock shows that its run is alive, so the next run in the
same place clears what a killed run left. Writing never follows a link.
"""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from registry.errors import RegistryError

try:
    import fcntl
except ImportError:  # on Windows an open folder cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

_PREFIX: Final = ".tidu-work-"
#: The permissions of a private file, whatever the system's default.
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
#: Write permission for owner, group or others.
_WRITABLE: Final = 0o222


@contextmanager
def working_folder(parent: Path | None = None) -> Iterator[Path]:
    """A private folder, removed at the end; in ``parent`` or in the system's temporary folder.

    Whatever killed runs left there is cleared first.
    """
    place = parent or Path(tempfile.gettempdir())
    _clear(place)
    folder, handle = _begun(place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def _begun(place: Path) -> tuple[Path, int | None]:
    """A new folder and its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        with suppress(
            FileNotFoundError
        ):  # another run mistook it for a dead run's before it was locked
            handle = _locked(folder, wait=True)
            if folder.exists():
                return folder, handle
            if handle is not None:
                os.close(handle)


def _locked(folder: Path, *, wait: bool) -> int | None:
    """An open handle that holds a folder's lock; None on systems without such locks.

    Its run shares the lock, because whoever writes a registry in it takes that lock too
    (``turns``); whoever clears it does not.
    """
    if fcntl is None:
        return None
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        if wait:  # a disk without locks
            return None
        raise
    return handle


def _clear(place: Path) -> None:
    """Remove the folders of killed runs: nobody holds their locks."""
    for left in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            handle = _locked(left, wait=False)
            shutil.rmtree(left, ignore_errors=True)
            if handle is not None:
                os.close(handle)


@contextmanager
def written_whole(path: Path, *, private: bool = False, new: bool = False) -> Iterator[Path]:
    """A path to write to; the file replaces ``path`` at the end.

    On any error, including an interrupt, the old file stays. A ``private`` file is readable only by
    its owner. Any other keeps the mode of the file that it replaces, and never replaces a
    write-protected one. With ``new``, an existing file raises ``FileExistsError``. System errors
    name the requested file.
    """
    try:
        if not new:
            refuse_link(path)
            _refuse_protected(path)
        with working_folder(path.parent) as folder:
            fresh = folder / path.name
            yield fresh
            if private:
                fresh.chmod(PRIVATE_FILE)
            elif path.exists():
                fresh.chmod(path.stat().st_mode & 0o777)
            _sync(fresh)
            _placed(fresh, path, new=new)
    except OSError as error:
        _name(error, path)
        raise


@contextmanager
def folder_written_whole(path: Path, *, replaced: bool = False) -> Iterator[Path]:
    """A folder to write to; it becomes the new folder ``path`` at the end.

    With ``replaced``, it takes the place of the folder that is there. On any error, including an
    interrupt, nothing is left of it, and the old folder stays. System errors name the requested
    folder.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with working_folder(path.parent) as folder:
            fresh = folder / path.name
            fresh.mkdir()
            yield fresh
            if replaced and path.exists():
                _exchanged(fresh, path, folder / "old")
            else:
                fresh.rename(path)
    except OSError as error:
        _name(error, path)
        raise


def _exchanged(fresh: Path, path: Path, old: Path) -> None:
    """Put a folder in the place of another, which is kept as ``old``."""
    path.rename(old)
    try:
        fresh.rename(path)
    except BaseException:
        old.rename(path)
        raise


def _name(error: OSError, path: Path) -> None:
    """Have an error name what was asked for; a full disk names no file."""
    if error.filename is None or _PREFIX in str(error.filename):
        error.filename = str(path)


def write_new(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write a new file; ``RegistryError`` if it exists. A ``private`` one is its owner's alone."""
    try:
        with written_whole(path, private=private, new=True) as fresh:
            fresh.write_bytes(data)
    except FileExistsError:
        raise RegistryError("file-exists", "{value} 已存在：请另取文件名", value=path) from None


def content(path: Path, most: int) -> bytes:
    """The first bytes of a file: at most one more than ``most``, so that the caller notices."""
    with path.open("rb") as file:
        return file.read(most + 1)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_link(path: Path) -> None:
    """Raise ``OSError`` if the path is a link, which might be meant to destroy another file."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _refuse_protected(path: Path) -> None:
    """Raise ``OSError`` if the file is write-protected, which a rename would ignore."""
    if path.exists() and not path.stat().st_mode & _WRITABLE:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _placed(fresh: Path, path: Path, *, new: bool) -> None:
    if new:
        try:
            os.link(fresh, path)  # unlike a rename, this fails if there is such a file
        except FileExistsError:
            raise
        except OSError:  # sticks and shares often lack hard links: claim the name
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE))
            os.replace(fresh, path)
    else:
        os.replace(fresh, path)
    _sync_folder(path.parent)


def _sync(file: Path) -> None:
    """Flush a file to disk."""
    handle = os.open(file, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Flush the names in a folder to disk; not every system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
