"""Lists of enterprises and searches among them, as fast in a million as in a thousand.

What is listed stands in ``case_state``. A page begins after the last credit code of the page
before. Every list consists of a few ranges of an index, one for each standing that it asks for;
whatever cannot be answered from an index is looked through only among ``MOST`` enterprises at most.
So nothing here takes longer as the registry grows.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from registry.database.models import NAMES_INDEX, PAIRS
from registry.database.projection import CASE_STATE
from registry.database.versions import ENTERPRISE, chunks
from registry.errors import RecordError
from registry.kit import names, regions
from registry.record import publication
from rules.model.ruleset import OUTCOMES

#: The most enterprises that are counted, or looked through without an index.
MOST: Final = 10_000
#: What a filter calls a newest filing that is neither decided nor withdrawn.
UNDECIDED_WORD: Final = "未决定"
_CODE: Final = re.compile("[0-9A-Z]{1,18}")
#: The characters of a credit code, and no sorting order has a later one.
_LAST: Final = "Z"

_Condition: TypeAlias = sa.ColumnElement[bool]


@dataclass(frozen=True, kw_only=True)
class CaseLine:
    """The last decision on an enterprise under a tier.

    ``as_of`` is the day of judgement; ``current`` means that it is about the newest filing.
    """

    tier: str
    outcome: str
    seq: int
    as_of: date | None
    current: bool


@dataclass(frozen=True, kw_only=True)
class EnterpriseLine:
    """An enterprise in a list: its place as filed, the day of its newest filing, its decisions.

    ``filed`` is None if all of its filings were taken back; ``decisions`` stand in the order of
    tiers. ``former`` is the name under which it filed, if it has another one since.
    """

    uscc: str
    name: str
    place: str
    filed: date | None
    decisions: tuple[CaseLine, ...]
    former: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a list; ``after`` is the key of the next page, empty on the last one.

    ``count`` is the number of enterprises on all pages, at most ``MOST`` + 1. ``told`` says why a
    search is not answered, and what to do.
    """

    lines: tuple[EnterpriseLine, ...]
    after: str
    count: int
    told: str = ""

    @property
    def counted(self) -> str:
        """The number of enterprises in words.

        >>> Page(lines=(), after="", count=128).counted, Page(lines=(), after="", count=10_001).counted
        ('128家', '1万家以上')
        """
        return counted(self.count)


