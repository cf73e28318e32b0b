"""Wrong rulesets must fail some example; those that cannot are listed with the reason."""

from pathlib import Path

from rules.drafting.mutants import read_equivalent, stale, survivors, unlisted
from rules.language.rulebook import Rulebook


def test_every_mutant_is_caught_or_listed_as_equivalent(rulebook: Rulebook) -> None:
    found = survivors(rulebook)
    listed = read_equivalent(Path(__file__).parent / "mutants-equivalent.csv")
    assert [m.key for m in unlisted(found, listed)] == []
    assert stale(found, listed) == []
