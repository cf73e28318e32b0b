"""An officer's own mapping: drafted from unknown headings, and checked when used.

A draft has a line for each term, without the year and unit of the heading. Its 填报项 are the most
similar names in the catalogue, marked 待确认. A marked line is not applied: an officer confirms it by
removing the mark, or by writing the right 填报项.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Final, NamedTuple

from registry.errors import RegistryError
from registry.filings import Heading, Issue
from registry.intake.cells import fits
from registry.intake.tables.headings import Period, key
from registry.intake.tables.mapping import (
    COLUMNS,
    IGNORED,
    PACKAGED,
    UNCONFIRMED,
    HeaderMapping,
    MappingLine,
    MappingTarget,
    lines,
    named,
    targets,
)
from registry.kit import settings
from registry.kit.workbooks import harmless
from rules.model.catalogue import Catalogue
from rules.model.facts import RecordKind

_SIMILAR: Final = 0.5
_NAMED: Final = 3
_NOTE: Final = f"核对后删去“{UNCONFIRMED}”，或改填正确的填报项；不需要的填 {IGNORED}"


class _Term(NamedTuple):
    """A heading without its year and unit, and the parts that were removed."""

    text: str
    unit: str
    dated: bool


@dataclass(frozen=True)
class UnknownTerm:
    """A term that is not understood: the headings that have it, and what it may mean, best first.

    ``unit`` is one that a heading states; a mapping then need not.
    """

    term: str
    unit: str
    headings: tuple[Heading, ...]
    guesses: tuple[str, ...]

    @property
    def where(self) -> str:
        """The first places with the headings as they are: 汇总表 L4「2022年营业总盘子」."""
        few = self.headings[:_NAMED]
        places = "、".join(f"{h.letter}{h.row}「{h.text}」" for h in few)
        more = f"等{len(self.headings)}列" if len(self.headings) > _NAMED else ""
        return f"{few[0].sheet} {places}{more}"


def unknown(headings: Iterable[Heading], catalogue: Catalogue) -> list[UnknownTerm]:
    """The terms of a table's headings that are not understood, in the table's order."""
    found: dict[str, list[Heading]] = {}
    for heading in headings:
        if not heading.understood:
            found.setdefault(_term(catalogue, _levels(heading)).text, []).append(heading)
    return [
        UnknownTerm(
            term,
            next(filter(None, (_term(catalogue, _levels(h)).unit for h in having)), ""),
            tuple(having),
            tuple(nearest(catalogue, *_levels(having[0]))),
        )
        for term, having in found.items()
    ]


def draft(headings: Sequence[Heading], catalogue: Catalogue, own: Path | None = None) -> str | None:
    """The text of a mapping with a line for each unknown heading; None if all are known.

    It begins with the lines of the mapping in use, so that it can replace that one.
    """
    terms = unknown(headings, catalogue)
    return _text([*_kept(own, [t.term for t in terms]), *map(_guess, terms)]) if terms else None


def _guess(found: UnknownTerm) -> MappingLine:
    name = f"{UNCONFIRMED}：{found.guesses[0]}" if found.guesses else UNCONFIRMED
    others = f"；也可能是 {'、'.join(found.guesses[1:])}" if found.guesses[1:] else ""
    return MappingLine(0, found.term, name, "", f"{found.where}。{_NOTE}{others}")


def confirmed(
    own: Path | None, meant: Mapping[str, tuple[str, str]], catalogue: Catalogue, note: str = ""
) -> str:
    """The text of a mapping in which these terms mean a 填报项, in a unit where one is given.

    It begins with the other lines of the mapping in use. ``RegistryError`` for an unknown 填报项, or a
    unit that it cannot have.
    """
    fresh = [MappingLine(0, term, name, unit, note) for term, (name, unit) in meant.items()]
    _, problems = targets(fresh, catalogue)
    if problems:
        details = tuple(said.removeprefix("第0行") for said in problems)
        raise RegistryError("unsound-choice", "所选的填报项不能采用，请改选", details=details)
    return _text([*_kept(own, meant), *fresh])


def without(own: Path, term: str) -> str:
    """The text of a mapping without what it says of a term."""
    return _text(_kept(own, [term]))


def _kept(own: Path | None, replaced: Iterable[str]) -> list[MappingLine]:
    """The lines of the mapping in use about other terms."""
    terms = {key(term) for term in replaced}
    return [line for line in lines(own) if key(line.header) not in terms] if own else []


def _text(written: Iterable[MappingLine]) -> str:
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows((harmless(x.header), x.name, x.unit, harmless(x.note)) for x in written)
    return out.getvalue()


def _levels(heading: Heading) -> tuple[str, ...]:
    return heading.levels or (heading.text,)


def _term(catalogue: Catalogue, levels: Sequence[str]) -> _Term:
    words = _known(catalogue).split(levels)
    if not words.term:
        return _Term(key("".join(levels)), "", False)
    return _Term(words.term, words.unit, words.period != Period())


def nearest(catalogue: Catalogue, *levels: str) -> list[str]:
    """The 填报项 whose names or other headings are most similar to a heading, best first.

    >>> from registry.record.publication import packaged_catalogue
    >>> nearest(packaged_catalogue(), "2022年度营业总收入（万元）")[0]
    '营业收入总额'
    """
    term = _term(catalogue, levels)
    found: dict[str, float] = {}
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(term.text)
    for name, (item, target) in _names(catalogue).items():
        matcher.set_seq1(name)
        if _may_be(target, term) and matcher.quick_ratio() >= _SIMILAR:
            found[item] = max(found.get(item, 0), matcher.ratio())
    best = sorted(
        (item for item, near in found.items() if near >= _SIMILAR), key=lambda i: -found[i]
    )
    return best[:_NAMED]


def _may_be(target: MappingTarget, term: _Term) -> bool:
    """Whether a heading with that unit and year can mean that item."""
    fact = target.fact
    if target.role in ("ignore", "unread"):
        return False
    if term.unit and not (fact and fits(fact, term.unit)):
        return False
    return not term.dated or bool(fact and fact.yearly)


@lru_cache(maxsize=4)
def _known(catalogue: Catalogue) -> HeaderMapping:
    return HeaderMapping(catalogue)


@lru_cache(maxsize=4)
def _names(catalogue: Catalogue) -> dict[str, tuple[str, MappingTarget]]:
    """Every understood term, with its 填报项."""
    names = {name: name for name in named(catalogue)}
    names |= {x.header: x.name for x in lines(PACKAGED) if x.header not in names}
    found = ((name, item, _known(catalogue).resolve(name)) for name, item in names.items())
    return {key(name): (item, heading.target) for name, item, heading in found if heading}


class _Noting(HeaderMapping):
    """Notes the terms that are looked up."""

    def __init__(self, catalogue: Catalogue, extra: Path) -> None:
        self.sought: set[str] = set()
        super().__init__(catalogue, extra)

    def _find(self, text: str, record: RecordKind | None) -> MappingTarget | None:
        self.sought.add(text)
        return super()._find(text, record)

    def look_up(self, heading: Heading) -> tuple[set[str], MappingTarget | None]:
        """The terms that are looked up for a heading, and its target."""
        self.sought = set()
        found = self._resolved(_levels(heading), self.list_of(heading.sheet))
        return self.sought, found.target if found else None

    def target(self, line: MappingLine) -> MappingTarget | None:
        """The target of a mapping's line."""
        return self._targets.get(key(line.header))


