"""Archives that would take more than they give are refused before they are read."""

import io
import struct
import tracemalloc
import warnings
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from registry.portable.container import LARGEST, ContainerError, pack, unpack
from registry.portable.notes import NoteError, VerifierKey, open_note


def zipped(*members: tuple[str, bytes], how: int = 0) -> bytes:
    stream = io.BytesIO()
    with ZipFile(stream, "w", how) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name that is there twice
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()


def claiming(length: int) -> bytes:
    """A bundle that says of its list of members that it is so long."""
    data = bytearray(pack({"a": b"1"}))
    struct.pack_into("<I", data, len(data) - 10, length)
    return bytes(data)


BOMBS = {
    "larger than any": bytes(LARGEST + 1),
    "compressed": zipped(("a", bytes(64 << 20)), how=ZIP_DEFLATED),
    "nested": zipped(("a.zip", zipped(("a", bytes(1 << 20)), how=ZIP_DEFLATED)), how=ZIP_DEFLATED),
    "so many members": claiming(9 << 20),
    "no list": claiming(0xFFFFFFFF),
    "twice": zipped(("a", b"1"), ("a", b"2")),
    "outside": zipped(("../a", b"1")),
    "absolute": zipped(("/a", b"1")),
    "backwards": zipped(("..\\a", b"1")),
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_archive_takes_more_than_it_gives(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ContainerError, match="请重新取得原文件"):
            unpack(BOMBS[name])
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_note_of_any_length_is_refused_at_once() -> None:
    key = VerifierKey("甲", bytes(32))
    with pytest.raises(NoteError, match="超过64KB，不是检查点"):
        open_note(b"x" * (100 << 20), key)
    with pytest.raises(NoteError, match="无法识别"):
        VerifierKey.parse("x" * (10 << 20))
