"""Explaining recorded decisions: one, or a choice by number, enterprise, tier and outcome."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from sqlmodel import Session

from registry.desk.place import Desk
from registry.errors import RecordError, RegistryError, fault
from registry.record import cases, journal, publication
from registry.record.journal import Entry as Entry
from registry.record.replay import Replayer
from registry.reports import explaining
from registry.reports.explaining import Explanation as Explanation
from rules.errors import RulesError
from rules.model.ruleset import Outcome
from rules.portable.errors import DescribedError, Remedy

_T = TypeVar("_T")

#: Selects decisions by a range of numbers, or an enterprise's last ones by its credit code.
NamedDecisions: TypeAlias = range | str


@dataclass(frozen=True)
class DecisionQuery:
    """Selects decisions: the named ones, or if none is named the last on every matter.

    ``tiers`` (by name, short name or slug) and ``outcomes`` (in words) narrow the selection.
    """

    named: tuple[NamedDecisions, ...] = ()
    tiers: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unexplained:
    """A decision that could not be explained, and the reason."""

    seq: int
    cause: DescribedError


@dataclass
class ChosenDecisions:
    """Decisions to be explained one by one; ``unexplained`` grows on the way."""

    desk: Desk
    session: Session
    replayer: Replayer
    decisions: list[Entry]
    unexplained: list[Unexplained] = field(default_factory=list)

    def each(self, write: Callable[[Explanation], _T]) -> Iterator[tuple[Entry, _T]]:
        """What ``write`` makes of each decision; one that cannot be explained holds up no other."""
        with self.desk.watch("说明", len(self.decisions)) as done:
            for number, entry in enumerate(self.decisions, 1):
                try:
                    written = write(explaining.explanation(self.session, self.replayer, entry))
                except (RegistryError, RulesError) as error:
                    self.unexplained.append(Unexplained(entry.seq, error))
                except (OSError, MemoryError):
                    raise  # it concerns all decisions
                except Exception as error:
                    cause = RegistryError("fault", "{cause}", cause=fault(error))
                    self.unexplained.append(Unexplained(entry.seq, cause))
                else:
                    yield entry, written
                done(number)


def one(desk: Desk, seq: int) -> Explanation:
    """Explain the decision with this number; ``RecordError`` if it can no longer be reproduced."""
    with desk.reading() as session, closing(Replayer(session)) as replayer:
        return explaining.explanation(session, replayer, journal.entry(session, seq))


@contextmanager
def chosen(desk: Desk, wanted: DecisionQuery) -> Iterator[ChosenDecisions]:
    """The selected decisions in order of their numbers; ``RecordError`` if there are none."""
    with desk.reading() as session, closing(Replayer(session)) as replayer:
        yield ChosenDecisions(desk, session, replayer, _chosen(session, wanted))


def _chosen(session: Session, wanted: DecisionQuery) -> list[Entry]:
    titles = {publication.to_be_filed(session).tier(name).name for name in wanted.tiers}
    found: dict[int, Entry] = {}
    for named in wanted.named or (None,):
        entries = list(_decisions(session, named))
        if not entries:
            raise _no_decisions(named)
        found |= {entry.seq: entry for entry in entries}
    decisions = [
        entry
        for _, entry in sorted(found.items())
        if (not titles or entry.tier in titles)
        and (not wanted.outcomes or Outcome(entry.content["verdict"]).text in wanted.outcomes)
    ]
    if not decisions:
        raise RecordError(
            "no-such-decisions", "没有这样的决定", remedy=Remedy("look-at-tier-and-outcome")
        )
    return decisions


def _no_decisions(named: NamedDecisions | None) -> RecordError:
    remedy = Remedy("list-entries")
    match named:
        case None:
            return RecordError("no-decisions", "登记库中还没有决定", remedy=remedy)
        case str(code):
            said = "信用代码{value}没有决定"
            return RecordError("no-decisions-on-enterprise", said, value=code, remedy=remedy)
    said = "第{first}号至第{last}号中没有决定" if len(named) > 1 else "第{first}号没有决定"
    first, last = named.start, named.stop - 1
    return RecordError("no-decisions-in-range", said, first=first, last=last, remedy=remedy)


def _decisions(session: Session, named: NamedDecisions | None) -> Iterable[Entry]:
    if isinstance(named, range):
        first, last = named.start, named.stop - 1
        return journal.entries(session, first=first, last=last, kinds=["decision"])
    ids: Sequence[int] | None = None if named is None else cases.of_enterprise(session, named)
    return _latest(journal.entries(session, kinds=["decision"], filing_ids=ids))


def _latest(entries: Iterable[Entry]) -> Iterable[Entry]:
    """The last decision on each matter: earlier ones need not be told to an enterprise any more."""
    asked = ("uscc", "tier", "filed_as_of", "procedure", "batch")
    return {tuple(e.content["case"][k] for k in asked): e for e in entries}.values()
