"""Letters to enterprises about their decisions, many at a time in one archive."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from registry.desk import explaining
from registry.desk.explaining import DecisionQuery, Unexplained
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.reports.writing import Writer, file_name

#: The most letters that are written while somebody waits.
MOST: Final = 200
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Letters:
    """An archive with a file for each decision, and the decisions that could not be explained."""

    data: bytes
    count: int
    unexplained: tuple[Unexplained, ...]


def written(desk: Desk, numbers: Sequence[int], office: str = "") -> Letters:
    """The letters about the decisions with these numbers, from the ``office``.

    ``RecordError`` if there are none, or too many to wait for.
    """
    if not numbers:
        raise RecordError("no-letters", "没有选中决定，没有告知书可写：请先作出决定，或放宽条件")
    if len(numbers) > MOST:
        raise RecordError(
            "too-many-letters",
            "选中了{value}项决定，一次最多写{expected}份告知书：请按地区、层级或结论缩小范围",
            value=len(numbers),
            expected=MOST,
        )
    query = DecisionQuery(tuple(range(seq, seq + 1) for seq in numbers))
    writer, archive = Writer("letter", "enterprise", office), io.BytesIO()
    catalogue, count = desk.to_be_filed(), 0
    with (
        explaining.chosen(desk, query) as chosen,
        zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as folder,
    ):
        for entry, part in chosen.each(writer.one):
            member = zipfile.ZipInfo(file_name(entry, "letter", catalogue), _NO_TIME)
            folder.writestr(member, writer.file([part], entry.seq), zipfile.ZIP_DEFLATED)
            count += 1
        if chosen.unexplained:
            said = "\n".join(f"第{one.seq}号：{one.cause}" for one in chosen.unexplained)
            folder.writestr(zipfile.ZipInfo("没有写成的.txt", _NO_TIME), said)
    if not count:
        raise chosen.unexplained[0].cause
    return Letters(archive.getvalue(), count, tuple(chosen.unexplained))
