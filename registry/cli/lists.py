"""The enterprises of a notice: named one by one, or in a list of which everything is understood."""

from collections.abc import Container, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import click
from sqlmodel import Session

from registry.cli.common import Refused, desk, errors, registry
from registry.cli.filings import show_issues
from registry.cli.targets import Code, is_code
from registry.desk import importing
from registry.intake import validity
from registry.intake.lists import Line, Listing, read_list
from registry.intake.validity import Validity
from registry.kit import uscc
from registry.record import admissions, cases, register
from registry.record.naming import Names
from registry.record.register import VALIDITY, Holder

#: How many enterprises of a list are told of at most.
_SHOWN: Final = 20


def holders(
    targets: Sequence[str],
    renamed: Container[str],
    first: date | None = None,
    last: date | None = None,
    uses: Sequence[str] = (),
) -> list[Holder]:
    """The enterprises of a notice: codes, named as they are registered, or the entries of a file.

    ``renamed`` are the codes of enterprises that the file may name otherwise than the registry.
    ``uses`` are the days of validity that are taken from a file; they may not contradict those given.
    """
    with registry() as session:
        if len(targets) > 1 or is_code(targets[0]):
            named = names(session, targets)
            return [Holder(code, named.get(code, "")) for code in targets]
        path = Path(targets[0])
        found = coded(session, path, _listing(path))
        refuse_differing(session, path, found, renamed)
        known = names(session, [holder.uscc for _, holder in found])
    days = _days(path, [line for line, _ in found], Validity(first, last), uses)
    return [
        Holder(h.uscc, h.name or known.get(h.uscc, ""), *own)
        for (_, h), own in zip(found, days, strict=True)
    ]


def _days(
    path: Path, lines: Sequence[Line], given: Validity, uses: Sequence[str]
) -> list[Validity]:
    """The days that a list states for each of its entries, as far as they are used."""
    found = [validity.stated(line, VALIDITY) for line in lines]
    wrong, unused = list[str](), dict[str, None]()
    for name, option, words in (("first", "--from", "有效期始"), ("last", "--until", "有效期至")):
        wanted = getattr(given, name)
        for line, own in zip(lines, found, strict=True):
            day = getattr(own, name)
            if day and name not in uses:
                unused[words] = None
            elif day and wanted not in (None, day):
                wrong.append(
                    f"{line.where} {line.text('name')}：名单的{words}是{day}，{option} 是{wanted}"
                )
    _refuse_wrong(path, wrong, "请核对，名单写明的不必再用 --from、--until 给出")
    if unused:
        errors.print(f"提示 名单写的{'、'.join(unused)}没有用到：这里不据此登记", markup=False)
    return [Validity(**{name: getattr(own, name) for name in uses}) for own in found]


renamed_option = click.option(
    "--renamed",
    multiple=True,
    type=Code(),
    metavar="信用代码",
    help="名单上的名称与登记的不同而确是同一家（已更名）的企业；按名单上的名称登记，可多次给出。",
)


def _listing(path: Path) -> Listing:
    if path.suffix.lower() == ".json":
        with desk() as at:
            reading = importing.read_file(at, path)
        if reading.errors:
            show_issues(reading.errors, to=errors)
            raise Refused(f"{path.name} 有错误，没有登记：请改正后重试")
        lines = [Line(s.where, {"uscc": s.uscc, "name": s.name}) for s in reading.submissions]
        return Listing(tuple(lines), frozenset(("uscc", "name")), ())
    listing = read_list(path, validity.columns, ("uscc", "name"))
    if not listing.columns:
        raise Refused(f"{path.name} 中没有带有企业名称或统一社会信用代码的表头：请核对名单")
    if not listing.lines:
        raise Refused(f"{path.name} 中没有企业：请核对名单")
    return listing


def _tell(listing: Listing) -> None:
    """Tell what of a list was left out, before anything of it is registered."""
    for said in listing.told[:_SHOWN]:
        errors.print(f"提示 {said}", markup=False)
    if len(listing.told) > _SHOWN:
        errors.print(f"……共{len(listing.told)}条提示")


