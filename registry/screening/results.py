"""The results of a screening: parts with the tables that hold them, counts, and enterprises."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from registry.filings import Issue
from registry.screening.compiler.program import Code, Place, Program, joins
from registry.screening.compiler.stages import Fence
from registry.screening.deciding import Decided
from rules.model.ruleset import Outcome, Rule, Ruleset


@dataclass
class FunnelStep:
    """A criterion of the funnel: how many meet it and all before it, and its own outcomes.

    ``alone`` counts those that nothing else stops.
    """

    rule: str
    title: str
    passed: int = 0
    alone: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class ListedFirm:
    """An enterprise in a list: ``criteria`` are those that it misses, ``detail`` says by how much.

    ``ruleset`` names the root rule by which it was judged. ``doubts`` concern unlikely figures on which its place in the list rests.
    """

    filing_id: int
    uscc: str
    name: str
    province: str
    city: str
    county: str
    sector: str
    as_of: str
    tier: str
    ruleset: str
    outcome: Outcome
    holds: bool
    near: bool
    criteria: tuple[str, ...]
    open: tuple[str, ...]
    detail: str = ""
    doubts: tuple[Issue, ...] = ()

    @property
    def group(self) -> str:
        """The group in which an officer looks for the enterprise."""
        if self.outcome is Outcome.MET:
            return "符合"
        if self.holds and self.outcome is Outcome.NOT_MET:
            return "失去资格"
        return "接近" if self.near else ""


@dataclass(kw_only=True)
class ScreeningTally:
    """The counts of one tier.

    ``by_engine`` counts filings that only the engine decided, ``checked`` those that it decided
    again now, and ``agreed`` those that it had decided again before. ``faults`` counts near filings
    for which it failed to say by how much they miss.
    """

    tier: str
    rulesets: dict[str, str] = field(default_factory=dict)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    steps: dict[str, FunnelStep] = field(default_factory=dict)
    places: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    holders: int = 0
    lost: int = 0
    near: int = 0
    by_engine: Counter[str] = field(default_factory=Counter)
    checked: int = 0
    agreed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    titles: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    faults: int = 0

    @property
    def total(self) -> int:
        """The number of screened filings."""
        return self.outcomes.total()


_NO_NUMBER: Final[ColumnElement[Any]] = sa.cast(sa.null(), sa.BigInteger())
VERDICT: Final = "verdict"
#: The column of the sector.
INDUSTRY: Final = "sector"


@dataclass(frozen=True, kw_only=True)
class Part:
    """The filings of a tier that one ruleset governs, and the tables that hold their results.

    ``holds`` is the table of all holders of the tier's title. ``table`` has a row for each filing,
    ``near`` one for each that easier thresholds would let pass, with its code under these, and
    ``edge`` one for each that harder thresholds would stop. If SQL cannot express the ruleset,
    there is no program and all rows come from the engine.
    """

    root: str
    code: Code
    steps: tuple[str, ...]
    holds: str
    number: str
    program: Program | None

    @property
    def table(self) -> str:
        """The table of results."""
        return f"screened_{self.number}"

    @property
    def near(self) -> str:
        """The table of near filings."""
        return f"near_{self.number}"

    @property
    def edge(self) -> str:
        """The table of filings that only just pass."""
        return f"edge_{self.number}"

    @property
    def codes(self) -> list[str]:
        """The columns that hold the code of all criteria."""
        return [f"code{n}" for n in range(self.code.parts)]

    @property
    def columns(self) -> list[str]:
        """The columns of a result, except the filing's number."""
        steps = (f"step{n}" for n in range(len(self.steps)))
        return [VERDICT, *self.codes, *steps, INDUSTRY]

    @property
    def near_columns(self) -> list[str]:
        """The columns of a near filing, except its number."""
        return [f"near_{code}" for code in self.codes]

    def results(self) -> sa.TableClause:
        """The table of results with its columns."""
        return sa.table(self.table, *map(sa.column, ("filing_id", *self.columns)))

    def selected(
        self, program: Program, sector: str, where: ColumnElement[bool], fence: Fence
    ) -> sa.Select[Any]:
        """The results of the filings that a program decides; ``sector`` is an indicator's name."""
        names: list[str] = [program.code_column(sector)]
        places = [program.verdict, *(program.nodes[id] for id in self.steps)]
        names += [*program.codes, *(p.columns[0] for p in places)]
        found = program.statement(names, where=where, fence=fence).cte("found")
        verdict, *steps = (_outcome(found, place) for place in places)
        codes = (found.c[c] for c in program.codes)
        told = found.c[names[0]] if names[0] else _NO_NUMBER
        wanted = zip(self.columns, (verdict, *codes, *steps, told), strict=True)
        return sa.select(found.c.filing_id, *(value.label(name) for name, value in wanted))

    def near_selected(
        self, program: Program, among: sa.Select[Any], fence: Fence, *, met: bool
    ) -> sa.Select[Any]:
        """The filings that pass (or fail) a program with other thresholds, with their codes."""
        place = program.verdict
        outputs = [place.columns[0], *program.codes]
        found = program.statement(outputs, among=among, fence=fence).cte("varied")
        codes = zip(self.near_columns, program.codes, strict=True)
        verdict = _outcome(found, place)
        passes = verdict == int(Outcome.MET) if met else verdict != int(Outcome.MET)
        named = (found.c[c].label(name) for name, c in codes)
        return sa.select(found.c.filing_id, *named).where(passes)

    def nothing(self, filing: FromClause) -> tuple[sa.Select[Any], sa.Select[Any]]:
        """Results and near filings without any row: empty tables to fill."""
        # the type of text has no common name on all databases
        text = sa.func.substr(filing.c.province, 1, 0)
        never = filing.c.filing_id.is_(None)
        columns = ((text if c == INDUSTRY else _NO_NUMBER).label(c) for c in self.columns)
        near = (_NO_NUMBER.label(c) for c in self.near_columns)
        return (
            sa.select(filing.c.filing_id, *columns).where(never),
            sa.select(filing.c.filing_id, *near).where(never),
        )

    @staticmethod
    def row(filing_id: int, decided: Decided) -> list[Any]:
        """The engine's result for a filing as a row of results."""
        return [filing_id, int(decided.verdict), *decided.code, *decided.steps, decided.sector]


def _outcome(found: FromClause, place: Place) -> ColumnElement[Any]:
    constant = place.constants[0]
    return found.c[place.columns[0]] if constant is None else sa.literal_column(str(constant))


def successive(ruleset: Ruleset) -> Iterator[Rule]:
    """The criteria of a ruleset in order: the root's members, and theirs, which must all be met."""

    def members(rule: Rule) -> Iterator[Rule]:
        if not joins(rule):
            yield rule
            return
        for _, line in rule.lines():
            yield from members(ruleset.rule(line.name))

    seen = set()
    for rule in members(ruleset.rule(ruleset.root)):
        if rule.id not in seen:
            seen.add(rule.id)
            yield rule
