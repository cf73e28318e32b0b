"""Writes demo-county.xlsx: a county summary of fictitious enterprises, always with the same cells.

Run ``python -m registry.demo.make_demo`` after a change. Every enterprise is the first one with a
few cells changed, so that it is on, or just beside, one threshold of the measures of 2022. The
credit codes have a right check digit but the area code 990000, which GB/T 2260 gives to no place,
so they cannot belong to real firms.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final, TypeAlias

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from registry.demo import DEMO_COUNTY
from registry.kit.uscc import check_digit

Cell: TypeAlias = str | int | float | date | None

#: The heading of each column, by its short name in the cases below.
HEADINGS: Final = {
    "no": "序号", "name": "企业名称", "uscc": "统一社会信用代码", "place": "所在地（省市县）",
    "industry": "行业代码（GB/T 4754）", "sector": "所属行业（划型）", "registered": "注册时间",
    "legal": "是否独立法人", "staff": "2022年末从业人员（人）", "rd_staff": "其中研发人员（人）",
    "rev0": "2020年营业收入（万元）", "rev1": "2021年营业收入（万元）", "rev": "2022年营业收入（万元）",
    "main0": "2020年主营业务收入（万元）", "main1": "2021年主营业务收入（万元）",
    "main": "2022年主营业务收入（万元）", "profit": "2022年净利润（万元）",
    "rd1": "2021年研发费用（万元）", "rd": "2022年研发费用（万元）",
    "assets": "2022年末资产总额（万元）", "debt": "2022年末负债总额（万元）",
    "fin3": "近三年新增股权融资（合格机构投资者实缴额，万元）", "fin2": "其中近两年新增股权融资（万元）",
    "entry": "进入细分市场时间", "product": "主导产品名称", "field": "主导产品所属领域（可多填）",
    "share": "全国细分市场占有率", "ip_high": "Ⅰ类高价值知识产权（项）",
    "ip_own": "自主研发Ⅰ类知识产权（项）", "ip1": "Ⅰ类知识产权（项）", "ip2": "Ⅱ类知识产权（项）",
    "ip_earning": "已应用并产生效益的Ⅰ类知识产权（项）", "institution": "研发机构级别",
    "award": "近年科技奖励（级别/排名/发证日期）", "hightech": "高新技术企业证书有效期至",
    "maker": "创客中国全国名次（名次/日期）", "digital": "数字化水平等级", "quality": "省级以上质量奖",
    "iso": "质量管理体系认证", "brand": "自主品牌", "standard": "参与制修订标准",
    "it": "核心业务信息系统支撑", "abroad": "发达国家和地区产品认证", "local": "地方特色指标得分（省定）",
    "abnormal": "列入经营异常名录", "dishonest": "列入严重失信名单", "restricted": "产品属禁止限制淘汰类",
    "accident": "近三年重大安全质量环保事故", "tax": "近三年偷漏税等违法",
    "title1": "创新型中小企业有效期至", "title2": "专精特新中小企业有效期至",
    "chain": "产业链关键环节（审核认定）", "known": "知名度和影响力（审核认定）",
}  # fmt: skip

_MONEY: Final = frozenset(
    [
        "rev0",
        "rev1",
        "rev",
        "main0",
        "main1",
        "main",
        "profit",
        "rd1",
        "rd",
        "assets",
        "debt",
        "fin3",
        "fin2",
    ]
)

#: An enterprise that meets every condition of the three tiers with a margin.
BASE: Final[Mapping[str, Cell]] = {
    "place": "示范省示范市示范县", "industry": "C3985", "sector": "工业",
    "registered": date(2008, 5, 6), "legal": "是", "staff": 120, "rd_staff": 30,
    "rev0": 10000, "rev1": 11000, "rev": 12000, "main0": 8000, "main1": 8800, "main": 9600,
    "profit": 1200, "rd1": 550, "rd": 600, "assets": 15000, "debt": 6000, "fin3": 0, "fin2": 0,
    "entry": date(2012, 3, 1), "product": "精密传感组件", "field": "工业六基、战略性新兴产业",
    "share": 0.12, "ip_high": 1, "ip_own": 2, "ip1": 3, "ip2": 0, "ip_earning": 2,
    "institution": "省级", "award": "无", "hightech": date(2024, 12, 31), "maker": "无",
    "digital": 3, "quality": "否", "iso": "是", "brand": "是", "standard": "是", "it": "是",
    "abroad": "否", "local": 8, "abnormal": "否", "dishonest": "否", "restricted": "否",
    "accident": "否", "tax": "否", "title1": date(2025, 12, 31), "title2": date(2025, 12, 31),
    "chain": "是", "known": "是",
}  # fmt: skip

_NO_TITLE: Final[Mapping[str, Cell]] = {"title2": "无", "chain": "否", "known": "否"}
_SMALL: Final[Mapping[str, Cell]] = {
    "rev0": 3200, "rev1": 3600, "rev": 4000, "main0": 2560, "main1": 2880, "main": 3200,
    "profit": 400, "rd1": 110, "rd": 130, "assets": 5000, "debt": 2000, "staff": 40, "rd_staff": 12,
}  # fmt: skip
_WEAK: Final[Mapping[str, Cell]] = {
    **_NO_TITLE, "title1": "无", "hightech": "无", "institution": "无", "ip_high": 0, "ip_own": 0,
    "ip1": 0, "ip2": 0, "ip_earning": 0, "rd1": 50, "rd": 60, "main1": 9500, "main": 9400,
    "digital": 0, "local": 0, "standard": "否", "field": "无",
}  # fmt: skip
_TINY: Final[Mapping[str, Cell]] = {
    **_SMALL, **_NO_TITLE, "rev0": 700, "rev1": 850, "rev": 999.99, "main0": 560, "main1": 680,
    "main": 800, "profit": 100, "rd1": 95, "rd": 120,
}  # fmt: skip
_YOUNG: Final[Mapping[str, Cell]] = {
    "rev0": 3500, "rev1": 4200, "rev": 4999.99, "main0": 3000, "main1": 3600, "main": 4300,
    "rd1": 1300, "rd": 1700, "staff": 100, "rd_staff": 50, "profit": -320.5,
}  # fmt: skip

#: What each enterprise changes in ``BASE``; the comment says what it shows.
CASES: Final[tuple[Mapping[str, Cell], ...]] = (
    {},  # 小巨人, comfortably
    {"share": "12%", "award": "省级/1/2021-07-28；国家级/2/2022-09-28"},
    # 小巨人: revenue of exactly 1亿, R&D of exactly 3% in both years
    {"rev": 10000, "rev1": 9500, "rev0": 9000, "main0": 7000, "main1": 7600, "main": 8200,
     "rd1": 285, "rd": 300},
    {"rev": 10000, "rev1": 9500, "rev0": 9000, "main0": 7000, "main1": 7600, "main": 8200,
     "rd1": 285, "rd": 299.99},  # 100 yuan short of 3%
    # revenue of exactly 5000万, R&D of exactly 6% in both years
    {"rev": 5000, "rev1": 4500, "rev0": 4000, "main0": 3200, "main1": 3600, "main": 4000,
     "rd1": 270, "rd": 300, "profit": 450},
    {**_YOUNG, "fin3": 8000, "fin2": 8000},  # below 5000万, with all three substitutes
    {**_YOUNG, "fin3": 8000, "fin2": 7999.99},  # 100 yuan of financing short
    {"share": "9.99%"},
    {"share": "未提供"},
    {"share": 18},  # 18 or 18%? unknown, with a notice
    {"chain": "—", "known": None},  # findings not yet made
    {"title2": "无"},  # 小巨人 in substance, without the prerequisite title
    {"title1": "无", "title2": "无"},
    {"title2": date(2023, 5, 31)},  # expired before the filing date
    {"assets": 10000, "debt": 7000},  # debt ratio of exactly 70%
    {"assets": 10000, "debt": 7001},
    {"main0": 7000, "main1": 7700, "main": 8399.99},  # main business below 70% of revenue
    {"entry": date(2020, 1, 1)},  # three full years at the end of 2022
    {"entry": date(2020, 1, 2)},
    {"rd1": 100, "rd": 360, "award": "国家级/3/2021-09-28"},  # fast track
    {"rd1": 100, "rd": 360, "award": "国家级/4/2021-09-28"},
    {"rd1": 100, "rd": 360, "maker": "50/2021-11-20"},  # fast track
    # 专精特新 by 创客中国 though the score is low
    {**_WEAK, "rd": 360, "title1": date(2025, 12, 31), "maker": "500/2022-10-15"},
    {**_NO_TITLE, **_SMALL},  # 专精特新, comfortably
    {**_NO_TITLE, **_SMALL, "rev": 3300, "main": 2900, "rd": 99.99},  # R&D below 100万
    {**_NO_TITLE, **_SMALL, "rev": 3333, "main": 2900, "rd": 100},  # just above 3%
    {**_TINY, "fin3": 2000, "fin2": 2000},  # revenue below 1000万, financing in its place
    {**_TINY, "fin3": 2000, "fin2": 1999.99},
    {**_NO_TITLE, **_SMALL, "entry": date(2021, 1, 1)},  # two full years at the end of 2022
    {**_NO_TITLE, **_SMALL, "entry": date(2021, 1, 2)},
    {**_NO_TITLE, **_SMALL, "title1": "无", "hightech": "无", "institution": "市级",
     "main": 3312},  # 创新型 by its score, main business up exactly 15%
    {**_WEAK, "fin3": 500},  # 创新型 by financing of exactly 500万
    {**_WEAK, "fin3": 499.99},
    {**_WEAK, "hightech": date(2023, 6, 30)},  # a certificate valid to the filing date
    {**_WEAK, "hightech": date(2023, 6, 29)},
    # too large: not below either limit of 工业
    {"staff": 1000, "rd_staff": 300, "rev0": 32000, "rev1": 36000, "rev": 40000, "main0": 25000,
     "main1": 28000, "main": 32000, "rd1": 1800, "rd": 2000, "profit": 4000},
    {"staff": 999, "rd_staff": 300, "rev0": 42000, "rev1": 46000, "rev": 50000, "main0": 33000,
     "main1": 36000, "main": 40000, "rd1": 2300, "rd": 2500, "profit": 5000},  # still an SME
    {"dishonest": "是"},
    {"legal": "否"},
    {**_NO_TITLE, **_SMALL, "rd": None, "debt": "未提供", "digital": "/", "local": "—",
     "ip_high": None, "institution": None, "award": None, "maker": None},  # much is unknown
    {**_NO_TITLE, **_SMALL, "industry": "I6513", "sector": "软件和信息技术服务业",
     "product": "工业软件", "field": "网络强国、战略性新兴产业", "ip2": 12},
    # a date without its day, a field that no list knows, a figure finer than a fen
    {**_NO_TITLE, **_SMALL, "entry": "2019年6月", "field": "中华老字号、元宇宙", "rd": 130.1234567},
)  # fmt: skip

_FULL_WIDTH: Final = {ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789.-"}
_DIGITS: Final = "〇一二三四五六七八九"


def _name(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = ("十" if tens == 1 else f"{_DIGITS[tens]}十") if tens else ""
    return f"示例{head}{_DIGITS[ones] if ones else ''}号（虚构）有限公司"


def _code(number: int) -> str:
    body = f"91990000MA{number:07d}"
    return body + check_digit(body)


def _untidy(value: Cell, style: int, *, money: bool) -> Cell:
    """A cell as people type it in a hurry; ``style`` picks the variant."""
    if money and isinstance(value, (int, float)):
        ways = {1: f"{value:,}", 4: str(value).translate(_FULL_WIDTH), 7: f"{value} 万元"}
        return ways.get(style % 11, value)
    if isinstance(value, date):
        ways = {
            1: value.strftime("%Y.%m.%d"),
            3: f"{value.year}年{value.month}月{value.day}日",
            5: value.isoformat(),
        }
        return ways.get(style % 7, value)
    return value


def rows() -> list[list[Cell]]:
    """The rows of the enterprises, in the order of ``HEADINGS``."""
    made = []
    for number, changes in enumerate(CASES, 1):
        identity: dict[str, Cell] = {"no": number, "name": _name(number), "uscc": _code(number)}
        cells: dict[str, Cell] = {**BASE, **changes, **identity}
        made.append(
            [
                _untidy(cells[key], number * 5 + index, money=key in _MONEY)
                for index, key in enumerate(HEADINGS)
            ]
        )
    return made


def write(path: Path) -> None:
    """Write the workbook in the layout of a county."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "汇总表"
    last = get_column_letter(len(HEADINGS))
    sheet.append(["2023年度优质中小企业推荐汇总表（示例，企业和数据均为虚构）"])
    sheet.append(["填报单位：示范县工业和信息化局（虚构）", None, "填报日期：2023年6月30日"])
    sheet.append(list(HEADINGS.values()))
    for row in rows():
        sheet.append(row)
    sheet.append([])
    sheet.append(["备注：本表企业和数据均为虚构，金额单位为万元；审核认定由县局填写。"])
    sheet.merge_cells(f"A1:{last}1")
    sheet["A1"].font = Font(bold=True, size=14)
    for index, cell in enumerate(sheet[3], 1):
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        sheet.column_dimensions[get_column_letter(index)].width = 14
    for cells in sheet.iter_rows(min_row=4):
        for cell in cells:
            if isinstance(cell.value, date):
                cell.number_format = "yyyy-mm-dd"
    sheet.freeze_panes = "D4"
    book.save(path)


if __name__ == "__main__":
    write(DEMO_COUNTY)
