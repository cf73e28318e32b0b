"""The enterprises of a notice: named one by one, or in a list that must be fully understood.

A list is registered whole or not at all. Whatever it leaves open is told before anything is
registered.
"""

from collections import Counter
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from sqlmodel import Session

from registry.database import called
from registry.desk import importing
from registry.desk.evidence import taken
from registry.desk.place import Desk
from registry.errors import RecordError, RegistryError
from registry.intake import validity
from registry.intake.identity import code_fault, code_of, name_fault, name_of, swapped
from registry.intake.lists import ListEntry, Listing, read_list
from registry.intake.validity import Validity
from registry.record import admissions, register
from registry.record.naming import Names
from registry.record.register import Holder, Notice
from rules.model.characters import clipped
from rules.portable.errors import Remedy

_T = TypeVar("_T")

#: The most enterprises of a list that a message names.
_SHOWN: Final = 20


@dataclass(frozen=True)
class Firms:
    """The enterprises that a notice names: by credit code, or by a list in a file.

    The file may name the enterprises in ``renamed`` (codes) otherwise than the registry does.
    """

    codes: tuple[str, ...] = ()
    file: Path | None = None
    renamed: frozenset[str] = frozenset()


#: An enterprise with its place in a list, which is empty if it is named by itself.
Placed: TypeAlias = tuple[str, Holder]


@contextmanager
def told() -> Iterator[list[str]]:
    """Collects remarks on the way; an error carries them, since nothing is returned then."""
    notices: list[str] = []
    try:
        yield notices
    except RegistryError as error:
        error.details = (*(f"提示 {said}" for said in notices), *error.details)
        raise


@contextmanager
def placing(firms: Firms, named: Sequence[Placed]) -> Iterator[None]:
    """Tells of every line of a list that is refused where it stands."""
    if firms.file is None:
        yield
        return
    places: dict[str, list[Placed]] = {}
    for one in named:
        places.setdefault(one[1].uscc, []).append(one)
    try:
        yield
    except RecordError as error:
        refused = error.fields.get("refused")
        if refused is None:
            raise
        # of an enterprise that is listed twice, at least the last line is refused
        number = Counter(uscc for uscc, _ in refused)
        left = {uscc: iter(places[uscc][-n:]) for uscc, n in number.items()}
        said = []
        for uscc, cause in refused:
            where, holder = next(left[uscc])
            said.append(f"错误 {where} {holder.name}{uscc}：{cause}")
        raise RecordError(
            "faulty-list",
            "{where} 有{value}处错误，整份名单没有登记",
            where=firms.file.name,
            value=len(said),
            remedy=error.remedy or Remedy("mend-and-repeat"),
            details=tuple(said),
        ) from error


def with_list(desk: Desk, notice: Notice, firms: Firms) -> Notice:
    """The notice with the digest of its list of enterprises, which is evidence too."""
    return replace(notice, evidence=(*notice.evidence, *evidence(desk, firms)))


def evidence(desk: Desk, firms: Firms) -> tuple[str, ...]:
    """The digest of a list of enterprises; nothing if they are named one by one."""
    return (taken(firms.file, rehearsing=desk.rehearsing),) if firms.file else ()


def placed(
    desk: Desk, firms: Firms, given: Validity, uses: Sequence[str], notices: list[str]
) -> list[Placed]:
    """The enterprises with the names by which they are registered, or else those of the list.

    ``uses`` are the validity days to take from a list; they may not contradict the days ``given``.
    What the list leaves open is added to ``notices``.
    """
    if firms.file is None:
        with desk.reading() as session:
            named = names(session, firms.codes)
        return [("", Holder(code, named.get(code, ""))) for code in firms.codes]
    listing = _listing(desk, firms.file)
    with desk.reading() as session:
        found = coded(session, firms.file, listing, notices)
        refuse_differing(session, firms.file, found, firms.renamed)
        known = names(session, [holder.uscc for _, holder in found])
    terms = {tier.years for tier in desk.to_be_filed().tiers if tier.years}
    days = _days(firms.file, [line for line, _ in found], given, uses, terms, notices)
    return [
        (line.where, Holder(h.uscc, h.name or known.get(h.uscc, ""), own.first, own.last))
        for (line, h), own in zip(found, days, strict=True)
    ]


