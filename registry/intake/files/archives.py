"""An archive of tables as a folder: unpacked within bounds, under names that are known beforehand.

What an archive says of itself is looked at before anything is unpacked, and counted again while it
is. No name in it becomes a path, except that of a known table.
"""

import stat
import zipfile
from collections.abc import Container, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from registry.errors import RegistryError
from registry.intake.files import limits
from registry.intake.files.filetypes import ARCHIVE, DAMAGED, WORKBOOK, file_type
from registry.intake.files.package import BROKEN, directory_size
from registry.kit.names import file_name

SUFFIX: Final = ".zip"
_BLOCK: Final = 1 << 16
#: A name is in UTF-8; otherwise it is in the code page of whoever packed it.
_UTF8: Final = 0x800
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: What programs pack beside the files that were meant.
_BESIDE: Final = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_WORKBOOKS: Final = (".xlsx", ".xlsm", ".xls", ".et", ".ods")
_ARCHIVES: Final = (".zip", ".rar", ".7z", ".gz", ".tar")


def unpacked(archive: Path, into: Path, tables: Container[str], suffixes: Container[str]) -> Path:
    """The tables of an archive in a new folder in ``into``, which bears the archive's name.

    That is the name of the one folder in which all tables are, or else of the archive. ``tables``
    are the known names of tables in small letters; other kinds of files are left out.
    ``RegistryError`` for an archive that is no set of tables, or exceeds the bounds.
    """
    refuse_others(archive)
    try:
        with zipfile.ZipFile(archive) as opened:
            found = dict(_tables(archive.name, opened, tables, suffixes))
            parents = {path.parent.name for path in found}
            own = parents.pop() if len(parents) == 1 else ""
            folder = into / file_name(own or archive.stem)
            folder.mkdir()
            _refuse_size(archive, list(found.values()))
            left = limits.ARCHIVE
            for path, info in found.items():
                left = _write(archive.name, opened, info, folder / path.name, left)
    except BROKEN as error:
        raise _damaged(archive.name) from error
    return folder


def refuse_others(archive: Path) -> None:
    """Raise ``RegistryError`` for what is no archive that can be read, whatever it is called."""
    if not archive.is_file():
        raise RegistryError(
            "no-such-file", "{value}：找不到这个文件，请核对文件名和位置", value=archive.name
        )
    if directory_size(archive) > limits.DIRECTORY:
        raise _too_many(archive.name)
    kind = file_type(archive)
    if kind == DAMAGED:
        raise _damaged(archive.name)
    if kind != ARCHIVE:
        truly = f"（这其实是{kind}）" if kind else ""
        action = "请把扩展名改为 .xlsx 后重试" if kind == WORKBOOK else "请重新打包后再试"
        raise RegistryError(
            "no-archive",
            "{where}：不是 .zip 压缩包{truly}，" + action,
            where=archive.name,
            truly=truly,
        )
    with archive.open("rb") as file:
        if not file.read(2) == b"PK":
            raise RegistryError(
                "unsupported-archive",
                "{where}：只能读 .zip 压缩包，请改用 .zip 重新打包",
                where=archive.name,
            )


def _tables(
    where: str, opened: zipfile.ZipFile, tables: Container[str], suffixes: Container[str]
) -> Iterator[tuple[PurePosixPath, zipfile.ZipInfo]]:
    """The tables with their places in the archive; refuses what has no place in one."""
    infos = opened.infolist()
    if len(infos) > limits.ENTRIES:
        raise _too_many(where)
    seen: set[str] = set()
    workbook = ""
    for info in infos:
        path = _place(where, info)
        if info.is_dir() or any(part in _BESIDE for part in path.parts):
            continue
        _refuse_entry(where, info, path)
        suffix = path.suffix.lower()
        if suffix in _WORKBOOKS:
            workbook = path.name
        if suffix not in suffixes or path.name.startswith("~$"):
            continue
        if path.stem.lower() not in tables:
            raise _refused(
                where, path, "unknown-packed-table", "不是表名，表名见填报模板各工作表的名称"
            )
        if path.name.lower() in seen:
            raise _refused(where, path, "packed-twice", "有两个同名的文件，请只留一个")
        seen.add(path.name.lower())
        yield path, info
    if not seen:
        said = f"里面是工作簿（{workbook}），请分别登记各个工作簿" if workbook else "里面没有数据表"
        raise RegistryError("no-tables-packed", "{where}：{value}", where=where, value=said)


def _place(where: str, info: zipfile.ZipInfo) -> PurePosixPath:
    """Where an entry says that it is; refuses a place outside the archive."""
    name = info.filename
    if not info.flag_bits & _UTF8:
        name = name.encode("cp437", "replace").decode("gb18030", "replace")
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name:
        raise _refused(where, path, "packed-outside", "指向压缩包以外")
    if len(path.parts) > limits.FOLDERS:
        raise _refused(where, path, "packed-too-deep", "文件夹套得太深，请把各表放在同一个文件夹里")
    return path


def _refuse_entry(where: str, info: zipfile.ZipInfo, path: PurePosixPath) -> None:
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise _refused(where, path, "packed-link", "是链接，不是文件")
    if info.flag_bits & _ENCRYPTED:
        raise _refused(where, path, "locked-archive", "设有密码，请取消密码后重新打包")
    if info.compress_type not in _METHODS:
        raise _refused(where, path, "unknown-packing", "压缩方法不能读取，请用普通的 .zip 重新打包")
    if path.suffix.lower() in _ARCHIVES:
        raise _refused(where, path, "packed-archive", "压缩包里还有压缩包，请解开后重新打包")


def _refuse_size(archive: Path, infos: list[zipfile.ZipInfo]) -> None:
    whole = sum(info.file_size for info in infos)
    packed = max(archive.stat().st_size, 1)
    tight = whole > limits.RATIO_FROM and whole // packed > limits.RATIO
    if whole > limits.ARCHIVE or tight:
        raise _too_large(archive.name)


def _write(where: str, opened: zipfile.ZipFile, info: zipfile.ZipInfo, to: Path, left: int) -> int:
    """Unpack one table; returns how many bytes the others may take."""
    with opened.open(info) as file, to.open("xb") as written:
        while block := file.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise _too_large(where)
            written.write(block)
    return left


def _refused(where: str, path: PurePosixPath, slug: str, said: str) -> RegistryError:
    return RegistryError(slug, "{where}：其中的“{part}”{value}", where=where, part=path, value=said)


def _damaged(where: str) -> RegistryError:
    return RegistryError("damaged-archive", "{where}：压缩包已损坏，请重新打包后再试", where=where)


def _too_many(where: str) -> RegistryError:
    return RegistryError(
        "too-many-packed",
        "{where}：压缩包里的文件太多，请只放各张数据表",
        where=where,
    )


def _too_large(where: str) -> RegistryError:
    return RegistryError(
        "too-large-packed",
        "{where}：解开后超过{expected}兆字节，或压缩得不像数据表，请分成几个压缩包，或在服务器上用文件夹登记",
        where=where,
        expected=limits.ARCHIVE >> 20,
    )
