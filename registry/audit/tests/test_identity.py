"""What is known of an enterprise itself is kept in decisions that rest on it, and verified."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from registry.audit import bundle
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.tests import county as counties
from registry.audit.tests.county import County, submissions
from registry.portable.verifier import verify_bundle
from registry.record import journal
from registry.record.replay import Replayer
from rules.language.parameters import row
from rules.language.rulebook import Rulebook, load
from rules.model.expressions import mul, parameter
from rules.model.ruleset import Parameter

NAME = "上年度研发费用占比"
ROWS = (
    row("江苏省", "", None, Fraction(1), "省公报"),
    row("南京市", "", 2022, Fraction(1, 1000), "市公报"),
)


def by_place(folder: Path) -> Rulebook:
    """The packaged criteria, with a ratio that counts for little in one city."""
    book = load(folder)
    ratio = book.indicators[NAME]
    changed = replace(ratio, expr=mul(ratio.expr, parameter("系数")))
    return replace(
        book,
        indicators={**book.indicators, NAME: changed},
        parameters={"系数": Parameter("%", ROWS)},
    )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_decision_under_a_parameter_of_a_place_is_replayed_and_verified(
    database: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counties, "load", by_place)
    key = SigningKey.create(tmp_path / "key", "示范市中小企业局")
    county = County(database, tmp_path)
    county.publish()
    places = ({"city": "南京市"}, {"city": "苏州市"}, {"city": ""})
    filed = [
        replace(s, identity={**s.identity, "province": "江苏省", **place})
        for s, place in zip(submissions()[:3], places, strict=True)
    ]
    county.file(filed)
    county.day("2023-07-03")
    decided = county.decide([s.uscc for s in filed], tiers=("专精特新中小企业",))
    assert [d.verdict for d in decided] == ["不符合", "符合", "材料不足"]
    with Session(database) as session:
        entries = list(journal.entries(session, kinds=["decision"]))
        found = [e.content.get("identity") for e in entries]
        assert found == [
            {"city": "南京市", "province": "江苏省"},
            {"city": "苏州市", "province": "江苏省"},
            {"province": "江苏省"},
        ]
    # a later filing says where the third is; its decision knew nothing of it
    day = replace(
        filed[2], as_of=date(2024, 6, 30), identity={**filed[2].identity, "city": "南京市"}
    )
    county.file([day])
    with Session(database) as session:
        replayer = Replayer(session)
        assert [r.difference for r in replayer.replay_all(entries)] == [None] * len(filed)
        crossed = replayer.cross(entries[2], ["then", "now"], ["then"])
        assert crossed.verdicts == {("then", "then"): "材料不足", ("now", "then"): "不符合"}
        replayer.close()
    with county.writing() as session:
        data = bundle.export(session, Selection(), key, now=county.now())
    sound = verify_bundle(data, key=str(key.verifier_key))
    assert sound.problems == []
    assert len(sound.verdicts) == 3
    county.decider.close()
