"""The one way to pack a bundle, so that every byte of the file is accounted for. Standard library only.

A bundle is a zip file that any program opens: members in a fixed order, stored as they are, without
dates or extra fields. ``unpack`` packs again what it finds and refuses a file that differs anywhere.
"""

import io
import re
import struct
import zipfile
from collections.abc import Mapping
from typing import Final

from rules.portable.errors import DescribedError

#: What a bundle may be at most: some thousands of decisions; it is held three times to be compared.
LARGEST: Final = 48 << 20
#: The bytes of its list of members, of which each takes a hundred or so.
_LARGEST_LIST: Final = 8 << 20
#: How a zip file ends: four bytes of sign, eight of numbers, the length of the list of members.
_END: Final = struct.Struct("<4s8xIIH")
_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE: Final = 0o100644 << 16
_UNIX: Final = 3
#: What no name of a member may hold: control characters, and what leads out of a folder somewhere.
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f\\:]|(^|/)\.{0,2}(/|$)")


class ContainerError(DescribedError):
    """A file is not a bundle, or was changed outside its members."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """The bytes of a bundle with these members."""
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
    """The members of a bundle; ``ContainerError`` where any byte is not as ``pack`` writes it."""
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
            # looked at before anything is read: what little there is may claim to be very much
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
    except Exception:  # zipfile meets damaged fields with whatever comes up
        raise ContainerError(
            "broken-zip", "不是完整的 zip 文件，或已被改动：请重新取得原文件"
        ) from None
    if _packed(files).getbuffer() != data:
        raise ContainerError(
            "packed-otherwise", "打包方式与导出时不同，文件在导出后被改动过：请重新取得原文件"
        )
    return files
