"""The text of a new feature file, which the checker refuses until the drafter has filled it in."""

from typing import Final

from rules.drafting.format import format_text
from rules.errors import RulesetError
from rules.language import tables
from rules.language.lexical import TO_WRITE

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
# 逐处写好「{mark}」，再运行 tidu rules check；以 # 开头的说明最后可以删去。
@tier:{mark}层级，如专精特新中小企业 @source:{mark}文号，如工信部企业〔2022〕63号附件2
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
    "total": "每行一条计分规则，满分须等于该规则的最高得分。",
}


def scaffold(id: str, title: str, kind: str) -> str:
    """A new feature file with one rule of that ``kind``: cases, bands, ladder or total."""
    if kind not in _ROWS:
        raise RulesetError(f"种类「{kind}」不认识：应为 {'、'.join(_ROWS)} 之一")
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


def _table(rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"        | {' | '.join(cells)} |" for cells in rows)
