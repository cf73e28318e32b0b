"""Makes the pages' values from a rulebook, with every example run by the reference evaluator."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Final

from rules.comparison.compare import compare
from rules.decider import by_reference
from rules.drafting.documentation.clauses import ClauseList, read_clauses
from rules.drafting.documentation.counterparts import counterparts
from rules.drafting.documentation.coverage import Judged, MutantTally, reach, tallies
from rules.drafting.documentation.values import (
    Cell,
    ChangedRuleset,
    ComparisonPage,
    Counterpart,
    Coverage,
    Declared,
    Definition,
    Documentation,
    EditionPage,
    ExampleResult,
    ExampleTable,
    IndicatorPage,
    Reference,
    RulePage,
    ScenarioPage,
)
from rules.drafting.examples import Example, examples, read_indicator, run
from rules.drafting.mutants import EQUIVALENT, Key, read_equivalent
from rules.drafting.steps import GIVEN, Expectation
from rules.errors import RulesError
from rules.language.editions import OTHERS, ApplicabilityRow
from rules.language.linking import dependencies, indicator_keys, marked
from rules.language.provinces import in_force, parted
from rules.language.rulebook import Rulebook
from rules.language.source import DECLARATIONS, Clause, GherkinStep
from rules.model.expressions import leaves
from rules.model.facts import Profile
from rules.model.ruleset import Indicator, Note, Ruleset, Trace

_PLACEHOLDER: Final = re.compile(r"<([^<>]+)>")
#: Formulas that only read what is filed; their indicator needs no explanation.
_READING: Final = ("fact", "year", "field")


def document(
    rulebook: Rulebook,
    folders: Iterable[Path],
    *,
    with_mutants: bool = True,
    progress: Callable[[], object] = lambda: None,
) -> Documentation:
    """Everything that pages say of a rulebook, which must have compiled without problems.

    ``folders`` are those from which it was compiled: the criteria, then a bureau's own packs.
    ``progress`` is called for each rule and each mutant. Raises ``SourceError`` for an example
    that cannot be read.
    """
    places = tuple(folders)
    found: dict[str, MutantTally] | None = None
    if with_mutants:
        tables = [place / EQUIVALENT for place in places]
        listed: dict[Key, str] = {}
        for table in tables:
            listed |= read_equivalent(table) if table.is_file() else {}
        found = tallies(rulebook, listed, progress)
    return _Documenter(rulebook, places, found, progress).documentation()


def excerpt(docs: Documentation, folder: str) -> Documentation:
    """Only the text in one folder of criteria, with the rules of others on which it rests."""
    edition = docs.edition(folder)
    kept = _resting(docs, (page.reference.id for page in edition.rules))
    folders = {docs.rules[id].edition for id in kept}
    rules = {
        id: replace(page, counterparts=tuple(c for c in page.counterparts if c.edition in folders))
        for id, page in docs.rules.items()
        if id in kept
    }
    keys = {key for page in rules.values() for key in page.indicators}
    editions = []
    for other in docs.editions:
        pages = tuple(page for page in other.rules if page.reference.id in kept)
        if other is edition:
            editions.append(edition)
        elif pages:
            bare = replace(other, clauses=None, rules=pages, roots={}, applies=())
            editions.append(replace(bare, coverage=_coverage((), pages, ())))
    return Documentation(
        editions=tuple(editions),
        rules=rules,
        indicators={key: page for key, page in docs.indicators.items() if key in keys},
        applicability=edition.applies,
        comparisons=tuple(c for c in docs.comparisons if {c.before, c.after} <= folders),
        coverage=edition.coverage,
    )


def _resting(docs: Documentation, ids: Iterable[str]) -> frozenset[str]:
    """These rules and all on which they rest."""
    found: set[str] = set()
    ahead = list(ids)
    while ahead:
        id = ahead.pop()
        if id not in found:
            found.add(id)
            ahead += (other.id for other in docs.rules[id].refers)
    return frozenset(found)


def since(
    docs: Documentation,
    rulebook: Rulebook,
    digests: Mapping[str, str],
    earlier: Callable[[str], Ruleset],
) -> Documentation:
    """The same, with each ruleset that differs from the ``earlier`` one of its id, or is gone.

    ``digests`` are those of the earlier rulesets by id.
    """
    roots = {id: digest for edition in docs.editions for id, digest in edition.roots.items()}
    changed = tuple(
        ChangedRuleset(id, compare(earlier(id), rulebook.ruleset(id)) if id in digests else None)
        for id, digest in roots.items()
        if digests.get(id) != digest
    )
    kept = {row.ruleset for row in rulebook.applicability}
    whole = docs.applicability == rulebook.applicability  # an excerpt leaves most rulesets out
    gone = tuple(id for id in digests if id not in kept) if whole else ()
    return replace(docs, changed=changed, gone=gone)


def folder_of(path: str) -> str:
    """The folder of criteria that holds a file; ``.`` for the top one.

    >>> folder_of("provinces/hunan/specialised.feature"), folder_of("applicability.feature")
    ('provinces/hunan', '.')
    """
    return PurePosixPath(path).parent.as_posix()


def word(clause: Clause) -> str:
    """What a rule is called in running text: the words of its id, else its title."""
    *_, last = parts = clause.id.split(".")
    if last.isdecimal():
        return clause.title
    return "·".join(part for part in parts if not part.isdecimal())


class _Documenter:
    def __init__(
        self,
        rulebook: Rulebook,
        folders: tuple[Path, ...],
        mutants: Mapping[str, MutantTally] | None,
        progress: Callable[[], object],
    ) -> None:
        self.rulebook = rulebook
        self.folders = folders
        self.mutants = mutants
        self.progress = progress
        self.references = {c.id: Reference(c.id, word(c)) for c in rulebook.clauses.values()}
        self.slots = {threshold.name: id for id, threshold in rulebook.thresholds.items()}
        self.documents = {d.path: d for d in rulebook.documents}
        self.lines = {d.path: d.text.splitlines() for d in rulebook.documents}
        declarations = list(self._declarations())
        self.declared = {name: id for name, id, _ in declarations}
        self.formulas = {name: cells.get("算式", "") for name, _, cells in declarations}
        self.definitions = {c.id: self._definition(c) for c in rulebook.clauses.values()}
        self.refers = {id: self._refers(id) for id in rulebook.clauses}
        self.part_of = self._part_of()
        self.readers = self._readers()

    def documentation(self) -> Documentation:
        comparisons = tuple(self._comparisons())
        beside = counterparts(comparisons)
        pages = {
            id: self._page(clause, beside.get(id, ()))
            for id, clause in self.rulebook.clauses.items()
        }
        keys = dict.fromkeys(key for page in pages.values() for key in page.indicators)
        books = self.rulebook.indicators
        ordered = sorted(keys, key=lambda key: bool(books[key].records))
        indicators = {key: self._indicator(key) for key in ordered}
        folders = dict.fromkeys(folder_of(d.path) for d in self.rulebook.documents)
        editions = tuple(self._edition(folder, pages) for folder in folders)
        lists = [edition.clauses for edition in editions if edition.clauses]
        return Documentation(
            editions=editions,
            rules=pages,
            indicators=indicators,
            applicability=self.rulebook.applicability,
            comparisons=comparisons,
            coverage=_coverage(lists, pages.values(), indicators.values()),
        )

    # -- one rule --------------------------------------------------------------------------------

    def _page(self, clause: Clause, beside: tuple[Counterpart, ...]) -> RulePage:
        rule = self.rulebook.rules.get(clause.id)
        judged: list[Judged] = []
        scenarios = tuple(self._scenarios(clause, judged))
        first, source = self._source(clause)
        marks = [line.replace("：", ":", 1).partition(":") for line in clause.prose]
        self.progress()
        return RulePage(
            reference=self.references[clause.id],
            title=clause.title,
            edition=folder_of(clause.path),
            document=self.documents[clause.path].title,
            citation="；".join(text.strip() for mark, _, text in marks if mark == "依据"),
            notes=tuple(
                Note(mark.removeprefix("解读"), text.strip())
                for mark, _, text in marks
                if mark.startswith("解读")
            ),
            prose=tuple(line for line in clause.prose if not marked(line)),
            records=self._list(rule.records) if rule else "",
            path=clause.path,
            line=clause.line,
            first=first,
            source=source,
            definition=self.definitions[clause.id],
            scenarios=scenarios,
            refers=tuple(self.references[id] for id in self.refers[clause.id]),
            referred=tuple(
                self.references[id] for id, those in self.refers.items() if clause.id in those
            ),
            applies=tuple(self._applies(clause)),
            counterparts=beside,
            indicators=tuple(self._read_by(clause.id)),
            thresholds=reach(rule, judged) if rule else (),
            mutants=self._tally([clause.id]),
            declared=tuple(
                Declared(name, tuple(self.references[id] for id in self.readers.get(name, ())))
                for name, id in self.declared.items()
                if id == clause.id
            ),
        )

    def _declarations(self) -> Iterator[tuple[str, str, Mapping[str, str]]]:
        """Each row of a table of declarations: its name, its clause, and its cells by column."""
        for clause in self.rulebook.clauses.values():
            if clause.definition.text in DECLARATIONS:
                header, *rows = clause.definition.table
                for row in rows:
                    cells = dict(zip(header.cells, row.cells, strict=True))
                    listed = cells.get("清单") or clause.tag("对象")
                    yield _of_list(listed, row.cells[0]), clause.id, cells

    def _name(self, indicator: Indicator) -> str:
        """The name under which an indicator is declared, if it is."""
        return _of_list(self._list(indicator.records), indicator.name)

    def _formula(self, indicator: Indicator) -> str:
        """The formula as it is declared; in words for what a rule over records defines."""
        match indicator.expr:
            case ("count", listed, rule, None):
                return f"符合「{self.references[rule].word}」的{self._list(listed)}件数"
        return self.formulas.get(self._name(indicator), "")

    def _names(self, indicator: Indicator) -> Iterator[str]:
        """The names of what an indicator reads, as they are declared."""
        catalogue = self.rulebook.catalogue
        for leaf in leaves(indicator.expr):
            if leaf[0] in ("count", "total"):
                yield catalogue.record_kind(leaf[1]).name
                if leaf[-1] is not None:
                    yield catalogue.fact(leaf[-1]).name
                if leaf[0] == "total":
                    yield _of_list(self._list(leaf[1]), catalogue.field(leaf[1], leaf[2]).name)
            elif leaf[0] in _READING:
                listed = self._list(indicator.records) if leaf[0] == "field" else ""
                yield _of_list(listed, catalogue.read_by(leaf, indicator.records).name)

    def _readers(self) -> Mapping[str, tuple[str, ...]]:
        """The ids of the rules that read what is declared, by its name."""
        found: dict[str, dict[str, None]] = {}
        for rule in self.rulebook.rules.values():
            for key in indicator_keys(rule):
                indicator = self.rulebook.indicators[key]
                for name in (self._name(indicator), *self._names(indicator)):
                    found.setdefault(name, {})[rule.id] = None
        return {name: tuple(ids) for name, ids in found.items()}

    def _read_by(self, id: str) -> Iterator[str]:
        """The keys of the derived indicators that a rule reads."""
        rule = self.rulebook.rules.get(id)
        for key in dict.fromkeys(indicator_keys(rule)) if rule else ():
            if _computed(self.rulebook.indicators[key]):
                yield key

    def _definition(self, clause: Clause) -> Definition:
        header, *rows = clause.definition.table
        rule = self.rulebook.rules.get(clause.id)
        records = f"{rule.records}." if rule and rule.records else ""
        return Definition(
            clause.definition.text,
            header.cells,
            tuple((r.line, tuple(self._cell(text, records) for text in r.cells)) for r in rows),
        )

    def _cell(self, text: str, records: str) -> Cell:
        if named := self.references.get(self.slots.get(text, text)):
            return Cell(text, named)
        indicator = self.rulebook.indicators.get(f"{records}{text}")
        if indicator is None:
            return Cell(text)
        if not _computed(indicator):
            names = self._names(indicator)
            return Cell(text, self.references.get(self.declared.get(next(names, ""), "")))
        if indicator.expr[0] == "count":
            return Cell(text, self.references.get(indicator.expr[2]))
        return Cell(text, indicator=f"{records}{text}")

    def _refers(self, id: str) -> tuple[str, ...]:
        rule = self.rulebook.rules.get(id)
        below = dependencies(rule, self.rulebook.indicators) if rule else ()
        cells = [c.rule for _, row in self.definitions[id].rows for c in row if c.rule]
        declaring = set(self.declared.values())
        found = dict.fromkeys([*(c.id for c in cells if c.id not in declaring), *below])
        return tuple(other for other in found if other != id and other in self.references)

    def _source(self, clause: Clause) -> tuple[int, tuple[str, ...]]:
        """The lines of a file that define a rule, from its tags on, and the number of the first."""
        lines = self.lines[clause.path]

        def first(line: int) -> int:
            while line > 1 and lines[line - 2].strip().startswith(("@", "#")):
                line -= 1
            return line

        later = [
            first(other.line)
            for other in self.documents[clause.path].clauses
            if other.line > clause.line
        ]
        start, end = first(clause.line), min(later, default=len(lines) + 1)
        text = lines[start - 1 : end - 1]
        while text and not text[-1].strip():
            text.pop()
        return start, tuple(text)

    # -- examples --------------------------------------------------------------------------------

    def _scenarios(self, clause: Clause, judged: list[Judged]) -> Iterator[ScenarioPage]:
        """The scenarios of a rule with their results; ``judged`` takes what was judged for them."""
        runs = examples(clause, self.rulebook.catalogue)
        number = 0
        for scenario in clause.scenarios:
            steps = tuple(s for s in scenario.steps if _gives(s))
            columns = _columns(steps)
            tables: list[ExampleTable] = []
            for header, rows in scenario.examples or ((None, (None,)),):
                cells = header.cells if header else ()
                shown = [i for i, name in enumerate(cells) if name in columns]
                results = []
                for row in rows:
                    number += 1
                    given = tuple(row.cells[i] for i in shown) if row else ()
                    results.append(self._result(next(runs), number, given, judged))
                names = tuple(cells[i] for i in shown)
                if tables and tables[-1].header == names:
                    results = [*tables.pop().rows, *results]
                tables.append(ExampleTable(names, tuple(results)))
            yield ScenarioPage(scenario.name, scenario.line, steps, tuple(tables))

    def _result(
        self, example: Example, number: int, given: tuple[str, ...], judged: list[Judged]
    ) -> ExampleResult:
        def evaluate(ruleset: Ruleset, profile: Profile) -> Trace:
            trace = by_reference(ruleset, profile)
            judged.append(Judged(ruleset, profile, trace))
            return trace

        try:
            runs = run(self.rulebook, example, evaluate, read_indicator)
            failure = "；".join(_named(r.expectation, r.actual) for r in runs if not r.passed)
        except RulesError as error:
            failure = f"无法运行：{error}"
        return ExampleResult(
            number=number,
            line=example.line,
            given=given,
            expected=example.expected,
            failure=failure,
        )

    # -- where rules apply -----------------------------------------------------------------------

    def _part_of(self) -> Mapping[str, frozenset[str]]:
        """The ids of all clauses that take part in a ruleset, by its id."""
        book = self.rulebook
        found: dict[str, frozenset[str]] = {}
        for id in dict.fromkeys(row.ruleset for row in book.applicability if row.encoded):
            root, province, day = parted(id)
            fills = in_force(book.fills, province, day) if day else ()
            slots = book.slots_of(root)
            setters = {f.clause for f in fills if f.slot in slots}
            found[id] = frozenset({r.id for r in book.ruleset(id).rules} | slots | setters)
        return found

    def _applies(self, clause: Clause) -> Iterator[ApplicabilityRow]:
        own = {(clause.path, row.line) for row in clause.definition.table}
        for row in (*self.rulebook.applicability, *self.rulebook.beside):
            written = (row.position.path, row.position.line) in own
            if written or clause.id in (row.ruleset, *self.part_of.get(row.ruleset, ())):
                yield row

    # -- indicators, editions, comparisons -------------------------------------------------------

    def _list(self, id: str) -> str:
        return self.rulebook.catalogue.record_kind(id).name if id else ""

    def _indicator(self, key: str) -> IndicatorPage:
        indicator = self.rulebook.indicators[key]
        counted = (x[-2] for x in leaves(indicator.expr) if x[0] in ("count", "total"))
        return IndicatorPage(
            key=key,
            name=indicator.name,
            unit=indicator.unit,
            records=self._list(indicator.records),
            formula=self._formula(indicator),
            declared=self.references.get(self.declared.get(self._name(indicator), "")),
            clause=indicator.clause,
            counts=tuple(self.references[id] for id in dict.fromkeys(counted)),
            readers=tuple(
                self.references[rule.id]
                for rule in self.rulebook.rules.values()
                if key in indicator_keys(rule)
            ),
            mutants=self._tally([key]),
        )

    def _edition(self, folder: str, pages: Mapping[str, RulePage]) -> EditionPage:
        documents = tuple(d for d in self.rulebook.documents if folder_of(d.path) == folder)
        listed = next((c for p in self._folders(folder) if (c := read_clauses(p))), None)
        rules = tuple(page for page in pages.values() if page.edition == folder)
        rows = tuple(r for r in self.rulebook.applicability if self._home(r) == folder)
        ids = dict.fromkeys(row.ruleset for row in rows if row.encoded)
        return EditionPage(
            folder=folder,
            title=listed.title if listed else "、".join(d.title for d in documents),
            documents=documents,
            clauses=listed,
            rules=rules,
            roots={id: self.rulebook.ruleset(id).digest for id in ids},
            applies=rows,
            coverage=_coverage([listed] if listed else [], rules, ()),
        )

    def _folders(self, folder: str) -> Iterator[Path]:
        """The folder itself: in the criteria, or in a bureau's own, whose name comes first."""
        base, *own = self.folders
        yield base / folder
        yield from (place.resolve().parent / folder for place in own)

    def _home(self, row: ApplicabilityRow) -> str:
        """The folder of the text that governs by a row."""
        root, province, _ = parted(row.ruleset) if row.encoded else ("", "", None)
        if province or not root:
            return folder_of(row.position.path)
        return folder_of(self.rulebook.rule(root).position.path)

    def _comparisons(self) -> Iterator[ComparisonPage]:
        """Each text that replaced another for a tier and procedure, everywhere and in all rounds."""
        general = [
            r
            for r in self.rulebook.applicability
            if r.province == OTHERS and not r.batch and r.encoded
        ]
        for tier, procedure in dict.fromkeys((r.tier, r.procedure) for r in general):
            rows = [r for r in general if (r.tier, r.procedure) == (tier, procedure)]
            rows.sort(key=lambda r: r.start or date.min)
            for old, new in pairwise(rows):
                if old.ruleset != new.ruleset:
                    yield ComparisonPage(
                        before=self._home(old),
                        after=self._home(new),
                        tier=tier,
                        procedure=procedure,
                        comparison=compare(
                            self.rulebook.ruleset(old.ruleset), self.rulebook.ruleset(new.ruleset)
                        ),
                    )

    def _tally(self, names: Iterable[str]) -> MutantTally | None:
        if self.mutants is None:
            return None
        return _joined(self.mutants[name] for name in names if name in self.mutants)


