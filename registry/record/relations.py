"""What the register says that may bear on enterprises: their titles, and control relations."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlmodel import Session

from registry.database.versions import chunks
from registry.judging.settled import Registration
from registry.record import holdings, register
from rules.portable.record import Body


def bearing(
    session: Session, usccs: Sequence[str], *, until: int | None = None
) -> dict[str, list[Registration]]:
    """Everything that may bear on these enterprises, in order: titles and control relations.

    Control relations are the holdings that connect them with others, and the titles of those. Each
    ruleset says how large a share is control, and whose title counts.
    """
    found = register.titles(session, usccs, until=until)
    linked = _in_holdings(session, usccs, until)
    network = _Network(session, linked, until)
    titled = register.titles(session, sorted(network.firms), until=until) if linked else {}
    for uscc in sorted(linked):
        related = network.related(uscc)
        firms = {code for e in related for code in _ends(e.content)} - {uscc}
        related += [e for firm in firms for e in titled.get(firm, ())]
        known = [*found.get(uscc, ()), *(replace(e, of=uscc) for e in related)]
        found[uscc] = sorted(known, key=lambda e: e.seq)
    return found


def _in_holdings(session: Session, usccs: Sequence[str], until: int | None) -> set[str]:
    """Those of these enterprises that hold others or are held, as registered."""
    found = set[str]()
    for part in chunks(usccs):
        for entries in (
            holdings.every(session, until, subjects=part),
            holdings.every(session, until, holders=part),
        ):
            found.update(code for e in entries for code in _ends(e.content))
    return found.intersection(usccs)


class _Network:
    """The holdings that lead up from enterprises, and from everything there down.

    ``firms`` are all that they connect.
    """

    def __init__(self, session: Session, usccs: Collection[str], until: int | None) -> None:
        self.firms = set(usccs)
        self._above: dict[str, list[Registration]] = {}
        self._below: dict[str, list[Registration]] = {}
        for asked, near, far, found in (
            ("subjects", "uscc", "holder", self._above),
            ("holders", "holder", "uscc", self._below),
        ):
            new = set(self.firms)
            while new:
                ends = set[str]()
                for part in chunks(sorted(new)):
                    for entry in register.standing(holdings.every(session, until, **{asked: part})):
                        found.setdefault(entry.content[near], []).append(entry)
                        ends.add(entry.content[far])
                new = ends - self.firms - {""}
                self.firms |= new

    def related(self, uscc: str) -> list[Registration]:
        """The holdings that lead up from an enterprise, and from everything there down."""
        found: dict[int, Registration] = {}
        reached = {uscc}
        for entries, far in ((self._above, "holder"), (self._below, "uscc")):
            ahead = list(reached)
            for firm in ahead:
                for entry in entries.get(firm, ()):
                    found[entry.seq] = entry
                    end = entry.content[far]
                    if end and end not in reached:
                        reached.add(end)
                        ahead.append(end)
        return list(found.values())


def _ends(body: Body) -> set[str]:
    """The credit codes that a holding connects."""
    return {body["uscc"], body["holder"]} - {""}
