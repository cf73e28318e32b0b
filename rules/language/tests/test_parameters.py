"""Parameters in tables: by place, sector and year, alone or as a multiple; places and fixed days."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from rules.comparison.compare import compare
from rules.decider import Decider, by_both
from rules.explanation.explain import explain
from rules.language.rulebook import Rulebook, compile_all
from rules.model.decode import decode
from rules.model.facts import Profile
from rules.model.ruleset import Outcome
from rules.tests.packaged import FEATURES

PACK = """# language: zh-CN
@source:示范省工信厅〔2026〕1号
功能: 示范省的参数

  @id:示范.参数
  规则: 各市生产总值增速
    依据: 各市统计公报

    背景:
      假如 参数如下
        | {header} |
{rows}
  @id:示范.指标
  规则: 增长率
    依据: 第二条

    背景:
      假如 指标按下式计算
        | 指标               | 单位 | 算式                         |
        | 上年度营收增长率   | %    | 增长率（上年度营业收入总额） |

  @id:示范.增长
  规则: {clause}
    依据: 第三条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标 | 要求 | 门槛 |
        | 一   | {line} |

    场景: 未填报
      假如 企业填报
        | 上年度资产总额 | 1万元 |
      那么 结论为“材料不足”
"""
HEADER = "参数 | 地区 | 年度 | 数值 | 依据"
GROWTH = [
    "生产总值增速 | 韶关市 | 2025年 | 4% | 韶关市统计公报",
    "生产总值增速 | 广东省 | 2025年 | 5% | 广东省统计公报",
    "生产总值增速 | 广东省 | 2024年 | 3% | 广东省统计公报",
]
TIMES = "上年度营收增长率 | 不低于 | 1.5×生产总值增速"
CLAUSE = "上年度营收增长率不低于生产总值增速的1.5倍"


def compiled(
    folder: Path,
    line: str = TIMES,
    clause: str = CLAUSE,
    rows: list[str] = GROWTH,
    header: str = HEADER,
) -> Rulebook:
    own = folder / "own"
    (own / "provinces").mkdir(parents=True)
    table = "".join(f"        | {row} |\n" for row in rows)
    text = PACK.format(header=header, rows=table, line=line, clause=clause)
    (own / "provinces" / "a.feature").write_text(text, encoding="utf-8")
    return compile_all(FEATURES, own)


def filed(last: str, **place: str) -> Profile:
    return Profile(date(2026, 6, 30), {"revenue@2025": last, "revenue@2024": "10000", **place})


@pytest.mark.parametrize(
    ("last", "place", "outcome"),
    [
        ("10600", {"province": "广东省", "city": "韶关市"}, Outcome.MET),
        ("10599.99", {"province": "广东省", "city": "韶关市"}, Outcome.NOT_MET),
        ("10750", {"province": "广东省", "city": "广州市"}, Outcome.MET),
        ("10749.99", {"province": "广东省", "city": "广州市"}, Outcome.NOT_MET),
        ("10750", {"province": "广东省"}, Outcome.MISSING),
        ("10750", {"province": "江西省", "city": "赣州市"}, Outcome.PENDING),
    ],
)
def test_a_multiple_of_a_parameter_is_a_threshold(
    tmp_path: Path, last: str, place: dict[str, str], outcome: Outcome
) -> None:
    rulebook = compiled(tmp_path)
    assert rulebook.problems == ()
    trace = by_both(rulebook.ruleset("示范.增长"), filed(last, **place))
    assert trace["示范.增长"] is outcome


@pytest.mark.parametrize(
    ("last", "place", "requirement", "value", "distance"),
    [
        ("10500", "韶关市", "不低于1.5×生产总值增速（6%）", "5%", "差1个百分点，合0.01万元"),
        ("10600", "韶关市", "不低于1.5×生产总值增速（6%）", "6%", "恰在门槛上"),
        ("10700", "韶关市", "不低于1.5×生产总值增速（6%）", "7%", "高出1个百分点"),
        ("10700", "", "不低于1.5×生产总值增速", "7%", ""),
        ("", "韶关市", "不低于1.5×生产总值增速（6%）", "不少于-100%", ""),
    ],
)
def test_the_explanation_says_what_was_asked_and_what_it_came_to(
    tmp_path: Path, last: str, place: str, requirement: str, value: str, distance: str
) -> None:
    known = {"city": place} if place else {}
    case = filed(last or "1", province="广东省", **known)
    values = {k: v for k, v in case.values.items() if last or k != "revenue@2025"}
    with Decider(compiled(tmp_path).ruleset("示范.增长")) as decider:
        finding = explain(decider.decide(replace(case, values=values)))
    [check] = finding.options[0].checks
    assert (check.requirement, check.value) == (f"上年度营收增长率 {requirement}", value)
    assert check.distance == distance
    shown = ("2025年生产总值增速", "4%", "韶关市统计公报")
    assert (shown in [(f.name, f.value, f.source) for f in check.figures]) is bool(place)


@pytest.mark.parametrize(
    ("line", "clause", "said"),
    [
        (TIMES, CLAUSE, ()),
        (
            "上年度营收增长率 | 不低于 | 2×生产总值增速",
            "上年度营收增长率不低于生产总值增速的2倍",
            ("由「不低于1.5×生产总值增速」改为「不低于2×生产总值增速」",),
        ),
        (
            "上年度营收增长率 | 高于 | 1.5×生产总值增速",
            "上年度营收增长率高于生产总值增速的1.5倍",
            ("是否含本数不同（从严）",),
        ),
        (
            "上年度营收增长率 | 不低于 | 10%",
            "上年度营收增长率不低于10%",
            ("由「不低于1.5×生产总值增速」改为「不低于10%」",),
        ),
    ],
)
def test_another_text_is_compared_by_what_it_asks(
    tmp_path: Path, line: str, clause: str, said: tuple[str, ...]
) -> None:
    before = compiled(tmp_path / "a").ruleset("示范.增长")
    after = compiled(tmp_path / "b", line, clause).ruleset("示范.增长")
    [row] = compare(before, after).rows
    assert (row.name, row.details) == ("上年度营收增长率", said)


def test_a_published_text_keeps_what_is_compared(tmp_path: Path) -> None:
    ruleset = compiled(tmp_path).ruleset("示范.增长")
    assert decode(ruleset.canonical()).indicators == ruleset.indicators
    [line] = [line for rule in ruleset.rules for _, line in rule.lines()]
    assert ruleset.indicators[line.name].shown == "上年度营收增长率"


@pytest.mark.parametrize(
    ("line", "clause", "place", "outcome"),
    [
        ("城市 | 为 | 韶关市", "在韶关市", {"city": "韶关市"}, Outcome.MET),
        ("城市 | 为 | 韶关市", "在韶关市", {"city": "广州市"}, Outcome.NOT_MET),
        ("城市 | 为 | 韶关市", "在韶关市", {}, Outcome.MISSING),
        ("城市 | 属于 | 韶关市、梅州市", "在韶关市、梅州市", {"city": "梅州市"}, Outcome.MET),
        ("区县 | 为 | 曲江区", "在曲江区", {"county": "曲江区"}, Outcome.MET),
        (
            "注册时间 | 不晚于 | 2024年6月30日",
            "在2024年6月30日以前注册",
            {"registered_on": "2024-06-30"},
            Outcome.MET,
        ),
        (
            "注册时间 | 不晚于 | 2024年6月30日",
            "在2024年6月30日以前注册",
            {"registered_on": "2024-07-01"},
            Outcome.NOT_MET,
        ),
    ],
)
def test_place_and_registration_are_known_of_every_enterprise(
    tmp_path: Path, line: str, clause: str, place: dict[str, str], outcome: Outcome
) -> None:
    rulebook = compiled(tmp_path, line, clause)
    assert [str(p) for p in rulebook.problems] == []
    assert by_both(rulebook.ruleset("示范.增长"), filed("1", **place))["示范.增长"] is outcome


@pytest.mark.parametrize(
    ("line", "rows", "header", "said"),
    [
        (TIMES, [*GROWTH, GROWTH[0]], HEADER, "的地区、行业和年度相同：请删去一行"),
        (TIMES, ["生产总值增速 | 广东 | 2025年 | 5% | "], HEADER, "地区「广东」应写全称：广东省"),
        (TIMES, ["生产总值增速 | 广东省 | 去年 | 5% | "], HEADER, "年度「去年」应为年份，例如 2025年"),
        (TIMES, ["生产总值增速 | 广东省 | 2025 | 5 | "], HEADER, "「5」不是可识别的数量"),
        (TIMES, ["上年度增速 | 广东省 | 2025 | 5% | "], HEADER, "名称以期间开头"),
        (TIMES, [*GROWTH, "生产总值增速 | 广州市 | 2025 | 5万元 | "], HEADER, "单位与前面各行的%不符"),
        (TIMES, ["生产总值增速 | 35 | 5%"], "参数 | 行业 | 数值", "行业「35」应为行业代码的开头"),
        (TIMES, ["生产总值增速 | 5%"], "参数 | 值", "表头「值」不认识（相近的有「数值」）：可用的有参数、地区、行业、年度、数值、依据"),
        ("上年度从业人员 | 不低于 | 生产总值增速", GROWTH, HEADER, "门槛「生产总值增速」的单位与指标不符"),
        ("城市 | 不为 | 韶关市", GROWTH, HEADER, "「城市」可以是任何文字"),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, line: str, rows: list[str], header: str, said: str) -> None:
    found = [str(p) for p in compiled(tmp_path, line, CLAUSE, rows, header).problems]
    assert found
    assert any(said in one for one in found), found


MULTIPLE = """
  @id:示范.倍数{number}
  规则: {clause}
    依据: 第四条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标             | 要求   | 门槛                 |
        | 一   | 上年度营收增长率 | 不低于 | {times}×生产总值增速 |

    场景: 未填报{number}
      假如 企业填报
        | 上年度资产总额 | 1万元 |
      那么 结论为“材料不足”
