"""The text of a new feature file, which the linter refuses until the drafter has filled it in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from rules.drafting.format import format_text
from rules.errors import RulesetError
from rules.language import tables
from rules.language.editions import OTHERS, ApplicabilityRow
from rules.language.lexical import TO_WRITE
from rules.language.lines import Slot
from rules.language.provinces import short_name
from rules.language.rulebook import Rulebook
from rules.model.days import day_text

_W = TO_WRITE

#: kind -> definition sentence and rows of its table
_ROWS: Final[dict[str, tuple[str, tuple[tuple[str, ...], ...]]]] = {
    "cases": (
        tables.CASES,
        (
            (
                "一",
                f"{_W}指标，如 上年度研发费用总额",
                f"{_W}不低于、高于、低于 或 不高于",
                f"{_W}门槛，如 100万元",
            ),
        ),
    ),
    "bands": (
        tables.BANDS,
        (
            (f"{_W}指标", f"{_W}最高一档的下限", "", f"{_W}最高得分"),
            (f"{_W}指标", "", f"{_W}同一界限", "0分"),
        ),
    ),
    "ladder": (
        tables.LADDER,
        (
            (f"{_W}最高得分", "一", f"{_W}指标", f"{_W}要求", f"{_W}门槛"),
            ("0分", tables.REST, "", "", ""),
        ),
    ),
    "total": (
        tables.TOTAL,
        (
            (f"{_W}组名，或留空", f"{_W}计分规则的编号", f"{_W}该规则的最高得分"),
            (f"{_W}组名，或留空", f"{_W}另一条计分规则的编号", f"{_W}该规则的最高得分"),
        ),
    ),
}

_CASES: Final = (
    ("恰在门槛上", "结论"),
    ("略低于门槛，如 99.9999万元、2.9999%、一人之差", "结论"),
    ("略高于门槛", "结论"),
    ("留空，即未填报", "结论，通常为 材料不足"),
)
_POINTS: Final = (
    ("恰在界限上", "得分，如 5分"),
    ("略低于界限，如 2.9999%", "得分"),
    ("略高于界限", "得分"),
    ("留空，即未填报", "得分范围，如 0分至5分"),
)
_SUMS: Final = (
    ("各项都得满分时的某一项得分", "总分"),
    ("某一项得0分", "总分"),
    ("某一项得分未定，如 6分至10分", "总分范围"),
)

_TEMPLATE: Final = """# language: zh-CN
# 逐处写好「{mark}」，再检查标准；以 # 开头的说明最后可以删去。
@tier:{mark}层级的名称 @source:{mark}文号和附件
功能: {title}

  @id:{id}
  # 标题用自己的话复述条文；条文与定义表中的数字和单位必须完全一致。
  规则: {mark}一句话复述条文，数字和单位与定义表一致
    依据: {mark}附件几第几条

    # 定义表：每行一项比较。{hint}
    背景:
      假如 {sentence}
{definition}

    # 例子由人按条文推算，不得抄程序的输出；每个门槛恰在其上、略低、略高、未填报各一例，
    # 每一行、每一情形、每一档都要有只由它决定结论的例子。
    场景大纲: {mark}场景名，如研发费用边界
      假如 {given}
        | {subject} | <值> |
      那么 {asked}为“<应为>”

      例子:
{examples}
"""

_HINTS: Final = {
    "cases": "同一情形各行须同时满足，各情形满足其一即可。",
    "bands": "各档首尾相接，最低一档下限留空，最高一档上限留空；恰在界限上取高分。",
    "ladder": "得分从高到低，取所满足的最高一档；最后一行其余只写得分。",
    "total": "每行一条计分规则，满分须等于该规则的最高得分；合计封顶的，末行的项写「最高」。",
}


def scaffold(id: str, title: str, kind: str) -> str:
    """A new feature file with one rule of that ``kind``: cases, bands, ladder or total."""
    if kind not in _ROWS:
        raise RulesetError(
            "no-such-kind",
            "种类「{value}」不认识：应为 {expected} 之一",
            value=kind,
            expected="、".join(_ROWS),
        )
    sentence, rows = _ROWS[kind]
    total = kind == "total"
    examples = _CASES if kind == "cases" else _SUMS if total else _POINTS
    text = _TEMPLATE.format(
        mark=_W,
        id=id,
        title=title,
        hint=_HINTS[kind],
        sentence=sentence,
        definition=_table([tables.COLUMNS[sentence], *rows]),
        given="其他规则的结论" if total else "企业填报",
        subject=f"{_W}{'计分规则的编号' if total else '填报项，如 上年度研发费用总额'}",
        asked="结论" if kind == "cases" else "得分",
        examples=_table([("值", "应为"), *((f"{_W}{a}", f"{_W}{b}") for a, b in examples)]),
    )
    return format_text(text)


_PROVINCE: Final = """# language: zh-CN
# 逐处写好「{mark}」，再检查标准；以 # 开头的说明最后可以删去。
# 本省没有设定的项目，把相应的规则整条删去；没有设定的用全国文本的默认值。
@tier:{tier} @source:{mark}本省文号
功能: {province}对{tier}的设定
{slots}"""

_THRESHOLD: Final = """
  @id:{name}.{item}
  规则: {mark}自何日起{item}为多少，日期和数值与定义表一致
    依据: {mark}第几条

    # 全国文本允许{permitted}；至留空表示继续有效。
    背景:
      假如 {fill}
        | 省份 | 项目 | 自 | 至 | 设定 |
        | {province} | {slot} | {mark}自何日起 | | {mark}{item} |

    场景大纲: {province}的{item}自何日起
      假如 案件如下
        | 省份 | <省份> |
        | 填报日期 | <填报日期> |
      那么 设定为“<设定>”

      例子:
        | 省份 | 填报日期 | 设定 |
        | {province} | {mark}起始日的前一日 | {default} |
        | {province} | {mark}起始日 | {mark}{item} |
        | {province} | {mark}起始日的后一日 | {mark}{item} |

    # 规则集的编号是 根规则@省份.起始日，例如 {root}@{province}.年-月-日。
{applied}"""

_SCORE: Final = """
  @id:{name}.{item}.1
  规则: {mark}第一项{item}，写明各情形的得分
    依据: {mark}{item}第几项

    # 得分从高到低，取所满足的最高一档；没有查得的分值不要猜，用认定项表示。
    背景:
      假如 {ladder}
        | 得分 | 情形 | 指标 | 要求 | 门槛 |
        | {mark}最高得分 | 一 | {mark}填报项的名称 | {mark}要求，如 为 | {mark}门槛，如 是 |
        | 0分 | 其余 | | | |

    场景大纲: {province}第一项{item}
      假如 企业填报
        | {mark}填报项 | <值> |
      那么 得分为“<得分>”

      例子:
        | 值 | 得分 |
        | {mark}满足时的值，数字写恰在门槛上 | {mark}得分 |
        | {mark}不满足时的值，数字写略低于门槛 | {mark}得分 |
        | | {mark}得分范围，从0分至最高得分 |

  @id:{name}.{item}
  规则: {item}得分为各项指标得分之和
    依据: {mark}{item}

    # 全国文本允许{permitted}；超出的照录，检查时列为提示。
    背景:
      假如 {total}
        | 组 | 项 | 满分 |
        | | {name}.{item}.1 | {mark}该项最高得分 |

    场景大纲: {province}{item}相加
      假如 其他规则的结论
        | {name}.{item}.1 | <第一项> |
      那么 得分为“<得分>”

      例子:
        | 第一项 | 得分 |
        | {mark}满分 | {mark}总分 |
        | {mark}未定的范围，从0分至满分 | {mark}总分范围 |

  @id:{name}.{item}.设定
  规则: {mark}自何日起{item}按本省的各项指标计分，日期与定义表一致
    依据: {mark}{item}

    背景:
      假如 {fill}
        | 省份 | 项目 | 自 | 至 | 设定 |
        | {province} | {slot} | {mark}自何日起 | | {name}.{item} |

    场景大纲: {province}的{item}自何日起
      假如 案件如下
        | 省份 | <省份> |
        | 填报日期 | <填报日期> |
      那么 设定为“<设定>”

      例子:
        | 省份 | 填报日期 | 设定 |
        | {province} | {mark}起始日的前一日 | {default} |
        | {province} | {mark}起始日 | {name}.{item} |
        | {province} | {mark}起始日的后一日 | {name}.{item} |

