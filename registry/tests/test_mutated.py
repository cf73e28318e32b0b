"""Damaged files are right, or refused with a sentence, within bounds; ten thousand by ``benchmarks.fuzz``."""

from pathlib import Path

import pytest

from registry.tests.mutator import KINDS, tried

#: How many of each kind are tried here: a second or two.
COUNTS = {"feature": 200, "bundle": 20, "checkpoint": 300, "backup": 20, "manifest": 150}


@pytest.mark.parametrize("name", KINDS)
def test_damaged_files_are_right_or_refused(name: str, tmp_path: Path) -> None:
    with KINDS[name](tmp_path) as kind:
        assert kind.read(kind.sound) == ""
        outcomes = [tried(kind, seed) for seed in range(COUNTS[name])]
    refused = [o for o in outcomes if o.said]
    assert len(refused) > COUNTS[name] // 3
    assert max(o.seconds for o in outcomes) < 30
