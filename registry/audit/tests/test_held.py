"""Bundles of what followed a title: they hold as exported, and the verifier sees what the bureau itself forges."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.audit.bundle import export
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.tests.forger import Forgery, Json
from registry.audit.tests.held import HELD, held
from registry.audit.verify import verify
from registry.database import storage
from registry.errors import RecordError
from registry.portable.findings import Findings
from registry.portable.verifier import verify_bundle
from registry.record import journal
from registry.tests.support import CODES


@dataclass(frozen=True)
class Season:
    """A registry, the bureau's key, and the bundle of everything."""

    engine: sa.Engine
    key: SigningKey
    data: bytes

    def export(self, selection: Selection, *, masked: bool = False) -> bytes:
        with storage.session(self.engine, write=True) as session:
            now = datetime(2023, 10, 1, tzinfo=UTC)
            return export(session, selection, self.key, now=now, masked=masked)

    def number(self, kind: str, **stated: object) -> int:
        """The number of an entry with these parts."""
        with storage.session(self.engine) as session:
            found = [
                e.seq
                for e in journal.entries(session, kinds=[kind])
                if all(e.content.get(k) == v for k, v in stated.items())
            ]
        return found[0]

    def verified(self, data: bytes) -> Findings:
        return verify_bundle(data, key=str(self.key.verifier_key))


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    folder = tmp_path_factory.mktemp("held")
    engine, now = held(folder)
    key = SigningKey.create(Path(folder) / "key", "示范局")
    with storage.session(engine, write=True) as session:
        assert verify(session).sound
        data = export(session, Selection(first=date(2023, 1, 1)), key, now=now())
    return Season(engine, key, data)


def test_the_bundle_of_a_period_holds(season: Season) -> None:
    found = season.verified(season.data)
    assert found.problems == []
    again = Forgery(season.data).rechained().packed(season.key)
    assert season.verified(again).problems == []
    assert {*found.duties} == {*HELD, CODES[0]}
    told = "\n".join(line for lines in found.duties.values() for line in lines)
    for said in (
        "△", "没有作出后果", "不得申报至2027-12-31，长于计时表的2026-07-20", "所称的2023-07-10与登记的",
        "2023年更新", "撤回第", "改名", "答复举报（第",
    ):  # fmt: skip
        assert said in told, said


def test_an_entry_carries_what_it_rests_on_and_nothing_else(season: Season) -> None:
    seq = season.number("consequence", uscc=HELD[1])
    data = season.export(Selection((seq,)))
    assert season.verified(data).problems == []
    forged = Forgery(data)
    assert {forged.body(n)["uscc"] for n in forged.numbers("title")} == {HELD[1]}
    assert max(*forged.numbers("change"), *forged.numbers("title")) < seq
    assert forged.numbers("decision") == []
    assert {n.split("/")[0] for n in forged.files if "/" in n} == {"clocks", "calendar", "features"}
    for kind, stated in (
        ("title", {"uscc": HELD[1], "action": "cancel"}),
        ("application", {"uscc": CODES[0]}),
        ("application", {"uscc": CODES[1]}),
        ("complaint", {"uscc": HELD[2]}),
        ("update", {"uscc": HELD[0]}),
    ):
        seq = season.number(kind, **stated)
        assert season.verified(season.export(Selection((seq,)))).problems == [], kind


def test_a_title_that_is_no_cancellation_is_not_selected(season: Season) -> None:
    seq = season.number("title", uscc=HELD[1], action="grant")
    with pytest.raises(RecordError, match=f"第{seq}号记录不是决定、申报"):
        season.export(Selection((seq,)))


@pytest.mark.parametrize("masked", [True, False])
def test_who_complained_is_in_no_bundle(season: Season, masked: bool) -> None:
    data = season.export(Selection(first=date(2023, 1, 1)), masked=masked)
    assert season.verified(data).problems == []
    files = Forgery(data).files
    text = b"".join(files.values()).decode()
    assert "举报人甲" not in text
    assert ("营业收入不实" in text) is not masked


def test_a_bundle_that_discloses_who_complained_is_refused(season: Season) -> None:
    seq = season.number("complaint")
    with storage.session(season.engine) as session:
        entry = journal.entry(session, seq)
    forged = Forgery(season.data)
    forged.line(seq)["texts"]["informant"] = ["00", entry.texts["informant"]]
    found = season.verified(forged.packed(season.key))
    assert any("披露了举报人" in problem for problem in found.problems)


