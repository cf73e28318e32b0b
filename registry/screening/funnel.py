"""Screening a stock of filings: how many meet each criterion, who qualifies, who lost it, who is near.

The statement gives the verdicts; the engine decides what cannot be put into columns, and decides
again all positives near an edge and a random sample. A single difference, and nothing is shown.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from random import SystemRandom
from typing import Any, Final, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from registry.judging import (
    CheckRefusedError,
    Determination,
    Judge,
    Judgement,
    Registration,
    refuse_wrong_day,
)
from registry.record.cases import Case
from registry.screening import agreement
from registry.screening.compiler import Program
from registry.screening.engines import Database
from registry.screening.schema import Schema
from registry.screening.snapshot import kind_of
from registry.screening.variants import moved
from registry.screening.widths import DayLiteral, UnsupportedError
from rules.editions import OTHERS, ApplicabilityRow, Governing
from rules.errors import NoRulesetError
from rules.explain import explain, grounds
from rules.model import Cases, Outcome, Position, Rule, Ruleset

#: The indicator that tells the sector of a filing.
SECTOR: Final = "划型行业"
SAMPLE: Final = 200
#: How many that are near are explained with figures; of the others only the criteria are named.
EXPLAINED: Final = 1000
_UNSTATED: Final = "（未填报）"


#: What persons determined of a filing, and the registered titles of its enterprise.
Known: TypeAlias = tuple[Sequence[Determination], Sequence[Registration]]


class Filings(Protocol):
    """Where filings come from when the engine has to decide them."""

    def __call__(self, filing_ids: Sequence[int], /) -> Iterator[tuple[Case, Known]]:
        """These filings, each with what is known of it beside."""


@dataclass(frozen=True)
class Scope:
    """What is asked: as of which day, in which places, and how near is near."""

    day: date
    regions: tuple[str, ...] = ()
    near: Fraction = Fraction(1, 20)
    sample: int = SAMPLE


@dataclass
class Step:
    """A criterion of the funnel: how many meet it and all before it, and how it came out by itself.

    ``alone`` are those that nothing else stops.
    """

    rule: str
    title: str
    passed: int = 0
    alone: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)


@dataclass(frozen=True)
class Firm:
    """An enterprise in a list: ``criteria`` are those that it misses, ``detail`` by how much."""

    uscc: str
    name: str
    province: str
    city: str
    county: str
    sector: str
    as_of: str
    tier: str
    outcome: Outcome
    holds: bool
    near: bool
    criteria: tuple[str, ...]
    open: tuple[str, ...]
    detail: str = ""

    @property
    def group(self) -> str:
        """What an officer looks it up under."""
        if self.outcome is Outcome.MET:
            return "符合"
        if self.holds and self.outcome is Outcome.NOT_MET:
            return "失去资格"
        return "接近" if self.near else ""


@dataclass
class Tally:
    """What came out for one tier."""

    tier: str
    rulesets: dict[str, str] = field(default_factory=dict)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    steps: dict[str, Step] = field(default_factory=dict)
    places: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    holders: int = 0
    lost: int = 0
    near: int = 0
    by_engine: Counter[str] = field(default_factory=Counter)
    checked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    titles: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many were screened."""
        return self.outcomes.total()


@dataclass(frozen=True)
class Part:
    """The filings of a tier that one ruleset governs, and the tables that hold what came out."""

    root: str
    program: Program
    steps: tuple[str, ...]
    table: str
    near: str
    edge: str


