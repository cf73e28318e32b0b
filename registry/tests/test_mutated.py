"""Damaged files are right, or refused with a place, within bounds; ten thousand by ``benchmarks.fuzz``."""

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from registry.tests.kinds import KINDS
from registry.tests.mutator import tried

#: How many of each kind are tried here: a second or two.
COUNTS: Final = {
    "workbook": 150, "csv": 150, "json": 200, "parquet": 30, "list": 150, "mapping": 60,
    "feature": 200, "bundle": 15, "checkpoint": 200, "backup": 12, "manifest": 100,
}  # fmt: skip
#: Kinds that damage of any sort spoils; of the others, most changes leave what is meant.
FRAGILE: Final = frozenset({"feature", "bundle", "checkpoint", "backup", "manifest"})


@pytest.mark.parametrize("name", KINDS)
def test_damaged_files_are_right_or_refused_with_their_place(name: str, tmp_path: Path) -> None:
    with KINDS[name](tmp_path) as kind:
        assert kind.read(kind.sound).said == ""
        outcomes = [tried(kind, seed) for seed in range(COUNTS[name])]
    assert [(seed, o.how, o.fault) for seed, o in enumerate(outcomes) if o.fault] == []
    words = Counter(o.word for o in outcomes)
    assert words["refused"] + words["told"] > len(outcomes) // (3 if name in FRAGILE else 10)
    assert name in FRAGILE or words["right"] > len(outcomes) // 10
    assert max(o.seconds for o in outcomes) < 30


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    with KINDS["csv"](tmp_path) as kind:
        assert tried(kind, 7).answer == tried(kind, 7).answer


@pytest.mark.parametrize(("name", "seed"), [("backup", 179)])
def test_what_raised_once_is_refused(name: str, seed: int, tmp_path: Path) -> None:
    with KINDS[name](tmp_path) as kind:
        assert tried(kind, seed).word == "refused"
