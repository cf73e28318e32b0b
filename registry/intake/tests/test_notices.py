"""What a notice says was done with a cell is what was done with it."""

from pathlib import Path

import pytest

from registry.intake.tests.counties import CELLS, county, firm, read, saved

#: Headings of several things in one cell, where a part can be kept.
SEVERAL = ("近年科技奖励（级别/排名/发证日期）", "创客中国全国名次（名次/日期）", "研发机构级别")
#: Headings whose cells leave a mark in the filing whatever they say, or none.
OTHERS = ("主导产品所属领域（可多填）", "创新型中小企业有效期至", "专精特新中小企业有效期至",
          "所在地（省市县）", "注册时间", "主导产品名称")  # fmt: skip
ODD = ["约5", "18", "1.234567", "省部级", "2019年6月", "待定", "-5", "120%", 3.5, "二级",
       "省级/x/2021-07-28", "国家级/1/2021-07-28；x", "50/2021-11-20；无此"]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_notice_says_not_provided_where_nothing_is_kept_and_only_there(
    tmp_path: Path, odd: object
) -> None:
    headings = [h for h in CELLS if h not in OTHERS]
    rows = [firm(n, **{h: odd}) for n, h in enumerate(headings, 1)]
    reading = read(saved(county(rows), tmp_path))
    kept = {where for s in (*reading.submissions, *reading.refused) for where in s.sources.values()}
    texts = {(h.sheet, h.letter): h.text for h in reading.headings}
    said: dict[tuple[str, str], list[str]] = {}
    for issue in reading.issues:
        if issue.severity == "提示":
            heading = texts[issue.sheet, issue.cell.rstrip("0123456789")]
            said.setdefault((heading, f"{issue.sheet}!{issue.cell}"), []).append(issue.message)
    assert said
    for (heading, where), messages in said.items():
        told = any("按未提供处理" in message for message in messages)
        if heading in SEVERAL and where in kept:
            continue  # of one part it is said that it is not
        assert told == (where not in kept), (heading, messages)
