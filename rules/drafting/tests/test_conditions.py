"""Thirty-three conditions of provincial and city texts, written in the drafter's language alone."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from rules.decider import by_both
from rules.drafting.check import check
from rules.drafting.examples import examples, read_indicator, run
from rules.language.rulebook import Rulebook, compile_all
from rules.tests.packaged import FEATURES

PACK: Final = Path(__file__).parent / "conditions"
#: How many conditions the texts have; each is named by the 依据 of its rule or declaration.
CONDITIONS: Final = range(1, 34)


@cache
def rulebook() -> Rulebook:
    return compile_all(FEATURES, PACK)


def own(found: Rulebook) -> list[str]:
    return [c.id for c in found.clauses.values() if c.path.startswith(f"{PACK.name}/")]


def test_every_condition_is_written() -> None:
    written = {
        int(number)
        for id in own(rulebook())
        if id in rulebook().rules
        for number in re.findall(r"条件(\d+)", rulebook().rules[id].citation)
    }
    assert written == set(CONDITIONS)


def test_the_pack_has_no_fault_and_no_unguarded_threshold() -> None:
    _, problems = check(FEATURES, own=PACK, only=f"{PACK.name}/")
    assert [str(p) for p in problems] == []


def test_both_evaluators_come_to_what_the_examples_say() -> None:
    found = rulebook()
    runs = [
        each
        for id in own(found)
        for example in examples(found.clauses[id], found.catalogue)
        for each in run(found, example, by_both, read_indicator)
    ]
    assert len(runs) > 5 * len(CONDITIONS)
    assert [(r.example.rule, r.example.name, r.actual) for r in runs if not r.passed] == []


def test_every_condition_has_examples_of_the_unknown() -> None:
    """Some example leaves blank what each condition reads of a filing."""
    found = rulebook()
    for number in CONDITIONS:
        mine = [c for i in own(found) if i in found.rules for c in [found.clauses[i]]]
        texts = {
            e.text
            for c in mine
            if re.search(rf"条件{number}(?!\d)", found.rules[c.id].citation)
            for example in examples(c, found.catalogue)
            for e in example.expected
        }
        assert any(t == "材料不足" or "至" in t for t in texts), number
