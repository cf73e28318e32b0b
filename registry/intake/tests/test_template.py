"""The template: what it holds, and that a filled one reads back exactly."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from registry.filings import IDENTITY
from registry.intake import write_template
from registry.intake.tests.counties import CATALOGUE, read
from registry.intake.tests.test_summary import A, B, code, texts, told
from registry.judging.relations import parts
from rules.model.facts import RecordList, yearly_key

YEARS = (2020, 2021, 2022)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "template.xlsx"
    write_template(path, CATALOGUE)
    return path.read_bytes()


@pytest.fixture
def fill(empty, tmp_path):
    """Fill the template: sheet -> rows of {heading without unit: cell}; then read it."""

    def make(sheets, **more):
        book = load_workbook(BytesIO(empty))
        for name, rows in sheets.items():
            sheet = book[name]
            at = {c.value.partition("（")[0]: c.column for c in sheet[1]}
            for number, row in enumerate(rows, 2):
                for heading, value in row.items():
                    sheet.cell(number, at[heading], value)
                    if isinstance(value, float):
                        sheet.cell(number, at[heading]).number_format = "0.00%"
        path = tmp_path / "filled.xlsx"
        book.save(path)
        return read(path, **more)

    return make


def test_every_fact_and_record_field_has_a_column(empty):
    book = load_workbook(BytesIO(empty))
    heads = {s.title: [c.value for c in s[1]] for s in book if s.title not in ("填写说明", "选项")}
    assert list(heads) == ["企业基本情况", "年度数据", *(r.name for r in CATALOGUE.records)]
    assert "营业收入总额（万元）" in heads["年度数据"]
    assert "全国细分市场占有率" in heads["企业基本情况"]
    assert "知识产权清单已报全" in heads["企业基本情况"]
    assert [h.partition("（")[0] for h in heads["年度数据"][3:]] == [
        f.name for f in CATALOGUE.facts if f.yearly
    ]
    for record in CATALOGUE.records:
        assert [h.partition("（")[0] for h in heads[record.name][2:]] == [
            f.name for f in record.fields
        ]


def test_flags_and_codes_have_drop_downs_and_notes_are_comments(empty):
    book = load_workbook(BytesIO(empty))
    sheet = book["知识产权"]
    choices = {str(v.sqref): v.formula1 for v in sheet.data_validations.dataValidation}
    assert choices["E2:E20001"] == '"是,否"'
    title, cells = choices["C2:C20001"].split("!")
    kinds = [row[0].value for row in book[title][cells.replace("$", "")]]
    assert tuple(kinds) == CATALOGUE.records[0].fields[0].codes
    assert book[title].sheet_state == "hidden"
    basic = {c.value: c.comment.text for c in book["企业基本情况"][1] if c.comment}
    assert basic["行业代码"] == "GB/T 4754-2017，门类字母加四位小类代码"
    assert basic["知名度和影响力"] == "（认定）由审核人填写"


def test_the_empty_template_reads_as_nothing(fill):
    reading = fill({})
    assert (reading.submissions, reading.refused, reading.issues) == ((), (), ())


def test_further_sheets_need_the_enterprise_and_one_row_a_year(fill):
    basic = [{"统一社会信用代码": A, "企业名称": "甲"}]
    yearly = [
        {"统一社会信用代码": A, "年度": "2022年", "从业人员": 3},
        {"统一社会信用代码": A, "年度": 2022, "从业人员": 4},
        {"统一社会信用代码": A, "从业人员": 4},
        {"从业人员": 4, "研发人员": 1, "年度": 2021},
    ]
    reading = fill(
        {
            "企业基本情况": basic,
            "年度数据": yearly,
            "品牌": [{"统一社会信用代码": B, "品牌名称": "子"}],
        }
    )
    assert texts(reading) == [
        "错误 年度数据!C3「2022」：该企业2022年度填了不止一行，每家企业每年只填一行",
        "错误 年度数据!C4：没有可识别的年度，应为四位年份",
        "错误 年度数据!A5：没有统一社会信用代码，请填写18位代码",
        f"错误 品牌!A2「{B}」：基本情况中没有这个统一社会信用代码，请核对代码，或补上企业基本情况",
    ]
    assert reading.submissions == ()
    assert {s.uscc for s in reading.refused} == {A, B}


def test_a_wrong_code_is_told_once_however_many_sheets_repeat_it(fill):
    wrong = A[:17] + "0"
    key = {"统一社会信用代码": wrong, "企业名称": "甲"}
    reading = fill(
        {
            "企业基本情况": [key],
            "年度数据": [key | {"年度": 2022, "从业人员": 3}],
            "品牌": [key | {"品牌名称": "子"}],
        }
    )
    (issue,) = told(reading)
    assert (issue.sheet, issue.cell, issue.uscc) == ("企业基本情况", "A2", wrong)
    assert [s.uscc for s in reading.refused] == [wrong]


def test_a_list_says_whether_it_is_complete(fill):
    basic = [
        {
            "统一社会信用代码": A,
            "企业名称": "甲",
            "知识产权清单已报全": "是",
            "品牌清单已报全": "否",
        },
        {"统一社会信用代码": B, "企业名称": "乙"},
    ]
    brands = [
        {"统一社会信用代码": B, "品牌名称": "子", "品牌已注册": "不清楚"},
        {"统一社会信用代码": B},
    ]
    first, second = fill({"企业基本情况": basic, "品牌": brands}).submissions
    assert first.records == {"ip": RecordList((), True), "brands": RecordList((), False)}
    assert second.records == {"brands": RecordList(({"name": "子"}, {}), None)}
    assert second.sources["brands#0"] == "品牌!2"


words = st.text("甲乙丙丁（）ABC123-Ⅰ", min_size=1, max_size=8).filter(lambda t: t.strip("-"))
days = st.dates(date(1990, 1, 1), date(2030, 1, 1)).map(date.isoformat)


def decimals(low, high, places):
    numbers = st.integers(low * 10**places, high * 10**places)
    return numbers.map(lambda n: text_of(Decimal(n).scaleb(-places)))


def text_of(number):
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def value_of(fact):
    """Any value that the fact can have, as a profile keeps it."""
    if fact.kind == "flag":
        return st.booleans()
    if fact.kind == "code":
        return st.sampled_from(fact.codes)
    if fact.kind == "date":
        return days
    if fact.kind == "text":
        return (
            st.from_regex(r"(A01|C39|I65|R90)[0-9]{2}", fullmatch=True)
            if fact.id == "industry_code"
            else words
        )
    if fact.unit == "万元":
        return decimals(0 if fact.minimum is not None else -(10**9), 10**9, 2)
    if fact.unit == "%":
        return decimals(0, 1, 6)
    low, high = int(fact.minimum or 0), int(fact.maximum if fact.maximum is not None else 10**6)
    return decimals(low, high, 1 if fact.unit == "分" else 0)


def some(facts, **more):
    return st.fixed_dictionaries(
        more, optional={f.id: value_of(f) for f in facts if f.id not in more}
    )


def free(kind):
    """The fields that may be anything together: the days of a title have an order."""
    return [f for f in kind.fields if (kind.id, f.id) != ("titles", "valid_from")]


lists = {
    r.id: st.tuples(
        st.lists(some(free(r)).filter(bool), max_size=2), st.sampled_from([True, False, None])
    )
    for r in CATALOGUE.records
}
filings = st.fixed_dictionaries(
    {
        "as_of": st.dates(date(2020, 1, 1), date(2030, 1, 1)),
        "identity": some(IDENTITY),
        "values": some(
            [f for f in CATALOGUE.facts if not f.yearly], registered_in_prc=st.booleans()
        ),
        "yearly": st.dictionaries(
            st.sampled_from(YEARS),
            some([f for f in CATALOGUE.facts if f.yearly]).filter(bool),
            max_size=3,
        ),
        "records": st.fixed_dictionaries({}, optional=lists),
    }
)


def consistent(values):
    """The values with no part larger than its whole."""
    for part, whole in parts(CATALOGUE).items():
        if part in values and whole in values and Decimal(values[part]) > Decimal(values[whole]):
            values[part] = values[whole]
    return values


def cell_of(fact, value, style):
    """A value as someone types it, in one of several ways."""
    if isinstance(value, bool):
        return ("是", "√", "Y")[style] if value else ("否", "×", "n")[style]
    if fact.kind == "date":
        day = date.fromisoformat(value)
        return (day, day.strftime("%Y.%m.%d"), f"{day.year}年{day.month}月{day.day}日")[style]
    if fact.unit == "%":
        percent = Decimal(value) * 100
        return (f"{text_of(percent)}%", float(value), f"{text_of(percent)} ％")[style]
    if fact.unit == "万元":
        amount = Decimal(value).scaleb(-4)
        return (amount, f"{amount:,f}", f"{text_of(Decimal(value))}元")[style]
    return (value, Decimal(value), f"{value} ")[style] if fact.kind == "number" else value


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(filings, min_size=1, max_size=3), st.data())
def test_a_filled_template_reads_back_exactly(fill, made, data):
    known = {f.id: f for f in (*CATALOGUE.facts, *IDENTITY)}

    def typed(facts, values):
        style = st.integers(0, 2)
        return {facts[k].name: cell_of(facts[k], v, data.draw(style)) for k, v in values.items()}

    sheets = {"企业基本情况": [], "年度数据": [], **{r.name: [] for r in CATALOGUE.records}}
    expected = []
    for number, filing in enumerate(made, 1):
        key = {"统一社会信用代码": code(number), "企业名称": f"企业{number}"}
        values = consistent(filing["values"])
        yearly = {year: consistent(figures) for year, figures in filing["yearly"].items()}
        basic = {
            **key,
            "填报日期": filing["as_of"],
            **typed(known, filing["identity"]),
            **typed(known, values),
        }
        records = {}
        for record in CATALOGUE.records:
            items, complete = filing["records"].get(record.id, ([], None))
            own = {f.id: f for f in record.fields}
            sheets[record.name] += [key | typed(own, item) for item in items]
            if complete is not None:
                basic[f"{record.name}清单已报全"] = "是" if complete else "否"
            if items or complete is not None:
                records[record.id] = RecordList(tuple(items), complete)
        sheets["企业基本情况"].append(basic)
        sheets["年度数据"] += [
            key | {"年度": y} | typed(known, figures) for y, figures in yearly.items()
        ]
        flat = {yearly_key(k, y): v for y, figures in yearly.items() for k, v in figures.items()}
        expected.append((key, filing["as_of"], filing["identity"], values | flat, records))
    reading = fill(sheets)
    assert [t for t in texts(reading) if "晚于填报日期" not in t] == []
    for submission, (key, as_of, identity, values, records) in zip(
        reading.submissions, expected, strict=True
    ):
        assert {"统一社会信用代码": submission.uscc, "企业名称": submission.name} == key
        assert submission.as_of == as_of
        assert submission.identity == identity
        assert submission.values == values
        assert submission.records == records