{applied}"""

_APPLIED: Final = """    场景大纲: {province}的{item}使哪个规则集适用
      假如 案件如下
        | 层级 | {tier} |
        | 程序 | <程序> |
        | 省份 | {province} |
        | 填报日期 | <填报日期> |
      那么 适用“<规则集>”

      例子:
        | 程序 | 填报日期 | 规则集 |
{days}
"""

_CLAUSES: Final = """# 条款对照：{province}的设定

每一条款或者由规则表达（写明规则编号），或者写明未编码的理由。

| 条款 | 内容 | 处理 |
|---|---|---|
{rows}
"""


def scaffold_province(province: str, rulebook: Rulebook) -> str:
    """A new feature file with the parts that a province may set, all of one tier."""
    tier, slots = _slots(rulebook)
    texts = []
    for id, slot in slots.items():
        rows = _rows_resting_on(rulebook, tier, id)
        fields = {
            "mark": _W,
            "tier": tier,
            "province": province,
            "name": short_name(province),
            "item": slot.name,
            "slot": id,
            "default": slot.default,
            "permitted": rulebook.clauses[id].definition.table[1].cells[-1],
            "root": next((row.ruleset for row in rows), "根规则"),
            "fill": tables.FILL,
            "ladder": tables.LADDER,
            "total": tables.TOTAL,
        }
        fields["applied"] = _APPLIED.format(**fields, days=_table(list(_days(rows))))
        texts.append((_THRESHOLD if slot.kind == "门槛" else _SCORE).format(**fields))
    return format_text(
        _PROVINCE.format(mark=_W, tier=tier, province=province, slots="".join(texts))
    )


def clauses_of_province(province: str, rulebook: Rulebook) -> str:
    """The list of clauses that stands beside a province's file."""
    rows = []
    for id, slot in _slots(rulebook)[1].items():
        own = f"{short_name(province)}.{slot.name}"
        how = f"`{own}` 设定" if slot.kind == "门槛" else f"`{own}` 经 `{own}.设定` 填入"
        rows.append(f"| {slot.name} | 待填 | {how} `{id}` |")
    return _CLAUSES.format(province=province, rows="\n".join(rows))


