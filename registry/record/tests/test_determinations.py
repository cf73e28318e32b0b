"""A person's word: only with ground, evidence and name, only where the law leaves room for it."""

import hashlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.audit.bundle import export
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.verify import verify
from registry.database import storage
from registry.errors import RecordError
from registry.portable.verifier import verify_bundle
from registry.record import cases, determinations, journal, publication
from registry.record.determinations import Target
from registry.tests.support import CODES, Clock, decide, determine, load, publish, submission
from rules.errors import FactsError, RulesError
from rules.tests.packaged import TITLES

_, SPECIALISED, GIANT = TITLES


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    file = tmp_path / "证据.pdf"
    file.write_bytes(b"proof")
    return file


def entry_of(database: sa.Engine, seq: int | None) -> journal.Entry:
    assert seq is not None
    with storage.session(database) as session:
        return journal.entry(session, seq)


def test_a_corrected_fact_is_recorded_beside_the_original_and_decides(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission(rd_expense__2022="1499999.99"))
    publish(database, clock)
    [before] = decide(database, clock, SPECIALISED)
    seq = determine(database, clock, Target("研发费用总额", 2022), "150万元", evidence)
    entry = entry_of(database, seq)
    body = entry.content
    assert (body["fact"], body["was"], body["value"]) == (
        "rd_expense@2022",
        "1499999.99",
        "1500000",
    )
    assert body["evidence"] == [hashlib.sha256(b"proof").hexdigest()]
    assert (entry.by, entry.texts["ground"]) == ("认定人", "现场核查")
    [after] = decide(database, clock, SPECIALISED)
    assert (before.verdict, after.verdict) == ("不符合", "符合")
    assert after.determinations == (seq,)
    assert entry_of(database, after.seq).content["determinations"] == [entry.digest]
    with storage.session(database) as session:
        [case] = cases.cases(session, cases.newest(session))
    assert case.facts["values"]["rd_expense@2022"] == "1499999.99"


def test_what_a_reviewer_has_to_find_is_found_on_the_record(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission())
    publish(database, clock)
    target = Target("审核认可", records="荣誉称号", number=1)
    seq = determine(database, clock, target, "是", evidence)
    assert entry_of(database, seq).content["fact"] == "honours#0.accepted"
    [line] = decide(database, clock, TITLES[0])
    assert line.determinations == (seq,)


def test_a_determination_has_no_say_where_its_fact_is_not_read(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission())
    publish(database, clock)
    determine(database, clock, Target("知名度和影响力"), "是", evidence)
    lines = decide(database, clock)
    assert [bool(x.determinations) for x in lines] == [False, False, True]


def test_whether_a_list_is_complete_can_be_settled(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission())
    publish(database, clock)
    determine(database, clock, Target("", records="品牌"), "是", evidence)
    with storage.session(database) as session:
        [id] = cases.newest(session)
        [found] = cases.determinations(session, [id])[id]
    assert (found.content["fact"], found.content["list"], found.content["was"]) == (
        "brands",
        True,
        None,
    )


# -- rules ------------------------------------------------------------------------------------------


def test_a_rule_that_figures_cannot_settle_is_settled_by_a_person(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission(revenue__2022="0", main_revenue__2022="0"))
    publish(database, clock)
    [before] = decide(database, clock, SPECIALISED)
    rule = Target("63.2.研发费用", rule=True)
    seq = determine(database, clock, rule, "不符合", evidence, tier=SPECIALISED)
    body = entry_of(database, seq).content
    assert (body["rule"], body["was"], body["value"]) == ("63.2.研发费用", 2, 0)
    [after] = decide(database, clock, SPECIALISED)
    assert (before.verdict, after.verdict, after.determinations) == ("不符合", "不符合", (seq,))
    assert entry_of(database, before.seq).content["results"]["63.2.研发费用"] == 2
    assert entry_of(database, after.seq).content["results"]["63.2.研发费用"] == 0


def revoke(database: sa.Engine, clock: Clock, seq: int, evidence: Path, by: str = "认定人") -> int:
    proof = hashlib.sha256(evidence.read_bytes()).hexdigest()
    with storage.session(database, write=True) as session:
        rules = publication.current(session)
        assert rules is not None
        given = {"ground": "认定有误", "evidence": [proof], "by": by, "now": clock()}
        return determinations.revoke(session, rules, seq, **given).seq  # type: ignore[arg-type]


def sound(database: sa.Engine, clock: Clock, folder: Path, *decisions: int | None) -> bool:
    """Whether the record verifies with all decisions taken again, and a bundle of these does too."""
    key = SigningKey.create(folder / "key", "示例市工信局")
    with storage.session(database, write=True) as session:
        data = export(session, Selection(tuple(filter(None, decisions))), key, now=clock())
    found = verify_bundle(data, key=str(key.verifier_key))
    with storage.session(database) as session:
        report = verify(session)
    assert not (*found.problems, *report.integrity, *report.correctness)
    return report.sound