def _days(
    path: Path,
    lines: Sequence[ListEntry],
    given: Validity,
    uses: Sequence[str],
    terms: Collection[int],
    notices: list[str],
) -> list[Validity]:
    """The days that a list states for each of its entries, limited to those in ``uses``."""
    found = every(path, lines, lambda line, told: validity.stated(line, terms, told), notices)
    wrong, unused = list[str](), dict[str, None]()
    for name, words in (("first", "有效期始"), ("last", "有效期至")):
        wanted = getattr(given, name)
        for line, own in zip(lines, found, strict=True):
            day = getattr(own, name)
            if day and name not in uses:
                unused[words] = None
            elif day and wanted not in (None, day):
                wrong.append(f"{line.at(words)}：名单的{words}是{day}，另外给出的是{wanted}")
    refuse_wrong(path, wrong, Remedy("leave-days-to-list"))
    if unused:
        notices.append(f"名单写的{'、'.join(unused)}没有用到：这里不据此登记")
    return [Validity(**{name: getattr(own, name) for name in uses}) for own in found]


def _listing(desk: Desk, path: Path) -> Listing:
    if path.suffix.lower() == ".json":
        reading = importing.read_file(desk, path, desk.to_be_filed())
        if reading.errors:
            raise RecordError(
                "faulty-list",
                "{where} 有错误，没有登记：请改正后重试",
                where=path.name,
                details=tuple(map(str, importing.grouped(reading.errors)))[:_SHOWN],
            )
        lines = [ListEntry(s.where, {"uscc": s.uscc, "name": s.name}) for s in reading.submissions]
        return Listing(tuple(lines), frozenset(("uscc", "name")), ())
    listing = read_list(path, validity.columns, ("uscc", "name"))
    if not listing.columns:
        raise RecordError(
            "no-list",
            "{where} 中没有带有企业名称或统一社会信用代码的表头：请核对名单",
            where=path.name,
        )
    if not listing.lines:
        raise RecordError("empty-list", "{where} 中没有企业：请核对名单", where=path.name)
    return listing


def coded(
    session: Session, path: Path, listing: Listing, notices: list[str]
) -> list[tuple[ListEntry, Holder]]:
    """The entries with their codes; an entry with only a name is found by it if it is unique.

    Rows left out of the list are reported in ``notices``; anything that is no code, or no name on
    record, is refused.
    """
    notices += _few(listing.told)
    found, unknown, wrong = list[tuple[ListEntry, Holder]](), list[str](), list[str]()
    by_name, known = list[str](), None
    admitted = admissions.Admitted(session)
    for line in listing.lines:
        code, name = code_of(line.cells.get("uscc")), line.text("name")
        if fault := _fault(line, admitted):
            wrong.append(fault)
        if code:
            found.append((line, Holder(code, name)))
        if fault or code:
            continue
        known = known or Names(session)
        meant = known.of(name)
        if len(meant) == 1:
            ((code, registered),) = meant.items()
            found.append((line, Holder(code, registered)))
            by_name.append(f"{registered}（{code}）")
        else:
            unknown.append(f"{line.where} {_unfound(known, name)}")
    refuse_wrong(path, wrong)
    if unknown:
        raise _missing(path, listing, unknown, len(by_name))
    if by_name:
        shown = "、".join(by_name[:_SHOWN])
        more = f"……共{len(by_name)}家" if len(by_name) > _SHOWN else ""
        notices.append(f"名单没有写代码的，已按登记的名称找到：{shown}{more}")
    return found


