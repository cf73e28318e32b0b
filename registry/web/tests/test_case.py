"""The page of a case: the verdict as the command line gives it, its reasons, and the law beside it."""

import json
import re
from dataclasses import replace
from typing import NoReturn

import pytest
from click.testing import CliRunner

from registry.cli import main
from registry.desk import documenting
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.errors import RegistryError
from registry.judging.worker import Cause, Refusal
from registry.web.tests.visiting import Page, Visitor, case
from rules.tests.packaged import TITLES

#: One that misses a threshold by a hair, one that lacks figures, one that waits for a person.
NARROW, LACKING, WAITING = "91990000MA0000004L", "91990000MA0000040C", "91990000MA0000011C"
FIRST, SECOND, THIRD = TITLES


def opened(page: Page) -> tuple[int, int]:
    """How many branches are unfolded, and how many there are."""
    opened = re.findall(r"<details(?: [^>]*)? open>", page.source)
    return len(opened), page.source.count("<details")


@pytest.mark.parametrize("uscc", [NARROW, LACKING, WAITING, "91990000MA0000001B"])
def test_page_and_command_line_give_the_same_verdicts(
    visitor: Visitor, example: str, uscc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_DATABASE_URL", example)
    typed = CliRunner().invoke(main, ["check", uscc, "--json"], catch_exceptions=False)
    [found] = json.loads(typed.stdout)["results"]
    for verdict in found["verdicts"]:
        page = visitor.get(case(uscc, verdict["tier"]))
        assert page.status == 200
        tabs = re.search(r'<nav class="tabs".*?</nav>', page.source, re.DOTALL)
        assert tabs
        shown = re.findall(r"</span> (\w+)</span>", tabs[0])
        assert shown == [v["outcome"] for v in found["verdicts"]]
        heading = re.search(r'<h2 id="verdict">.*?</span> (\w+)</span>', page.source)
        assert heading
        assert heading[1] == verdict["outcome"]


def test_a_reason_stands_with_figure_cell_threshold_distance_and_clause(visitor: Visitor) -> None:
    page = visitor.get(case(NARROW, SECOND))
    for said in (
        "✗ 不符合：1项不满足",
        "上年度研发费用占比 不低于3%：2.9999% 差0.0001个百分点，合0.01万元",
        "2022年研发费用总额（上年度）：299.99万元 汇总表!S7",
        "前置称号 ✓ 符合",
        "依据 附件2认定条件第二项",
        "解读B 不低于、达到、以上都含本数。",
        "✓ 16个例子全部成立",
        "适用 工信部企业〔2022〕63号附件2（自2022-08-01至2026-03-31）",
    ):
        assert said in page.words, said


def test_the_row_that_decided_is_tinted_and_says_so(visitor: Visitor) -> None:
    page = visitor.get(case(NARROW, SECOND))
    [row] = re.findall(r'<tr class="decides[^>]*>.*?</tr>', page.source)
    assert 'class="decides not"' in row
    assert "上年度研发费用占比" in row
    assert "结论依据本行" in row


def test_the_branch_of_the_reason_is_open_and_print_opens_all(visitor: Visitor) -> None:
    some, all_ = opened(visitor.get(case(NARROW, SECOND)))
    assert 0 < some < all_
    printed = opened(visitor.get(case(NARROW, SECOND, print=1)))
    assert printed[0] == printed[1] == all_


def test_a_clause_has_an_address_of_its_own(visitor: Visitor) -> None:
    page = visitor.get(case(NARROW, SECOND, rule="63.2.年限"))
    assert "从事细分市场年限 不低于2年 ✓ 符合 约10.83年" in page.words
    assert visitor.get(case(NARROW, SECOND, rule="没有")).status == 200


def test_what_a_person_settles_says_who_does(visitor: Visitor) -> None:
    page = visitor.get(case(WAITING, THIRD))
    assert "◇ 待人工认定：2项待认定" in page.words
    assert "知名度和影响力：由审核人认定（写明理由，附证据）" in page.words
    assert "为 是，实为" not in page.words


def test_what_is_lacking_says_what_would_settle_it(visitor: Visitor) -> None:
    page = visitor.get(case(LACKING, SECOND))
    assert "？ 材料不足：2项缺材料" in page.words
    assert "2022年研发费用总额（上年度）：未填报 补填2022年审计报告的期末数" in page.words
    assert "51～98分 ／100分" in page.words
    assert "尚差0～9分" in page.words


def test_a_decision_on_the_case_is_listed_with_its_number(visitor: Visitor) -> None:
    page = visitor.get(case(NARROW, SECOND))
    assert re.search(r'href="/decisions/\d+"', page.source)
    assert "还没有就本案作出决定" in visitor.get(case(LACKING, SECOND)).words


def test_another_day_or_moment_or_round_is_another_address(visitor: Visitor) -> None:
    page = visitor.get(case(NARROW, SECOND, as_of="2023-07-01", known_at="2023-07-02"))
    assert "按 2023-07-01 判断" in page.words
    assert "按 2023-07-02 23:59:59 以前登记的内容" in page.words
    assert "as_of=2023-07-01" in page.source
    assert visitor.get(case(NARROW, SECOND, known_at="2023-01-01")).status == 404


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"as_of": "昨天"}, "「昨天」不是日期，请写成 2023-06-30 或 2023年6月30日"),
        ({"known_at": "2150-01-01"}, "「2150-01-01」还没有到"),
        ({"province": "火星"}, "「火星」不是省级行政区"),
        ({"procedure": "评比"}, "没有名为「评比」的程序"),
        ({"batch": "\x01"}, "含有不能显示的字符"),
    ],
)
def test_what_is_asked_amiss_is_refused_in_words(
    visitor: Visitor, query: dict[str, str], said: str
) -> None:
    page = visitor.get(case(NARROW, SECOND, **query))
    assert page.status == 422
    assert said in page.words


