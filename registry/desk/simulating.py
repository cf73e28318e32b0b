"""Impact studies: what another text would mean for the enterprises of the registry."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook, written
from registry.record import publication
from registry.screening import snapshot
from registry.simulation import impact, texts
from registry.simulation.effects import LABEL as LABEL
from registry.simulation.impact import ImpactSink as ImpactSink
from registry.simulation.impact import SimulationRun as SimulationRun
from registry.simulation.screened import ScreenedVerdicts
from rules.language.editions import RECHECK, RECOGNITION


@dataclass(frozen=True, kw_only=True)
class SimulationRequest:
    """Which text is tried, against which other, and on whom.

    Texts and tiers are named as in ``registry.simulation.texts``. Without ``before``, the new text is
    compared with the one that governed just before it, and a draft with the criteria in force.
    Without ``procedure``, holders of a title are rechecked and others recognised; a root rule given
    by name brings its own. ``regions``, ``holders``, ``changed`` and ``as_of`` are those of
    ``registry.simulation.impact.SimulationScope``.
    """

    after: str
    before: str | None = None
    tiers: tuple[str, ...] = ()
    procedure: str | None = None
    batch: str = ""
    regions: tuple[str, ...] = ()
    holders: bool = False
    changed: bool = False
    as_of: date | None = None


def simulate(
    desk: Desk, request: SimulationRequest, sinks: Sequence[ImpactSink] = ()
) -> SimulationRun:
    """Judge the newest filings by both texts; hands every enterprise to the sinks, returns counts.

    Decides nothing and writes nothing to the registry.
    """
    with desk.reading() as session:
        criteria = _criteria(session)
        old, new = _texts(request, criteria)
        procedure = _procedure(request, old, new)
        scope = impact.SimulationScope(
            tiers=_tiers(request.tiers, old, new, procedure),
            procedure=procedure,
            regions=request.regions,
            as_of=request.as_of,
            holders=request.holders,
            changed=request.changed,
        )
        run = SimulationRun(
            sides=(old.label, new.label),
            scope=scope,
            state=impact.state_text(*snapshot.head(session)),
        )
        ids = impact.stock(session, request.as_of)
        with closing(impact.Sides(old, new, procedure, request.batch)) as sides:
            verdicts = ScreenedVerdicts(scope.tiers, ids) if request.changed else None
            if verdicts is not None:
                with desk.watch("筛查", len(ids)) as done:
                    verdicts.screen(session, sides, scope, ids, done)
            with desk.watch("模拟", len(ids)) as done:
                impact.simulate(
                    session, run, sides, criteria.packaged, ids, sinks, verdicts, progress=done
                )
    return run


def choices(desk: Desk) -> list[tuple[str, str]]:
    """The texts that can be tried: how each is named, and what it is called."""
    with desk.reading() as session:
        return list(texts.choices(_criteria(session)))


def _criteria(session: Session) -> texts.InForce:
    return texts.InForce(publication.current(session), rulebook(), written(session))


def _texts(request: SimulationRequest, criteria: texts.InForce) -> tuple[texts.Text, texts.Text]:
    new = texts.named(request.after, criteria)
    if request.before is not None:
        return texts.named(request.before, criteria), new
    return criteria.text() if new.whole else texts.predecessors(new, criteria), new


def _procedure(request: SimulationRequest, old: texts.Text, new: texts.Text) -> str:
    named = next((text.rows[0].procedure for text in (new, old) if text.single), None)
    return named or request.procedure or (RECHECK if request.holders else RECOGNITION)


def _tiers(
    names: Sequence[str], old: texts.Text, new: texts.Text, procedure: str
) -> tuple[str, ...]:
    """The tiers that both texts have; for whole sets of criteria, each table answers by the day."""
    tiers = texts.tiers(names, old, new)
    if old.whole and new.whole:
        return tiers
    return tuple(dict.fromkeys(p.tier for p in texts.pairs(old, new, tiers, procedure)))
