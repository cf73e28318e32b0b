"""Rounds and applications on pages: what is shown of them, and a whole round done by forms."""

from datetime import UTC, date, datetime
from typing import Any, Final

import pytest

from registry.audit.verify import verify
from registry.record import register
from registry.tests.support import CODES, decide, load, submission
from registry.web.addresses import taking
from registry.web.tests.visiting import Bureau, case

TIER: Final = "专精特新中小企业"
SLUG: Final = "specialised"
ROUND: Final = {
    "name": "第一批", "tier": SLUG, "procedure": "认定", "document": "示工信〔2023〕7号",
    "dated": "2023-07-03", "closes": "2023-07-31", "terms": "县级初审 10个工作日",
}  # fmt: skip


def at(bureau: Bureau, day: int, month: int = 7) -> str:
    """Let it be noon of a day."""
    bureau.clock.moment = datetime(2023, month, day, 4, tzinfo=UTC)
    return date(2023, month, day).isoformat()


@pytest.fixture
def deciding(bureau: Bureau) -> Bureau:
    """A bureau that published the criteria and decided its two firms, on the day of a notice."""
    bureau.desk.in_force()
    decide(bureau.desk.database, bureau.clock, "专精特新", codes=CODES[:2])
    at(bureau, 3)
    return bureau


@pytest.fixture
def applied(deciding: Bureau) -> Bureau:
    """The same after both have applied."""
    typed = {"codes": "\n".join(CODES[:2]), "tier": SLUG, "day": "2023-07-03", "level": "县级"}
    page = deciding.visitor.send("/applications/apply", typed)
    assert page.status == 303, page.words
    return deciding


def step(*codes: str, act: str = "", acting: str = "", **more: Any) -> str:
    return taking("step", tier=SLUG, uscc=codes, act=act, acting=acting, **more)


def took(bureau: Bureau, *codes: str, act: str, acting: str, **typed: str) -> str:
    page = bureau.visitor.send(step(*codes, act=act, acting=acting), typed)
    assert page.status == 303, page.words
    return page.place


def test_a_whole_round_from_its_notice_to_the_titles(deciding: Bureau) -> None:
    visitor, first, second = deciding.visitor, *CODES[:2]
    assert "还没有轮次" in visitor.get("/rounds").words
    opened = visitor.send("/rounds/open", ROUND).place
    assert "县级初审 10个工作日" in visitor.get(opened).words
    seq = opened.rsplit("/", 1)[-1]

    codes = {"codes": "\n".join(CODES[:2]), "round": seq, "day": "2023-07-03", "level": "县级"}
    page = visitor.send("/applications/apply", codes)
    assert page.status == 303, page.words
    assert "✓ 已登记2条" in visitor.get(page.place).words
    assert "县级初审 县级 2家" in visitor.get(opened).words

    at(deciding, 4)
    place = took(deciding, first, act="推荐", acting="县级", day="2023-07-04")
    assert place == f"{case(first, TIER)}#course"
    page = visitor.get(case(first, TIER))
    assert "推荐 县级初审 → 市级审核" in page.words
    assert "市级负责人" in page.words
    took(deciding, second, act="退回补正", acting="县级", day="2023-07-04", ground="缺附件")
    at(deciding, 6)
    took(deciding, second, act="重新提交", acting="企业", day="2023-07-05")
    took(deciding, second, act="推荐", acting="县级", day="2023-07-06")
    took(deciding, first, second, act="推荐", acting="市级", day="2023-07-06")
    place = took(deciding, first, second, act="拟认定", acting="省级", day="2023-07-06")
    assert "公示 省级 2023-07-12" in visitor.get(place).words

    at(deciding, 7)
    took(deciding, first, act="提出异议", acting="省级", day="2023-07-07", ground="来信")
    assert "△ 异议未处理" in visitor.get(case(first, TIER)).words
    day = at(deciding, 20)
    page = visitor.get("/")
    assert "待公告 省级1家" in page.words
    assert "✗ 已过8日" in page.words
    took(deciding, first, act="异议不成立", acting="省级", day=day, ground="查无实据")
    page = visitor.get(taking("announce", tier=SLUG, state="待公告"))
    assert page.words.count("✓ 可以") == 2

    path = taking("announce", tier=SLUG, state="待公告")
    typed = {"document": "示工信〔2023〕9号", "dated": day, "level": "省级"}
    page = visitor.send(path, typed)
    assert page.status == 200
    assert "还没有登记：请先核对" in page.words
    assert "有效期2023-07-20至2026-07-19" in page.words
    before = len(deciding.entries)
    [seen] = [part.split('"')[0] for part in page.source.split('name="rehearsed" value="')[1:]]
    done = visitor.post(path, {**page.hidden, **typed, "rehearsed": seen})
    assert done.status == 303, done.words
    kinds = [kind for _, kind in deciding.entries[before:]]
    assert kinds == ["announcement", "title", "title", "step", "step"]
    assert "✓ 已登记5条" in visitor.get(done.place).words
    page = visitor.get(case(first, TIER))
    assert "期限届满，转入 待公告" in page.words
    assert "■ 认定" in page.words

    closed = visitor.send(f"{opened}/close", {"on": day, "ground": "已公告"})
    assert closed.place == opened
    assert "已结束" in visitor.get(opened).words
    assert "这个轮次已经结束" in visitor.get(f"{opened}/close").words
    assert "/rounds" in visitor.get(f"/journal/{seq}").links
    assert f"{case(first, TIER)}#course" in visitor.get(f"/journal/{int(seq) + 1}").links
    assert "■ 认定" in visitor.get(f"/enterprises/{first}").words
    with deciding.desk.reading() as session:
        assert {*register.titles(session, CODES[:2])} == {*CODES[:2]}
        assert verify(session).sound