class Screening:
    """Screens the filings in a database for some tiers."""

    def __init__(
        self,
        database: Database,
        schema: Schema,
        scope: Scope,
        judge: Judge,
        governing: Callable[[str, str], Governing],
        cases: Filings,
    ) -> None:
        self.database = database
        self.schema = schema
        self.scope = scope
        self.judge = judge
        self._governing = governing
        self._cases = cases
        self._filing = schema.filing
        self._parts: dict[str, list[Part]] = {}

    def run(self, tiers: Sequence[str]) -> Iterator[tuple[str, Tally]]:
        """Screen tier by tier; yields what is being done, with the counts so far."""
        for n, tier in enumerate(tiers):
            tally = Tally(tier)
            self._parts[tier] = []
            self._hold(tier, f"holds_{n}")
            for m, (found, provinces) in enumerate(self._governed(tier, tally).items()):
                yield f"{tier} {found}", tally
                try:
                    part = self._screen(tally, found, provinces, f"{n}_{m}")
                except UnsupportedError as error:
                    query = sa.select(sa.func.count()).select_from(self._filing)
                    [(number,)] = self.database.rows(query.where(self._wanted(provinces)))
                    tally.refused[f"{found}不能筛查（{error}），请用 tidu check --all"] += int(
                        number
                    )
                    continue
                self._parts[tier].append(part)
                yield f"{tier} {found} 复核", tally
                self._check(tally, part)
                self._count(tally, part, f"holds_{n}")
            yield "", tally

    # who is looked at

    def _governed(self, tier: str, tally: Tally) -> dict[str, list[str]]:
        """The ruleset of each province; filings that none governs are counted as refused."""
        count = sa.func.count()
        province = self._filing.c.province
        wrong = self._filing.c.newest_year != self.scope.day.year - 1
        query = sa.select(province, sa.func.sum(sa.case((wrong, 1), else_=0)), count)
        found: dict[str, list[str]] = {}
        for name, late, number in self.database.rows(
            query.where(self._in_regions()).group_by(province)
        ):
            if late:
                year = self.scope.day.year - 1
                tally.refused[f"最新的年度数据不是{year}年"] += int(late)
            try:
                row = self._governing(tier, name or "").row
            except NoRulesetError as error:
                tally.refused[str(error)] += int(number) - int(late or 0)
                continue
            if not row.encoded:
                tally.refused[f"适用{row.ruleset}"] += int(number) - int(late or 0)
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
        """Keep who states to hold the title of a tier, as ``registry.impact`` reads it."""
        titles = self.schema.table("titles")
        kind = self.schema.field("titles", "kind").fact.codes.index(tier)
        until = titles.c.titles_valid_until
        held = sa.and_(
            titles.c.titles_kind == kind,
            titles.c.titles_held == 1,
            sa.or_(until.is_(None), until >= DayLiteral(self.scope.day)),
        )
        self.database.keep(table, sa.select(titles.c.filing_id).where(held).distinct())

    # verdicts

    def _screen(self, tally: Tally, root: str, provinces: Sequence[str], suffix: str) -> Part:
        ruleset = self.judge.rules.ruleset(root)
        tally.rulesets[root] = ruleset.digest
        tally.titles |= {r.id: r.title for r in ruleset.rules}
        program = Program(ruleset, self.schema, self.scope.day)
        steps = tuple(r.id for r in successive(ruleset))
        for id in steps:
            tally.steps.setdefault(id, Step(id, tally.titles[id]))
        part = Part(root, program, steps, f"screened_{suffix}", f"near_{suffix}", f"edge_{suffix}")
        wanted = self._wanted(provinces)
        routed = self._filing.c.routed
        statement = program.statement(
            self._kept(part), where=sa.and_(wanted, routed.is_(None)), fence=self.database.fence
        )
        self.database.keep(part.table, statement)
        self._decide_routed(tally, part, sa.and_(wanted, routed.is_not(None)))
        for table, share, outcome in (
            (part.near, self.scope.near, Outcome.NOT_MET),
            (part.edge, -self.scope.near, Outcome.MET),
        ):
            self._vary(part, table, share, outcome)
        return part

    def _kept(self, part: Part) -> list[str]:
        """The columns of a result: verdict, codes, the outcomes of the funnel's criteria, the sector."""
        program = part.program
        columns = [program.verdict.columns[0], *program.codes]
        columns += [program.nodes[id].columns[0] for id in part.steps]
        sector = program.code_column(SECTOR)
        return list(dict.fromkeys([*columns, *([sector] if sector else [])]))

    def _decide_routed(self, tally: Tally, part: Part, where: ColumnElement[bool]) -> None:
        """Have the engine decide what the columns could not hold, and add it to the results."""
        query = sa.select(self._filing.c.filing_id, self._filing.c.routed).where(where)
        reasons = {int(id): str(reason) for id, reason in self.database.rows(query)}
        rows = []
        for case, known in self._cases(sorted(reasons)):
            judged = self._judge(case, part.root, known)
            if judged is None:
                tally.refused["填报日期或年度不符"] += 1
                continue
            tally.by_engine[kind_of(reasons[case.filing_id])] += 1
            rows.append(self._row(part, case.filing_id, judged))
        self.database.extend(part.table, rows)

    def _judge(self, case: Case, root: str, known: Known) -> Judgement | None:
        try:
            refuse_wrong_day(case.name, case.profile, self.scope.day)
        except CheckRefusedError:
            return None
        row = ApplicabilityRow("", "", OTHERS, "", None, None, root, "", Position("", 0))
        return self.judge.judge(Governing(row, "", ()), case.profile_as_of(self.scope.day), *known)

    def _row(self, part: Part, filing_id: int, judged: Judgement) -> list[Any]:
        """A decision of the engine as a row of the results."""
        program, trace = part.program, judged.decision.trace
        values: dict[str, Any] = {}
        for id in (program.ruleset.root, *part.steps):
            values[program.nodes[id].columns[0]] = int(trace[id])  # type: ignore[arg-type]
        values |= dict(zip(program.codes, program.code.of(trace), strict=True))
        sector = program.code_column(SECTOR)
        if sector:
            reading = judged.decision.readings.get(SECTOR)
            values[sector] = reading.code if reading else None
        return [filing_id, *(values[c] for c in self._kept(part))]

    def _vary(self, part: Part, table: str, share: Fraction, outcome: Outcome) -> None:
        """Keep whose verdict of that outcome is another one where all thresholds are moved."""
        program = Program(moved(part.program.ruleset, share), self.schema, self.scope.day)
        verdict = sa.column(part.program.verdict.columns[0], sa.Integer())
        mine = sa.table(part.table, sa.column("filing_id"), verdict)
        those = sa.select(mine.c.filing_id).where(verdict == int(outcome))
        outputs = [program.verdict.columns[0], *program.codes]
        statement = program.statement(
            outputs,
            where=sa.and_(self._filing.c.routed.is_(None), self._filing.c.filing_id.in_(those)),
            fence=self.database.fence,
        )
        varied = statement.cte("varied")
        other = sa.column(outputs[0], sa.Integer())
        wanted = other == 3 if outcome is Outcome.NOT_MET else other != 3
        named = [varied.c[o].label(f"v{n}") for n, o in enumerate(outputs)]
        self.database.keep(table, sa.select(varied.c.filing_id, *named).where(wanted))

    # agreement

    def _check(self, tally: Tally, part: Part) -> None:
        """Have the engine decide again the positives near an edge and a random sample."""
        edge, mine = _ids(part.edge), _ids(part.table)
        every = [int(id) for (id,) in self.database.rows(mine)]
        sample = SystemRandom().sample(every, min(self.scope.sample, len(every)))
        wanted = {int(id) for (id,) in self.database.rows(edge)} | set(sample)
        screened = dict(
            agreement.results(
                self.database,
                part.program,
                sa.and_(
                    self._filing.c.routed.is_(None),
                    sa.or_(
                        self._filing.c.filing_id.in_(edge), self._filing.c.filing_id.in_(sample)
                    ),
                ),
            )
        )
        for case, known in self._cases(sorted(wanted & set(screened))):
            judged = self._judge(case, part.root, known)
            if judged is None:
                continue
            found = agreement.differences(
                case.filing_id, screened[case.filing_id], judged.decision.trace
            )
            agreement.refuse(found, part.root)
            tally.checked += 1

    # counts

    def _count(self, tally: Tally, part: Part, holds: str) -> None:
        self._count_steps(tally, part)
        self._count_places(tally, part, holds)
        near = sa.select(sa.func.count()).select_from(sa.table(part.near))
        [(number,)] = self.database.rows(near)
        tally.near += int(number)

    def _count_steps(self, tally: Tally, part: Part) -> None:
        """One row of counts: for each criterion how it came out, with those before it, and alone."""
        columns: list[ColumnElement[Any]] = [
            sa.column(part.program.nodes[id].columns[0]) for id in part.steps
        ]
        wanted: list[ColumnElement[bool]] = []
        for n, column in enumerate(columns):
            wanted += [column == int(o) for o in _COUNTED]
            wanted.append(sa.and_(*(c == 3 for c in columns[: n + 1])))
            wanted.append(sa.and_(column != 3, *(c == 3 for c in columns if c is not column)))
        sums = [sa.func.sum(sa.case((w, 1), else_=0)).label(f"n{n}") for n, w in enumerate(wanted)]
        [row] = self.database.rows(sa.select(*sums).select_from(sa.table(part.table)))
        numbers = [int(v or 0) for v in row]
        width = len(_COUNTED) + 2
        for n, id in enumerate(part.steps):
            mine = numbers[n * width : (n + 1) * width]
            step = tally.steps[id]
            step.outcomes.update(dict(zip(_COUNTED, mine, strict=False)))
            step.passed += mine[-2]
            step.alone += mine[-1]

    def _count_places(self, tally: Tally, part: Part, holds: str) -> None:
        """Outcomes by place and sector, and of those who hold the title."""
        joined, verdict, sector, held = self._joined(part, holds)
        places = [self._filing.c.province, self._filing.c.city, sector]
        holding = sa.case((held.is_not(None), 1), else_=0)
        keys = [*places, verdict, holding]
        query = sa.select(*keys, sa.func.count()).select_from(joined).group_by(*keys)
        for province, city, industry, value, holding_, number in self.database.rows(query):
            outcome, count = Outcome(int(value)), int(number)
            tally.outcomes[outcome] += count
            if holding_:
                tally.holders += count
                tally.lost += count if outcome is Outcome.NOT_MET else 0
            for name, of in (("省份", province), ("市", city), ("划型行业", industry)):
                counted = tally.places.setdefault(name, {})
                counted.setdefault(of or _UNSTATED, Counter())[outcome.text] += count

    def _joined(self, part: Part, holds: str) -> tuple[Any, Any, Any, Any]:
        """Results with their filings and titles: the source, verdict, sector and who holds."""
        name = part.program.code_column(SECTOR)
        columns = ["filing_id", *self._kept(part)]
        mine = sa.table(part.table, *(sa.column(c) for c in columns))
        held = sa.table(holds, sa.column("filing_id"))
        joined = mine.join(self._filing, self._filing.c.filing_id == mine.c.filing_id)
        joined = joined.outerjoin(held, held.c.filing_id == mine.c.filing_id)
        # no type of texts has one name on all databases, and none takes a constant to group by
        none = sa.func.substr(self._filing.c.province, 1, 0)
        sector = mine.c[name] if name else none
        return joined, mine.c[part.program.verdict.columns[0]], sector, held.c.filing_id

    # lists

    def firms(self, tiers: Sequence[str], tallies: Mapping[str, Tally]) -> Iterator[Firm]:
        """All that were screened, tier by tier, in order of credit code within a ruleset."""
        for n, tier in enumerate(tiers):
            for part in self._parts[tier]:
                yield from self._firms(tallies[tier], part, f"holds_{n}")

    def _firms(self, tally: Tally, part: Part, holds: str) -> Iterator[Firm]:
        joined, verdict, sector, held = self._joined(part, holds)
        program = part.program
        count = program.code.parts
        varied: list[sa.ColumnClause[Any]] = [sa.column(f"v{k}") for k in range(count + 1)]
        near = sa.table(part.near, sa.column("filing_id"), *varied)
        joined = joined.outerjoin(near, near.c.filing_id == self._filing.c.filing_id)
        codes: list[ColumnElement[Any]] = [sa.column(c) for c in program.codes]
        firm = [self._filing.c[c] for c in ("uscc", "name", "province", "city", "county")]
        still = [near.c[f"v{k}"] for k in range(1, count + 1)]
        query = sa.select(
            *firm, sector, self._filing.c.as_of, verdict, held, near.c.filing_id, *codes, *still
        ).select_from(joined)
        for row in self.database.rows(query.order_by(self._filing.c.uscc)):
            *identity, industry, day, value, holding, close = row[:10]
            numbers = row[10:]
            code = numbers[:count]
            failed = [r for r in program.code.named(code, Outcome.NOT_MET) if r in part.steps]
            if close is not None:
                left = program.code.named(numbers[count:], Outcome.NOT_MET)
                known = program.code.named(code, Outcome.NOT_MET)
                failed = [r for r in known if r not in left and r != part.root]
            still_open = program.code.named(code, Outcome.MISSING, Outcome.PENDING)
            outcome = Outcome(int(value))
            uscc, name, province, city, county = (str(v or "") for v in identity)
            yield Firm(
                uscc,
                name,
                province,
                city,
                county,
                str(industry or ""),
                str(day),
                tally.tier,
                outcome,
                holding is not None,
                close is not None,
                tuple(failed) if outcome is Outcome.NOT_MET else (),
                tuple(r for r in still_open if r in part.steps),
                tally.details.get(str(row[0]), ""),
            )

    def explain_near(self, tally: Tally, most: int = EXPLAINED) -> Iterator[int]:
        """Have the engine say by how much the first of those who are near miss it; yields how many are done."""
        done = 0
        for part in self._parts[tally.tier]:
            filing = self._filing
            near = sa.select(filing.c.filing_id).where(filing.c.filing_id.in_(_ids(part.near)))
            listed = near.order_by(filing.c.uscc).limit(most - done)
            ids = [int(id) for (id,) in self.database.rows(listed)]
            for case, known in self._cases(ids):
                judged = self._judge(case, part.root, known)
                if judged is not None:
                    found = explain(judged.decision, brief=True)
                    said = (
                        f"{c.requirement}，实为{c.value}（{c.distance}）" for _, c in grounds(found)
                    )
                    tally.details[case.uscc] = "；".join(dict.fromkeys(said))
                done += 1
                yield done


def _ids(table: str) -> sa.Select[Any]:
    """The filings in a table."""
    key: ColumnElement[Any] = sa.column("filing_id")
    return sa.select(key).select_from(sa.table(table))


_COUNTED: Final = (Outcome.MET, Outcome.NOT_MET, Outcome.MISSING, Outcome.PENDING)


def successive(ruleset: Ruleset) -> Iterator[Rule]:
    """The criteria of a ruleset in order: the root's members, and theirs, that must all be met."""

    def members(rule: Rule) -> Iterator[Rule]:
        match rule.body:
            case Cases((only,)) if all(line.subject == "rule" for line in only.lines):
                for line in only.lines:
                    yield from members(ruleset.rule(line.name))
            case _:
                yield rule

    seen = set()
    for rule in members(ruleset.rule(ruleset.root)):
        if rule.id not in seen:
            seen.add(rule.id)
            yield rule