def _slots(rulebook: Rulebook) -> tuple[str, Mapping[str, Slot]]:
    """What provinces may set of the first tier that leaves them anything, in order of the text."""
    of = {d.path: d.tag("tier") for d in rulebook.documents}
    tiers = {id: of[c.path] for id, c in rulebook.clauses.items() if id in rulebook.slots}
    if not tiers:
        raise RulesetError("no-slots", "全国文本没有留给省级设定的项目：请先在全国文本中声明")
    tier = next(iter(tiers.values()))
    return tier, {id: rulebook.slots[id] for id, one in tiers.items() if one == tier}


def _rows_resting_on(rulebook: Rulebook, tier: str, slot: str) -> list[ApplicabilityRow]:
    """The rows of the applicability table that govern a province, and rest on what it sets."""
    return [
        row
        for row in rulebook.written
        if (row.tier, row.province, row.batch) == (tier, OTHERS, "")
        and row.encoded
        and slot in rulebook.slots_of(row.ruleset)
    ]


def _days(rows: Iterable[ApplicabilityRow]) -> Iterator[tuple[str, ...]]:
    """The procedures and days whose governing text examples must show: where anything begins or ends."""
    for row in rows:
        days = [f"{_W}起始日{which}" for which in ("的前一日", "", "的后一日")]
        if row.end is not None:
            ends = (row.end + timedelta(days=n) for n in (-1, 0, 1))
            days += map(day_text, ends)
        yield from ((row.procedure, day, f"{_W}规则集") for day in days)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(f"        | {' | '.join(cells)} |" for cells in rows)
