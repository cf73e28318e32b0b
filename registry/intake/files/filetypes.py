"""The true type of a file, whatever its name says."""

import re
from pathlib import Path
from typing import Final

from registry.intake.files.package import BROKEN, Package

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_HEAD: Final = 4096
_BLOCK: Final = 1 << 20
ARCHIVE: Final = "压缩包"
#: The first bytes of other kinds of files.
_MAGIC: Final = {
    b"%PDF": "PDF 文件",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"GIF8": "图片",
    b"Rar!": ARCHIVE,
    b"7z\xbc\xaf": ARCHIVE,
    b"\x1f\x8b": ARCHIVE,
    b"{\\rtf": "RTF 文档",
    b"SQLite format 3": "数据库文件",
}
_WEB: Final = re.compile(
    rb"<(?:!doctype html|html|head|body|table|meta|style)\b|^mime-version:", re.I
)
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
#: The parts that distinguish archives.
_ARCHIVES: Final = {
    "word/document.xml": "Word 文档（.docx）",
    "ppt/presentation.xml": "演示文稿（.pptx）",
    "xl/workbook.bin": "二进制工作簿（.xlsb）",
    "index/document.iwa": "Numbers 表格",
    "content.xml": "OpenDocument 表格（.ods）",
}
WORKBOOK: Final = "Excel 工作簿（.xlsx）"
OLD: Final = "旧版 .xls 文件"
LOCKED: Final = "设有打开密码的文件"
DAMAGED: Final = "损坏的压缩文件"
TEXT: Final = "文本文件（如 CSV）"
WEB: Final = "网页"


def file_type(path: Path) -> str:
    """The type of a file by its content, in Chinese; empty if it is unknown."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_OLE):
        return LOCKED if _contains(path, _ENCRYPTED) else OLD
    if head.startswith(_ZIP):
        try:
            return _archive(path)
        except BROKEN:
            return DAMAGED
    if found := next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), ""):
        return found
    return _written(head)


def _archive(path: Path) -> str:
    with Package(path) as package:
        for part, kind in _ARCHIVES.items():
            if part in package:
                return kind
        known = package.related("") or "xl/workbook.xml" in package
    return WORKBOOK if known else ARCHIVE


def _written(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start[:1] in (b"<", b"M", b"m") and _WEB.search(start):
        return WEB
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        return "XML 表格 2003"
    if start.startswith(b"<?xml"):
        return "XML 文件"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return TEXT
    return TEXT if head and not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head) else ""


def _contains(path: Path, sought: bytes) -> bool:
    with path.open("rb") as file:
        tail = b""
        while block := file.read(_BLOCK):
            if sought in tail + block:
                return True
            tail = block[-len(sought) :]
    return False
