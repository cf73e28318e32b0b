"""Lists of holdings: who holds which share of which enterprise, one entry per row."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from registry.errors import RegistryError
from registry.intake.cells import GARBLED, read_share
from registry.intake.lists import ListEntry, Listing, enterprises, read_list
from registry.intake.tables import headings
from registry.kit.characters import REPLACEMENT
from registry.kit.uscc import tidy

#: The columns of a list besides those of enterprises.
_HOLDER, _HOLDER_CODE, _SHARE = "持股方", "持股方统一社会信用代码", "持股比例"
#: The share column if its heading says that numbers are percentages.
_PERCENTAGE: Final = f"{_SHARE}(%)"


class Stake(NamedTuple):
    """A row besides its enterprise: the holder's code or name, and the share as a ratio."""

    uscc: str
    name: str
    share: str


def read_holdings(path: Path) -> Listing:
    """Read the rows of every block with a share; ``RegistryError`` if there is none."""
    listing = read_list(path, _column, (_SHARE, _PERCENTAGE))
    if not listing.lines:
        raise RegistryError(
            "no-holdings",
            "{where} 中没有持股：须有统一社会信用代码、{expected}等列",
            where=path.name,
            expected=f"{_SHARE}和{_HOLDER}",
        )
    return listing


def stakes(path: Path, lines: Sequence[ListEntry]) -> list[Stake]:
    """The content of each row; ``RegistryError`` with its place if it cannot be read."""
    return [_stake(line, f"{path.name} {line.where}") for line in lines]


def share(text: str) -> str:
    """A typed share as a ratio in decimal text.

    >>> share("51%")
    '0.51'
    """
    read = read_share(text)
    if read.value is None:
        raise RegistryError(
            "unreadable-share", "持股比例「{value}」读不懂：请写成 51% 这样的百分数", value=text
        )
    return str(read.value)


def _column(heading: str) -> str:
    """The column that a list's heading names, if any."""
    text = headings.key(heading)
    if (found := headings.words(text)).term == _SHARE and found.unit == "%":
        return _PERCENTAGE
    return enterprises(heading) or (text if text in (_HOLDER, _HOLDER_CODE, _SHARE) else "")


def _stake(line: ListEntry, where: str) -> Stake:
    if any(REPLACEMENT in line.text(key) for key in line.cells):
        raise RegistryError(
            "garbled-row", "{where}：{value}", where=where, value="，".join(GARBLED)
        )
    column = _SHARE if _SHARE in line.cells else _PERCENTAGE
    if column in line.spread:
        raise RegistryError(
            "share-of-several-rows",
            "{where}：{value}合并在几行之间，不知归哪一行，请逐行填写",
            where=where,
            value=_SHARE,
        )
    read = read_share(line.cells.get(column), "%" if column == _PERCENTAGE else "")
    if read.value is None:
        raise RegistryError(
            "unreadable-share",
            "{where}：持股比例「{value}」读不懂，请写成 51% 这样的百分数",
            where=where,
            value=line.text(column),
        )
    holder = Stake(tidy(line.text(_HOLDER_CODE)), line.text(_HOLDER), str(read.value))
    if not (holder.uscc or holder.name):
        raise RegistryError(
            "no-holder",
            "{where}：没有持股方，请填写{expected}",
            where=where,
            expected=f"{_HOLDER}或{_HOLDER_CODE}",
        )
    return holder
