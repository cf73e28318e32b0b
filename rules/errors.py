"""Errors of the rule library, as data: a face turns each into one Chinese sentence."""

from dataclasses import dataclass

from rules.portable.errors import DescribedError


class RulesError(DescribedError):
    """The base of all errors that ``rules`` raises on purpose."""


class QuantityError(RulesError, ValueError):
    """A text is not an exact quantity with a known unit."""


class FactsError(RulesError):
    """A filed value does not fit the catalogue of facts."""


class RulesetError(RulesError):
    """A ruleset cannot be compiled or evaluated."""


class NoRulesetError(RulesError):
    """No ruleset, or more than one, governs a case."""


class EngineUnavailableError(RulesError):
    """durable_rules is not installed or cannot be imported."""


class EngineFaultError(RulesError):
    """durable_rules gave no unambiguous answer, so there is no verdict."""


class DisagreementError(RulesError):
    """The engine and the reference evaluator differ; no verdict may be given."""


@dataclass(frozen=True, order=True)
class Problem:
    """A fault in a feature file: ``path:line: message``, and what to do."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class SourceError(RulesError):
    """Feature files do not compile; ``problems`` lists all faults."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("unsound-features", "{value}", value="\n".join(map(str, self.problems)))