def counted(count: int) -> str:
    """A number of enterprises in words; none is named beyond ``MOST``."""
    return f"{count}家" if count <= MOST else f"{MOST // 10_000}万家以上"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which enterprises are listed: those to which everything given applies.

    ``query`` is a part of the name, or the beginning of the credit code; ``place`` the code of a
    region, at or below which they are; ``outcome`` that of the last decision under ``tier``, or
    under any tier, or ``UNDECIDED_WORD``.
    """

    query: str = ""
    place: str = ""
    tier: str = ""
    outcome: str = ""

    def __post_init__(self) -> None:
        if self.place and self.place not in regions.regions():
            raise RecordError(
                "no-such-region", "没有代码为「{value}」的地区：请核对", value=self.place
            )
        known = (*OUTCOMES, UNDECIDED_WORD)
        if self.outcome and self.outcome not in known:
            raise RecordError(
                "no-such-filter",
                "没有「{value}」这一项：应为 {expected}",
                value=self.outcome,
                expected="、".join(known),
            )


def page(session: Session, asked: Asked, *, after: str = "", limit: int = 20) -> Page:
    """The next ``limit`` enterprises after a key, in order of credit code, and how many there are."""
    sources = list(_sources(session, asked))
    if _TOO_MANY in sources:
        said = f"名称中有「{asked.query.strip()}」的企业超过{MOST // 10_000}万家：请再写一个字，或选定地区"
        return Page(lines=(), after="", count=MOST + 1, told=said)
    found: dict[str, int] = {}
    for source in sources:
        found |= source.first(session, after, limit + 1)
    codes = sorted(found)[: limit + 1]
    lines = _lines(session, [found[code] for code in codes[:limit]])
    more = len(codes) > limit
    return Page(lines=lines, after=codes[limit - 1] if more else "", count=_count(session, sources))


def count(session: Session, asked: Asked) -> int:
    """How many enterprises there are, at most ``MOST`` + 1."""
    sources = list(_sources(session, asked))
    return MOST + 1 if _TOO_MANY in sources else _count(session, sources)


@dataclass(frozen=True)
class _Source:
    """Rows of ``case_state``, each of one of the ``standings``, or of any if None.

    The rows of one standing are walked through in order of credit code.
    """

    conditions: tuple[_Condition, ...]
    standings: tuple[str | None, ...] | None = None

    def first(self, session: Session, after: str, limit: int) -> dict[str, int]:
        """The first rows after a key: the codes and numbers of their enterprises."""
        code = CASE_STATE.c.uscc
        ranges = (part.where(code > after).order_by(code).limit(limit) for part in self._ranges())
        return dict(sorted(tuple(row) for part in ranges for row in session.execute(part))[:limit])

    def codes(self) -> sa.Select[tuple[str]]:
        """The codes of the rows, no more than are counted."""
        ranges = [part.with_only_columns(CASE_STATE.c.uscc) for part in self._ranges()]
        whole = ranges[0] if len(ranges) == 1 else sa.select(sa.union_all(*ranges).subquery())
        return whole.limit(MOST + 1)

    def _ranges(self) -> list[sa.Select[tuple[str, int]]]:
        row = CASE_STATE.c
        query = sa.select(row.uscc, row.enterprise_id).where(*self.conditions)
        if self.standings is None:
            return [query]
        return [query.where(row.standing == s) for s in self.standings]


@dataclass(frozen=True)
class _Few(_Source):
    """So few rows that all of them are looked at.

    They are put in order here: a database that did so by an index would walk through all codes.
    """

    def first(self, session: Session, after: str, limit: int) -> dict[str, int]:
        """The first rows after a key: the codes and numbers of their enterprises."""
        rows = (tuple(row) for part in self._ranges() for row in session.execute(part))
        return dict(sorted(row for row in rows if row[0] > after)[:limit])


#: A search by a name to which there is no short way.
_TOO_MANY: Final = _Source(())


def _sources(session: Session, asked: Asked) -> Iterator[_Source]:
    """The rows that are asked for; an enterprise may be in several sources."""
    text, code = names.typed(asked.query), asked.query.strip().upper()
    for kept in _kept(session, asked):
        if not text:
            yield kept
            continue
        if _CODE.fullmatch(code):
            yield replace(kept, conditions=(*kept.conditions, _begins(code)))
        yield _named(session, text, kept)


def _tiers(session: Session) -> list[str]:
    """The tiers that are declared, lowest first."""
    return [tier.name for tier in publication.to_be_filed(session).tiers]


def _kept(session: Session, asked: Asked) -> Iterator[_Source]:
    """The rows by tier, outcome and place."""
    row, within = CASE_STATE.c, tuple(_within(asked.place))
    if asked.outcome == UNDECIDED_WORD:
        of = (row.tier == "", *within)
        if found := tuple(_undecided(session, of, asked.tier)) if asked.tier else ("",):
            yield _Source(of, found)
    elif asked.tier or asked.outcome:
        for tier in [asked.tier] if asked.tier else _tiers(session):
            of = (row.tier == tier, *within)
            yield _Source(of, (asked.outcome,) if asked.outcome else _any(session, of, asked))
    else:
        of = (row.tier == "", *within)
        yield _Source(of, _any(session, of, asked))


def _any(session: Session, of: Sequence[_Condition], asked: Asked) -> tuple[str | None, ...] | None:
    """Every standing: within a region the index of this is in the order of standings."""
    return (None, *_standings(session, of)) if asked.place else None


def _undecided(session: Session, of: Sequence[_Condition], tier: str) -> Iterator[str]:
    """The standings of newest filings without a decision under a tier."""
    return (s for s in _standings(session, of) if tier not in s.split("\n"))


def _standings(session: Session, of: Sequence[_Condition]) -> Iterator[str]:
    """The different standings of these rows, looked up in their index one after the other."""
    lowest = sa.select(sa.func.min(CASE_STATE.c.standing)).where(*of)
    found = session.scalar(lowest)
    while found is not None:
        yield found
        found = session.scalar(lowest.where(CASE_STATE.c.standing > found))


def _within(place: str) -> Iterator[_Condition]:
    """At or below a region."""
    if place:
        yield CASE_STATE.c[regions.column(place)] == place


def _begins(code: str) -> _Condition:
    """A range of credit codes."""
    return CASE_STATE.c.uscc.between(code, code.ljust(18, _LAST))


def _named(session: Session, text: str, kept: _Source) -> _Source:
    """The rows of enterprises with this text in their name, by the index of names or by the rest."""
    row, pairs = CASE_STATE.c, names.pairs(text)
    words = pairs[:-1] or pairs
    named = CASE_STATE.alias()
    like = (sa.literal(" ") + named.c.pairs).contains(" " + " ".join(words))
    has = sa.exists().where(named.c.enterprise_id == row.enterprise_id, named.c.tier == "", like)
    indexed = _by_index(session, words, prefix=len(pairs) == 1)
    if _size(session, indexed) <= MOST:
        if session.get_bind().dialect.name == "postgresql":
            # an array that is made first: it never walks through codes and tests each
            among = row.enterprise_id == sa.any_(sa.func.array(indexed.scalar_subquery()))
        else:
            among = row.enterprise_id.in_(indexed)
        return _Few((*kept.conditions, *_among(kept.standings), among, has))
    if _size(session, kept.codes()) <= MOST:
        return _Few((*kept.conditions, has), kept.standings)
    return _TOO_MANY


def _among(standings: tuple[str | None, ...] | None) -> Iterator[_Condition]:
    """The same standings as a condition for which no index is used."""
    if standings is not None:
        plain = sa.func.coalesce(CASE_STATE.c.standing, _LAST)
        yield plain.in_([_LAST if standing is None else standing for standing in standings])


def _by_index(session: Session, words: Sequence[str], *, prefix: bool) -> sa.Select[tuple[int]]:
    """The numbers of enterprises whose name has all of these pairs of characters, in any order.

    A single character is the beginning (``prefix``) of a pair.
    """
    if session.get_bind().dialect.name == "postgresql":
        end = ":*" if prefix else ""
        asked = sa.literal(" & ".join(f"'{word}'{end}" for word in dict.fromkeys(words)))
        matching = sa.literal_column(PAIRS.text).op("@@")(sa.cast(asked, postgresql.TSQUERY))
        return sa.select(CASE_STATE.c.enterprise_id).where(sa.text("tier = ''"), matching)
    end = "*" if prefix else ""
    asked = sa.literal(" AND ".join(f'"{word}"{end}' for word in dict.fromkeys(words)))
    index = sa.table(NAMES_INDEX, sa.column("rowid", sa.Integer), sa.column(NAMES_INDEX))
    return sa.select(index.c.rowid).where(index.c[NAMES_INDEX].op("MATCH")(asked))


def _size(session: Session, query: sa.Select[tuple[int]] | sa.Select[tuple[str]]) -> int:
    """The number of rows, no more than are counted."""
    some = query.limit(MOST + 1).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(some)) or 0


def _count(session: Session, sources: Iterable[_Source]) -> int:
    """The number of enterprises in all sources together, at most ``MOST`` + 1."""
    codes = [source.codes() for source in sources]
    sizes = [_size(session, each) for each in codes]
    if sum(map(bool, sizes)) < 2 or max(sizes) > MOST:
        return max(sizes, default=0)
    parts = [sa.select(each.subquery()) for each in codes]
    found = session.scalar(sa.select(sa.func.count()).select_from(sa.union(*parts).subquery()))
    return min(found or 0, MOST + 1)


def _lines(session: Session, enterprise_ids: Sequence[int]) -> tuple[EnterpriseLine, ...]:
    """These enterprises with their decisions."""
    place = (ENTERPRISE.c.province, ENTERPRISE.c.city, ENTERPRISE.c.county)
    columns = (ENTERPRISE.c.id, ENTERPRISE.c.name, *place)
    found = {}
    order = {tier: n for n, tier in enumerate(_tiers(session))}
    for part in chunks(enterprise_ids):
        decisions: dict[int, dict[str, sa.Row[tuple[object, ...]]]] = {id: {} for id in part}
        rows = sa.select(CASE_STATE).where(CASE_STATE.c.enterprise_id.in_(part))
        for row in session.execute(rows):
            decisions[row.enterprise_id][row.tier] = row
        query = sa.select(*columns).where(ENTERPRISE.c.id.in_(part))
        for id, name, *filed in session.execute(query):
            own = decisions[id].pop("")
            tiers = sorted(decisions[id], key=lambda tier: order.get(tier, len(order)))
            found[id] = EnterpriseLine(
                uscc=own.uscc,
                name=own.name,
                former=name if name != own.name else "",
                place="".join(dict.fromkeys(filter(None, filed))),
                filed=own.as_of,
                decisions=tuple(
                    CaseLine(
                        tier=line.tier,
                        outcome=line.standing or "",
                        seq=line.decision,
                        as_of=line.as_of,
                        current=line.filing_id == own.filing_id,
                    )
                    for line in (decisions[id][tier] for tier in tiers)
                ),
            )
    return tuple(found[id] for id in enterprise_ids)
