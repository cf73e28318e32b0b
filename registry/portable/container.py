"""The one way to pack a bundle, which fixes every byte of the file. Standard library only.

A bundle is a zip file that any program opens: members in a fixed order, stored uncompressed,
without dates or extra fields. ``unpack`` packs the members again and refuses a file that differs
anywhere.
"""

import io
import re
import struct
import zipfile
from collections.abc import Mapping
from typing import Final

from rules.portable.errors import DescribedError

#: The most bytes of a bundle (some thousands of decisions); comparing it takes three copies in
#: memory.
LARGEST: Final = 48 << 20
#: The most bytes of its list of members; each member takes about a hundred.
_LARGEST_LIST: Final = 8 << 20
#: The end of a zip file: four bytes of signature, eight of numbers, then the length of the list.
_END: Final = struct.Struct("<4s8xIIH")
_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE: Final = 0o100644 << 16
_UNIX: Final = 3
#: Unfit for the name of a member: control characters, and parts that lead out of a folder
#: somewhere.
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f\\:]|(^|/)\.{0,2}(/|$)")


class ContainerError(DescribedError):
    """A file is not a bundle, or was changed outside its members."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """The bytes of a bundle with these members.

    >>> unpack(pack({"b.txt": b"2", "a.txt": b"1"}))
    {'a.txt': b'1', 'b.txt': b'2'}
    """
    return _packed(files).getvalue()


def _packed(files: Mapping[str, bytes]) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _NO_DATE)
            member.create_system = _UNIX
            member.external_attr = _PLAIN_FILE
            archive.writestr(member, files[name])
    return stream


def unpack(data: bytes) -> dict[str, bytes]:
    """The members of a bundle; raises ``ContainerError`` if any byte differs from ``pack``'s."""
    if len(data) > LARGEST:
        raise ContainerError(
            "bundle-too-large",
            "超过{expected}MB，不是导出的原文件：请重新取得原文件",
            expected=LARGEST >> 20,
        )
    if len(data) >= _END.size and _END.unpack(data[-_END.size :])[1] > _LARGEST_LIST:
        raise ContainerError("too-many-members", "成员过多，不是导出的原文件：请重新取得原文件")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            stored = all(m.compress_type == zipfile.ZIP_STORED for m in members)
            # checked before anything is read: a small file may claim enormous members
            if not stored or sum(m.file_size for m in members) > len(data):
                raise ContainerError(
                    "members-not-stored",
                    "成员经过压缩或大小不实，不是导出的原文件：请重新取得原文件",
                )
            if any(_UNFIT.search(m.filename) for m in members):
                raise ContainerError(
                    "unfit-member-name", "含有不合格式的文件名，不是导出的原文件：请重新取得原文件"
                )
            files = {m.filename: archive.read(m) for m in members}
    except ContainerError:
        raise
    except Exception:  # zipfile raises all kinds of errors on damaged fields
        raise ContainerError(
            "broken-zip", "不是完整的 zip 文件，或已被改动：请重新取得原文件"
        ) from None
    if _packed(files).getbuffer() != data:
        raise ContainerError(
            "packed-otherwise", "打包方式与导出时不同，文件在导出后被改动过：请重新取得原文件"
        )
    return files