def test_a_rule_that_was_settled_is_taken_back_to_open(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission(revenue__2022="0", main_revenue__2022="0"))
    publish(database, clock)
    rule = Target("63.2.研发费用", rule=True)
    [before] = decide(database, clock, SPECIALISED)
    first = determine(database, clock, rule, "不符合", evidence, tier=SPECIALISED)
    [settled] = decide(database, clock, SPECIALISED)
    back = revoke(database, clock, first, evidence)
    body = entry_of(database, back).content
    assert (body["rule"], body["was"], body["value"]) == ("63.2.研发费用", 0, None)
    assert body["revokes"] == entry_of(database, first).digest
    [open] = decide(database, clock, SPECIALISED)
    assert (settled.determinations, open.determinations) == ((first,), ())
    assert entry_of(database, open.seq).content["results"]["63.2.研发费用"] == 2
    for seq in (first, back):
        with pytest.raises(RecordError, match="已经不起作用"):
            revoke(database, clock, seq, evidence)
    second = determine(database, clock, rule, "符合", evidence, tier=SPECIALISED)
    [again] = decide(database, clock, SPECIALISED)
    assert again.determinations == (second,)
    assert sound(database, clock, evidence.parent, before.seq, settled.seq, open.seq, again.seq)


def test_a_fact_that_was_corrected_is_taken_back_to_what_was_filed(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission(own_brand=None))
    publish(database, clock)
    target = Target("自主品牌")
    determine(database, clock, target, "是", evidence)
    ask_for_two(database, clock)
    proposed = determine(database, clock, target, "否", evidence)
    confirm(database, clock, proposed, "复核人")
    back = revoke(database, clock, proposed, evidence)
    assert entry_of(database, back).content["value"] is None  # nothing was filed
    with pytest.raises(RecordError, match=f"已有第{back}号撤回"):
        revoke(database, clock, proposed, evidence)
    [line] = decide(database, clock, SPECIALISED)
    assert line.determinations == (proposed,)
    confirm(database, clock, back, "复核人")
    [after] = decide(database, clock, SPECIALISED)
    assert after.determinations == (back,)
    assert sound(database, clock, evidence.parent, line.seq, after.seq)


def test_what_takes_back_another_matter_is_told_by_the_verifier(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission(own_brand=False))
    publish(database, clock)
    other = determine(database, clock, Target("研发费用总额", 2022), "1万元", evidence)
    seq = determine(database, clock, Target("自主品牌"), "是", evidence)
    found = entry_of(database, revoke(database, clock, seq, evidence))
    forged = {**found.content, "revokes": entry_of(database, other).digest}
    draft = journal.Draft(
        kind="determination", body=forged, filing_id=found.filing_id, texts={"ground": "x"},
        salt=found.salt,
    )  # fmt: skip
    with storage.session(database, write=True) as session:
        [entry] = journal.append(session, [draft], by="某人", now=clock())
    with storage.session(database) as session:
        said = [s for s in verify(session).integrity if "所撤回的不是同一事项" in s]
    assert [s.startswith(f"第{entry.seq}号") for s in said] == [True]


def test_what_was_only_proposed_is_dropped_and_the_former_stands(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission(revenue__2022="0", main_revenue__2022="0"))
    publish(database, clock)
    rule = Target("63.2.研发费用", rule=True)
    first = determine(database, clock, rule, "不符合", evidence, tier=SPECIALISED)
    ask_for_two(database, clock)
    proposed = determine(database, clock, rule, "符合", evidence, tier=SPECIALISED)
    ask_for_two(database, clock, False)
    back = revoke(database, clock, proposed, evidence)
    with pytest.raises(RecordError, match="已撤回"):
        confirm(database, clock, proposed, "复核人")
    [line] = decide(database, clock, SPECIALISED)
    assert (line.determinations, entry_of(database, back).content["value"]) == ((first,), 0)
    assert sound(database, clock, evidence.parent, line.seq)


@pytest.mark.parametrize(
    ("changes", "rule", "value"),
    [
        ({}, "63.2.研发费用", "不符合"),  # met by its figures
        ({"rd_expense__2022": "1499999.99"}, "63.2.研发费用", "符合"),  # not met
        ({"rd_expense__2022": None}, "63.2.研发费用", "符合"),  # could be filed
        ({"revenue__2022": "0"}, "63.2", "符合"),  # rests on others
        ({"revenue__2022": "0"}, "63.2.7.净利润率", "11分"),  # more than it can give
        ({"revenue__2022": "0"}, "63.2.7.净利润率", "符合"),
        ({"revenue__2022": "0"}, "63.2.研发费用", "10分"),
        ({"revenue__2022": "0"}, "没有的规则", "符合"),
    ],
)
def test_no_one_overrides_what_the_law_does_not_leave_to_judgement(
    database: sa.Engine,
    clock: Clock,
    evidence: Path,
    changes: dict[str, str | None],
    rule: str,
    value: str,
) -> None:
    load(database, clock, submission(**changes))
    publish(database, clock)
    with pytest.raises(RecordError):
        determine(database, clock, Target(rule, rule=True), value, evidence, tier=SPECIALISED)
    with storage.session(database) as session:
        assert journal.size(session, ["determination"]) == 0