def test_a_step_offers_what_may_be_done_in_its_state_and_says_what_is_missing(
    applied: Bureau,
) -> None:
    visitor = applied.visitor
    page = visitor.get(step(CODES[0]))
    for act in ("退回补正", "推荐", "不予推荐", "撤回申报"):
        assert step(CODES[0], act=act, acting="企业" if act == "撤回申报" else "县级") in page.links
    assert "拟认定" not in page.words
    load(applied.desk.database, applied.clock, submission(CODES[0], staff__2022="101"))
    page = visitor.get(step(CODES[0]))
    assert step(CODES[0], act="推荐", acting="县级") not in page.links
    assert "✗ 符合的决定或理由 须先作出决定" in page.words
    page = visitor.get(case(CODES[0], TIER))
    assert "△ 依据已变更" in page.words
    assert page.ids.count("course") == 1


def test_what_is_amiss_is_said_and_nothing_that_was_typed_is_lost(applied: Bureau) -> None:
    before = len(applied.entries)
    path = step(CODES[0], act="不予推荐", acting="县级")
    page = applied.visitor.send(path, {"day": "昨天", "ground": "", "document": "函3号"})
    assert page.status == 422
    assert "没有登记：有2处需要改正" in page.words
    assert "请写明理由" in page.words
    assert 'value="函3号"' in page.source
    page = applied.visitor.send(path, {"day": "2023-07-04", "ground": "现场不符"})
    assert page.status == 422
    assert "2023-07-04还没有到" in page.words
    path = step(CODES[0], act="拟认定", acting="省级")
    shown = applied.visitor.get(path)
    assert "现在不能办理「省级拟认定」" in shown.words
    hidden = applied.visitor.get(step(CODES[0], act="推荐", acting="县级")).hidden
    page = applied.visitor.post(path, {**hidden, "day": "2023-07-03", "ground": "会议纪要"})
    assert page.status == 422
    assert "“县级初审”环节没有“拟认定”" in page.words
    assert "会议纪要" in page.source
    assert len(applied.entries) == before


def test_a_form_counts_once_and_not_after_the_case_has_moved_on(applied: Bureau) -> None:
    path = step(CODES[0], act="实地核查", acting="县级")
    hidden = applied.visitor.get(path).hidden
    typed = {**hidden, "day": "2023-07-03"}
    first, second = (applied.visitor.post(path, typed) for _ in range(2))
    assert first.place == second.place
    assert [kind for _, kind in applied.entries].count("step") == 1
    page = applied.visitor.post(path, {**typed, "key": "another"})
    assert page.status == 409
    assert "登记簿有了与此有关的记录" in page.words


