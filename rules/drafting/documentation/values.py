"""What pages say about the criteria, as plain values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from rules.comparison.rows import Comparison, RequirementChange
from rules.drafting.documentation.clauses import ClauseList
from rules.drafting.documentation.coverage import MutantTally, ThresholdReach
from rules.drafting.steps import Expectation
from rules.language.editions import ApplicabilityRow
from rules.language.source import Document, GherkinStep
from rules.model.ruleset import Note


@dataclass(frozen=True)
class Reference:
    """A rule, as a page names it: by its word, and by its id as a link."""

    id: str
    word: str


@dataclass(frozen=True)
class Cell:
    """A cell of a definition table; it may name a rule, or a derived indicator by its key."""

    text: str
    rule: Reference | None = None
    indicator: str = ""


@dataclass(frozen=True)
class Definition:
    """The definition table of a rule under its sentence; ``rows`` are (line, cells)."""

    sentence: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class ExampleResult:
    """An example as a row of its table: the n-th of its rule, and what came out.

    ``given`` are the cells that it files. ``failure`` is the result that came out instead, or why
    it cannot be run; it is empty for an example that holds.
    """

    number: int
    line: int
    given: tuple[str, ...]
    expected: tuple[Expectation, ...]
    failure: str = ""

    @property
    def passed(self) -> bool:
        """Whether the example holds."""
        return not self.failure


@dataclass(frozen=True)
class ExampleTable:
    """Examples of a scenario that state the same: one row each under ``header``."""

    header: tuple[str, ...]
    rows: tuple[ExampleResult, ...]


@dataclass(frozen=True)
class ScenarioPage:
    """A scenario: what each of its examples files, and the examples with their results."""

    name: str
    line: int
    steps: tuple[GherkinStep, ...]
    tables: tuple[ExampleTable, ...]

    @property
    def rows(self) -> Iterator[ExampleResult]:
        """All of its examples."""
        for table in self.tables:
            yield from table.rows


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """A requirement of a rule beside that of the other text: ``before`` and ``after`` in words.

    ``edition`` and ``rule`` are the other text's folder and the id of its rule, empty if it has none.
    ``later`` tells whether the other text is the newer one.
    """

    edition: str
    later: bool
    rule: str
    name: str
    change: RequirementChange
    before: str
    after: str
    details: tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """Something that a table declares, such as a fact, and the rules that read it."""

    name: str
    readers: tuple[Reference, ...]


@dataclass(frozen=True, kw_only=True)
class RulePage:
    """Everything about one rule.

    ``edition`` is its folder; ``records`` names the list to whose records it is applied. ``source``
    are the lines of its file that define it, from ``first`` on. ``refers`` are the rules on which
    it rests, ``referred`` those that rest on it. ``applies`` are the rows of the applicability
    table by which it takes part in a verdict, ``counterparts`` its requirements beside those
    of the texts before and after; ``indicators`` are the keys of those that it reads.
    A table of declarations has no examples, but what it has ``declared``.
    """

    reference: Reference
    title: str
    edition: str
    document: str
    citation: str
    notes: tuple[Note, ...]
    prose: tuple[str, ...]
    records: str
    path: str
    line: int
    first: int
    source: tuple[str, ...]
    definition: Definition
    scenarios: tuple[ScenarioPage, ...]
    refers: tuple[Reference, ...]
    referred: tuple[Reference, ...]
    applies: tuple[ApplicabilityRow, ...]
    counterparts: tuple[Counterpart, ...]
    indicators: tuple[str, ...]
    thresholds: tuple[ThresholdReach, ...]
    mutants: MutantTally | None
    declared: tuple[Declared, ...] = ()

    @property
    def examples(self) -> tuple[ExampleResult, ...]:
        """All examples, in order."""
        return tuple(row for scenario in self.scenarios for row in scenario.rows)

    @property
    def failures(self) -> tuple[ExampleResult, ...]:
        """The examples that do not hold."""
        return tuple(e for e in self.examples if not e.passed)


@dataclass(frozen=True, kw_only=True)
class IndicatorPage:
    """A derived indicator: its formula, its source, and the rules that read or feed it.

    ``declared`` is the clause that declares it; None for the number of records that satisfy a rule.
    """

    key: str
    name: str
    unit: str
    records: str
    formula: str
    clause: str
    declared: Reference | None
    counts: tuple[Reference, ...]
    readers: tuple[Reference, ...]
    mutants: MutantTally | None


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How far examples and rules reach, counted in three ways; ``mutants`` is None if none ran.

    ``rules`` are those with examples, without tables of declarations.
    """

    rules: int
    listed: int
    encoded: int
    thresholds: int
    bounded: int
    examples: int
    failed: int
    mutants: MutantTally | None