# -- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "value", "message"),
    [
        (Target("研发费用总额"), "150万元", "分年度填报"),
        (Target("自主品牌", 2022), "是", "不分年度"),
        (Target("自主品牌"), "是", "无须认定"),
        (Target("没有的填报项"), "是", "没有名为"),
        (Target("研发费用总额", 2022), "很多", "无法读取"),
        (Target("近两年新增股权融资总额"), "-1万元", "不应小于0"),
        (Target("从业人员", 2022), "3万元", "应以人计"),
        *(
            (Target("从业人员", year), "3人", "只用2019至2023年的数据")
            for year in (-5, 0, 2018, 2024, 10**22)
        ),
        (Target("编号", records="知识产权", number=1), "ZL1", "不影响结论"),
        (Target("机构级别", records="研发机构", number=2), "国家级", "只有1条"),
        (Target("没有", records="研发机构", number=1), "国家级", "没有字段"),
        (Target("是", records="没有的清单"), "是", "没有名为"),
    ],
)
def test_a_target_or_value_that_does_not_fit_is_refused(
    database: sa.Engine, clock: Clock, evidence: Path, target: Target, value: str, message: str
) -> None:
    load(database, clock, submission())
    publish(database, clock)
    with pytest.raises((RecordError, RulesError, FactsError), match=message):
        determine(database, clock, target, value, evidence)


@pytest.mark.parametrize("missing", [{"ground": " "}, {"by": ""}])
def test_ground_and_name_are_asked_for(
    database: sa.Engine, clock: Clock, evidence: Path, missing: dict[str, str]
) -> None:
    load(database, clock, submission())
    with pytest.raises(RecordError):
        determine(database, clock, Target("自主品牌"), "否", evidence, **missing)


def test_evidence_is_asked_for(database: sa.Engine, clock: Clock) -> None:
    load(database, clock, submission())
    rules = publish(database, clock)
    ruling = determinations.Ruling(
        uscc=CODES[0], target=Target("自主品牌"), value="否", ground="核查", evidence=()
    )
    with (
        pytest.raises(RecordError, match="证据"),
        storage.session(database, write=True) as session,
    ):
        determinations.determine(session, rules, ruling, by="认定人", now=clock())


def test_a_corrected_filing_has_to_be_looked_at_again(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission(own_brand=False))
    publish(database, clock)
    determine(database, clock, Target("自主品牌"), "是", evidence)
    load(database, clock, submission(own_brand=False, standards=False))
    [line] = decide(database, clock, SPECIALISED)
    assert line.determinations == ()


# -- two pairs of eyes ------------------------------------------------------------------------------


def ask_for_two(database: sa.Engine, clock: Clock, asked: bool = True) -> None:
    with storage.session(database, write=True) as session:
        determinations.set_four_eyes(session, asked, by="负责人", now=clock())


def confirm(database: sa.Engine, clock: Clock, seq: int, by: str) -> journal.Entry:
    with storage.session(database, write=True) as session:
        return determinations.confirm(session, seq, by=by, now=clock())


def test_where_two_are_asked_for_nothing_holds_before_the_second(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission(own_brand=False))
    publish(database, clock)
    ask_for_two(database, clock)
    seq = determine(database, clock, Target("自主品牌"), "是", evidence)
    [line] = decide(database, clock, SPECIALISED)
    assert line.determinations == ()
    for same in ("认定人", " 认 定人 ", "认定人\u3000"):
        with pytest.raises(RecordError, match="须由另一人确认"):
            confirm(database, clock, seq, same)
    entry = confirm(database, clock, seq, "复核人")
    assert entry.content["determination"] == entry_of(database, seq).digest
    [line] = decide(database, clock, SPECIALISED)
    assert line.determinations == (seq,)
    with pytest.raises(RecordError, match="已经确认过"):
        confirm(database, clock, seq, "第三人")


def test_what_was_determined_before_two_were_asked_for_holds(
    database: sa.Engine, clock: Clock, evidence: Path
) -> None:
    load(database, clock, submission(own_brand=False))
    publish(database, clock)
    seq = determine(database, clock, Target("自主品牌"), "是", evidence)
    ask_for_two(database, clock)
    with pytest.raises(RecordError, match="不需要确认"):
        confirm(database, clock, seq, "复核人")
    [line] = decide(database, clock, SPECIALISED)
    assert line.determinations == (seq,)
    with pytest.raises(RecordError, match="已经是开启的"):
        ask_for_two(database, clock)
    ask_for_two(database, clock, False)


def test_only_determinations_can_be_confirmed(database: sa.Engine, clock: Clock) -> None:
    load(database, clock, submission())
    for seq in (1, 99):
        with pytest.raises(RecordError):
            confirm(database, clock, seq, "复核人")
