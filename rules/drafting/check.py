"""The linter of feature files: compile everything, run every example, list everything amiss."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from rules.decider import by_reference
from rules.drafting.examples import Evaluate, Example, examples, read_indicator, run
from rules.drafting.mutants import EQUIVALENT, read_equivalent, survivors, unlisted
from rules.errors import Problem, RulesError, SourceError
from rules.model import Points
from rules.rulebook import Rulebook, compile_all


def check(path: Path, evaluate: Evaluate = by_reference) -> tuple[Rulebook, list[Problem]]:
    """Compile a features folder and run its examples; everything amiss with file and line.

    A rule whose examples do not notice that it is altered is amiss too. Where something does not compile, the examples of all rules that do not rest on it still run.
    """
    rulebook = compile_all(path)
    if not rulebook.problems:
        problems = check_examples(rulebook, evaluate)
        return rulebook, problems or list(_unguarded(rulebook, path))
    sound = [id for id in rulebook.clauses if _compiles(rulebook, id)]
    return rulebook, sorted([*rulebook.problems, *check_examples(rulebook, evaluate, sound)])


def _unguarded(rulebook: Rulebook, path: Path) -> Iterator[Problem]:
    """One problem for each wrong rule that no example catches, unless listed as equivalent."""
    table = path / EQUIVALENT
    listed = read_equivalent(table) if table.is_file() else {}
    for mutant in unlisted(survivors(rulebook), listed):
        clause = rulebook.clauses.get(mutant.rule)
        if clause is not None:
            yield Problem(
                clause.path,
                clause.line,
                f"规则「{mutant.rule}」{mutant.description}后，例子仍全部成立："
                "请补上恰在门槛、略低、略高或只有此处不同的例子",
            )


def _compiles(rulebook: Rulebook, id: str) -> bool:
    try:
        rulebook.ruleset(id)
    except (RulesError, KeyError, RecursionError):  # absent, or referring to itself
        return False
    return True


def check_examples(
    rulebook: Rulebook, evaluate: Evaluate = by_reference, only: Iterable[str] | None = None
) -> list[Problem]:
    """Run the examples of all rules (or ``only`` some): one problem for each that fails."""
    problems: list[Problem] = []
    for id in rulebook.clauses if only is None else only:
        try:
            for example in examples(rulebook.clauses[id]):
                problems += _failures(rulebook, example, evaluate)
        except SourceError as error:
            problems += error.problems
    return problems


def _failures(rulebook: Rulebook, example: Example, evaluate: Evaluate) -> Iterator[Problem]:
    try:
        _assumable(rulebook, example)
        for r in run(rulebook, example, evaluate, read_indicator):
            if not r.passed:
                yield Problem(
                    example.path,
                    example.line,
                    f"规则「{example.rule}」的例子「{example.name}」应为“{r.expectation.text}”，"
                    f"按定义表得“{r.actual}”：请改正例子或定义表",
                )
    except RulesError as error:
        yield Problem(
            example.path, example.line, f"规则「{example.rule}」的例子「{example.name}」：{error}"
        )


def _assumable(rulebook: Rulebook, example: Example) -> None:
    """Raise ``RulesError`` where an example takes something as given that it does not rest on."""
    if not example.given.assume:
        return
    used = {r.id for r in rulebook.ruleset(example.rule, example.given.assume).rules}
    for id, result in example.given.assume.items():
        if id == example.rule or id not in used:
            raise RulesError(f"本规则没有用到「{id}」的结论：请查对编号，或删去此行")
        if rulebook.rule(id).scored != isinstance(result, Points):
            kind = "得分" if rulebook.rule(id).scored else "结论"
            raise RulesError(f"「{id}」应给出{kind}：请改正")
