"""A round as officers work it on the command line: from the notice to the announcement."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from registry.audit.verify import verify
from registry.conftest import Run
from registry.database import storage
from registry.tests.support import CODES, Clock, decide, load, publish, submission

#: What the commands say does not depend on the database; one round is worked on either.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

FIRMS = ONE, TWO, THREE = (*CODES[:2], "91440300757632547Y")
TIER = ("--tier", "专精特新")
NOTICE = ("--document", "示工信〔2023〕7号", "--dated", "2023-07-03")
OPEN = (
    "round",
    "open",
    "第一批",
    *TIER,
    "--opens",
    "2023-07-03",
    "--closes",
    "2023-07-14",
    *NOTICE,
)
APPLY = ("apply", ONE, *TIER)
STEP = ("step", "推荐", ONE, *TIER, "--level", "县级")
ANNOUNCED = ("--level", "省级", "--document", "示工信〔2023〕9号", "--dated", "2023-08-01")


@pytest.fixture
def filed(run: Run, database: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on a registry with three firms, all decided, and a name to sign with."""
    monkeypatch.setenv("TIDU_BY", "李四")
    clock = Clock()
    publish(database, clock)
    load(database, clock, *(submission(code) for code in FIRMS))
    decide(database, clock, "专精特新")
    return run


def said(run: Run, *arguments: str) -> str:
    """What a command says that does what it should."""
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    return done.output


def step(run: Run, act: str, level: str, day: str, *more: str) -> str:
    return said(run, "step", act, *more, *TIER, "--level", level, "--day", f"2023-07-{day}")


def listed(path: Path, *rows: tuple[str, str], head: str = "企业名称,统一社会信用代码") -> str:
    path.write_text("\n".join([head, *map(",".join, rows)]) + "\n", encoding="utf-8")
    return path.name


def name(code: str) -> str:
    return f"测试{code[-4:]}有限公司"


def sound(database: sa.Engine) -> None:
    with storage.session(database) as session:
        report = verify(session)
    assert report.sound, (report.integrity, report.completeness, report.correctness)


def test_a_round_is_worked_on_all_levels(filed: Run, database: sa.Engine, tmp_path: Path) -> None:
    assert said(filed, *OPEN, "--term", "县级初审=10个工作日").endswith(
        "开始轮次「第一批」：专精特新中小企业认定，受理2023-07-03至2023-07-14，依据示工信〔2023〕7号（2023-07-03）\n"
    )
    both = listed(tmp_path / "名单.csv", (name(ONE), ""), (name(TWO), TWO))
    applied = ("apply", *TIER, "--round", "第一批", "--day", "2023-07-03")
    assert "3家在“县级初审”，待县级办理，最迟2023-07-17" in said(filed, *applied, *FIRMS)
    # one withdraws and applies again, one goes back for completion, one is refused
    assert "办结为“撤回”" in step(filed, "撤回申报", "企业", "04", ONE, "--document", "企业来函")
    assert "在“县级初审”" in said(filed, *applied[:-1], "2023-07-05", ONE)
    step(filed, "退回补正", "县级", "05", TWO, "--ground", "材料不全")
    step(filed, "重新提交", "企业", "06", TWO)
    refused = filed("step", "不予推荐", THREE, *TIER, "--level", "县级", "--day", "2023-07-06")
    assert refused.exit_code == 1
    assert "与决定不一致，须写明理由" in refused.output
    assert "办结为“不予认定”" in step(
        filed, "不予推荐", "县级", "06", THREE, "--ground", "现场核查不符"
    )
    assert "2家在“市级审核”，待市级办理" in step(filed, "推荐", "县级", "07", both)
    assert "2家在“省级审核”" in step(filed, "推荐", "市级", "10", both)
    assert "2家在“公示”，待省级办理，最迟2023-07-17" in step(filed, "拟认定", "省级", "11", both)
    # one objection, which is not upheld, holds the announcement up until it is settled
    objecting = ("object", TWO, *TIER, "--level", "省级", "--day")
    raised = said(filed, *objecting, "2023-07-12", "--ground", "来电反映", "--json")
    [entry] = json.loads(raised)["entries"]
    assert entry["act"] == "提出异议"
    early = filed("announce", both, *TIER, *ANNOUNCED)
    assert early.exit_code == 1
    assert f"名单.csv!B3 {name(TWO)}{TWO}：“公示”环节不能公告" in early.output
    settled = said(
        filed, *objecting, "2023-07-20", "--settle", "不成立", "--objection", str(entry["seq"]),
        "--ground", "查无实据",
    )  # fmt: skip
    assert "处理异议（不成立）" in settled
    head = json.loads(filed("audit", "log", "--json", "--last", "1").output)[-1]["seq"]
    assert "将会公告2家：2家办结为“认定”" in said(
        filed, "announce", both, *TIER, *ANNOUNCED, "--dry-run"
    )
    assert json.loads(filed("audit", "log", "--json", "--last", "1").output)[-1]["seq"] == head
    assert "已公告2家" in said(filed, "announce", both, *TIER, *ANNOUNCED)
    titles = json.loads(filed("titles", "list", "--json").output)
    assert [(t["uscc"], t["valid_from"], t["valid_until"]) for t in titles] == [
        (ONE, "2023-08-01", "2026-07-31"), (TWO, "2023-08-01", "2026-07-31"),
    ]  # fmt: skip
    [line] = json.loads(filed("round", "list", "--json").output)
    assert {one["state"]: one["count"] for one in line["counts"]} == {"认定": 2, "不予认定": 1}
    assert "3家：" in filed("round", "list").output
    assert "自2023-07-15起不再受理" in said(
        filed, "round", "close", "第一批", "--on", "2023-07-15", "--ground", "受理期满"
    )
    sound(database)


