"""``tidu explain``: what each reader of a recorded decision is told, in each format."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlmodel import Session

from registry.demo import DEMO_COUNTY
from registry.record import journal

Run = Callable[..., Result]

#: Enterprises of the packaged workbook: all is met; R&D 299.99 of 10000; no market share; two findings wait.
FIRST, FOURTH, NINTH, ELEVENTH = (
    "91990000MA0000001B",
    "91990000MA0000004L",
    "91990000MA00000094",
    "91990000MA0000011C",
)
TWELFTH, THIRTY_THIRD = "91990000MA0000012F", "91990000MA0000033L"
READERS = ("enterprise", "officer", "auditor")
DIGEST = re.compile(r"[0-9a-f]{16}")
CELL = re.compile(r"汇总表!|汇总表")


@pytest.fixture
def demo(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on a registry that holds the packaged workbook."""
    monkeypatch.setenv("TIDU_BY", "王某")
    assert run("import", str(DEMO_COUNTY), "--partial").exit_code == 0
    return run


def decided(run: Run, code: str, tier: str) -> str:
    [line] = json.loads(run("decide", code, "--tier", tier, "--json").output)
    return str(line["seq"])


def told(run: Run, seq: str, *arguments: str) -> str:
    result = run("explain", seq, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def data(run: Run, seq: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told(run, seq, "--json"))
    return found


class _Page(HTMLParser):
    """What a page says and refers to; tags that do not close fail."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said, self.open, self.names = "", list[str](), set[str]()
        self.references: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.references += [v or "" for k, v in attrs if k in ("src", "href", "action", "data")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.said += data


def offline(page: str) -> _Page:
    """A page that opens without a network."""
    found = _Page(page)
    assert not found.references
    assert not re.search(r"https?:|@import|url\(", page)
    assert "script" not in found.names
    return found


def test_one_figure_short_by_a_ten_thousandth_of_a_percent(demo: Run) -> None:
    seq = decided(demo, FOURTH, "专精特新")
    said = told(demo, seq, "--for", "enterprise").splitlines()
    assert said[0] == "示例四号（虚构）有限公司：专精特新中小企业认定决定的说明"
    assert f"  决定编号  第{seq}号" in said
    assert "  填报日期  2023年6月30日（上年度为2022年）" in said
    for line in (
        "■ 结论：不符合",
        "  专精特新中小企业的标准，贵企业达到5项，没有达到1项，因此结论为不符合。",
        "  1. 上年度研发费用总额不低于100万元，且占营业收入总额比重不低于3%（附件2认定条件第二项）",
        "     上年度研发费用占比应不低于3%；贵企业为2.9999%，差0.0001个百分点，合0.01万元",
        "  其余不变时，下列任何一项单独达到所写的数值，按同一标准结论即为“符合”：",
        "  · 2022年研发费用总额为300万元（填报为299.99万元，+0.01万元）（附件2认定条件第二项）",
        # 299.99 / 0.03 = 9999.6666…, cut to the fen below
        "  · 2022年营业收入总额为9999.666666万元（填报为10000万元，-0.333334万元）（附件2认定条件第二项）",
        "  没有适用工信部企业〔2026〕2号附件1：它自2026年4月1日起适用，不含2023年6月30日。",
    ):
        assert line in said
    whole = "\n".join(said)
    assert not DIGEST.search(whole)
    assert not CELL.search(whole)
    assert not re.search(r"63\.\d|rd_expense", whole)
    assert "承诺" in whole

    officer = told(demo, seq)
    checked = demo("check", FOURTH, "--tier", "专精特新", "--explain").output
    reasons = [line for line in checked.splitlines()[3:] if line]
    assert "\n".join(f"  {line}" for line in reasons) in officer
    assert "未适用：工信部企业〔2026〕2号附件1，因自2026-04-01，不含2023-06-30" in officer
    assert "300万元（+0.01万元，约+0.0033%）→符合" in officer
    assert "9999.666666万元（-0.333334万元，约-0.0033%）→符合" in officer
    assert "[C] 缺报的事项按未知处理" in officer

    auditor = told(demo, seq, "--for", "auditor")
    entry = data(demo, seq)["record"]
    for key in ("digest", "previous", "facts", "ruleset", "trace"):
        assert entry[key] in auditor
    assert entry["applicability"]["digest"] in auditor
    assert re.search(r"上年度研发费用占比 +2\.9999% +29999/1000000 +附件4", auditor)
    assert re.search(
        r"2022年研发费用总额 +299\.99万元 +2999900 +rd_expense@2022 +汇总表!S7", auditor
    )
    assert f"tidu replay {seq}" in auditor
    assert f"tidu audit export {seq} -o" in auditor
    assert "经办：王某" in auditor


def test_the_data_are_exact_texts_under_stable_keys(demo: Run) -> None:
    seq = decided(demo, FOURTH, "专精特新")
    found = data(demo, seq)
    assert list(found) == [
        "schema", "record", "case", "outcome", "verdict", "basis", "criteria", "reasons", "missing",
        "changes", "figures", "indicators", "determinations", "later", "filing_corrected_at",
    ]  # fmt: skip
    assert found["outcome"] == "不符合"
    assert found["verdict"]["finding"]["rule"] == "63.2"
    [reason] = found["reasons"]
    assert (reason["rule"], reason["citation"]) == ("63.2.研发费用", "附件2认定条件第二项")
    assert reason["shortfall"] == "1/1000000"
    alone = {c["key"]: c for c in found["changes"]["alone"]}
    assert alone["rd_expense@2022"]["difference_exact"] == "100"
    assert alone["rd_expense@2022"]["share"] == "1/29999"
    assert alone["rd_expense@2022"]["clauses"] == ["附件2认定条件第二项"]
    assert alone["revenue@2022"]["new"] == "99996666.66"
    assert alone["revenue@2022"]["difference_exact"] == "-166667/50"
    assert found["indicators"]["上年度研发费用占比"]["least"] == "29999/1000000"
    nearest = found["figures"][0]
    assert (nearest["key"], nearest["source"]) == ("revenue@2022", "汇总表!M7")
    assert nearest["margin"]["above"] is None
    assert "" not in [v for f in found["figures"] for v in f.values()]
    assert json.loads(told(demo, seq, "--format", "json", "--for", "enterprise")) == found


def test_a_met_case_says_by_what(demo: Run) -> None:
    seq = decided(demo, FIRST, "小巨人")
    said = told(demo, seq, "--for", "enterprise")
    assert "■ 结论：符合" in said
    assert "按填报的数据，贵企业达到专精特新“小巨人”企业的各项标准。" in said
    assert "全国细分市场占有率应不低于10%；贵企业为12%，高出2个百分点" in said
    assert "“知名度和影响力”应为“是”；贵企业为是" in said
    assert "怎样的变化" not in said
    officer = told(demo, seq)
    assert re.search(
        r"全国细分市场占有率 +12% +9\.9999%（-2\.0001个百分点，-16\.6675%）→不符合", officer
    )
    assert "进入细分市场日期" in officer
    assert "列入经营异常名录：否；改为是→不符合　〔汇总表!" in officer


def test_what_is_missing_is_named_with_what_would_settle_it(demo: Run) -> None:
    seq = decided(demo, NINTH, "小巨人")
    said = told(demo, seq, "--for", "enterprise")
    assert "■ 结论：材料不足" in said
    assert "缺下列1项。没有填报的，既不当作零，也不当作不符合。" in said
    assert "1. 全国细分市场占有率（未填报）：补填，并附能够证明的材料" in said
    assert "全国细分市场占有率应不低于10%；贵企业尚缺：全国细分市场占有率" in said
    assert data(demo, seq)["missing"] == [
        {
            "key": "market_share",
            "name": "全国细分市场占有率",
            "state": "未填报",
            "material": "补填，并附能够证明的材料",
        }
    ]


def test_what_waits_for_a_person_and_then_rests_on_one(demo: Run, tmp_path: Path) -> None:
    seq = decided(demo, ELEVENTH, "小巨人")
    said = told(demo, seq, "--for", "enterprise")
    assert "■ 结论：待人工认定" in said
    assert "1. 知名度和影响力（待审核认定）：由审核人认定；可以提供有助于认定的材料" in said
    assert "“知名度和影响力”经审核人认定为“否”：结论为不符合（附件3“特”）" in said

    (tmp_path / "a.pdf").write_bytes(b"evidence")
    assert demo("audit", "four-eyes", "on").exit_code == 0
    numbers = []
    for name in ("知名度和影响力", "位于产业链关键环节"):
        done = demo(
            "determine", ELEVENTH, "--fact", name, "--value", "是", "--ground", f"已核实{name}",
            "--evidence", "a.pdf", "--json",
        )  # fmt: skip
        numbers.append(json.loads(done.output)["seq"])
        assert demo("confirm", str(numbers[-1]), "--by", "李某").exit_code == 0
    after = decided(demo, ELEVENTH, "小巨人")
    said = told(demo, after, "--for", "enterprise")
    assert "■ 结论：符合" in said
    assert "知名度和影响力：认定为是（此前为未知）。理由：已核实知名度和影响力" in said
    assert "王某" not in said
    assert "李某" not in said
    assert f"† 人工认定第{numbers[0]}号" in told(demo, after)
    auditor = told(demo, after, "--for", "auditor")
    assert f"第{numbers[0]}号　知名度和影响力：未知 → 是" in auditor
    assert re.search(
        rf"第{numbers[0] + 1}号记录由李某于\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d确认", auditor
    )
    assert f"证据 SHA-256 {hashlib.sha256(b'evidence').hexdigest()}" in auditor
    [first, second] = data(demo, after)["determinations"]
    assert (first["was"], first["value"], first["confirmed_by"]) == (None, True, "李某")
    assert first["confirmation"] == first["seq"] + 1
    assert second["ground"] == "已核实位于产业链关键环节"
    # the earlier decision is explained as it was, and says that there is a later one
    assert f"此后另有第{after}号决定" in told(demo, seq, "--for", "enterprise")
    assert data(demo, seq)["outcome"] == "待人工认定"
    assert "审核人认定：知名度和影响力：认定为是" in told(demo, after, "--format", "letter")


def test_a_title_and_a_finding_are_beyond_what_figures_reach(demo: Run) -> None:
    title = told(demo, decided(demo, TWELFTH, "小巨人"), "--for", "enterprise")
    assert "填报数据的变动不能改变结论，需要的是：" in title
    assert "有效的专精特新中小企业称号件数应不低于1项，没有达到（办法关于申请资格的规定）" in title
    assert "称号类别" not in title
    several = told(demo, decided(demo, THIRTY_THIRD, "小巨人"), "--for", "enterprise")
    assert "“知名度和影响力”应为“是”（由审核人认定），没有达到（附件3“特”）" in several
    # 19 points are lacking: R&D of 1950万元 and 50万元 before make a mean of 1000万元
    some = told(demo, decided(demo, THIRTY_THIRD, "专精特新"), "--for", "enterprise")
    assert "没有哪一项数据单独变动就能改变结论" in some
    assert "2022年研发费用总额为1950万元（填报为60万元，+1890万元）" in some
    one = told(demo, decided(demo, THIRTY_THIRD, "创新型"), "--for", "enterprise")
    assert "近三年新增股权融资总额为500万元（填报为499.99万元，+0.01万元）（附件1公告条件）" in one


VALUES: dict[str, object] = {
    "行业代码": "C3511",
    "独立法人": True,
    "列入经营异常名录": False,
    "列入严重失信主体名单": False,
    "产品和服务属禁止限制淘汰类": False,
    "近三年重大安全质量环境污染事故": False,
    "近三年偷漏税等违法违规": False,
    "staff@2022": "100",
    "rd_staff@2022": "20",  # 20 %: 5 points
    "revenue@2022": "50000000",
    "main_revenue@2020": "36000000",
    "main_revenue@2021": "40500000",  # 12.5 %, then 11.1 %: 10 points
    "main_revenue@2022": "45000000",  # 90 %: 5 points
    "net_profit@2022": "5000000",  # 10 %: 10 points
    "rd_expense@2021": "8000000",
    "rd_expense@2022": "10000000",  # 20 %: 10 points
    "total_assets@2022": "80000000",
    "total_liabilities@2022": "72000000",  # 90 %: none
    "segment_entry": "2010-01-01",  # 12 years: 5 points
    "digital_level": "1",
    "quality_award": False,
    "management_certificate": False,
    "own_brand": False,
    "standards": False,
    "field_key_link": False,
    "field_six_bases": False,
    "field_old_brand": False,
    "field_serves_leader": False,
    "local_points": "15",  # 45 + 15 = 60
    "ip_high_value": "0",
    "ip_self_developed": "0",
    "ip_class_one": "0",
    "ip_class_two": "0",
    "financing_two_years": "0",
}
CODE = "913205052HYEF0R3JN"


def filed(run: Run, folder: Path, name: str = "测试一号有限公司", **changed: object) -> None:
    titles = {"kind": "创新型中小企业", "held": True, "valid_until": "2025-12-31"}
    lists = {n: {"complete": True, "items": []} for n in ("awards", "competitions", "institutions")}
    document = {
        "uscc": CODE,
        "name": name,
        "as_of": "2023-06-30",
        "identity": {},
        "values": VALUES | {k.replace("__", "@"): v for k, v in changed.items()},
        "records": {**lists, "titles": {"complete": True, "items": [titles]}},
    }
    (folder / "a.json").write_text(json.dumps([document]), encoding="utf-8")
    done = run("import", "a.json", "--by", "王某")
    assert done.exit_code == 0, done.output


def test_a_score_of_just_sixty_is_met_and_turns_by_a_hundredth_of_a_point(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_BY", "王某")
    filed(run, tmp_path)
    seq = decided(run, CODE, "专精特新")
    said = told(run, seq, "--for", "enterprise")
    assert "■ 结论：符合" in said
    assert "应不低于认定分数线（60分）；贵企业为60分，恰在门槛上" in said
    officer = told(run, seq)
    assert re.search(r"地方特色指标得分 +15分 +14\.99分（-0\.01分，约-0\.0667%）→不符合", officer)
    assert "省份、批次  未注明、不分批次" in officer

    filed(run, tmp_path, local_points="14.99")
    short = decided(run, CODE, "专精特新")
    assert short != seq
    said = told(run, short, "--for", "enterprise")
    assert "贵企业为59.99分，差0.01分" in said
    assert "地方特色指标得分为15分（填报为14.99分，+0.01分）（附件2评价指标第9项）" in said
    earlier = told(run, seq, "--for", "enterprise")
    assert "■ 结论：符合" in earlier
    assert "已于" in earlier  # the filing was corrected since
    assert f"此后另有第{short}号决定" in told(run, seq, "--format", "letter")


@pytest.mark.parametrize("form", ["html", "letter"])
def test_pages_escape_everything_and_open_offline(
    run: Run, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_BY", "<b>王&某</b>")
    name = '<script>alert(1)</script>"有限公司'
    filed(run, tmp_path, name, local_points="14")
    seq = decided(run, CODE, "专精特新")
    for reader in READERS if form == "html" else ("enterprise",):
        page = told(run, seq, "--format", form, "--for", reader)
        found = offline(page)
        assert name in found.said or reader != "enterprise"
        assert "b" not in found.names
        assert "不符合" in found.said
        if reader == "auditor":
            assert "<b>王&某</b>" in found.said
            assert name in found.said


def test_the_letter_says_to_whom_what_and_how_to_check_it(demo: Run, tmp_path: Path) -> None:
    seq = decided(demo, FOURTH, "专精特新")
    letter = offline(told(demo, seq, "--format", "letter", "--office", "示范市中小企业局")).said
    for words in (
        "决定告知书",
        f"第{seq}号",
        "示例四号（虚构）有限公司（统一社会信用代码：91990000MA0000004L）：",
        "你单位申请专精特新中小企业认定，填报日期为2023年6月30日（上年度为2022年）",
        "结论：不符合",
        "工信部企业〔2022〕63号附件2（自2022年8月1日至2026年3月31日适用）",
        "上年度研发费用占比应不低于3%；你单位为2.9999%，差0.0001个百分点，合0.01万元",
        "可以向出具单位书面说明",
        "出具单位：示范市中小企业局",
        data(demo, seq)["record"]["digest"][:16],
    ):
        assert words in letter
    assert "贵企业" not in letter
    assert not re.search(r"\d+(日|天|个工作日)(以?内)|复议|诉讼|汇总表", letter)
    assert re.findall("[一二三四五六七八九]、", letter) == ["一、", "二、", "三、", "四、", "五、"]
    blank = told(demo, seq, "--format", "letter")
    assert 'class="blank"' in blank
    missing = told(demo, decided(demo, NINTH, "小巨人"), "--format", "letter")
    assert "可以补充的材料" in missing


def test_a_file_is_written_once_and_whole(demo: Run, tmp_path: Path) -> None:
    seq = decided(demo, FOURTH, "专精特新")
    done = demo("explain", seq, "--for", "auditor", "--format", "html", "-o", "a.html")
    assert done.output == "已写入 a.html\n"
    offline((tmp_path / "a.html").read_text(encoding="utf-8"))
    again = demo("explain", seq, "-o", "a.html")
    assert again.exit_code == 1
    assert again.output == "错误：a.html 已存在：请另取文件名\n"


def test_misuse_and_what_cannot_be_explained(demo: Run) -> None:
    seq = decided(demo, FOURTH, "专精特新")
    for arguments, sentence in (
        (("--json", "--format", "html"), "--json 就是 --format json"),
        (("--format", "letter", "--for", "auditor"), "告知书（--format letter）是写给企业的"),
        (("--office", "某局"), "--office 只用于告知书"),
    ):
        result = demo("explain", seq, *arguments)
        assert result.exit_code == 2
        assert sentence in result.output
    assert "第1号记录不是决定" in demo("explain", "1").output
    assert "没有第99号记录" in demo("explain", "99").output


def test_a_decision_that_no_longer_comes_out_is_not_explained(
    demo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seq = decided(demo, FOURTH, "专精特新")
    stored = journal.entry

    def altered(session: Session, number: int) -> journal.Entry:
        return replace(stored(session, number), digest="0" * 64)

    monkeypatch.setattr(journal, "entry", altered)
    result = demo("explain", seq, "--for", "enterprise")
    assert result.exit_code == 1
    assert result.output == (
        f"错误：第{seq}号决定不能原样重现（记录：记录的内容与其摘要不符，已被改动）："
        "请运行 tidu audit verify 查明\n"
    )
