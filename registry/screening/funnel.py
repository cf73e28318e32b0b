"""Screens a stock of filings: counts per criterion; firms that qualify, lost the title or are near.

The SQL statement gives the verdicts. The engine decides filings that do not fit into columns or
SQL, and decides again every positive near an edge and a random sample. If there is a single
difference, nothing is shown.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import partial
from random import SystemRandom
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from registry.errors import fault
from registry.filings import Issue
from registry.judging.case import Known
from registry.judging.doubts import bearing, doubts_of
from registry.judging.judge import CheckRefusedError, Judge, Judgement
from registry.judging.sizes import sector_of
from registry.judging.worker import judged_under
from registry.kit import workers
from registry.kit.progress import Done, Watch, ignored, unwatched
from registry.screening import agreement
from registry.screening.agreed import Agreed
from registry.screening.agreement import VerdictDifference
from registry.screening.compiler.elements import DayLiteral
from registry.screening.compiler.program import Code, Program, necessary
from registry.screening.compiler.widths import UnsupportedError
from registry.screening.counting import Counting
from registry.screening.deciding import (
    ComparingWorker,
    Decided,
    Question,
    Screened,
    ScreeningWorker,
)
from registry.screening.engines import Database, ScreeningError
from registry.screening.results import (
    VERDICT,
    FunnelStep,
    ListedFirm,
    Part,
    ScreeningTally,
    successive,
)
from registry.screening.schema import Schema, share_stored
from registry.screening.snapshot import kind_of
from registry.screening.tables import parts
from registry.screening.variants import moved
from rules.errors import NoRulesetError
from rules.explanation.explain import explain
from rules.explanation.reasons import grounds
from rules.language.editions import Governing
from rules.model.ruleset import Outcome, Ruleset

#: The number of filings from which starting worker processes pays off.
_MANY: Final = 1000
SAMPLE: Final = 200
#: Why the engine decides a filing whose holdings may prove what its ruleset asks.
LINKED: Final = "登记的持股可能证明控制关系"
#: The share of itself by which each threshold is made harder to find the positives near it.
EDGE: Final = Fraction(1, 20)
#: The most near firms that are explained with figures; for the others only criteria are named.
EXPLAINED: Final = 1000
#: The number of firms that are held in memory at a time.
_HELD: Final = 200


class Filings(Protocol):
    """The source of the filings that the engine has to decide."""

    def __call__(self, filing_ids: Sequence[int], /) -> Iterator[Known]:
        """These filings, each with everything that bears on it."""


@dataclass(frozen=True)
class Scope:
    """The question: the day, the places, and the margin of near firms (None: no near firms)."""

    day: date
    regions: tuple[str, ...] = ()
    near: Fraction | None = None
    sample: int = SAMPLE


class Screening:
    """Screens the filings in a database, tier by tier."""

    def __init__(
        self,
        database: Database,
        schema: Schema,
        scope: Scope,
        judge: Judge,
        governing: Callable[[str, str], Governing],
        cases: Filings,
        jobs: int | None = None,
        agreed: Agreed | None = None,
    ) -> None:
        self.database = database
        self.schema = schema
        self.scope = scope
        self.judge = judge
        self._governing = governing
        self._cases = cases
        self._jobs = jobs
        self._agreed = agreed or Agreed()
        self.tallies: dict[str, ScreeningTally] = {}
        self._counting = Counting(database, schema)
        self._filing = schema.filing
        self._parts: dict[str, list[Part]] = {}

    def run(self, tiers: Sequence[str], watch: Watch = unwatched) -> None:
        """Screen tier by tier."""
        for n, tier in enumerate(tiers):
            tally = self.tallies[tier] = ScreeningTally(tier=tier)
            self._parts[tier] = []
            self._hold(tier, f"holds_{n}")
            for m, (found, provinces) in enumerate(self._governed(tier, tally).items()):
                with watch(f"筛查{tier} {found}", None):
                    part, reasons = self._screen(tally, found, provinces, f"{n}_{m}", f"holds_{n}")
                with watch(f"规则引擎判定{tier} {found}", len(reasons)) as done:
                    self._by_engine(tally, part, provinces, reasons, done)
                self._parts[tier].append(part)
                if part.program is not None:
                    self._check(tally, part, part.program, watch)
                self._counting.count(tally, part)

    # selection of filings

    def _governed(self, tier: str, tally: ScreeningTally) -> dict[str, list[str]]:
        """The provinces by ruleset; filings without a governing ruleset are counted as refused."""
        count = sa.func.count()
        province = self._filing.c.province
        wrong = self._filing.c.newest_year != self.scope.day.year - 1
        query = sa.select(province, sa.func.sum(sa.case((wrong, 1), else_=0)), count)
        found: dict[str, list[str]] = {}
        rows = self.database.rows(query.where(self._in_regions()).group_by(province))
        for name, late, number in sorted(rows, key=lambda row: row[0] or ""):
            others = int(number) - int(late or 0)
            if late:
                year = self.scope.day.year - 1
                tally.refused[f"最新的年度数据不是{year}年"] += int(late)
            if not others:
                continue
            try:
                row = self._governing(tier, name or "").row
            except NoRulesetError as error:
                tally.refused[str(error)] += others
                continue
            if not row.encoded:
                tally.refused[f"适用{row.ruleset}"] += others
                continue
            found.setdefault(row.ruleset, []).append(name or "")
        return found

    def _in_regions(self) -> ColumnElement[bool]:
        places = (self._filing.c.province, self._filing.c.city, self._filing.c.county)
        wanted = [
            place.contains(region, autoescape=True)
            for region in self.scope.regions
            for place in places
        ]
        return sa.or_(*wanted) if wanted else sa.literal_column("1") == sa.literal_column("1")

    def _wanted(self, provinces: Sequence[str]) -> ColumnElement[bool]:
        year = self._filing.c.newest_year
        return sa.and_(
            self._filing.c.province.in_(list(provinces)),
            sa.or_(year.is_(None), year == self.scope.day.year - 1),
            self._in_regions(),
        )

    def _hold(self, tier: str, table: str) -> None:
        """Keep the filings that hold the title of a tier, read as in ``holds_title``.

        The engine adds the holders among the filings routed to it.
        """
        titles = self.schema.table("titles")
        codes = self.schema.field("titles", "kind").fact.codes
        kind = codes.index(tier) if tier in codes else -1  # nobody holds what is no title
        until = titles.c.titles_valid_until
        held = sa.and_(
            titles.c.titles_kind == kind,
            titles.c.titles_held == 1,
            sa.or_(until.is_(None), until >= DayLiteral(self.scope.day)),
        )
        self.database.keep(table, sa.select(titles.c.filing_id).where(held).distinct())

    # verdicts

    def _screen(
        self, tally: ScreeningTally, root: str, provinces: Sequence[str], number: str, holds: str
    ) -> tuple[Part, dict[int, str]]:
        """Decide the filings of a ruleset in SQL; return why others are left to the engine."""
        ruleset = self.judge.rules.ruleset(root)
        if ruleset.rule(ruleset.root).scored:
            raise ScreeningError(
                "only-scored",
                "{value}只计分，没有符合与否之分：请改用以分数线为条件的规则",
                value=root,
            )
        tally.rulesets[root] = ruleset.digest
        tally.titles |= {r.id: r.title for r in ruleset.rules}
        steps = tuple(r.id for r in successive(ruleset))
        for id in steps:
            tally.steps.setdefault(id, FunnelStep(id, tally.titles[id]))
        filing, wanted = self._filing, self._wanted(provinces)
        try:
            program, harder = map(self._program, (ruleset, moved(ruleset, -EDGE)))
            share = self.scope.near
            easier = None if share is None else self._program(moved(ruleset, share))
        except UnsupportedError as error:
            code = Code(tuple(r.id for r in necessary(ruleset)))
            part = Part(root=root, code=code, steps=steps, holds=holds, number=number, program=None)
            results, near = part.nothing(filing)
            self.database.keep(part.table, results)
            self.database.keep(part.near, near)
            return part, dict.fromkeys(self._ids(wanted), f"{root}不能用 SQL 筛查，{error}")
        part = Part(
            root=root, code=program.code, steps=steps, holds=holds, number=number, program=program
        )
        self._evaluate(part, program, easier, harder, wanted)
        linked = self._ids(sa.and_(wanted, self._linked(root)))
        return part, {**dict.fromkeys(linked, LINKED), **self._routed(wanted)}

    def _linked(self, root: str) -> ColumnElement[bool]:
        """Whether registered holdings may prove a control relation that a ruleset asks about."""
        asked = self.judge.registered(root).control.values()
        shares = [Fraction(share) for sought in asked for share, _ in sought.beyond]
        if not shares:
            return sa.false()
        return sa.func.coalesce(self._filing.c.linked, -1) >= share_stored(min(shares))

    def _in_columns(self, root: str) -> ColumnElement[bool]:
        """Whether the columns hold all that decides a filing under a ruleset."""
        return sa.and_(self._filing.c.routed.is_(None), sa.not_(self._linked(root)))

    def _routed(self, wanted: ColumnElement[bool]) -> dict[int, str]:
        """The filings that a snapshot holds without their data, each with the reason."""
        filing, why = self._filing, self._filing.c.routed
        query = sa.select(filing.c.filing_id, why).where(wanted, why.is_not(None))
        return {int(id): kind_of(str(text)) for id, text in self.database.rows(query)}

    def _by_engine(
        self,
        tally: ScreeningTally,
        part: Part,
        provinces: Sequence[str],
        reasons: Mapping[int, str],
        progress: Done,
    ) -> None:
        """Let the engine decide the filings that are left to it."""
        routed = self._routed(self._wanted(provinces))
        number = 0
        for answered in self._decide(tally, part, reasons):
            # the columns of such filings are empty, so they do not show who holds the title
            held = [[id] for id, found in answered if found.holds and id in routed]
            self.database.extend(part.holds, held)
            number += len(answered)
            progress(number)

    def _program(self, ruleset: Ruleset) -> Program:
        return Program(ruleset, self.schema, self.scope.day)

    def _evaluate(
        self,
        part: Part,
        program: Program,
        easier: Program | None,
        harder: Program,
        wanted: ColumnElement[bool],
    ) -> None:
        """Keep the programs' results for all filings that the columns hold."""
        held = sa.and_(wanted, self._in_columns(part.root))
        fence = self.database.fence
        sector = sector_of(program.ruleset, self.judge.rules.catalogue.roles)
        self.database.keep(part.table, part.selected(program, sector, held, fence))
        results = part.results()
        for table, other, outcome in (
            (part.near, easier, Outcome.NOT_MET),
            (part.edge, harder, Outcome.MET),
        ):
            selected = part.nothing(self._filing)[1]
            if other is not None:
                # the engine's results are not among them yet
                those = sa.select(results.c.filing_id).where(results.c[VERDICT] == int(outcome))
                met = outcome is Outcome.NOT_MET
                selected = part.near_selected(other, those, fence, met=met)
            self.database.keep(table, selected)

    def _ids(self, where: ColumnElement[bool]) -> list[int]:
        query = sa.select(self._filing.c.filing_id).where(where)
        return [int(id) for (id,) in self.database.rows(query)]

    def _decide(
        self, tally: ScreeningTally, part: Part, reasons: Mapping[int, str]
    ) -> Iterator[list[tuple[int, Decided]]]:
        """Let the engine decide filings and add them to the results; yield them batch by batch."""
        if not reasons:
            return
        day, near = self.scope.day, self.scope.near
        asked = Question(
            tier=tally.tier, root=part.root, code=part.code, steps=part.steps, day=day, near=near
        )
        jobs = workers.jobs_for(len(reasons), self._jobs)
        work: workers.Work[Known, Decided | str]
        work = workers.work(partial(ScreeningWorker, self.judge.rules, asked), jobs)
        tasks = ((k.case.filing_id, k) for k in self._cases(sorted(reasons)))
        with closing(work):
            for answered in parts(workers.answers(work, tasks), _HELD):
                decided: list[tuple[int, Decided]] = []
                for id, found in answered:
                    if isinstance(found, Decided):
                        tally.by_engine[reasons[id]] += 1
                        decided.append((id, found))
                    else:
                        tally.refused[found if isinstance(found, str) else found.reason] += 1
                self.database.extend(part.table, [part.row(id, d) for id, d in decided])
                close = [[id, *d.near] for id, d in decided if d.near is not None]
                self.database.extend(part.near, close)
                yield decided

    # agreement

    def _check(self, tally: ScreeningTally, part: Part, program: Program, watch: Watch) -> None:
        """Let the engine decide again the positives near an edge and a random sample.

        Filings near an edge that are known to agree are left out.
        """
        id, ruleset = self._filing.c.filing_id, tally.rulesets[part.root]
        every = [int(id) for (id,) in self.database.rows(_ids(part.table))]
        sample = SystemRandom().sample(every, min(self.scope.sample, len(every)))
        edge = {int(id) for (id,) in self.database.rows(_ids(part.edge))}
        agreed = self._agreed.of(ruleset) & edge
        wanted = (edge - agreed).union(sample)
        near = id.in_(_ids(part.edge)) if edge - agreed else sa.false()
        query = sa.select(id).where(sa.or_(near, id.in_(sample)))
        among = query.where(self._in_columns(part.root))
        columns, found = agreement.rows(self.database, program, among)
        compared = set[int]()

        def tasks() -> Iterator[Screened]:
            """The filings to decide again, with their screened results."""
            for held in parts((row for row in found if columns.filing(row) in wanted), _HELD):
                rows = {columns.filing(row): row for row in held}
                for known in self._cases(sorted(rows)):
                    yield Screened(known, rows[known.case.filing_id])

        checker = partial(ComparingWorker, self.judge.rules, part.root, self.scope.day, columns)
        work: workers.Work[list[Screened], list[list[VerdictDifference] | str | None]]
        work = workers.work(checker, workers.jobs_for(len(wanted), self._jobs, _MANY))
        stage = f"规则引擎复核{tally.tier} {part.root}"
        with closing(work), watch(stage, len(wanted)) as progress:
            checked = workers.in_parts(work, tasks())
            for number, (one, differing) in enumerate(checked):
                progress(number)
                if differing is None:
                    continue
                if isinstance(differing, str | workers.Lost):
                    why = differing if isinstance(differing, str) else differing.reason
                    raise ScreeningError(
                        "not-confirmed",
                        "填报编号{value}不能由规则引擎复核（{why}）：结果不予显示，请保留快照并报告",
                        value=one.known.case.filing_id,
                        why=why,
                    )
                agreement.refuse(differing, part.root)
                compared.add(one.known.case.filing_id)
        tally.checked += len(compared)
        tally.agreed += len(agreed)
        self._agreed.add(ruleset, compared)

    # lists

    def verdicts(self, tier: str) -> Iterator[tuple[int, Outcome]]:
        """The verdict of every filing screened for a tier."""
        for part in self._parts[tier]:
            results = part.results()
            query = sa.select(results.c.filing_id, results.c[VERDICT])
            for id, value in self.database.rows(query):
                yield int(id), Outcome(int(value))

    def firms(self, tiers: Sequence[str]) -> Iterator[ListedFirm]:
        """All screened firms, tier by tier, ordered by credit code within a ruleset."""
        for tier in tiers:
            for part in self._parts[tier]:
                yield from self._counting.firms(self.tallies[tier], part)

    def doubted_firms(self, tiers: Sequence[str]) -> Iterator[ListedFirm]:
        """The same firms; filings of positives are read to add the doubts on which they rest."""
        for tier in tiers:
            for part in self._parts[tier]:
                found = self._counting.firms(self.tallies[tier], part)
                for held in parts(found, _HELD):
                    met = [f.filing_id for f in held if f.outcome is Outcome.MET]
                    doubts = {
                        k.case.filing_id: self._doubts(k, part.root) for k in self._cases(met)
                    }
                    for firm in held:
                        yield replace(firm, doubts=doubts.get(firm.filing_id, ()))

    def _doubts(self, known: Known, root: str) -> tuple[Issue, ...]:
        """The doubts on which a positive rests; all its doubts if it cannot be judged."""
        doubts = doubts_of(known, self.judge.rules.catalogue)
        judged = self._judge(known, root) if doubts else None
        if judged is None:
            return doubts
        return bearing(doubts, explain(judged.decision))

    def _judge(self, known: Known, root: str) -> Judgement | None:
        try:
            return judged_under(self.judge, root, known, self.scope.day)
        except CheckRefusedError:
            return None

    def explain_near(
        self, tally: ScreeningTally, most: int = EXPLAINED, progress: Done = ignored
    ) -> None:
        """Let the engine say by how much the first near firms miss the title.

        Firms that hold the title come last: they are listed as having lost it.
        """
        done = 0
        for part in self._parts[tally.tier]:
            filing = self._filing
            held = sa.table(part.holds, sa.column("filing_id"))
            joined = filing.outerjoin(held, held.c.filing_id == filing.c.filing_id)
            near = sa.select(filing.c.filing_id).select_from(joined)
            near = near.where(filing.c.filing_id.in_(_ids(part.near)))
            last = sa.case((held.c.filing_id.is_not(None), 1), else_=0)
            listed = near.order_by(last, filing.c.uscc).limit(most - done)
            ids = [int(id) for (id,) in self.database.rows(listed)]
            for known in self._cases(ids):
                uscc = known.case.uscc
                try:
                    tally.details[uscc] = self._missed_by(part.root, known)
                except Exception as error:  # any error concerns only this firm
                    tally.details[uscc] = fault(error)
                    tally.faults += 1
                done += 1
                progress(done)

    def _missed_by(self, root: str, known: Known) -> str:
        """The missed thresholds, and by how much; empty if the filing may not be judged that day."""
        judged = self._judge(known, root)
        if judged is None or judged.decision.verdict is not Outcome.NOT_MET:
            return ""
        said = (
            f"{c.requirement}，实为{c.value}{f'（{c.distance}）' if c.distance else ''}"
            for _, c in grounds(explain(judged.decision))
        )
        return "；".join(dict.fromkeys(said))


def _ids(table: str) -> sa.Select[Any]:
    """The filings in a table."""
    key: ColumnElement[Any] = sa.column("filing_id")
    return sa.select(key).select_from(sa.table(table))