def test_a_list_is_rehearsed_before_it_is_recorded(applied: Bureau) -> None:
    path = taking("step", tier=SLUG, act="实地核查", acting="县级")
    names = "\n".join(["统一社会信用代码", *CODES[:2]])
    file = {"list": ("名单.csv", names.encode("utf-8-sig"), "text/csv")}
    page = applied.visitor.send(path, {"day": "2023-07-03"}, file)
    assert page.status == 200
    assert "2家企业到下列环节" in page.words
    before = len(applied.entries)
    [seen] = [part.split('"')[0] for part in page.source.split('name="rehearsed" value="')[1:]]
    waiting = page.source.split('name="list-waits" value="')[1].split('"')[0]
    typed = {**page.hidden, "day": "2023-07-03", "list-waits": waiting, "rehearsed": seen}
    page = applied.visitor.post(path, typed)
    assert page.status == 303, page.words
    assert len(applied.entries) == before + 2


def test_those_who_may_not_are_pointed_out_before_anything_is_recorded(applied: Bureau) -> None:
    took(applied, CODES[0], act="推荐", acting="县级", day="2023-07-03")
    page = applied.visitor.get(taking("step", tier=SLUG, uscc=CODES[:2], act="推荐", acting="县级"))
    assert "2家中有1家现在不能办理这一项" in page.words
    assert step(CODES[1], act="推荐", acting="县级") in page.links
    page = applied.visitor.send(
        taking("step", tier=SLUG, uscc=CODES[:2], act="推荐", acting="县级"), {"day": "2023-07-03"}
    )
    assert page.status == 422
    assert "2家都没有登记" in page.words


def test_whom_a_filter_finds_is_what_was_seen(applied: Bureau) -> None:
    path = taking("step", tier=SLUG, state="县级初审", act="推荐", acting="县级")
    hidden = applied.visitor.get(path).hidden
    took(applied, CODES[0], act="推荐", acting="县级", day="2023-07-03")
    page = applied.visitor.post(path, {**hidden, "day": "2023-07-03"})
    assert page.status == 422
    assert "打开本页以后名单有变化，现在是1家" in page.words
    page = applied.visitor.post(path, {**page.hidden, "day": "2023-07-03"})
    assert page.status == 303


def test_lists_filter_by_state_level_and_day(applied: Bureau) -> None:
    took(applied, CODES[0], act="直接报省级", acting="县级", day="2023-07-03")
    took(applied, CODES[0], act="拟认定", acting="省级", day="2023-07-03")
    for query, codes in (
        ({}, CODES[:2]),
        ({"state": "公示"}, CODES[:1]),
        ({"level": "县级", "tier": SLUG}, CODES[1:2]),
        ({"due": "2023-07-07"}, CODES[:1]),
        ({"due": "2023-07-06"}, ()),
    ):
        page = (
            applied.visitor.get("/applications", **{})
            if not query
            else applied.visitor.get(
                "/applications?" + "&".join(f"{k}={v}" for k, v in query.items())
            )
        )
        assert page.status == 200
        assert [code for code in CODES if code in page.words] == [*codes], query
    assert applied.visitor.get("/rounds/999").status == 404


def test_a_round_that_is_amiss_is_not_opened(deciding: Bureau) -> None:
    for changed, said in (
        ({"terms": "县级初审 很快"}, "时限「很快」应写成"),
        ({"terms": "县级审初 3日"}, "没有「县级审初」环节"),
        ({"lag": "几天"}, "不是日数"),
        ({"closes": "2023-07-01"}, "终止早于开始"),
        ({"tier": ""}, "请选择层级"),
    ):
        page = deciding.visitor.send("/rounds/open", {**ROUND, **changed})
        assert page.status == 422, changed
        assert said in page.words
        assert 'value="第一批"' in page.source
    assert "round" not in dict(map(reversed, deciding.entries))  # type: ignore[arg-type]