def test_a_case_that_cannot_be_judged_as_of_a_day_says_as_of_which_it_can(
    visitor: Visitor,
) -> None:
    page = visitor.get(case(NARROW, SECOND, as_of="2024-06-30"))
    assert page.status == 422
    assert "请补报2023年数据" in page.words
    assert "?as_of=2023-06-30" in page.links


def test_a_case_on_which_the_evaluators_differ_has_no_verdict(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Refusal(Cause.ENGINE, NARROW, "甲", "两次独立计算不一致")
    monkeypatch.setattr(Judging, "check", lambda *_, **__: refusal)
    page = visitor.get(case(NARROW, SECOND))
    assert page.status == 500
    assert "两次独立计算不一致" in page.words
    assert "不给出结论" in page.words


def test_no_such_enterprise_or_tier_is_no_page(visitor: Visitor) -> None:
    assert (
        "没有登记信用代码为91990000MA0000099X的企业"
        in (page := visitor.get(case("91990000MA0000099X", SECOND))).words
    )
    assert page.status == 404
    assert visitor.get(f"/enterprises/{NARROW}/nothing").status == 404


def test_a_rule_of_which_the_program_no_longer_knows_the_examples_is_shown(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    documented = documenting.at_hand()
    pages = replace(documented.pages, rules={})
    monkeypatch.setattr(documenting, "on_record", lambda _: replace(documented, pages=pages))
    page = visitor.get(case(NARROW, SECOND))
    assert page.status == 200
    assert "个例子" not in page.words


def test_a_case_is_shown_though_the_published_texts_no_longer_compile(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Desk) -> NoReturn:
        raise RegistryError("published-not-compiled", "不能编译")

    monkeypatch.setattr(documenting, "on_record", fail)
    page = visitor.get(case(NARROW, SECOND))
    assert page.status == 200
    assert "个例子" not in page.words
    assert "不能编译" in visitor.get("/rules").words


def test_a_case_is_written_as_an_example_that_names_nobody(visitor: Visitor) -> None:
    page = visitor.get(case(NARROW, SECOND, "example", rule="63.2.研发费用"))
    assert "| 上年度研发费用总额 | 299.99万元 | | 上年度营业收入总额 | 10000万元 |" in page.words
    assert "那么 结论为“不符合”" in page.words
    [written] = re.findall(
        r"<pre.*?</pre>", visitor.get(case(NARROW, SECOND, "example")).source, re.DOTALL
    )
    assert NARROW not in written
    assert "示例四号" not in written
    assert visitor.get(case(NARROW, SECOND, "example", as_of="2024-06-30")).status == 422