def unachieved(path: Path, headings: Sequence[Heading], catalogue: Catalogue) -> Iterator[Issue]:
    """A 提示 for each line of an officer's mapping that had no effect on a file, with the reason.

    No file needs all lines of the bureau's own mapping, which is kept for every file.
    """
    standing = path == settings.mapping()
    mapping = _Noting(catalogue, path)
    places: dict[str, list[tuple[Heading, MappingTarget | None]]] = {}
    for heading in dict.fromkeys(headings):
        terms, target = mapping.look_up(heading)
        for term in terms:
            places.setdefault(term, []).append((heading, target))
    last = {key(line.header): line.number for line in lines(path) if line.confirmed}
    for line in lines(path):
        if line.confirmed and (other := last[key(line.header)]) != line.number:
            twice = f"第{other}行又写了这个表头，这一行没有采用"
            remedy = "同一个表头只写一行，请删去其一"
            yield Issue("提示", path.name, f"A{line.number}", line.header, twice, remedy)
            continue
        asking = places.get(key(line.header), [])
        own = mapping.target(line)
        found = [h for h, target in asking if target in (None, own) or not line.confirmed]
        if standing and not found:
            continue
        if said := _why(line.confirmed, found):
            message, expected = said
            yield Issue("提示", path.name, f"A{line.number}", line.header, message, expected)


def _why(confirmed: bool, found: Sequence[Heading]) -> tuple[str, str] | None:
    if not found:
        return "表中没有这个表头，这一行没有用到", "如表中应有，请按表里的写法核对"
    if not confirmed:
        return "这一行还没有确认，没有采用", _NOTE
    if any(heading.read for heading in found):
        return None
    where = "、".join(f"{h.sheet}!{h.letter}{h.row}「{h.text}」" for h in found)
    return f"这一行对应的列没有读取：{where}", "原因见该列的提示"