@dataclass(frozen=True, kw_only=True)
class EditionPage:
    """One source text, province or round: its files, the clauses of the source, and its rules.

    ``roots`` are its rulesets by id with their digests; ``applies`` the rows that they govern by.
    """

    folder: str
    title: str
    documents: tuple[Document, ...]
    clauses: ClauseList | None
    rules: tuple[RulePage, ...]
    roots: Mapping[str, str]
    applies: tuple[ApplicabilityRow, ...]
    coverage: Coverage

    @property
    def nested(self) -> bool:
        """Whether it supplements another text: a province, or a round."""
        return "/" in self.folder

    @property
    def readings(self) -> Mapping[Note, list[Reference]]:
        """The interpretation notes, surest first, each with the rules that rest on it."""
        found: dict[Note, list[Reference]] = {}
        for page in self.rules:
            for note in page.notes:
                found.setdefault(note, []).append(page.reference)
        return dict(sorted(found.items(), key=lambda item: item[0].confidence))


@dataclass(frozen=True, kw_only=True)
class ComparisonPage:
    """What governs a tier and procedure from a day on, beside what governed it before."""

    before: str
    after: str
    tier: str
    procedure: str
    comparison: Comparison


@dataclass(frozen=True)
class ChangedRuleset:
    """A ruleset that is not as it was in earlier criteria; ``comparison`` is None if it is new."""

    id: str
    comparison: Comparison | None

    @property
    def worded(self) -> bool:
        """Whether only words changed, and no requirement."""
        found = self.comparison
        if found is None:
            return False
        changes = [
            *(row.change for row in found.rows),
            *(score.change for score in found.scores),
            *(definition.change for definition in found.definitions),
        ]
        return all(change is RequirementChange.SAME for change in changes)


@dataclass(frozen=True, kw_only=True)
class Documentation:
    """All pages of a set of criteria; ``changed`` are its rulesets that earlier ones lack.

    ``gone`` are the ids of rulesets that only the earlier ones have.

    ``rules`` are by id, in the order of the files; ``applicability`` are all rows that govern.
    """

    editions: tuple[EditionPage, ...]
    rules: Mapping[str, RulePage]
    indicators: Mapping[str, IndicatorPage]
    applicability: tuple[ApplicabilityRow, ...]
    comparisons: tuple[ComparisonPage, ...]
    coverage: Coverage
    changed: tuple[ChangedRuleset, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether its rulesets are not those of the earlier criteria."""
        return bool(self.changed or self.gone)

    @cached_property
    def failures(self) -> tuple[tuple[RulePage, ExampleResult], ...]:
        """Every example that does not hold, with its rule."""
        return tuple((page, e) for page in self.rules.values() for e in page.failures)

    def edition(self, folder: str) -> EditionPage:
        """The text in a folder of criteria."""
        return next(edition for edition in self.editions if edition.folder == folder)

    def word(self, name: str) -> str:
        """What a rule, or the points of one of its groups, is called; other names stay."""
        id, _, group = name.partition("/")
        if group:
            return f"{group}得分"
        return self.rules[id].reference.word if id in self.rules else name

    @property
    def compared(self) -> tuple[tuple[str, str], ...]:
        """The folders of texts that are compared: the former, the latter."""
        return tuple(dict.fromkeys((page.before, page.after) for page in self.comparisons))