def _fault(line: ListEntry, admitted: Container[str]) -> str:
    """What is wrong with the code or the name of an entry, one of which may be missing."""
    cell, name = line.cells.get("uscc"), line.cells.get("name")
    code = code_of(cell)
    faults = {
        "uscc": swapped(code, name_of(name))
        or (None if cell is None else code_fault(cell, code, admitted)),
        "name": None if name is None else name_fault(name),
    }
    return next((f"{line.at(key)}：{'，'.join(f)}" for key, f in faults.items() if f), "")


def every(
    path: Path,
    lines: Sequence[ListEntry],
    read: Callable[[ListEntry, list[str]], _T],
    notices: list[str],
) -> list[_T]:
    """What is read of each entry; ``RecordError`` with every fault if any cannot be read.

    What ``read`` tells on the way is added to ``notices``.
    """
    found, wrong, told = list[_T](), list[str](), list[str]()
    for line in lines:
        try:
            found.append(read(line, told))
        except RegistryError as error:
            wrong.append(str(error))
    refuse_wrong(path, wrong)
    notices += _few(told)
    return found


def _few(lines: Sequence[str]) -> list[str]:
    """The first remarks, and how many there are if some are left out."""
    return [*lines[:_SHOWN], *([f"……共{len(lines)}条提示"] if len(lines) > _SHOWN else [])]


def refuse_wrong(path: Path, wrong: Sequence[str], remedy: Remedy | None = None) -> None:
    """Raise ``RecordError`` for a list with faults, with the first few as details."""
    if wrong:
        raise RecordError(
            "faulty-list",
            "{where} 有{value}处错误，整份名单没有登记",
            where=path.name,
            value=len(wrong),
            remedy=remedy or Remedy("mend-and-repeat"),
            details=tuple(f"错误 {said}" for said in wrong[:_SHOWN]),
        )


def _unfound(known: Names, name: str) -> str:
    """A name, with the enterprises that it may mean."""
    meant, name = known.of(name), clipped(name)
    if meant:
        return f"{name}（同名的有{'、'.join(meant)}）"
    near = known.near(name)
    return f"{name}（相近的有{'、'.join(near)}）" if near else name


def _missing(path: Path, listing: Listing, unknown: Sequence[str], found: int) -> RecordError:
    lacks = (
        "有企业没有写统一社会信用代码" if "uscc" in listing.columns else "没有统一社会信用代码列"
    )
    more = f"……共{len(unknown)}家" if len(unknown) > _SHOWN else ""
    return RecordError(
        "unclear-names",
        "{where} {lacks}，整份名单没有登记：按名称在登记库中找到{found}家，"
        "不能确定的有{value}；请在名单中补上代码",
        where=path.name,
        lacks=lacks,
        found=found,
        value="、".join(unknown[:_SHOWN]) + more,
        details=tuple(f"错误 {said}" for said in unknown) if more else (),
    )


def refuse_differing(
    session: Session,
    path: Path,
    listed: Sequence[tuple[ListEntry, Holder]],
    renamed: Container[str],
) -> None:
    """Refuse a list that gives a code another name than the registry does, except for ``renamed``.

    Any name that the enterprise ever had on record is accepted: a notice keeps the name of its day.
    """
    coded = [(line, h) for line, h in listed if h.uscc and h.name and h.uscc not in renamed]
    known = Names(session, {h.uscc: h.name for _, h in coded}) if coded else Names()
    wrong = [
        f"{line.where} {h.uscc}：名单写的是「{clipped(h.name)}」，登记的是「{other}」"
        for line, h in coded
        if (other := known.other(h.uscc, h.name))
    ]
    refuse_wrong(path, wrong, Remedy("point-out-renamed"))


def names(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """The present names of enterprises: from their filings and changes, else from their titles."""
    titled = register.titles(session, codes)
    named = {code: entries[-1].content["name"] for code, entries in titled.items()}
    named |= called.names(session.connection(), codes)
    return {code: name for code, name in named.items() if name}
