"""The example packs of the documentation hold what they say, and are no part of what ships."""

from pathlib import Path
from typing import Final

import pytest

from rules.decider import by_both
from rules.drafting.check import check
from rules.drafting.examples import examples, read_indicator, run
from rules.language.rulebook import compile_all
from rules.model.catalogue import TITLE
from rules.tests.packaged import FEATURES, catalogue

EXAMPLES: Final = Path(__file__).parents[3] / "docs" / "examples"
PACKS: Final = sorted(folder for folder in EXAMPLES.iterdir() if folder.is_dir())


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_a_pack_has_no_fault_and_both_evaluators_come_to_its_examples(pack: Path) -> None:
    _, problems = check(FEATURES, own=pack, only=f"{pack.name}/")
    assert [str(p) for p in problems] == []
    found = compile_all(FEATURES, pack)
    own = [c for c in found.clauses.values() if c.path.startswith(f"{pack.name}/")]
    runs = [
        each
        for clause in own
        for example in examples(clause, found.catalogue)
        for each in run(found, example, by_both, read_indicator)
    ]
    assert len(runs) > len(own)
    assert [(r.example.rule, r.example.name, r.actual) for r in runs if not r.passed] == []


def test_the_self_tests_grant_no_title() -> None:
    found = compile_all(FEATURES, EXAMPLES / "self-tests")
    added = [t for t in found.catalogue.tiers if t not in catalogue().tiers]
    assert {t.short: t.kind for t in added} == {"科技型": "自测", "高企": "自测"}
    assert found.catalogue.titles == catalogue().titles
    assert TITLE not in {t.kind for t in added}
    assert {r.tier for r in found.written if r.ruleset in ("科技", "高企")} == {
        t.name for t in added
    }
