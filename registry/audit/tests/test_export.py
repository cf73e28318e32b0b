"""Bundles of a registry on each kind of database."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.audit import bundle, checkpoints
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.tests.county import County, submissions
from registry.portable.merkle import Tree
from registry.portable.verifier import verify_bundle


def test_a_bundle_of_any_database_is_sound_and_builds_one_tree(
    database: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[int] = []

    class Counted(Tree):
        def __init__(self, leaves: Iterable[bytes] = ()) -> None:
            super().__init__(leaves)
            built.append(self.size)

    monkeypatch.setattr(checkpoints, "Tree", Counted)
    key = SigningKey.create(tmp_path / "key", "示范市中小企业局")
    county = County(database, tmp_path)
    county.publish()
    filed = submissions()[:2]
    county.file(filed)
    county.day("2023-07-03")
    county.decide([s.uscc for s in filed])
    for selection in (Selection(), Selection((), "", date(2023, 7, 3), date(2023, 7, 3))):
        with county.writing() as session:
            data = bundle.export(session, selection, key, now=county.now())
        assert len(built) == 1  # whether the journal has grown since the last checkpoint or not
        built.clear()
        found = verify_bundle(data, key=str(key.verifier_key))
        assert found.problems == []
        assert len(found.verdicts) == 6
    county.decider.close()
