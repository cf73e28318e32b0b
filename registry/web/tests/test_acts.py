"""Acts in the browser: each leaves the same entry as the same act on the command line."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from registry.cli import main
from registry.desk import auditing, letters
from registry.desk.evidence import attached
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.jobs import kinds
from registry.jobs.store import Job, JobStore
from registry.portable.clock import china_text
from registry.tests.support import CODES, load, submission
from registry.web.app import application
from registry.web.tests.test_forms import ROUTES
from registry.web.tests.visiting import Bureau, Page, Visitor, case
from rules.tests.packaged import TITLES

FIRST, SECOND, THIRD = TITLES
DECIDE = case(CODES[0], SECOND, "decide")
DETERMINE = case(CODES[0], SECOND, "determine")
PROOF = ("现场核查.pdf", b"%PDF 1", "application/pdf")
#: A correction of a filed figure, as a form sends it.
CORRECTION = {
    "target": "fact", "fact": "研发费用总额", "year": "2022", "value": "210万元", "ground": "审计报告",
}  # fmt: skip
DOCUMENT = {"document": "某公告1号", "dated": "2023-07-01"}
#: A code whose check digit is wrong.
EARLY = CODES[0][:17] + next(digit for digit in "01" if digit != CODES[0][17])
ADMIT = {"uscc": EARLY, "action": "admit", "document": "营业执照", "dated": "2023-07-01"}


def committed(text: str) -> Any:
    """A body without what depends on its salt: the commitments to names and facts."""

    def plain(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: plain(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [plain(v, key) for v in value]
        sealed = isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value)
        return "…" if sealed and key not in ("evidence", "applicability", "ruleset") else value

    return plain(json.loads(text))


@pytest.fixture
def twin(
    bureau: Bureau,
    database: sa.Engine,
    clone: Callable[[sa.Engine], sa.URL],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., list[Any]]:
    """Does an act in the browser and on a copy of the registry by the command line; both bodies."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / PROOF[0]).write_bytes(PROOF[1])

    def both(path: str, typed: dict[str, str], command: list[str], files: Any = None) -> list[Any]:
        database.dispose()
        url = clone(bureau.desk.database).render_as_string(hide_password=False)
        monkeypatch.setenv("TIDU_DATABASE_URL", url)
        page = bureau.visitor.send(path, typed, files)
        assert page.status == 303, page.words
        done = CliRunner().invoke(main, [*command, "--by", "王某"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        found = []
        with Desk(url) as other:
            for desk in (bureau.desk, other):
                entry = auditing.entry(desk, desk.head())
                found.append((entry.line.kind, entry.line.by, entry.tier, committed(entry.body)))
        return found

    return both


@pytest.mark.parametrize(
    ("path", "typed", "command", "files"),
    [
        (DECIDE, {}, ["decide", CODES[0], "--tier", SECOND], None),
        (
            case(CODES[0], FIRST, "decide", as_of="2023-07-01", batch="第七批", province="深圳"),
            {},
            ["decide", CODES[0], "--tier", FIRST, "--as-of", "2023-07-01", "--batch", "第七批",
             "--province", "深圳"],
            None,
        ),
        (
            f"/enterprises/{CODES[0]}/withdraw",
            {"ground": "企业来函"},
            ["withdraw", CODES[0], "--ground", "企业来函"],
            None,
        ),
        (
            DETERMINE,
            CORRECTION,
            ["determine", CODES[0], "--fact", "研发费用总额", "--year", "2022", "--value", "210万元",
             "--ground", "审计报告", "--evidence", PROOF[0]],
            {"evidence": PROOF},
        ),
        (
            DETERMINE,
            {"target": "list", "records": "知识产权", "value": "是", "ground": "核查"},
            ["determine", CODES[0], "--records", "知识产权", "--value", "是", "--ground", "核查",
             "--evidence", PROOF[0]],
            {"evidence": PROOF},
        ),
        (
            "/titles/grant",
            {"codes": CODES[0], "tier": "specialised", **DOCUMENT},
            ["titles", "grant", CODES[0], "--tier", SECOND, "--document", "某公告1号", "--dated",
             "2023-07-01", "--evidence", PROOF[0]],
            {"evidence": PROOF},
        ),
        (
            "/holdings/add",
            {"codes": CODES[0], "holder": CODES[1], "share": "51%", **DOCUMENT},
            ["holdings", "add", CODES[0], "--holder", CODES[1], "--share", "51%", "--document",
             "某公告1号", "--dated", "2023-07-01", "--evidence", PROOF[0]],
            {"evidence": PROOF},
        ),
        (
            "/admissions",
            ADMIT,
            ["enterprise", "admit", EARLY, "--document", "营业执照", "--dated", "2023-07-01",
             "--evidence", PROOF[0]],
            {"evidence": PROOF},
        ),
        ("/policy", {"four_eyes": "on"}, ["audit", "four-eyes", "on"], None),
    ],
)  # fmt: skip
def test_the_record_of_an_act_is_that_of_the_command_line(
    twin: Any, path: str, typed: dict[str, str], command: list[str], files: Any
) -> None:
    here, there = twin(path, typed, command, files)
    assert here == there


# -- deciding --------------------------------------------------------------------------------------


def test_what_will_be_recorded_is_shown_before_it_is(bureau: Bureau) -> None:
    page = bureau.visitor.get(DECIDE)
    assert page.status == 200
    assert re.search(r"摘要 [0-9a-f]{64}", page.words)
    assert "✓ 符合" in page.words
    assert "填报日期 2023-06-30，按 2023-06-30 决定" in page.words
    assert "王某" in page.words


def test_what_is_decided_is_what_is_known_now_whatever_the_address_asks(bureau: Bureau) -> None:
    then = china_text(bureau.clock())
    load(bureau.desk.database, bureau.clock, submission(CODES[0], rd_expense__2022="1"))
    assert "✓ 符合" in bureau.visitor.get(case(CODES[0], SECOND, known_at=then)).words
    assert "✗ 不符合" in bureau.visitor.get(case(CODES[0], SECOND, "decide", known_at=then)).words


def test_a_case_is_decided_once_and_the_page_leads_to_the_decision(bureau: Bureau) -> None:
    page = bureau.visitor.send(DECIDE, {})
    assert (page.status, page.place) == (303, f"/decisions/{bureau.entries[-1][0]}")
    assert bureau.entries[-1][1] == "decision"
    count = len(bureau.entries)
    again = bureau.visitor.send(DECIDE, {})
    assert again.place == f"{page.place}?same=1"
    assert "内容相同，没有重复记录" in bureau.visitor.get(again.place).words
    assert len(bureau.entries) == count


def test_a_case_that_changed_meanwhile_is_shown_again_before_it_is_decided(bureau: Bureau) -> None:
    sent = bureau.visitor.get(DECIDE).hidden
    load(bureau.desk.database, bureau.clock, submission(CODES[0], rd_expense__2022="1"))
    page = bureau.visitor.post(DECIDE, sent)
    assert page.status == 409
    assert "✗ 不符合" in page.words
    assert bureau.visitor.post(DECIDE, page.hidden).status == 303


def test_a_filing_that_was_withdrawn_is_not_decided(bureau: Bureau) -> None:
    bureau.visitor.send(f"/enterprises/{CODES[0]}/withdraw", {"ground": "来函"})
    page = bureau.visitor.send(DECIDE, {})
    assert page.status == 422
    assert "填报已撤回，不能再作决定" in page.words


def test_a_case_that_cannot_be_judged_cannot_be_decided(bureau: Bureau) -> None:
    path = case(CODES[0], SECOND, "decide", as_of="2030-06-30")
    assert bureau.visitor.get(path).status == 422
    assert bureau.visitor.get(path.replace(CODES[0], CODES[2])).status == 404


# -- determining -----------------------------------------------------------------------------------


def determined(bureau: Bureau, **changed: str) -> Page:
    return bureau.visitor.send(DETERMINE, {**CORRECTION, **changed}, {"evidence": PROOF})


def test_what_the_case_leaves_open_is_offered_first(bureau: Bureau) -> None:
    load(
        bureau.desk.database,
        bureau.clock,
        submission(CODES[0], digital_level=None, rd_expense__2022=None),
    )
    page = bureau.visitor.get(DETERMINE)
    [choice] = re.findall(r"<select .*?</select>", page.source, re.DOTALL)
    values = re.findall(r'value="([^"]*)"', choice)
    assert values[-3:] == ["fact", "record", "list"]
    assert "fact:rd_expense@2022" in values
    done = determined(bureau, target="fact:rd_expense@2022", fact="", year="")
    assert done.status == 303, done.words
    assert "2022年研发费用总额" in bureau.visitor.get(done.place).words


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"ground": " "}, "ground", "请写明理由"),
        ({"value": ""}, "value", "请写明认定为什么"),
        ({"fact": ""}, "fact", "请写明填报项"),
        ({"year": "去年"}, "year", "「去年」不是编号"),
        ({"year": "2015"}, "year", "不能认定2015年"),
        ({"year": ""}, "year", "分年度填报"),
        ({"value": "200万元"}, "value", "无须认定"),
        ({"fact": "没有"}, "fact", "没有"),
        ({"target": "record", "records": "知识产权", "number": ""}, "number", "请写明第几条"),
        ({"target": "record", "records": "", "number": "1"}, "records", "请写明清单的名称"),
        ({"target": "rule:63.2.研发费用", "value": "符合"}, "target", "不是留待人工认定的事项"),
    ],
)
def test_what_is_amiss_stands_beside_its_field_and_the_file_need_not_be_chosen_again(
    bureau: Bureau, changed: dict[str, str], field: str, said: str
) -> None:
    before = bureau.entries
    page = determined(bureau, **changed)
    assert page.status == 422
    assert bureau.entries == before
    [fault] = re.findall(rf'id="{field}-fault">(.*?)</p>', page.source)
    assert said in fault
    assert "已收到：现场核查.pdf" in page.words
    [waits] = re.findall(r'name="evidence-waits" value="([^"]*)"', page.source)
    assert [one.name for one in attached(bureau.desk).listed()] == [PROOF[0]]
    mended = {**page.hidden, **CORRECTION, "evidence-waits": waits}
    done = bureau.visitor.post(DETERMINE, mended, {"x": ("", b"")})
    assert done.status == 303
    assert not attached(bureau.desk).listed()
    assert sha256(PROOF[1]).hexdigest() in bureau.visitor.get(done.place).source


