"""What a bureau's own pack declares is in the template, the mapping and the import, like any other."""

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Final

import pytest
from openpyxl import load_workbook

from registry.filings import FileReading, Submission
from registry.intake import directory, read, write_template
from registry.intake.asked import Asked
from registry.intake.drafts import NO_DATE
from registry.intake.tables.mapping import HeaderMapping
from registry.intake.tables.mapping_draft import draft, nearest
from registry.intake.tests.counties import CATALOGUE, code
from rules.language.rulebook import Rulebook, load
from rules.model.catalogue import Catalogue, Tier
from rules.model.facts import RecordList, Scalar
from rules.tests.packaged import FEATURES

DAY = date(2024, 6, 30)
PACK: Final = """# language: zh-CN
@tier:专精特新中小企业 @source:示范市工信局〔2024〕1号
功能: 示范市的填报项

  @id:示范.填报项
  规则: 示范市的填报项
    依据: 第一条

    背景:
      假如 填报项如下
        | 名称             | 标识          | 类型 | 单位 | 期间     | 取值       | 下限 | 清单     | 属于         | 由谁   | 佐证           | 说明         |
        | 绿色工厂         | green_factory | 是否 |      |          |            |      |          |              |        | 工信部门的公告 | 省级以上     |
        | 高新技术产品收入 | hitech        | 数量 | 万元 | 会计年度 |            | 0    |          | 营业收入总额 |        | 专项审计报告   |              |
        | 能源管理岗位     | energy_staff  | 数量 | 人   | 会计年度 |            | 0    |          |              |        |                |              |
        | 排污级别         | discharge     | 类别 |      |          | 甲类；乙类 |      |          |              |        |                |              |
        | 环评日期         | assessed_on   | 日期 |      |          |            |      |          |              |        |                |              |
        | 园区名称         | park          | 文字 |      |          |            |      |          |              |        |                |              |
        | 合作院校         | schools       | 数量 | 家   |          |            | 0    |          |              |        |                |              |
        | 设备平均役龄     | equipment_age | 数量 | 年   |          |            | 0    |          |              |        |                |              |
        | 绿色能源占比     | green_energy  | 数量 | %    |          |            | 0    |          |              |        |                |              |
        | 研发强度         | intensity     | 数量 | %    | 会计年度 |            | 0    |          |              |        |                |              |
        | 绿色评价得分     | green_mark    | 数量 | 分   |          |            | 0    |          |              | 审核人 |                |              |
        | 绿色技术         | green         | 是否 |      |          |            |      | 知识产权 |              |        |                |              |
        | 绿色项目         | projects      | 清单 |      |          |            |      |          |              |        |                |              |
        | 项目类别         | kind          | 类别 |      |          | 节能；减排 |      | 绿色项目 |              |        |                |              |
        | 项目投资         | spent         | 数量 | 万元 |          |            | 0    | 绿色项目 |              |        |                |              |
        | 验收日期         | accepted_on   | 日期 |      |          |            |      | 绿色项目 |              |        |                |              |

  @id:示范.产品收入
  规则: 高新技术产品收入不低于500万元
    依据: 第二条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标                   | 要求   | 门槛    |
        | 一   | 上年度高新技术产品收入 | 不低于 | 500万元 |

    场景: 未填报
      假如 企业填报
        | 上年度资产总额 | 1万元 |
      那么 结论为“材料不足”

  @id:示范.适用
  规则: 示范市批次的适用
    依据: 第三条

    背景:
      假如 按下表适用
        | 层级             | 程序 | 省份 | 批次     | 自 | 至 | 规则集        | 依据                   |
        | 专精特新中小企业 | 认定 | 其余 | 示范批次 |    |    | 示范.产品收入 | 示范市工信局〔2024〕1号 |

    场景: 示范批次按本通知
      假如 案件如下
        | 层级     | 专精特新中小企业 |
        | 程序     | 认定             |
        | 批次     | 示范批次         |
        | 填报日期 | 2024年6月30日    |
      那么 适用“示范.产品收入”
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    own = tmp_path_factory.mktemp("own")
    (own / "rounds").mkdir()
    (own / "rounds" / "a.feature").write_text(PACK, encoding="utf-8")
    return load(FEATURES, own)


@pytest.fixture(scope="module")
def known(book: Rulebook) -> Catalogue:
    return book.catalogue


def table(folder: Path, cells: dict[str, str], name: str = "表.csv") -> Path:
    """A table with one enterprise."""
    key = {"统一社会信用代码": code(1), "企业名称": "测试甲有限公司", "填报日期": f"{DAY}"}
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(zip(*(key | cells).items(), strict=True))
    return path


def told(reading: FileReading) -> list[tuple[str, str]]:
    return [(i.value, i.message) for i in reading.issues if i.message != NO_DATE and not i.doubt]


def one(reading: FileReading) -> Submission:
    assert told(reading) == []
    [found] = reading.submissions
    return found


def stated(found: Submission) -> dict[str, Scalar]:
    """The facts in a table; a code tells by itself where its enterprise is registered."""
    return {key: value for key, value in found.values.items() if key != "registered_in_prc"}


HEADINGS: Final = {
    "绿色工厂": ("是", "green_factory", True),
    "是否绿色工厂": ("否", "green_factory", False),
    "2023年高新技术产品收入（万元）": ("700", "hitech@2023", "7000000"),
    "上年度高新技术产品收入（元）": ("7000000", "hitech@2023", "7000000"),
    "2022年末能源管理岗位（人）": ("12", "energy_staff@2022", "12"),
    "排污级别": ("乙类", "discharge", "乙类"),
    "环评日期": ("2023年5月6日", "assessed_on", "2023-05-06"),
    "园区名称": ("示范园区", "park", "示范园区"),
    "合作院校（家）": ("3家", "schools", "3"),
    "设备平均役龄（年）": ("4.5", "equipment_age", "4.5"),
    "绿色能源占比（%）": ("18%", "green_energy", "0.18"),
    "2023年研发强度": ("4%", "intensity@2023", "0.04"),
    "绿色评价得分（分）": ("88.5", "green_mark", "88.5"),
}


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_column_of_a_declared_fact_is_read(
    heading: str, known: Catalogue, tmp_path: Path
) -> None:
    cell, key, value = HEADINGS[heading]
    path = table(tmp_path, {heading: cell, "2023年营业收入总额（万元）": "1000"})
    found = one(read(path, known, as_of=DAY))
    assert stated(found) == {key: value, "revenue@2023": "10000000"}
    assert found.sources[key] == "表.csv!D2"


@pytest.mark.parametrize(
    ("heading", "cell", "said"),
    [
        ("绿色工厂", "待定", "“绿色工厂”无法识别是或否，按未提供处理"),
        ("排污级别", "丙类", "“排污级别”不在可选范围内，按未提供处理"),
        ("环评日期", "2023年5月", "“环评日期”日期不完整，缺少日，按未提供处理"),
        ("合作院校（家）", "2.5", "“合作院校”不是整数，按未提供处理"),
        ("2023年高新技术产品收入（万元）", "七百", "“高新技术产品收入”不是可识别的金额，按未提供处理"),
        ("设备平均役龄（年）", "-1", "“设备平均役龄”不应小于0，按未提供处理"),
    ],
)  # fmt: skip
def test_a_value_of_a_declared_fact_that_cannot_be_read_is_told(
    heading: str, cell: str, said: str, known: Catalogue, tmp_path: Path
) -> None:
    reading = read(table(tmp_path, {heading: cell}), known)
    assert told(reading) == [(cell, said)]
    assert stated(reading.submissions[0]) == {}


def test_a_column_that_is_not_declared_is_told_and_none_is_lost_in_silence(
    known: Catalogue, tmp_path: Path
) -> None:
    cells = {"绿色工厂": "是", "2023年高新技术产品收入（万元）": "700"}
    unknown = [(heading, "看不懂这个表头，该列未读取") for heading in cells]
    assert told(read(table(tmp_path, cells), CATALOGUE)) == unknown
    assert stated(one(read(table(tmp_path, cells), known))).keys() == {
        "green_factory",
        "hitech@2023",
    }
    cells = {"高新技术产品收入（万元）": "700", "绿色商店": "是"}
    assert told(read(table(tmp_path, cells), known)) == [
        ("绿色商店", "看不懂这个表头，该列未读取"),
        ("高新技术产品收入（万元）", "没有写明年份，该列未读取"),
    ]


def test_a_declared_part_is_in_the_year_of_its_whole(known: Catalogue, tmp_path: Path) -> None:
    cells = {"2023年营业收入总额（万元）": "1000", "其中高新技术产品收入（万元）": "700"}
    assert one(read(table(tmp_path, cells), known)).values["hitech@2023"] == "7000000"


def test_lists_and_fields_that_are_declared_have_sheets_and_columns(
    known: Catalogue, tmp_path: Path
) -> None:
    path = tmp_path / "填报.xlsx"
    write_template(path, known)
    book = load_workbook(path)
    head = {s.title: {c.value: c for c in s[1]} for s in book}

    def fill(sheet: str, number: int, **cells: str) -> None:
        for heading, value in {"统一社会信用代码": code(1), **cells}.items():
            column = next(
                c.column for h, c in head[sheet].items() if h.partition("（")[0] == heading
            )
            book[sheet].cell(number, column, value)

    basic = {"企业名称": "测试甲有限公司", "填报日期": f"{DAY}", "绿色项目清单已报全": "是"}
    fill("企业基本情况", 2, **basic, 合作院校="3", 绿色能源占比="18%", 绿色工厂="是")
    fill("年度数据", 2, 年度="2023", 高新技术产品收入="700")
    fill("知识产权", 2, 类别="发明专利", 绿色技术="是")
    fill("绿色项目", 2, 项目类别="节能", 项目投资="30", 验收日期="2023-12-31")
    book.save(path)
    found = one(read(path, known))
    assert stated(found) == {
        "schools": "3", "green_energy": "0.18", "green_factory": True, "hitech@2023": "7000000",
    }  # fmt: skip
    project = {"kind": "节能", "spent": "300000", "accepted_on": "2023-12-31"}
    assert found.records["projects"] == RecordList((project,), complete=True)
    assert found.records["ip"].items == ({"kind": "发明专利", "green": True},)


def test_the_template_says_what_is_asked_for(known: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    write_template(path, known)
    book = load_workbook(path)
    sheets = [book[name] for name in ("企业基本情况", "年度数据", "绿色项目")]
    said = {c.value: c.comment.text if c.comment else "" for s in sheets for c in s[1]}
    assert said["绿色工厂"] == "省级以上；佐证：工信部门的公告"
    assert said["高新技术产品收入（万元）"] == "佐证：专项审计报告"
    assert said["排污级别"] == "取值：甲类、乙类"
    assert said["绿色评价得分（分）"] == "（认定）由审核人填写"
    assert said["项目类别"] == "取值：节能、减排"
    assert said["项目投资（万元）"] == ""
    column = next(c.column_letter for c in sheets[2][1] if c.value == "项目类别")
    [choice] = [
        v.formula1
        for v in sheets[2].data_validations.dataValidation
        if str(v.sqref).startswith(f"{column}2:")
    ]
    options, cells = choice.split("!")
    assert [row[0].value for row in book[options][cells.replace("$", "")]] == ["节能", "减排"]


def test_a_template_of_a_round_has_what_the_round_reads(book: Rulebook, tmp_path: Path) -> None:
    asked = Asked(book, "示范批次")
    assert "2023年高新技术产品收入" in [wanted.heading for wanted in asked(DAY).values()]
    assert "hitech" not in Asked(book).ids(DAY)
    write_template(tmp_path / "模板.xlsx", book.catalogue, asked.ids(DAY))
    heads = [c.value for c in load_workbook(tmp_path / "模板.xlsx")["年度数据"][1]]
    assert "高新技术产品收入（万元）" in heads
    assert "能源管理岗位（人）" not in heads


def test_folders_streams_and_json_take_what_is_declared(known: Catalogue, tmp_path: Path) -> None:
    tables = {
        "enterprises": [["uscc", "name", "as_of", "green_factory", "projects_complete"],
                        [code(1), "测试甲有限公司", str(DAY), "是", "是"]],
        "yearly": [["uscc", "year", "hitech"], [code(1), "2023", "7000000"]],
        "projects": [["uscc", "kind", "spent"], [code(1), "节能", "300000"]],
    }  # fmt: skip
    stream = io.StringIO()
    for name, rows in tables.items():
        csv.writer(stream).writerows([name, *row] for row in rows)
    directory.spooled(io.BytesIO(stream.getvalue().encode()), tmp_path / "标准输入", known)
    survey = directory.survey(tmp_path / "标准输入", known)
    assert all(heading.understood for heading in directory.headings(survey, None))
    [part] = directory.parts(survey)
    values = {"green_factory": True, "hitech@2023": "7000000"}
    projects = RecordList(({"kind": "节能", "spent": "300000"},), complete=True)
    entry = {
        "uscc": code(1), "name": "测试甲有限公司", "as_of": str(DAY), "values": values,
        "records": {"绿色项目": {"complete": True, "items": [{"项目类别": "节能", "spent": "300000"}]}},
    }  # fmt: skip
    (tmp_path / "表.json").write_text(json.dumps([entry]))
    for reading in (directory.FolderReader(survey).read(part), read(tmp_path / "表.json", known)):
        found = one(reading)
        assert (stated(found), found.records) == (values, {"projects": projects})


def test_a_mapping_and_its_draft_name_what_is_declared(known: Catalogue, tmp_path: Path) -> None:
    cells = {"2023年度高新产品收入（万元）": "700", "节能项目": "节能/30"}
    reading = read(table(tmp_path, cells), known)
    assert nearest(known, "2023年度高新产品收入（万元）")[0] == "高新技术产品收入"
    assert "待确认：高新技术产品收入" in (draft(reading.headings, known) or "")
    own = tmp_path / "对照.csv"
    lines = ("高新产品收入,高新技术产品收入,,", "节能项目,绿色项目：项目类别/项目投资,,")
    own.write_text("\n".join(("表头,填报项,单位,说明", *lines)), encoding="utf-8")
    found = one(read(table(tmp_path, {**cells, "节能项目": "节能/30万元"}), known, mapping=own))
    assert found.values["hitech@2023"] == "7000000"
    assert found.records["projects"].items == ({"kind": "节能", "spent": "300000"},)


def test_a_declared_name_is_read_whatever_the_packaged_mapping_says_of_it(known: Catalogue) -> None:
    packaged, own = (HeaderMapping(c).resolve("研发强度") for c in (CATALOGUE, known))
    assert packaged is not None
    assert packaged.target.role == "unread"
    assert own is not None
    assert own.target.fact == known.fact("intensity")


def test_no_fact_takes_the_place_of_a_key(known: Catalogue) -> None:
    """A table is read by code, name, day and year, whatever a pack calls its facts."""
    facts = (known.fact("green_factory"), known.fact("park"))
    named = Catalogue(tuple(f.__class__(id, name, f.kind) for f, (id, name) in zip(
        facts, (("name", "企业名称"), ("year", "年度")), strict=True)))  # fmt: skip
    mapping = HeaderMapping(named, ids=True)
    roles = {"企业名称": "name", "name": "name", "年度": "year", "year": "year", "uscc": "uscc"}
    for heading, role in roles.items():
        found = mapping.resolve(heading)
        assert found is not None
        assert found.target.role == role


def test_a_title_that_a_pack_adds_is_stated_only_for_those_who_state_it(tmp_path: Path) -> None:
    tier = Tier(name="省级领航企业", short="领航", slug="pilot")
    known = CATALOGUE.with_tiers((*CATALOGUE.tiers, tier), CATALOGUE.roles)
    assert known.titles == (*CATALOGUE.titles, tier.name)
    path = table(tmp_path, {"创新型中小企业有效期至": "2025-12-31"})
    titles = [read(path, catalogue).submissions[0].records for catalogue in (CATALOGUE, known)]
    assert titles[0] == titles[1]
    assert [item["kind"] for item in titles[1]["titles"].items] == list(CATALOGUE.titles)
