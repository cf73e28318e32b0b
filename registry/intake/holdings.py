"""Lists of holdings: who holds which share of which enterprise, one entry per row."""

from collections.abc import Container
from pathlib import Path
from typing import Final, NamedTuple

from registry.errors import RegistryError
from registry.intake.cells import half, plain, read_share
from registry.intake.identity import code_fault, code_of, name_fault, name_of
from registry.intake.lists import ListEntry, Listing, enterprises, read_list
from registry.intake.tables import headings
from registry.record.holdings import share_fault
from rules.model.characters import clipped

#: The columns of a list besides those of enterprises.
_HOLDER, _HOLDER_CODE, _SHARE = "持股方", "持股方统一社会信用代码", "持股比例"
#: The share column if its heading says that numbers are percentages.
_PERCENTAGE: Final = f"{_SHARE}(%)"
#: What is written where a holder has no code.
_NONE: Final = "无"


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


def share(text: str) -> str:
    """A typed share as a ratio in decimal text.

    >>> share("51%")
    '0.51'
    """
    read = read_share(text)
    if read.value is None:
        raise RegistryError(
            "unreadable-share",
            "持股比例「{value}」{why}：{expected}",
            value=clipped(text),
            why=read.notice,
            expected=read.expected,
        )
    return str(read.value)


def _column(heading: str) -> str:
    """The column that a list's heading names, if any."""
    text = headings.key(heading)
    if (found := headings.words(text)).term == _SHARE and found.unit == "%":
        return _PERCENTAGE
    return enterprises(heading) or (text if text in (_HOLDER, _HOLDER_CODE, _SHARE) else "")


def stake(line: ListEntry, admitted: Container[str], told: list[str]) -> Stake:
    """The content of a row; ``RegistryError`` with its place if it cannot be read.

    What the officer should know about a share that was read is added to ``told``.
    """
    column = _SHARE if _SHARE in line.cells else _PERCENTAGE
    return Stake(*_holder(line, admitted), _share(line, column, told))


def _holder(line: ListEntry, admitted: Container[str]) -> tuple[str, str]:
    """The holder's code and name, one of which may be missing."""
    cell, named = line.cells.get(_HOLDER_CODE), line.cells.get(_HOLDER)
    code, name = code_of(cell), name_of(named)
    if code == _NONE:
        cell, code = None, ""
    if cell is not None and (fault := code_fault(cell, code, admitted)):
        raise _unfit(line, _HOLDER_CODE, f"{_HOLDER}的{'，'.join(fault)}")
    if named is not None and (fault := name_fault(named)):
        raise _unfit(line, _HOLDER, "，".join(fault).replace("企业名称", f"{_HOLDER}的名称", 1))
    if not (code or name):
        raise _unfit(line, _HOLDER, f"没有{_HOLDER}，请填写{_HOLDER}或{_HOLDER_CODE}")
    return code, name if code else half(name)  # a name alone has to be the same text again


def _share(line: ListEntry, column: str, told: list[str]) -> str:
    if column in line.spread:
        raise _unfit(line, column, f"{_SHARE}合并在几行之间，不知归哪一行，请逐行填写")
    cell = line.cells.get(column)
    if cell is None:
        raise _unfit(line, column, f"没有{_SHARE}，请写成 51% 这样的百分数")
    read = read_share(cell, "%" if column == _PERCENTAGE else "")
    said = f"{_SHARE}「{clipped(plain(cell))}」{read.notice}，{read.expected}"
    if read.value is None:
        raise _unfit(line, column, said)
    if fault := share_fault(str(read.value)):
        raise _unfit(line, column, f"{fault}，表中是「{clipped(plain(cell))}」，请核对")
    if read.notice:
        told.append(f"{line.at(column)}：{said}")
    return str(read.value)


def _unfit(line: ListEntry, column: str, said: str) -> RegistryError:
    return RegistryError("unfit-holding", "{where}：{value}", where=line.at(column), value=said)
