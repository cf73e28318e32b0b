"""The formatter aligns tables and changes nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.drafting.format import aligned, format_text, width
from rules.errors import SourceError
from rules.language.source import Document, read_file

UGLY = """\
# language: zh-CN
@source:乙
功能: 测试
  | 这是说明 | 不是表 |

  @id:一
  规则: 标题
    依据: 第一条
    背景:
     假如 满足下列任一情形即为符合
      |情形|指标|要求|门槛|
            # 注释
      | 一 | Ⅰ类知识产权数 | 高于 | 0项 |

    场景大纲: 甲\t
        假如 企业填报
       | 自主品牌 | <品牌> |
        那么 结论为“<结论>”
        例子:
     | 品牌 | 结论 |
  | | 材料不足 |
     | 是\\|否 | a\\\\b |
"""
ALIGNED = """\
# language: zh-CN
@source:乙
功能: 测试
  | 这是说明 | 不是表 |

  @id:一
  规则: 标题
    依据: 第一条
    背景:
     假如 满足下列任一情形即为符合
       | 情形 | 指标          | 要求 | 门槛 |
            # 注释
       | 一   | Ⅰ类知识产权数 | 高于 | 0项  |

    场景大纲: 甲\t
        假如 企业填报
          | 自主品牌 | <品牌> |
        那么 结论为“<结论>”
        例子:
          | 品牌   | 结论     |
          |        | 材料不足 |
          | 是\\|否 | a\\\\b     |
"""


def test_alignment() -> None:
    assert format_text(UGLY) == ALIGNED
    assert format_text(ALIGNED) == ALIGNED


@pytest.mark.parametrize(
    ("text", "columns"),
    [("研发", 4), ("3%", 2), ("“Ⅰ”〔〕", 7), ("（全）", 6), ("", 0), ("100万元", 7)],
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


def test_line_ends_stay() -> None:
    assert format_text(UGLY.replace("\n", "\r\n")) == ALIGNED.replace("\n", "\r\n")


def test_what_gherkin_cannot_read_stays() -> None:
    broken = UGLY.replace("|情形|指标|", "|情形|")
    assert format_text(broken) == broken
    for text in ("", "# 注\n", "# language: xx\n功能: 甲\n", "\ufeff# language: zh-CN\n"):
        assert format_text(text) == text


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "a.feature"
    file.write_bytes(UGLY.encode())
    assert aligned(file) == ALIGNED.encode()
    assert file.read_bytes() == UGLY.encode()
    file.write_bytes(ALIGNED.encode())
    assert aligned(file) is None


def test_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "a.feature"
    file.write_bytes(UGLY.encode("gb18030"))
    with pytest.raises(SourceError) as caught:
        aligned(file)
    assert str(caught.value) == "a.feature:1: 文件不是 UTF-8 编码：请另存为 UTF-8（无 BOM）"


cells = st.text(st.sampled_from(" \\|n甲乙Ⅰ“”ab3%（）<>#\t"), max_size=6)
indents = st.text(st.sampled_from(" \t"), max_size=6)


def escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|")


@st.composite
def tables(draw: st.DrawFn) -> str:
    columns = draw(st.integers(1, 4))
    rows = draw(
        st.lists(st.lists(cells, min_size=columns, max_size=columns), min_size=1, max_size=4)
    )
    lines = []
    for row in rows:
        lines.append(f"{draw(indents)}|{'|'.join(escaped(c) for c in row)}|{draw(indents)}")
        lines += draw(st.sampled_from([[], [""], ["    # |注|"]]))
    return "\n".join(lines)


def parsed(path: Path, text: str) -> tuple[Document | None, list[str]]:
    path.write_bytes(text.encode())
    document, problems = read_file(path, path.parent)
    return document and replace(document, text=""), [str(p) for p in problems]


@given(tables(), tables(), st.sampled_from(["\n", "\r\n"]))
def test_the_reader_sees_no_difference(
    tmp_path_factory: pytest.TempPathFactory, first: str, second: str, end: str
) -> None:
    text = (
        "# language: zh-CN\n功能: 甲\n  @id:一\n  规则: 乙\n    背景:\n      假如 定义\n"
        f"{first}\n    场景大纲: 丙\n      那么 结论为“甲”\n{second}\n      例子:\n{second}\n"
    ).replace("\n", end)
    path = tmp_path_factory.getbasetemp() / "a.feature"
    formatted = format_text(text)
    assert parsed(path, formatted) == parsed(path, text)
    assert format_text(formatted) == formatted
