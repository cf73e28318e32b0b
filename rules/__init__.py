"""Tidu rules: a pure library that turns a ruleset and a filing's facts into a decision.

It knows no database, clock, web or command line: those belong to the application, ``registry``.
The names in ``__all__`` are the public interface; each is imported on first access.

>>> from datetime import date
>>> from pathlib import Path
>>> from rules import Decider, Profile, explain, load, reasons
>>> ruleset = load(Path("features")).ruleset("63.2.研发费用")
>>> profile = Profile(date(2023, 6, 30), {"rd_expense@2022": "980000", "rd_expense@2021": "1000000"})
>>> with Decider(ruleset) as decider:
...     decision = decider.decide(profile)
>>> decision.verdict.text
'不符合'
>>> [(check.requirement, check.distance) for check in reasons(explain(decision))]
[('上年度研发费用总额 不低于100万元', '差2万元')]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rules.comparison.compare import compare
    from rules.decider import Decider, Decision
    from rules.errors import RulesError
    from rules.explanation.explain import explain
    from rules.explanation.reasons import reasons
    from rules.language.rulebook import Rulebook, load
    from rules.model.facts import Profile
    from rules.model.ruleset import Ruleset

__all__ = [
    "Decider",
    "Decision",
    "Profile",
    "Rulebook",
    "RulesError",
    "Ruleset",
    "compare",
    "explain",
    "load",
    "reasons",
]

_ROOMS: Final = {
    "Decider": "decider",
    "Decision": "decider",
    "Profile": "model.facts",
    "Rulebook": "language.rulebook",
    "RulesError": "errors",
    "Ruleset": "model.ruleset",
    "compare": "comparison.compare",
    "explain": "explanation.explain",
    "load": "language.rulebook",
    "reasons": "explanation.reasons",
}


def __getattr__(name: str) -> Any:
    """Import a name on first access, so that using one room does not load the others."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
