"""How far the examples of criteria reach: thresholds on, below and above, and mutants."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from rules.drafting.mutants import Key, Mutant, survivors
from rules.engine.readings import Evaluator
from rules.explanation.wording import quantity
from rules.language.rulebook import Rulebook
from rules.model.facts import Profile
from rules.model.ruleset import Constant, Outcome, Points, Rule, Ruleset, Trace


@dataclass(frozen=True, kw_only=True)
class ThresholdReach:
    """How many examples of a rule stand below one of its thresholds, on it, and above it.

    ``name`` is what is compared, ``text`` the threshold in its unit.
    """

    name: str
    text: str
    below: int
    on: int
    above: int

    @property
    def bounded(self) -> bool:
        """Whether there is an example on each side and on the threshold itself."""
        return bool(self.below and self.on and self.above)


@dataclass(frozen=True)
class Survivor:
    """A mutant that no example kills: its rule or indicator, what is altered, and why that is accepted.

    Without a ``reason`` an example is lacking.
    """

    name: str
    text: str
    reason: str = ""


@dataclass(frozen=True)
class MutantTally:
    """Mutants: how many some example kills, and those that survive.

    ``equivalent`` are listed with the reason why no example can tell them from the original;
    ``unguarded`` are those for which an example is lacking.
    """

    killed: int = 0
    equivalent: tuple[Survivor, ...] = ()
    unguarded: tuple[Survivor, ...] = ()

    @property
    def total(self) -> int:
        """The number of mutants."""
        return self.killed + len(self.equivalent) + len(self.unguarded)


@dataclass(frozen=True)
class Judged:
    """A filing of an example, as a ruleset judges it."""

    ruleset: Ruleset
    profile: Profile
    trace: Trace


def reach(rule: Rule, judged: Iterable[Judged]) -> tuple[ThresholdReach, ...]:
    """How the examples of a rule stand to each of its thresholds, in the order of its table.

    Yes-or-no lines and points that are filed directly have no thresholds. An example whose figure
    is not exactly known stands nowhere.
    """
    found = [j for j in judged if j.ruleset.root == rule.id]
    if not found:
        return ()
    ruleset = found[0].ruleset
    wanted = [c for c in dict.fromkeys(rule.constants()) if _is_threshold(ruleset, rule, c)]
    values: dict[str, list[Fraction]] = {}
    for case in found:
        evaluator = _evaluator(case)
        for name in dict.fromkeys(c.name for c in wanted):
            value = _value(case, evaluator, rule, name)
            if value is not None:
                values.setdefault(name, []).append(value)
    texts = {(line.name, line.value): line.text for _, line in rule.lines()}
    return tuple(
        ThresholdReach(
            name=c.name,
            text=texts.get((c.name, c.value)) or quantity(c.value, _unit(ruleset, rule, c)),
            below=sum(v < c.value for v in values.get(c.name, ())),
            on=sum(v == c.value for v in values.get(c.name, ())),
            above=sum(v > c.value for v in values.get(c.name, ())),
        )
        for c in wanted
    )


def _is_threshold(ruleset: Ruleset, rule: Rule, constant: Constant) -> bool:
    if constant.subject == "indicator":
        return ruleset.indicator(rule, constant.name).kind != "flag"
    return constant.subject == "points"


def _unit(ruleset: Ruleset, rule: Rule, constant: Constant) -> str:
    return "分" if constant.subject == "points" else ruleset.indicator(rule, constant.name).unit


def _evaluator(case: Judged) -> Evaluator:
    def outcomes(records: str, id: str) -> list[Outcome]:
        count = len(case.profile.records[records].items)
        return [Outcome(case.trace[f"{records}#{i}:{id}"]) for i in range(count)]  # type: ignore[arg-type]

    return Evaluator(case.ruleset, case.profile, outcomes)


def _value(case: Judged, evaluator: Evaluator, rule: Rule, name: str) -> Fraction | None:
    """What an example compares with a threshold, if it is exactly known."""
    points = case.trace.get(name)
    if isinstance(points, Points):
        return points.lo if points.lo == points.hi else None
    record = next(iter(case.profile.records[rule.records].items)) if rule.records else {}
    exact = evaluator.read(case.ruleset.indicator(rule, name).expr, rule.records, record).exact
    return None if exact is None else Fraction(exact)


def tallies(
    rulebook: Rulebook,
    equivalent: Mapping[Key, str],
    progress: Callable[[], object] = lambda: None,
) -> dict[str, MutantTally]:
    """The mutants of a rulebook by rule, or by indicator; ``progress`` is called before each."""
    tried: dict[str, list[Mutant]] = {}

    def note(mutant: Mutant) -> None:
        tried.setdefault(mutant.rule, []).append(mutant)
        progress()

    left = {m.key for m in survivors(rulebook, progress=note)}
    found = {}
    for name, those in tried.items():
        standing = [
            Survivor(name, m.description, equivalent.get(m.key, "")) for m in those if m.key in left
        ]
        found[name] = MutantTally(
            len(those) - len(standing),
            tuple(s for s in standing if s.reason),
            tuple(s for s in standing if not s.reason),
        )
    return found