def coded(session: Session, path: Path, listing: Listing) -> list[tuple[Line, Holder]]:
    """The entries with their codes; those that have a name alone are found by it, each just once.

    What was left out of the list is told first; what is no code, or no name on record, is refused.
    """
    _tell(listing)
    found, unknown, wrong = list[tuple[Line, Holder]](), list[str](), list[str]()
    by_name, known = list[str](), None
    admitted = admissions.Admitted(session)
    for line in listing.lines:
        code, name = uscc.tidy(line.text("uscc")), line.text("name")
        if code:
            if fault := uscc.fault(code, admitted):
                wrong.append(f"{line.where} {name}{code}：统一社会信用代码{fault}")
            found.append((line, Holder(code, name)))
            continue
        known = known or Names(session)
        meant = known.of(name)
        if len(meant) == 1:
            ((code, registered),) = meant.items()
            found.append((line, Holder(code, registered)))
            by_name.append(f"{registered}（{code}）")
        else:
            unknown.append(_unfound(known, name))
    _refuse_wrong(path, wrong)
    if unknown:
        raise Refused(_missing(path, listing, unknown, len(by_name)))
    if by_name:
        more = f"……共{len(by_name)}家" if len(by_name) > _SHOWN else ""
        errors.print(
            f"提示 名单没有写代码的，已按登记的名称找到：{'、'.join(by_name[:_SHOWN])}{more}",
            markup=False,
        )
    return found


def _refuse_wrong(path: Path, wrong: Sequence[str], remedy: str = "请改正后重试") -> None:
    if wrong:
        for said in wrong[:_SHOWN]:
            errors.print(f"错误 {said}", markup=False)
        raise Refused(f"{path.name} 有{len(wrong)}处错误，整份名单没有登记：{remedy}")


def _unfound(known: Names, name: str) -> str:
    """A name with the enterprises that it may mean."""
    if meant := known.of(name):
        return f"{name}（同名的有{'、'.join(meant)}）"
    near = known.near(name)
    return f"{name}（相近的有{'、'.join(near)}）" if near else name


def _missing(path: Path, listing: Listing, unknown: Sequence[str], found: int) -> str:
    lacks = (
        "有企业没有写统一社会信用代码" if "uscc" in listing.columns else "没有统一社会信用代码列"
    )
    more = f"……共{len(unknown)}家" if len(unknown) > _SHOWN else ""
    return (
        f"{path.name} {lacks}，整份名单没有登记：按名称在登记库中找到{found}家，"
        f"不能确定的有{'、'.join(unknown[:_SHOWN])}{more}；请在名单中补上代码"
    )


def refuse_differing(
    session: Session,
    path: Path,
    listed: Sequence[tuple[Line, Holder]],
    renamed: Container[str],
) -> None:
    """Refuse a list that names another enterprise than the registry has for the code, but for ``renamed``.

    Any name that the enterprise ever had on record will do: a notice keeps that of its day.
    """
    coded = [(line, h) for line, h in listed if h.uscc and h.name and h.uscc not in renamed]
    known = Names(session, {h.uscc: h.name for _, h in coded}) if coded else Names()
    wrong = [
        f"{line.where} {h.uscc}：名单写的是「{h.name}」，登记的是「{other}」"
        for line, h in coded
        if (other := known.other(h.uscc, h.name))
    ]
    _refuse_wrong(
        path, wrong, "请核对名单是否错行；确已更名的，用 --renamed 信用代码 逐家指明后再登记"
    )


def names(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """The names under which enterprises are registered: those of their filings, else of their titles."""
    titled = register.titles(session, codes)
    named = {code: entries[-1].content["name"] for code, entries in titled.items()}
    filed = {c.uscc: c.name for c in cases.cases(session, cases.newest(session, codes))}
    return {code: name for code, name in (named | filed).items() if name}