def test_a_determination_without_a_file_or_with_one_that_is_gone_is_refused(bureau: Bureau) -> None:
    page = bureau.visitor.send(DETERMINE, CORRECTION)
    assert "请附证据文件" in page.words
    page = bureau.visitor.send(DETERMINE, {**CORRECTION, "evidence-waits": f"{'0' * 64} x"})
    assert "上传的文件最多保留一天，请重新上传" in page.words


def test_evidence_is_kept_where_the_bureau_says_and_only_ever_saved(
    bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = sha256(PROOF[1]).hexdigest()
    assert bureau.visitor.get(f"/evidence/{digest}").status == 404
    monkeypatch.setenv("TIDU_EVIDENCE", str(tmp_path / "证据"))
    name = "../../恶意<b>.html"
    files = {"evidence": (name, PROOF[1], "text/html")}
    done = bureau.visitor.send(DETERMINE, CORRECTION, files)
    assert f'href="/evidence/{digest}"' in bureau.visitor.get(done.place).source
    answer = bureau.visitor.raw(f"/evidence/{digest}")
    assert answer.content == PROOF[1]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert [p.name for p in (tmp_path / "证据").glob("*/*")] != []
    assert not [*tmp_path.glob("*.html")]
    for other in ("0" * 64, "..%2F..%2Ftidu.db", f"{digest}.name"):
        assert bureau.visitor.get(f"/evidence/{other}").status == 404


def test_a_second_person_confirms_and_the_first_reads_who_may(bureau: Bureau) -> None:
    auditing.set_four_eyes(bureau.desk, True)
    assert "双人复核已开启" in bureau.visitor.get(DETERMINE).words
    entry = determined(bureau).place
    assert "待第二人确认" in bureau.visitor.get(entry).words
    assert "还没有第二人确认" in bureau.visitor.get(DECIDE).words
    own = bureau.visitor.get(f"{entry}/confirm")
    assert "须由另一人确认" in own.words
    assert "<button" not in own.source
    token = bureau.visitor.get(DETERMINE).hidden
    refused = bureau.visitor.post(f"{entry}/confirm", token)
    assert refused.status == 422
    url = bureau.desk.database.url.render_as_string(hide_password=False)
    with Desk(url, by="李某", clock=bureau.clock) as desk, Judging(desk) as judging:
        second = Visitor(application(desk, judging))
        done = second.send(f"{entry}/confirm", {})
        assert done.status == 303
        assert "李某" in second.get(done.place).words
        assert second.get(f"{entry}/confirm").status == 422
    assert "还没有第二人确认" not in bureau.visitor.get(DECIDE).words
    assert f"人工认定第{entry.rpartition('/')[2]}号" in bureau.visitor.get(DECIDE).words


@pytest.mark.parametrize(
    "typed",
    [
        CORRECTION,
        {"target": "record", "records": "梯度称号", "number": "1", "fact": "称号有效期至",
         "value": "2024-12-31"},
        {"target": "list", "records": "知识产权", "value": "是"},
    ],
)  # fmt: skip
def test_what_was_determined_is_determined_back_with_what_stood_before(
    bureau: Bureau, typed: dict[str, str]
) -> None:
    done = bureau.visitor.send(DETERMINE, {**typed, "ground": "核查"}, {"evidence": PROOF})
    assert done.status == 303, done.words
    entry = bureau.visitor.get(done.place)
    [href] = [unescape(link) for link in entry.links if "/determine?" in link]
    page = bureau.visitor.get(href)
    filled = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', page.source))
    [target] = re.findall(r'<option value="([^"]*)" selected', page.source)
    typed = {k: v for k, v in filled.items() if k in ("fact", "year", "records", "number", "value")}
    back = bureau.visitor.send(
        href, {**typed, "target": target, "ground": "认定有误"}, {"evidence": PROOF}
    )
    assert back.status == 303, back.words
    assert "认定有误" in bureau.visitor.get(back.place).words


def test_what_was_determined_by_mistake_is_taken_back(bureau: Bureau) -> None:
    entry = determined(bureau, value="1万元").place
    assert "✗ 不符合" in bureau.visitor.get(case(CODES[0], SECOND)).words
    assert f"{entry}/revoke" in bureau.visitor.get(entry).links
    page = bureau.visitor.get(f"{entry}/revoke")
    assert "恢复为填报的值：200万元" in page.words
    assert 'id="ground-fault"' in bureau.visitor.send(f"{entry}/revoke", {}).source
    done = bureau.visitor.send(f"{entry}/revoke", {"ground": "看错了"}, {"evidence": PROOF})
    assert f"撤回第{entry.rpartition('/')[2]}号认定，看错了" in bureau.visitor.get(done.place).words
    assert "✓ 符合" in bureau.visitor.get(case(CODES[0], SECOND)).words
    assert f"{entry}/revoke" not in bureau.visitor.get(entry).links
    assert bureau.visitor.get(f"{entry}/revoke").status == 422


def test_what_was_only_proposed_is_taken_back_and_waits_no_longer(
    bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditing.set_four_eyes(bureau.desk, True)
    entry = determined(bureau).place
    assert len(auditing.unconfirmed(bureau.desk)) == 1
    assert "不再等待确认" in bureau.visitor.get(f"{entry}/revoke").words
    url = bureau.desk.database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("TIDU_DATABASE_URL", url)
    (tmp_path / PROOF[0]).write_bytes(PROOF[1])
    seq, proof = entry.rpartition("/")[2], str(tmp_path / PROOF[0])
    typed = ["revoke", seq, "--ground", "看错了", "--evidence", proof, "--by", "王某"]
    done = CliRunner().invoke(main, typed, catch_exceptions=False)
    assert done.output.startswith(f"已撤回第{seq}号认定（第{bureau.entries[-1][0]}号记录）\n")
    assert "确认后生效" not in done.output
    assert not auditing.unconfirmed(bureau.desk)
    assert bureau.visitor.get(f"{entry}/confirm").status == 422


# -- titles and holdings ---------------------------------------------------------------------------

GRANT = {"tier": "specialised", **DOCUMENT}


def workbook(*rows: tuple[str, ...]) -> tuple[str, bytes, str]:
    """A list as an officer sends it."""
    text = "\n".join(",".join(row) for row in (("企业名称", "统一社会信用代码"), *rows))
    return ("名单.csv", text.encode("utf-8-sig"), "text/csv")


def named(code: str) -> str:
    return f"测试{code[-4:]}有限公司"


def test_a_title_is_granted_extended_ended_and_struck(bureau: Bureau) -> None:
    visitor = bureau.visitor
    granted = visitor.send("/titles/grant", {**GRANT, "codes": named(CODES[0])})
    assert "授予" in visitor.get(granted.place).words
    whose = {
        "tier": "specialised",
        "codes": CODES[0],
        "document": "某公告2号",
        "dated": "2024-07-01",
    }
    extended = visitor.send("/titles/extend", whose)
    assert (extended.status, visitor.get(extended.place).status) == (303, 200)
    twice = visitor.send("/titles/grant", {**GRANT, "codes": CODES[0]})
    assert (twice.status, "重叠" in twice.words) == (422, True)
    ended = visitor.send("/titles/end", {**whose, "reason": "撤销"})
    assert ended.status == 303, ended.words
    assert f"第{ended.place.rpartition('/')[2]}号" in visitor.get("/titles").words
    struck = visitor.send(f"{ended.place}/strike", {"document": "某公告3号", "dated": "2024-07-02"})
    assert struck.status == 303, struck.words
    assert "没有这样的登记" in visitor.get("/titles?tier=specialised").words
    assert "划销" in visitor.get("/titles?history=1").words


def test_a_list_is_rehearsed_before_it_is_registered(bureau: Bureau) -> None:
    before = bureau.entries
    files = {"list": workbook((named(CODES[0]), CODES[0]), (named(CODES[1]), ""))}
    page = bureau.visitor.send("/titles/grant", GRANT, files)
    assert page.status == 200
    assert "还没有登记：请先核对" in page.words
    assert "将登记2条" in page.words
    assert "已按登记的名称找到" in page.words
    assert bureau.entries == before
    [waits] = re.findall(r'name="list-waits" value="([^"]*)"', page.source)
    [seen] = re.findall(r'name="rehearsed" value="(\w+)"', page.source)
    unsure = {**page.hidden, **GRANT, "list-waits": waits}
    assert bureau.visitor.post("/titles/grant", unsure).status == 200  # another look
    sent = {**unsure, "rehearsed": seen}
    other = bureau.visitor.post("/titles/grant", {**sent, "document": "某公告9号"})
    assert other.status == 200  # what was seen is not what is asked for now
    done = bureau.visitor.post("/titles/grant", sent)
    assert done.status == 303
    assert [kind for _, kind in bureau.entries[len(before) :]] == ["title", "title"]
    assert bureau.visitor.get(done.place).words.count("授予") == 2


def test_every_line_of_a_list_that_is_not_understood_is_told(bureau: Bureau) -> None:
    files = {"list": workbook(("无人知道的公司", ""), ("另一家无人知道的公司", ""))}
    page = bureau.visitor.send("/titles/grant", GRANT, files)
    assert page.status == 422
    assert "名单.csv!A2 无人知道的公司" in page.words
    assert "名单.csv!A3 另一家无人知道的公司" in page.words
    files = {"list": workbook((named(CODES[0]), "91990000MA0000099X"), ("别的名称", CODES[1]))}
    assert "校验码" in bureau.visitor.send("/titles/grant", GRANT, files).words


@pytest.mark.parametrize(
    ("path", "changed", "field"),
    [
        ("/titles/grant", {"tier": ""}, "tier"),
        ("/titles/grant", {"codes": ""}, "codes"),
        ("/titles/grant", {"codes": "没有这家公司"}, "codes"),
        ("/titles/grant", {"document": ""}, "document"),
        ("/titles/grant", {"dated": "昨天"}, "dated"),
        ("/titles/end", {"reason": ""}, "reason"),
        ("/holdings/add", {"holder": ""}, "holder"),
        ("/holdings/add", {"share": ""}, "share"),
        ("/holdings/add", {"share": "很多"}, "share"),
        ("/holdings/end", {"holder": ""}, "holder"),
    ],
)
def test_a_registration_that_is_amiss_says_where(
    bureau: Bureau, path: str, changed: dict[str, str], field: str
) -> None:
    typed = {**GRANT, "codes": CODES[0], "holder": CODES[2], "share": "51%", "reason": "撤销"}
    page = bureau.visitor.send(path, {**typed, **changed})
    assert page.status == 422
    assert f'id="{field}-fault"' in page.source, page.words
    assert changed[field] in page.source


def test_a_holding_is_registered_with_its_remarks_seen_and_ended(bureau: Bureau) -> None:
    stake = {"codes": CODES[0], "holder": named(CODES[1]), "share": "51%", **DOCUMENT}
    page = bureau.visitor.send("/holdings/add", stake)
    assert page.status == 200
    assert "只写了名称" in page.words
    [seen] = re.findall(r'name="rehearsed" value="(\w+)"', page.source)
    done = bureau.visitor.post("/holdings/add", {**page.hidden, **stake, "rehearsed": seen})
    assert done.status == 303
    assert "51%" in bureau.visitor.get("/holdings").words
    ended = bureau.visitor.send("/holdings/end", {**stake, "dated": "2023-08-01"})
    assert ended.status == 303, ended.words


# -- codes of early issue, and two pairs of eyes ---------------------------------------------------


def test_a_code_is_admitted_by_a_document_and_revoked(bureau: Bureau) -> None:
    visitor, proof = bureau.visitor, {"evidence": PROOF}
    for changed, where in (
        ({"uscc": ""}, "uscc"),
        ({"uscc": CODES[0]}, "uscc"),
        ({"action": "revoke"}, "uscc"),
        ({"document": ""}, "document"),
        ({"dated": "昨天"}, "dated"),
    ):
        wrong = visitor.send("/admissions", {**ADMIT, **changed}, proof)
        assert (wrong.status, f'id="{where}-fault"' in wrong.source) == (422, True), wrong.words
    assert 'id="evidence-fault"' in visitor.send("/admissions", ADMIT).source
    done = visitor.send("/admissions", {**ADMIT, "uscc": f" {EARLY.lower()}"}, proof)
    assert f"认可 {EARLY}，依据营业执照" in visitor.get(done.place).words
    [revoke] = [link for link in visitor.get("/admissions").links if "revoke" in link]
    page = visitor.get(unescape(revoke).partition("#")[0])
    assert '<option value="revoke" selected>' in page.source
    assert visitor.send("/admissions", {**ADMIT, "action": "revoke"}, proof).status == 303
    assert "现在没有认可的代码" in visitor.get("/admissions").words


def test_two_pairs_of_eyes_are_asked_for_and_no_longer(bureau: Bureau) -> None:
    visitor = bureau.visitor
    assert "现在 关闭" in visitor.get("/policy").words
    assert visitor.send("/policy", {"four_eyes": "on"}).status == 303
    determined(bureau)
    page = visitor.get("/policy")
    assert ("现在 开启" in page.words, "1项认定" in page.words) == (True, True)
    off = visitor.send("/policy", {"four_eyes": "off"})
    assert "双人复核：关闭" in visitor.get(off.place).words
    assert visitor.send("/policy", {"four_eyes": "off"}).status == 422


# -- checkpoints and letters -----------------------------------------------------------------------


def test_a_checkpoint_is_signed_with_a_key_that_is_made_once(
    bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_AUDIT_KEY", str(tmp_path / "key"))
    visitor = bureau.visitor
    assert "没有签名私钥" in visitor.send("/checkpoints", {}).words
    hidden = visitor.get("/checkpoints").hidden
    wrong = visitor.post("/checkpoints/key", hidden)
    assert 'id="name-fault"' in wrong.source
    made = visitor.post("/checkpoints/key", {**wrong.hidden, "name": "某市中小企业局"})
    assert made.place == "/checkpoints"
    size = len(bureau.entries)
    done = visitor.send("/checkpoints", {})
    assert done.place == f"/checkpoints/{size}"
    assert bureau.entries[-1] == (size + 1, "checkpoint")
    assert visitor.send("/checkpoints", {}).place == done.place
    assert len(bureau.entries) == size + 1
    note = visitor.raw(f"{done.place}/note")
    assert note.headers["content-disposition"].startswith("attachment;")
    trust = auditing.Trust(((f"{size}.txt", note.content),))
    assert auditing.verified(bureau.desk, trust, replay=False).sound
    assert visitor.get(done.place).status == 200
    assert visitor.get("/checkpoints/99").status == 404
    assert "import" in visitor.raw("/verify.py").text


def test_letters_to_all_that_are_found_come_as_one_archive(bureau: Bureau) -> None:
    visitor = bureau.visitor
    assert "没有告知书可写" in visitor.get("/letters").words
    assert visitor.get("/letters.zip").status == 422
    for code in CODES[:2]:
        visitor.send(case(code, SECOND, "decide"), {})
    visitor.send(case(CODES[0], FIRST, "decide"), {})
    assert "下载3份告知书" in visitor.get("/letters").words
    answer = visitor.raw("/letters.zip?tier=specialised&office=某局")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 2
        [name] = [n for n in archive.namelist() if CODES[0][-4:] in n]
        assert "某局" in archive.read(name).decode()
    assert visitor.raw("/letters.zip?tier=specialised&office=某局").content == answer.content
    assert "某局" in visitor.raw(f"/decisions/{bureau.entries[-1][0]}/letter?office=某局").text


def test_more_letters_than_anybody_waits_for_are_refused(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau.visitor.send(DECIDE, {})
    monkeypatch.setattr(letters, "MOST", 0)
    assert "一次最多写0份" in bureau.visitor.get("/letters").words
    assert "请按地区、层级或结论缩小范围" in bureau.visitor.get("/letters.zip").words


# -- jobs ------------------------------------------------------------------------------------------


def job(bureau: Bureau, place: str) -> Job:
    """The job to which an answer leads."""
    with JobStore(bureau.desk) as store:
        return store.job(int(place.rpartition("/")[2]))


def test_many_are_decided_by_a_job_with_what_the_list_finds(bureau: Bureau) -> None:
    visitor = bureau.visitor
    typed = {"tier": ["specialised", "innovative"], "procedure": "认定", "batch": "第七批"}
    typed["province"] = "广东省"
    asked = visitor.send(f"/decide?q={CODES[0][:8]}", typed)
    assert asked.status == 303
    found = job(bureau, asked.place)
    assert found.by == "王某"
    assert kinds.DECIDE.read(found.arguments) == kinds.Deciding(
        usccs=(CODES[0],), tiers=(FIRST, SECOND), batch="第七批", province="广东省"
    )
    assert visitor.get(asked.place).status == 200
    everybody = job(bureau, visitor.send("/decide", {**typed, "tier": "giant"}).place)
    assert kinds.DECIDE.read(everybody.arguments).usccs is None
    assert 'id="tier-fault"' in visitor.send("/decide", {"procedure": "认定"}).source
    assert "没有找到要决定的企业" in visitor.get("/decide?q=火星火星").words


# -- every act -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Act:
    """How one act is done in the browser: what stands before it, its address, and its form."""

    path: str
    typed: Mapping[str, Any] = field(default_factory=dict)
    files: Any = None
    before: tuple[tuple[str, Mapping[str, Any], Any], ...] = ()
    four_eyes: bool = False


GRANTED = ("/titles/grant", {**GRANT, "codes": CODES[0]}, None)
HELD = (
    "/holdings/add", {"codes": CODES[0], "holder": CODES[1], "share": "51%", **DOCUMENT}, None,
)  # fmt: skip
LATER = {"document": "某公告2号", "dated": "2024-07-01"}
#: Every act that the journal can make out of date, by its route.
OUTDATED = {
    "/enterprises/{uscc}/{tier}/decide": Act(DECIDE),
    "/enterprises/{uscc}/{tier}/determine": Act(DETERMINE, CORRECTION, {"evidence": PROOF}),
    "/enterprises/{uscc}/withdraw": Act(f"/enterprises/{CODES[0]}/withdraw", {"ground": "来函"}),
    "/journal/{seq}/confirm": Act(
        "/journal/{last}/confirm", before=((DETERMINE, CORRECTION, {"evidence": PROOF}),), four_eyes=True
    ),
    "/journal/{seq}/revoke": Act(
        "/journal/{last}/revoke", {"ground": "认定有误"}, {"evidence": PROOF},
        before=((DETERMINE, CORRECTION, {"evidence": PROOF}),),
    ),
    "/journal/{seq}/strike": Act("/journal/{last}/strike", LATER, before=(GRANTED,)),
    "/titles/{act}": Act("/titles/end", {**GRANTED[1], **LATER, "reason": "撤销"}, before=(GRANTED,)),
    "/admissions": Act("/admissions", ADMIT, {"evidence": PROOF}),
    "/policy": Act("/policy", {"four_eyes": "off"}),
    "/holdings/{act}": Act("/holdings/end", {"codes": CODES[0], "holder": CODES[1], **LATER}, before=(HELD,)),
}  # fmt: skip
#: Those that work on whatever there is.
ANY_TIME = {
    "/audit", "/audit/bundle", "/checkpoints", "/checkpoints/key", "/decide", "/impact", "/imports",
    "/imports/headings", "/imports/{digest}", "/imports/{number:int}", "/replay", "/screen",
}  # fmt: skip
#: What has tests of its own (``test_calendar``, ``test_applications``, ``test_duties``).
OWN = {
    "/applications/announce", "/applications/apply", "/applications/step", "/calendar", "/rounds/open",
    "/rounds/{seq:int}/close", "/duties/{duty}",
}  # fmt: skip


def test_every_act_is_among_those_that_are_tried() -> None:
    unsafe = {r.path for r in ROUTES if not r.methods <= {"GET", "HEAD"}}
    tried = OUTDATED.keys() | ANY_TIME | OWN
    assert {path for path in unsafe if not path.startswith("/jobs")} == tried


@pytest.mark.parametrize("route", OUTDATED)
def test_every_act_is_done_once_and_never_on_a_page_that_is_out_of_date(
    bureau: Bureau, route: str
) -> None:
    act, visitor = OUTDATED[route], bureau.visitor
    if act.four_eyes:
        auditing.set_four_eyes(bureau.desk, True)
    for path, typed, files in act.before:
        assert visitor.send(path, typed, files).status == 303
    if act.four_eyes:
        url = bureau.desk.database.url.render_as_string(hide_password=False)
        desk = Desk(url, by="李某", clock=bureau.clock)
        judging = Judging(desk)
        visitor = Visitor(application(desk, judging))
    path = act.path.replace("{last}", str(bureau.entries[-1][0]))
    sent = {**visitor.get(path).hidden, **act.typed}
    if "revoke" not in path:  # nothing settled about a filing that was replaced stands
        load(bureau.desk.database, bureau.clock, submission(CODES[0], rd_expense__2022="1900000"))
    if not path.startswith(("/enterprises", "/journal")) or path.endswith(("strike", "revoke")):
        auditing.set_four_eyes(bureau.desk, True)
    before = len(bureau.entries)
    again = visitor.post(path, sent, act.files)
    assert (again.status, len(bureau.entries)) == (409, before)
    assert "登记簿有了与此有关的记录" in again.words
    kept = {
        name: value
        for name, value in act.typed.items()
        if isinstance(value, str) and value not in again.source
    }
    assert not kept
    mended = {**again.hidden, **act.typed}
    first, second = (visitor.post(path, mended, act.files) for _ in range(2))
    assert (first.status, second.status) == (303, 303), first.words
    assert first.place == second.place
    assert len(bureau.entries) == before + 1
    if act.four_eyes:
        judging.close()
        desk.close()
