"""What a table is asked for: what the texts of its day read, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import pytest
from openpyxl import load_workbook

from registry.demo import DEMO_COUNTY
from registry.desk.rulebooks import rulebook
from registry.filings import FileReading
from registry.intake import write_template
from registry.intake.asked import Asked
from registry.intake.composite import FIELD_WORDS
from registry.intake.coverage import FIELDS
from registry.intake.template import BASIC, GUIDE, OPTIONS
from registry.intake.tests.counties import CATALOGUE, HEADINGS, code, county, firm, read, saved
from rules.comparison.requirements import asked_for
from rules.language.parameters import row
from rules.model.expressions import add, as_of, mul, parameter, years
from rules.model.expressions import fact as fact_of
from rules.model.ruleset import Parameter

OLD, LAST, FIRST, NEW = date(2023, 6, 30), date(2026, 3, 31), date(2026, 4, 1), date(2026, 6, 30)
PLACES = ("", "广东省", "山东省")


@pytest.fixture(scope="module")
def asked() -> Asked:
    return Asked(rulebook())


def lacking(reading: FileReading) -> list[str]:
    """What a file is told to lack."""
    said = "表中没有这些栏目，按未填报处理："
    found = [i.message.removeprefix(said) for i in reading.issues if i.message.startswith(said)]
    return [name for names in found for name in names.split("、")]


def headings(asked: Asked, day: date, province: str = "") -> list[str]:
    return [item.heading for item in asked(day, province).values()]


@pytest.mark.parametrize(("day", "place"), list(product((OLD, LAST, FIRST, NEW), PLACES)))
def test_a_table_is_asked_for_exactly_what_the_texts_of_its_day_read(
    asked: Asked, day: date, place: str
) -> None:
    read = {k for ruleset in asked.rulesets(day, place) for k in asked_for(ruleset)}
    wanted = asked(day, place)
    for id, part in wanted:
        key = f"{id}{part - day.year + 1:+d}" if isinstance(part, int) else id
        assert key in read or ((id, part) == FIELDS and read & FIELD_WORDS.keys())
    answered = {way for key, item in wanted.items() for way in (key, *item.instead)}
    for key in read:
        id = key.partition(".")[0].rstrip("+-0123456789")
        if id not in {f.id for f in CATALOGUE.facts}:
            assert (id, None) in answered or any(i == id for i, _ in answered)
        elif CATALOGUE.fact(id).origin == "填报" and id not in (*FIELD_WORDS, "registered_in_prc"):
            year = int(key.removeprefix(id)) + day.year - 1 if CATALOGUE.fact(id).yearly else None
            assert (id, year) in wanted
        elif CATALOGUE.fact(id).origin == "认定":
            assert id not in {i for i, _ in answered}


def test_what_chooses_a_parameter_and_the_registration_are_asked_for_but_no_places() -> None:
    book = rulebook()
    name = "上年度研发费用占比"
    rows = (row("南京市", "", None, Fraction(1), ""), row("", "C", None, Fraction(1), ""))
    age = years(fact_of("registered_on"), as_of())
    expr = add(mul(book.indicators[name].expr, parameter("系数")), age)
    changed = replace(book.indicators[name], expr=expr)
    book = replace(
        book,
        indicators={**book.indicators, name: changed},
        parameters={"系数": Parameter("%", rows)},
    )
    asked = Asked(book)
    plain = headings(Asked(rulebook()), OLD)
    assert [h for h in headings(asked, OLD) if h not in plain] == ["注册时间"]
    assert "行业代码" in plain
    assert asked.ids(OLD) >= {"city", "industry_code", "registered_on"}


def test_nothing_is_asked_for_before_any_text_governs(asked: Asked) -> None:
    assert asked(date(2022, 7, 31)) == {}
    assert asked(date(2022, 8, 1)) != {}


def test_what_one_province_asks_for_is_asked_of_it_alone(asked: Asked) -> None:
    day, own = date(2024, 6, 30), "推行精益生产"
    assert own in headings(asked, day, "山东省")
    assert own not in headings(asked, day, "江苏省")
    assert own not in headings(asked, day)
    assert own not in headings(asked, NEW, "山东省")  # nor once that text is no longer in force
    assert "地方特色指标得分" in headings(asked, day, "江苏省")
    assert "地方特色指标得分" not in headings(asked, day, "山东省")


def test_what_one_round_asks_for_is_asked_in_it_alone(asked: Asked) -> None:
    own = "与已认定小巨人之间最高持股比例"
    assert own in headings(Asked(rulebook(), "第八批"), NEW)
    assert own not in headings(asked, NEW)


def demo(tmp_path: Path, gone: tuple[str, ...] = (), **more: Any) -> FileReading:
    """The packaged example without some of its columns."""
    book = load_workbook(DEMO_COUNTY)
    sheet = book.active
    assert sheet is not None
    for column in sorted((c.column for c in sheet[3] if c.value in gone), reverse=True):
        sheet.delete_cols(column)
    return read(saved(book, tmp_path), **more)


def test_columns_that_a_county_summary_lacks_are_named(asked: Asked, tmp_path: Path) -> None:
    gone = (
        "2021年研发费用（万元）",
        "全国细分市场占有率",
        "专精特新中小企业有效期至",
        "研发机构级别",
    )
    assert lacking(demo(tmp_path, asked=asked)) == []
    assert lacking(demo(tmp_path, gone, asked=asked)) == [
        "2021年研发费用总额", "全国细分市场占有率", "研发机构", "专精特新中小企业有效期至",
    ]  # fmt: skip
    assert lacking(demo(tmp_path, gone)) == []  # without criteria nothing can be asked for


def test_the_demo_of_a_later_day_is_asked_for_what_that_day_reads(
    asked: Asked, tmp_path: Path
) -> None:
    found = lacking(demo(tmp_path, asked=asked, as_of=NEW))
    assert {"2023年营业收入总额", "2026年专精特新发展评价得分", "国内细分市场排名"} <= set(found)
    vain = {"2025年净利润总额", "2025年研发人员", "2023年主营业务收入总额", "创客中国", "数字化水平等级",
            "参与制修订标准", "省级以上质量奖", "地方特色指标得分", "申报划型行业"}  # fmt: skip
    assert vain.isdisjoint(found)


SECOND = "2021年研发费用（万元）"


class Table(Protocol):
    def __call__(
        self, *rows: dict[str, Any], gone: Sequence[str] = (), more: Sequence[str] = ()
    ) -> Path: ...


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Write a county's table with some columns less or more."""

    def write(*rows: dict[str, Any], gone: Sequence[str] = (), more: Sequence[str] = ()) -> Path:
        kept = [h for h in HEADINGS if h not in gone]
        return saved(county(rows, headings=[*kept, *more]), tmp_path)

    return write


