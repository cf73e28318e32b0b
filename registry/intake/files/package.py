"""The parts of an Office Open XML file (ECMA-376 part 2), each streamed within bounds.

Part names are compared without regard to case, as in Excel. Errors of writers in parts that no
table needs are never looked at.
"""

import posixpath
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple
from urllib.parse import unquote
from xml.parsers import expat

from registry.errors import RegistryError
from registry.intake.files import limits

_BLOCK: Final = 1 << 16
_END: Final = b"PK\x05\x06"
_END_64: Final = b"PK\x06\x06"
#: The end of a zip archive with the longest comment, and the further records of a large one.
_TAIL: Final = 22 + 65_535 + 20 + 56
#: The errors on opening or reading a damaged file.
BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, expat.ExpatError, EOFError, OSError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


class PackageTarget(NamedTuple):
    """The target of a relationship: its kind (worksheet, styles …) and the name of the part."""

    kind: str
    part: str


class _LocalNames(defaultdict[str, str]):
    """Names of tags and attributes without their prefixes."""

    def __missing__(self, name: str) -> str:
        self[name] = local = name.rpartition(":")[2]
        return local


local_name: Final = _LocalNames(str).__getitem__

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


class Package:
    """An open file; raises ``RegistryError`` if it exceeds the bounds."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._refuse_directory(path)
        self._archive = zipfile.ZipFile(path)
        self._parts = {
            posixpath.normpath(info.filename.replace("\\", "/").lower()): info
            for info in self._archive.infolist()
        }

    def __enter__(self) -> "Package":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._archive.close()

    def __contains__(self, part: str) -> bool:
        return part.lower() in self._parts

    def beginning(self, folder: str) -> list[str]:
        """The names of the parts in a folder."""
        return [name for name in self._parts if name.startswith(folder)]

    def size(self, part: str) -> int:
        """The unpacked bytes of a part."""
        return self._parts[part.lower()].file_size

    def blocks(self, part: str, most: int = limits.UNPACKED) -> Iterator[bytes]:
        """The bytes of a part; ``KeyError`` if there is none."""
        info = self._parts[part.lower()]
        if info.file_size > most:
            raise RegistryError(
                "too-large-unpacked",
                "{where}：其中的 {part} 解开后有{value}兆字节，超过可读取的{expected}兆，请拆分成几个文件，或新建工作簿只粘贴所需的表",
                where=self.name,
                part=part,
                value=info.file_size >> 20,
                expected=most >> 20,
            )
        packed = max(info.compress_size, 1)
        if info.file_size > limits.RATIO_FROM and info.file_size // packed > limits.RATIO:
            raise RegistryError(
                "too-tightly-packed",
                "{where}：其中的 {part} 解开后是压缩时的{value}倍，不是正常的工作簿，请新建工作簿只粘贴所需的表",
                where=self.name,
                part=part,
                value=info.file_size // packed,
            )
        with self._archive.open(info) as file:
            while block := file.read(_BLOCK):
                yield block

    def parse(
        self,
        part: str,
        start: Start,
        end: End | None = None,
        text: Text | None = None,
        most: int = limits.UNPACKED,
    ) -> Iterator[None]:
        """Parse a part block by block; tags come without their prefixes."""
        parser = _parser(start, end, text)
        fed = 0
        for block in self.blocks(part, most):
            parser.Parse(block, False)
            fed += len(block)
            # an endless tag would be scanned again with every block
            if fed - max(parser.CurrentByteIndex, 0) > limits.TAG:
                raise ValueError(f"an endless tag in {part}")
            yield
        parser.Parse(b"", True)
        yield

    def elements(self, part: str) -> Iterator[tuple[str, dict[str, str]]]:
        """The tags, in order, of a part that describes others."""
        found: list[tuple[str, dict[str, str]]] = []
        for _ in self.parse(
            part, lambda tag, given: found.append((tag, given)), most=limits.UNPACKED_SMALL
        ):
            yield from found
            found.clear()

    def related(self, part: str) -> dict[str, PackageTarget]:
        """The relationships of a part by id; empty if it states none."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels not in self:
            return {}
        found = {}
        for tag, given in self.elements(rels):
            if tag == "Relationship" and given.get("TargetMode") != "External":
                target = unquote(given.get("Target", "")).replace("\\", "/")
                at = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                kind = given.get("Type", "").rpartition("/")[2]
                found[given.get("Id", "")] = PackageTarget(kind, at)
        return found

    def _refuse_directory(self, path: Path) -> None:
        """Refuse an archive with an oversized directory, which would be read as a whole."""
        if directory_size(path) > limits.DIRECTORY:
            raise RegistryError(
                "too-many-parts",
                "{where}：压缩包里的文件太多，不是正常的工作簿，请新建工作簿只粘贴所需的表",
                where=self.name,
            )


def directory_size(path: Path) -> int:
    """The bytes of a zip archive's directory, as its end states them; 0 if it states none."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - _TAIL, 0))
        tail = file.read()
    at, at_64 = tail.rfind(_END), tail.rfind(_END_64)
    if 0 <= at_64 <= len(tail) - 48:
        return int(struct.unpack_from("<Q", tail, at_64 + 40)[0])
    return int(struct.unpack_from("<I", tail, at + 12)[0]) if 0 <= at <= len(tail) - 16 else 0


def _parser(start: Start, end: End | None, text: Text | None) -> expat.XMLParserType:
    """A parser that refuses what no workbook has: document types, and endlessly nested tags."""
    depth = 0

    def started(name: str, given: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > limits.DEPTH:
            raise ValueError("tags are nested too deeply")
        start(local_name(name), given)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end:
            end(local_name(name))

    def doctype(*_: object) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler, parser.EndElementHandler = started, ended
    parser.CharacterDataHandler = text
    return parser