def pick(f: Forgery, kind: str, uscc: str, **stated: object) -> int:
    """The number of an entry in a bundle."""
    found = [
        n for n in f.numbers(kind)
        if f.body(n)["uscc"] == uscc and all(f.body(n).get(k) == v for k, v in stated.items())
    ]  # fmt: skip
    return found[0]


def put(
    kind: str, uscc: str, picked: Json | None = None, /, **changes: object
) -> Callable[[Forgery], None]:
    return lambda f: f.put(pick(f, kind, uscc, **(picked or {})), **changes)


def dropped(kind: str, uscc: str) -> Callable[[Forgery], None]:
    return lambda f: f.drop(pick(f, kind, uscc))


def revived(f: Forgery) -> None:
    """The update that was taken back stands again, so that nothing was missed."""
    taken = next(n for n in f.numbers("update") if "revokes" in f.body(n))
    f.put(taken, revokes="a" * 64)


def swapped(f: Forgery) -> None:
    """What was taken back is another enterprise's."""
    taken = next(n for n in f.numbers("update") if "revokes" in f.body(n))
    f.put(taken, revokes=f.genuine[pick(f, "update", HELD[0])])


def within_the_bar(f: Forgery) -> None:
    f.put(pick(f, "title", CODES[0], action="cancel"), cause="数据造假", reason="数据造假")


def milder(table: Json) -> None:
    for one in table["clocks"].values():
        for clock in one["clocks"]:
            if clock["matter"] == "年度更新":
                clock["consequences"] = ["责令整改"]


def milder_clocks(f: Forgery) -> None:
    for name in [n for n in f.files if n.startswith("clocks/")]:
        f.rename("clocks", name[len("clocks/") : -len(".json")], milder)


CANCEL: Json = {"action": "cancel"}
FORGERIES: dict[str, tuple[Callable[[Forgery], None], str]] = {
    "another consequence": (
        put("consequence", HELD[1], consequence="取消称号"), "逾期的后果是“失去复核资格”，不是“取消称号”",
    ),
    "another due day": (put("consequence", HELD[1], due="2023-03-31"), "最后一日是2023-04-30，不是2023-03-31"),
    "decided before it was due": (put("consequence", HELD[1], day="2023-04-30"), "没有逾期"),
    "of another year": (put("consequence", HELD[1], subject="2024年"), "没有逾期"),
    "an update is dropped": (dropped("update", HELD[0]), "年度更新：应在包内而不在，已被删去"),
    "a complaint is dropped": (dropped("complaint", HELD[2]), "举报：应在包内而不在，已被删去"),
    "an update of a year in which none is due": (put("update", HELD[0], year=2022), "2022年不须更新"),
    "another firm's update": (put("update", HELD[0], uscc=HELD[1]), "没有逾期"),
    "another cause": (put("title", HELD[1], CANCEL, cause="不高兴", reason="不高兴"), "没有“不高兴”这一取消事由"),
    "a cause without a bar": (put("title", HELD[1], CANCEL, cause="自愿放弃", reason="自愿放弃"), "没有不得申报的期间"),
    "a shorter bar": (put("title", HELD[1], CANCEL, barred_until="2025-01-01"), "至少到2026-07-20不得申报"),
    "an application within a bar": (within_the_bar, "因数据造假取消（取消1号），不得申报至2026-07-03"),
    "a revoked entry stands again": (revived, "所撤回的记录不存在、已撤回，或内容不同"),
    "another's entry is taken back": (swapped, "所撤回的记录不存在、已撤回，或内容不同"),
    "a change that is none": (put("change", HELD[1], changed="换了电话"), "没有列出“换了电话”这一变化"),
    "a report that has not come": (put("change", HELD[1], reported="2023-12-01"), "晚于登记的日期"),
    "an answer to nothing": (put("complaint", HELD[2], {"outcome": "不属实"}, of="a" * 64), "所答复或补报的记录不存在"),
    "other clocks are named": (put("consequence", HELD[1], clocks="a" * 64), "所依的计时表不是当时发布的"),
    "milder clocks": (milder_clocks, "逾期的后果是“责令整改”，不是“失去复核资格”"),
    "another tier": (
        lambda f: f.line(pick(f, "title", HELD[1], action="cancel"))["header"].update(tier="专精特新中小企业"),
        "层级与其内容不符",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_duty_is_seen(season: Season, name: str) -> None:
    forge, said = FORGERIES[name]
    forged = Forgery(season.data)
    forge(forged)
    found = season.verified(forged.rechained().packed(season.key))
    assert any(said in problem for problem in found.problems), found.problems
