"""Simulates by screening: the verdicts of filings under both texts, without reasons.

With these, ``registry.simulation.impact`` needs the evaluators only for filings whose reasons it
needs.
"""

from array import array
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from functools import partial
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database.versions import FILING, chunks
from registry.kit.files import working_folder
from registry.kit.progress import Done, ignored
from registry.record.known import fetch
from registry.screening import snapshot
from registry.screening.engines import DuckDB
from registry.screening.funnel import Scope, Screening
from registry.screening.schema import schema_of
from registry.simulation import impact
from rules.language.editions import Governing
from rules.model.ruleset import Outcome

#: The number of filings of one day from which a statement pays off.
FEW: Final = 1000
_UNKNOWN: Final = 255


class ScreenedVerdicts:
    """The verdicts of both texts: a byte for each filing, tier and text."""

    def __init__(self, tiers: Sequence[str], ids: Sequence[int]) -> None:
        size = max(ids, default=0) + 1
        self._said = {
            (side, tier): array("B", [_UNKNOWN]) * size for tier in tiers for side in (0, 1)
        }

    def of(self, filing_id: int, tier: str) -> tuple[Outcome, Outcome] | None:
        """The verdicts of a filing for a tier; None unless it was screened under both texts."""
        old, new = (self._said[side, tier][filing_id] for side in (0, 1))
        return None if _UNKNOWN in (old, new) else (Outcome(old), Outcome(new))

    def screen(
        self,
        session: Session,
        sides: impact.Sides,
        scope: impact.SimulationScope,
        ids: Sequence[int],
        progress: Done = ignored,
    ) -> None:
        """Screen filings day by day; days with few filings are left out."""
        done = 0
        for day, those in self._days(session, scope, ids).items():
            if len(those) >= FEW:
                self._screen(session, sides, scope, those, day)
            done += len(those)
            progress(done)

    @staticmethod
    def _days(
        session: Session, scope: impact.SimulationScope, ids: Sequence[int]
    ) -> dict[date, Sequence[int]]:
        if scope.as_of is not None:
            return {scope.as_of: ids}
        days: dict[date, list[int]] = {}
        for part in chunks(ids):
            query = sa.select(FILING.c.id, FILING.c.as_of).where(FILING.c.id.in_(part))
            for id, day in session.execute(query):
                days.setdefault(day, []).append(id)
        return dict(days)

    def _screen(
        self,
        session: Session,
        sides: impact.Sides,
        scope: impact.SimulationScope,
        ids: Sequence[int],
        day: date,
    ) -> None:
        """Screen filings as of a day under each text; the evaluators check it as always."""
        with working_folder() as work:
            folder = work / "snapshot"
            before, after = (judge.rules.catalogue for judge in sides.judges)
            catalogue = before | after
            schema = schema_of(catalogue)
            filed = snapshot.stock(session, ids, day, catalogue.titles)
            snapshot.write(folder, catalogue, filed, day, snapshot.head(session))
            for side, judge in enumerate(sides.judges):

                def governing(tier: str, province: str, side: int = side) -> Governing:
                    return sides.governing(tier, day, province)[side]

                with closing(DuckDB(schema, folder)) as database:
                    database.schema = snapshot.narrowed(database)
                    screening = Screening(
                        database,
                        database.schema,
                        Scope(day, scope.regions),
                        judge,
                        governing,
                        partial(fetch, session),
                    )
                    screening.run(scope.tiers)
                    for tier in scope.tiers:
                        said = self._said[side, tier]
                        for id, verdict in screening.verdicts(tier):
                            said[id] = verdict