"""


def test_a_multiple_is_read_as_people_write_it_and_another_is_found(tmp_path: Path) -> None:
    clauses = [
        ("上年度营收增长率不低于生产总值增速的1.5倍", "1.5", ""),
        ("上年度营收增长率不低于生产总值增速的两倍", "2", ""),
        ("上年度营收增长率不低于生产总值增速的一倍半", "1.5", ""),
        ("上年度营收增长率达到生产总值增速的110%", "1.1", ""),
        ("上年度营收增长率高出生产总值增速10%以上", "1.1", ""),
        ("上年度营收增长率比生产总值增速高出一倍以上", "2", ""),
        ("上年度营收增长率不低于生产总值增速的2倍", "1.5", "定义表写有1.5倍"),
        ("上年度营收增长率达到生产总值增速的160%", "1.5", "条文写有160%，定义表中没有"),
    ]
    rules = "".join(
        MULTIPLE.format(number=n, clause=clause, times=times)
        for n, (clause, times, _) in enumerate(clauses)
    )
    header = f"{HEADER} |\n" + "\n".join(f"        | {row} |" for row in GROWTH)
    text = PACK.format(header=header.removesuffix(" |"), rows="", line=TIMES, clause=CLAUSE)
    (tmp_path / "own" / "provinces").mkdir(parents=True)
    (tmp_path / "own" / "provinces" / "a.feature").write_text(text + rules, encoding="utf-8")
    found = [p.message for p in compile_all(FEATURES, tmp_path / "own").problems]
    wanted = [said for _, _, said in clauses if said]
    assert len(found) == len(wanted)
    assert all(said in message for said, message in zip(wanted, found, strict=True))
