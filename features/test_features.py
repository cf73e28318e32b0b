"""Every scenario of every feature file is a test, and none of them is lost on the way."""

import inspect
import math
from pathlib import Path

from pytest_bdd import scenarios

from rules.drafting.examples import examples
from rules.language.linking import indicator_keys
from rules.language.rulebook import Rulebook
from rules.language.source import read
from rules.model.expressions import leaves

FEATURES = Path(__file__).parent

scenarios(".")


def _is_scenario(test: object) -> bool:
    return callable(test) and "_pytest_bdd_example" in inspect.signature(test).parameters


def test_every_example_that_the_reader_counts_is_collected() -> None:
    tests = [f for f in globals().values() if _is_scenario(f)]
    collected = sum(
        math.prod(len(m.args[1]) for m in getattr(f, "pytestmark", ()) if m.name == "parametrize")
        for f in tests
    )
    counted = sum(s.runs for d in read(FEATURES) for c in d.clauses for s in c.scenarios)
    assert collected == counted > 0


def test_every_rule_that_reads_a_figure_has_an_example_without_it(rulebook: Rulebook) -> None:
    for id, rule in rulebook.rules.items():
        if not any(leaves(rulebook.indicators[key].expr) for key in indicator_keys(rule)):
            continue
        texts = {
            e.text for x in examples(rulebook.clauses[id], rulebook.catalogue) for e in x.expected
        }
        assert texts & {"材料不足", "待人工认定"} or any("至" in t for t in texts), id