@ON_SQLITE
def test_what_is_rehearsed_is_not_recorded(
    filed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_EVIDENCE", str(tmp_path / "证据"))
    (tmp_path / "申报书.txt").write_text("申报书", encoding="utf-8")
    before = filed("audit", "log", "--json").output
    paper = ("--evidence", "申报书.txt", "--dry-run")
    assert "将会开始轮次" in said(filed, *OPEN, *paper)
    applied = ("apply", ONE, *TIER, "--day", "2023-07-03")
    assert "将会登记申报 测试" in said(filed, *applied, *paper)
    assert json.loads(said(filed, *applied, *paper, "--json"))["dry_run"]
    assert filed("audit", "log", "--json").output == before
    assert not (tmp_path / "证据").exists()


@ON_SQLITE
def test_every_line_of_a_list_is_told_with_its_place(filed: Run, tmp_path: Path) -> None:
    said(filed, "apply", ONE, THREE, *TIER, "--day", "2023-07-03")
    said(filed, "step", "撤回申报", ONE, *TIER, "--level", "企业", "--day", "2023-07-03")
    rows = [(name(code), code) for code in (ONE, TWO, THREE, THREE)]
    everyone = listed(tmp_path / "名单.csv", *rows)
    done = filed("step", "推荐", everyone, *TIER, "--level", "县级", "--day", "2023-07-04")
    assert done.exit_code == 1
    *lines, last = done.output.splitlines()
    assert lines == [
        f"错误 名单.csv!B2 {name(ONE)}{ONE}：“撤回”环节没有“推荐”",
        f"错误 名单.csv!B3 {name(TWO)}{TWO}：没有「专精特新中小企业」的申报",
        f"错误 名单.csv!B5 {name(THREE)}{THREE}：名单中出现两次",
    ]
    assert last.startswith("错误：名单.csv 有3处错误，整份名单没有登记")
    unknown = listed(tmp_path / "又.csv", *((f"无此公司{n}", "") for n in range(30)))
    done = filed("step", "推荐", unknown, *TIER, "--level", "县级")
    assert "错误 又.csv!A31 无此公司29" in done.output
    assert "不能确定的有又.csv!A2 无此公司0" in done.output


@ON_SQLITE
def test_titles_run_as_the_list_of_an_announcement_says(filed: Run, tmp_path: Path) -> None:
    said(filed, "apply", ONE, TWO, *TIER, "--day", "2023-07-03")
    for act, level in (("直接报省级", "县级"), ("拟认定", "省级")):
        step(filed, act, level, "04", ONE, TWO)
    head = "企业名称,统一社会信用代码,有效期始,有效期至"
    days = ("2023-09-01", "2026-08-31")
    rows: list[Any] = [(name(code), code, *days) for code in (ONE, TWO)]
    both = listed(tmp_path / "名单.csv", *rows, head=head)
    other = filed("announce", both, *TIER, *ANNOUNCED, "--from", "2023-08-15")
    assert "名单的有效期始是2023-09-01，另外给出的是2023-08-15" in other.output
    said(filed, "announce", both, *TIER, *ANNOUNCED)
    titles = json.loads(filed("titles", "list", "--json").output)
    assert {(t["valid_from"], t["valid_until"]) for t in titles} == {days}
    assert len(titles[0]["evidence"]) == 1  # the list itself


@ON_SQLITE
def test_an_objection_is_settled_by_the_act_whose_effect_that_is(filed: Run) -> None:
    said(filed, "apply", ONE, *TIER, "--day", "2023-07-03")
    objecting = ("object", ONE, *TIER, "--level", "省级", "--day", "2023-07-04", "--ground", "来信")
    early = filed(*objecting)
    assert "“县级初审”环节不能登记异议" in early.output
    for act, level in (("直接报省级", "县级"), ("拟认定", "省级")):
        step(filed, act, level, "04", ONE)
    assert "没有未处理的异议" in filed(*objecting, "--settle", "成立").output
    first, second = (json.loads(said(filed, *objecting, "--json"))["entries"][0] for _ in range(2))
    which = filed(*objecting, "--settle", "成立")
    assert f"未处理的异议有第{first['seq']}号、第{second['seq']}号件" in which.output
    other = filed(*objecting, "--settle", "成立", "--act", "异议")
    assert (
        "了结异议的办理有“异议不成立”、“异议成立”，不能确定是哪一项：请用 --act 写明"
        in other.output
    )
    named = ("--settle", "不成立", "--act", "异议不成立", "--objection", str(first["seq"]))
    assert "在“公示”" in said(filed, *objecting, *named)
    assert "办结为“不予认定”" in said(filed, *objecting, "--settle", "成立")


@ON_SQLITE
def test_a_case_shows_its_steps_and_who_may_do_what_next(filed: Run) -> None:
    absent = filed("case", ONE, *TIER)
    assert absent.exit_code == 1
    assert "没有专精特新申报：请核对，或用 tidu apply 登记" in absent.output
    said(filed, *OPEN, "--term", "县级初审=10个工作日")
    said(filed, *APPLY, "--day", "2023-07-03", "--round", "第一批")
    shown = said(filed, "case", ONE)
    assert "轮次「第一批」" in shown
    assert "办理程序 63.办理.省级认定 县级初审，市级审核，" in shown
    assert "现在在“县级初审”，自2023-07-03；最迟2023-07-17（10" in shown
    assert "工作日），已逾期" in shown
    assert "· 县级负责人“推荐”→“市级审核”，须有符合的决定或理由\n" in shown
    step(filed, "不予推荐", "县级", "19", ONE, "--ground", "现场核查不符")
    shown = said(filed, "case", ONE, *TIER)
    assert "与决定不一致；逾期2日；补录，" in shown
    assert "理由：现场核查不符" in shown
    assert "已办结为“不予认定”" in shown
    [view] = json.loads(filed("case", ONE, "--json").output)
    assert (view["state"], view["round"], view["steps"][0]["against"]) == (
        "不予认定",
        "第一批",
        True,
    )


REFUSED: Final = [
        ((*OPEN, "--term", "县级初审=十天"), "时限「十天」应写成 10个工作日、7日、3个月 或", 2),
        ((*OPEN, "--term", "县级初审"), "「县级初审」应写成 环节=时限", 2),
        ((*OPEN, "--term", "县级=7日"), "办理程序没有「县级」环节（相近的有「县级初审」）：应为县级初审、", 1),
        ((*OPEN, "--term", "公示=7日", "--term", "公示=8日"), "同一环节的 --term 只能给出一次", 2),
        ((*OPEN[:-6], "--closes", "2023-07-01", *NOTICE), "终止早于开始", 1),
        ((*OPEN[:2], " ", *OPEN[3:]), "轮次没有名称", 1),
        ((*OPEN[:-4], "--document", " ", *OPEN[-2:]), "必须写明依据的通知文号：请用 --document 写明", 1),
        ((*OPEN, "--province", "甲省"), "「甲省」不是省级行政区", 2),
        (("round", "close", "第二批", "--ground", "满"), "没有名为「第二批」的轮次", 1),
        ((*APPLY, "--round", "第二批"), "用 tidu round list 查看", 1),
        ((*APPLY, "--round", "一", "--batch", "二"), "--round 与 --batch 不能同用", 2),
        ((*APPLY, "--day", "2023-06-01"), "2023-06-01以前没有填报", 1),
        ((*APPLY, "--day", "2099-01-01"), "2099-01-01还没有到", 1),
        ((*APPLY, "--level", "乡级"), "不在可选范围内", 2),
        (("apply", "没有这家公司", *TIER), "没有这家公司", 1),
        (("apply", ONE, "--tier", "特优"), "没有名为「特优」的层级", 1),
        (("apply", ONE, "--tier", "创新型", "--procedure", "换证"), "「换证」应为 认定 或 复核", 2),
        ((*APPLY, "--by", " "), "用 --by 给出", 1),
        (STEP, "没有「专精特新中小企业」的申报", 1),
        (("step", "推荐", "名单.csv", *TIER, "--level", "县级"), "名单.csv：找不到这个文件", 1),
        (("object", ONE, *TIER, "--level", "省级", "--ground", "无"), "没有「专精特新中小企业」的申报", 1),
        (("object", ONE, *TIER, "--level", "省级", "--ground", "无", "--objection", "7"), "请与 --settle 同用", 2),
        (("announce", ONE, *TIER, *ANNOUNCED), "没有「专精特新中小企业」的申报", 1),
]  # fmt: skip


@ON_SQLITE
def test_refusals_are_one_sentence_and_nothing_is_recorded(filed: Run) -> None:
    before = filed("audit", "log", "--json").output
    for arguments, told, code in REFUSED:
        done = filed(*arguments)
        assert done.exit_code == code, done.output
        assert told in done.output
        assert done.output.count("错误：") == 1
    assert filed("audit", "log", "--json").output == before


@ON_SQLITE
def test_a_step_that_may_not_be_taken_says_why_and_where_to_look(filed: Run) -> None:
    said(filed, *APPLY, "--day", "2023-07-03")
    for act, more, told in (
        ("推件", (), "“县级初审”环节没有“推件”"),
        ("拟认定", (), "“县级初审”环节没有“拟认定”"),
        ("退回补正", (), "须写明理由"),
        ("推荐", ("--day", "2023-07-01"), "早于本案的上一步"),
    ):
        done = filed("step", act, ONE, *TIER, "--level", "县级", "--day", "2023-07-04", *more)
        assert done.exit_code == 1
        assert told in done.output
        assert "用 tidu case 企业 查看现在可以办理什么" in done.output
    step(filed, "直接报省级", "县级", "04", ONE)
    step(filed, "拟认定", "省级", "04", ONE)
    alone = filed("step", "公告", ONE, *TIER, "--level", "省级", "--day", "2023-08-01")
    assert "“公告”随公告办理：请用 tidu announce 公告" in alone.output
