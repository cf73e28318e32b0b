"""A county's summary as tests vary it: enterprises that meet all three tiers, cell by cell.

What tests file is read by the packaged catalogue.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from registry import intake
from registry.filings import FileReading
from registry.intake import directory
from registry.intake.directory import Survey
from registry.kit.uscc import check_digit
from registry.record.publication import packaged_catalogue

#: What may be filed.
CATALOGUE: Final = packaged_catalogue()

#: Heading -> the cell of an enterprise that meets every condition by 30 June 2023.
CELLS: Final[Mapping[str, Any]] = {
    "所在地（省市县）": "示范省示范市云溪县",
    "行业代码（GB/T 4754）": "C3985",
    "注册时间": datetime(2008, 5, 6),
    "是否独立法人": "是",
    "2022年末从业人员（人）": 120,
    "其中研发人员（人）": 30,
    "2020年营业收入（万元）": 9000,
    "2021年营业收入（万元）": 9500,
    "2022年营业收入（万元）": 10000,
    "2020年主营业务收入（万元）": 7000,
    "2021年主营业务收入（万元）": 7600,
    "2022年主营业务收入（万元）": 8200,
    "2022年净利润（万元）": 1200,
    "2021年研发费用（万元）": 285,
    "2022年研发费用（万元）": 320,
    "2022年末资产总额（万元）": 15000,
    "2022年末负债总额（万元）": 6000,
    "近三年新增股权融资（合格机构投资者实缴额，万元）": 0,
    "其中近两年新增股权融资（万元）": 0,
    "进入细分市场时间": datetime(2012, 3, 1),
    "主导产品名称": "精密阀组",
    "主导产品所属领域（可多填）": "工业六基、战略性新兴产业",
    "全国细分市场占有率": "12%",
    "Ⅰ类高价值知识产权（项）": 1,
    "自主研发Ⅰ类知识产权（项）": 2,
    "Ⅰ类知识产权（项）": 3,
    "Ⅱ类知识产权（项）": 0,
    "已应用并产生效益的Ⅰ类知识产权（项）": 2,
    "研发机构级别": "省级",
    "近年科技奖励（级别/排名/发证日期）": "无",
    "高新技术企业证书有效期至": datetime(2024, 12, 31),
    "创客中国全国名次（名次/日期）": "无",
    "数字化水平等级": 3,
    "省级以上质量奖": "否",
    "质量管理体系认证": "是",
    "自主品牌": "是",
    "参与制修订标准": "是",
    "核心业务信息系统支撑": "是",
    "发达国家和地区产品认证": "否",
    "地方特色指标得分（省定）": 8,
    "列入经营异常名录": "否",
    "列入严重失信名单": "否",
    "产品属禁止限制淘汰类": "否",
    "近三年重大安全质量环保事故": "否",
    "近三年偷漏税等违法": "否",
    "创新型中小企业有效期至": datetime(2025, 12, 31),
    "专精特新中小企业有效期至": datetime(2025, 12, 31),
    "产业链关键环节（审核认定）": "是",
    "知名度和影响力（审核认定）": "是",
}
NAME, CODE = "企业名称", "统一社会信用代码"
HEADINGS: Final = ("序号", NAME, CODE, *CELLS)
DAY: Final = date(2023, 6, 30)


def code(number: int) -> str:
    """The credit code of a made-up enterprise."""
    body = f"91990000MA{number:07d}"
    return body + check_digit(body)


def firm(number: int, name: str = "", **changes: Any) -> dict[str, Any]:
    """The row of an enterprise by heading; ``changes`` are keyed by heading too."""
    unknown = changes.keys() - set(HEADINGS)
    assert not unknown, unknown
    own = {"序号": number, NAME: name or f"云溪县第{number}泵阀有限公司", CODE: code(number)}
    return own | CELLS | changes


def county(
    firms: Sequence[Mapping[str, Any]],
    *,
    day: date = DAY,
    headings: Sequence[str] = HEADINGS,
    title: str = "2023年度优质中小企业推荐汇总表",
) -> Workbook:
    """A workbook with the sheet 汇总表: title, filing date, headings in row 3, one row per firm."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "汇总表"
    sheet.append([title])
    sheet.append(
        ["填报单位：云溪县工业和信息化局", None, f"填报日期：{day.year}年{day.month}月{day.day}日"]
    )
    sheet.append(list(headings))
    for row in firms:
        sheet.append([row.get(heading) for heading in headings])
    return book


def column(heading: str) -> int:
    """The number of a heading's column, from 1."""
    return HEADINGS.index(heading) + 1


def saved(book: Workbook, folder: Path, name: str = "汇总表.xlsx") -> Path:
    """Where the workbook was written."""
    path = folder / name
    book.save(path)
    return path


def read(path: Path, **more: Any) -> FileReading:
    """A file, read by the packaged catalogue."""
    return intake.read(path, CATALOGUE, **more)


def survey(folder: Path) -> Survey:
    """A folder of tables, looked through by the packaged catalogue."""
    return directory.survey(folder, CATALOGUE)
