"""Published texts come back as the rulesets they were, and nothing else does."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from rules.decider import by_both
from rules.errors import RulesetError
from rules.model.catalogue import Catalogue
from rules.model.decode import decode
from rules.model.facts import Profile
from rules.model.ruleset import Gap, Outcome, Points
from rules.portable.canonical import canonical_json
from rules.portable.record import SHARE
from rules.tests.packaged import rulebook
from rules.tests.test_agreement import AS_OF

ROOTS = list(dict.fromkeys(r.ruleset for r in rulebook().applicability if r.encoded))


@pytest.mark.parametrize("root", ROOTS)
def test_every_governing_ruleset_comes_back_from_its_text(root: str) -> None:
    ruleset = rulebook().ruleset(root)
    again = decode(ruleset.canonical())
    assert (again.digest, again.rules) == (ruleset.digest, ruleset.rules)
    assert again.root == root.partition("@")[0]  # a province fills the national root
    assert again.to_json() == ruleset.to_json()
    described = decode(ruleset.canonical(), rulebook().catalogue)
    for theirs, ours in (
        (described.facts, ruleset.facts),
        (described.fields, ruleset.fields),
        (described.lists, ruleset.lists),
    ):
        assert theirs == ours
    profile = Profile(AS_OF, {"revenue@2022": "10000000", "rd_expense@2022": "300000"})
    assert by_both(again, profile) == by_both(ruleset, profile)


def test_results_taken_as_given_come_back_too() -> None:
    assume = {
        "63.2.前置称号": Outcome.PENDING,
        "63.2.1.主营占比": Points(Fraction(1, 2), Fraction(5), Gap.MISSING),
    }
    ruleset = rulebook().ruleset("63.2", assume)
    assert decode(ruleset.canonical()).rules == ruleset.rules


def test_a_text_that_is_not_canonical_or_not_whole_is_refused() -> None:
    text = rulebook().ruleset("63.1").canonical()
    plain = json.loads(text)
    for damaged in (
        text.replace(",", ", ", 1),
        canonical_json({**plain, "schema": 2}),
        canonical_json({k: v for k, v in plain.items() if k != "rules"}),
        text[:-1],
        "",
        # never computed with: it would take all memory
        text.replace('"minimum":"0"', '"minimum":"1e-99999999"'),
        text.replace('"minimum":"0"', '"minimum":"1/0"'),
    ):
        assert damaged != text
        with pytest.raises(RulesetError):
            decode(damaged)


def test_a_share_with_holders_of_the_own_title_is_implied() -> None:
    """The texts of rulesets published before facts could declare it stay what they were."""
    ruleset = rulebook().ruleset("第八批.3.推荐要求")
    declared = ruleset.facts[SHARE]
    assert declared.share_with == ruleset.tier
    assert "share_with" not in ruleset.canonical()
    assert decode(ruleset.canonical()).facts[SHARE].share_with == ruleset.tier
    before = Catalogue((replace(declared, share_with=""),))
    assert decode(ruleset.canonical(), before).facts[SHARE] == declared


@pytest.mark.parametrize("id", [SHARE, "held"])
def test_a_share_with_holders_of_another_title_is_written(id: str) -> None:
    ruleset = rulebook().ruleset("第八批.3.推荐要求")
    fact = replace(ruleset.facts[SHARE], id=id, share_with="乙类企业")
    other = replace(ruleset, facts={id: fact})
    assert other.to_json()["facts"][id]["share_with"] == "乙类企业"
    assert decode(other.canonical()).facts[id].share_with == "乙类企业"
