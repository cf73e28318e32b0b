"""Evidence: the record keeps the digests of files; the bureau keeps the files, if it says where.

A file that is kept stands under its digest, ``aa/bb…``, with its name as a text beside it.
"""

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.desk.place import Desk
from registry.desk.waiting import WaitingFiles
from registry.errors import RecordError, RegistryError
from registry.kit import settings
from registry.kit.files import PRIVATE_FOLDER, sha256_of, written_whole
from registry.kit.names import file_name

_DIGEST: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class KeptEvidence:
    """A file that is kept: its name, and where its bytes are."""

    name: str
    path: Path


def taken(path: Path, *, rehearsing: bool = False) -> str:
    """The digest of a file of evidence, which is kept under it if the settings say where."""
    digest = sha256_of(path)
    folder = settings.evidence()
    if folder is None or rehearsing:
        return digest
    place = _place(folder, digest)
    try:
        place.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        if not place.exists():
            with written_whole(place, private=True) as fresh:
                shutil.copyfile(path, fresh)
        if not _named(place).exists():
            with written_whole(_named(place), private=True) as fresh:
                fresh.write_text(file_name(path.name), "utf-8")
    except OSError as error:
        raise RegistryError(
            "evidence-not-kept",
            "证据文件不能保存到{where}（{cause}），没有登记：请管理员核对 TIDU_EVIDENCE 所指的文件夹",
            where=folder,
            cause=error.strerror or error,
        ) from error
    return digest


def attached(desk: Desk) -> WaitingFiles:
    """The files that were sent with a form, until it is recorded or a day has passed."""
    return WaitingFiles(desk, "attached")


def sent(desk: Desk, digests: Iterable[str]) -> tuple[str, ...]:
    """The same for files that wait beside the registry."""
    waiting, found = attached(desk), []
    for digest in digests:
        with waiting.opened(digest) as path:
            found.append(taken(path, rehearsing=desk.rehearsing))
    return tuple(found)


def kept(digest: str) -> KeptEvidence:
    """A file that was kept; ``RecordError`` if there is none of that digest."""
    folder = settings.evidence()
    if folder is not None and _DIGEST.fullmatch(digest):
        place = _place(folder, digest)
        if place.is_file() and _named(place).is_file():
            return KeptEvidence(_named(place).read_text("utf-8"), place)
    raise RecordError(
        "evidence-elsewhere",
        "这里没有保存摘要为{value}的证据文件：登记簿只记摘要，原件请在经办人处查找",
        value=digest,
    )


def is_kept(digest: str) -> bool:
    """Whether the bytes of a file of evidence are here."""
    folder = settings.evidence()
    return folder is not None and _place(folder, digest).is_file()


def _place(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest


def _named(place: Path) -> Path:
    return place.with_name(f"{place.name}.name")