def _joined(tallies: Iterable[MutantTally]) -> MutantTally:
    those = list(tallies)
    return MutantTally(
        sum(t.killed for t in those),
        tuple(s for t in those for s in t.equivalent),
        tuple(s for t in those for s in t.unguarded),
    )


def _coverage(
    lists: Iterable[ClauseList],
    pages: Iterable[RulePage],
    indicators: Iterable[IndicatorPage],
) -> Coverage:
    clauses = [clause for those in lists for clause in those.clauses]
    rules = list(pages)
    thresholds = [t for page in rules for t in page.thresholds]
    found = [page.mutants for page in rules] + [page.mutants for page in indicators]
    return Coverage(
        rules=sum(bool(page.scenarios) for page in rules),
        listed=len(clauses),
        encoded=sum(clause.encoded for clause in clauses),
        thresholds=len(thresholds),
        bounded=sum(t.bounded for t in thresholds),
        examples=sum(len(page.examples) for page in rules),
        failed=sum(len(page.failures) for page in rules),
        mutants=_joined(t for t in found if t) if all(t is not None for t in found) else None,
    )


def _computed(indicator: Indicator) -> bool:
    """Whether an indicator is computed, not just read (a date is read as days from the filing)."""
    node, *parts = indicator.expr
    if node == "days":
        return any(part[0] not in (*_READING, "as_of") for part in parts)
    return node not in _READING


def _of_list(listed: str, name: str) -> str:
    """What a field of a list is called beside those of others."""
    return f"{listed}　{name}" if listed else name


def _gives(step: GherkinStep) -> bool:
    """Whether a step files something; else it states what is expected."""
    return any(pattern.fullmatch(step.text) for pattern, _ in GIVEN)


def _columns(steps: Iterable[GherkinStep]) -> frozenset[str]:
    """The columns of an 例子 table that these steps use."""
    texts = (text for s in steps for text in (s.text, *(c for row in s.table for c in row.cells)))
    return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text))


def _named(expectation: Expectation, text: str) -> str:
    """A result with what it is the result of, unless that is the rule itself."""
    return f"{expectation.subject} {text}" if expectation.subject else text