def test_a_table_whose_rows_have_days_of_their_own_is_asked_by_them(
    asked: Asked, table: Table
) -> None:
    rows = [firm(1) | {"填报日期": "2023-06-30"}, firm(2) | {"填报日期": "2024-06-30"}]
    found = lacking(read(table(*rows, more=["填报日期"]), asked=asked))
    assert "2023年从业人员" in found
    assert "2022年从业人员" not in found


@pytest.mark.parametrize(
    ("place", "told"),
    [("江苏省苏州市虎丘区", False), ("山东省济南市历下区", True), ("山东省青岛市市南区", False)],
)
def test_a_table_is_asked_by_where_its_enterprises_are(
    asked: Asked, table: Table, place: str, told: bool
) -> None:
    found = lacking(read(table(firm(1), firm(2, **{"所在地（省市县）": place})), asked=asked))
    assert ("推行精益生产" in found) is told


def test_a_table_of_few_columns_is_not_asked_for_the_rest(asked: Asked, table: Table) -> None:
    assert lacking(read(table(firm(1), gone=HEADINGS[8:]), asked=asked)) == []


def test_what_stands_on_a_further_sheet_is_not_lacking(asked: Asked, tmp_path: Path) -> None:
    kept = [h for h in HEADINGS if h not in (SECOND, "Ⅰ类知识产权（项）")]
    book = county([firm(1)], headings=kept)
    assert lacking(read(saved(book, tmp_path), asked=asked)) == [
        "2021年研发费用总额", "Ⅰ类知识产权总数",
    ]  # fmt: skip
    years = book.create_sheet("年度数据")
    years.append(["企业名称", "统一社会信用代码", "年度", "研发费用总额（万元）"])
    rights = book.create_sheet("知识产权")
    rights.append(["统一社会信用代码", "企业名称", "类别", "编号"])
    assert lacking(read(saved(book, tmp_path), asked=asked)) == []


def test_each_of_two_summaries_in_one_file_is_asked(asked: Asked, tmp_path: Path) -> None:
    book = county([firm(1)])
    short = county([firm(2)], headings=[h for h in HEADINGS if h != SECOND])
    second = book.create_sheet("第二页")
    for line in short.active.values:
        second.append(line)
    reading = read(saved(book, tmp_path), asked=asked)
    assert [(i.sheet, lacking(reading)) for i in reading.issues] == [
        ("第二页", ["2021年研发费用总额"])
    ]


def test_what_the_day_does_not_read_is_not_asked_for(asked: Asked, table: Table) -> None:
    unread = ["注册时间", "2020年营业收入（万元）", "主导产品名称", "产业链关键环节（审核认定）"]
    assert lacking(read(table(firm(1), gone=unread), asked=asked)) == []
    read_too = ["行业代码（GB/T 4754）", "主导产品所属领域（可多填）", "创新型中小企业有效期至"]
    named = [
        "行业代码",
        "主导产品所属领域",
        "创新型中小企业有效期至",
    ]  # not what stands in for the first
    assert lacking(read(table(firm(1), gone=[*unread, *read_too]), asked=asked)) == named


def test_a_template_of_a_day_has_what_that_day_reads_and_nothing_is_lacking_in_it(
    asked: Asked, tmp_path: Path
) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path, CATALOGUE, asked.ids(NEW))
    book = load_workbook(path)
    heads = [
        c.value.partition("（")[0] for s in book if s.title not in (GUIDE, OPTIONS) for c in s[1]
    ]
    assert {"国内细分市场排名", "知识产权清单已报全", "位于产业链关键环节"} <= set(heads)
    assert {"净利润总额", "数字化水平等级", "创客中国清单已报全", "推行精益生产"}.isdisjoint(heads)
    row = {"企业名称": "甲", "统一社会信用代码": code(1), "填报日期": NEW}
    book[BASIC].append([row.get(c.value) for c in book[BASIC][1]])
    book.save(path)
    reading = read(path, asked=asked)
    assert [s.as_of for s in reading.submissions] == [NEW]
    assert lacking(reading) == []
