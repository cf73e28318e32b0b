"""The reader refuses, with file and line, what Gherkin tools would pass over in silence."""

from pathlib import Path

import pytest

from rules.errors import SourceError
from rules.language.source import GherkinStep, Row, Scenario, feature_files, read, read_all

GOOD = """\
# language: zh-CN
@tier:甲 @source:乙文附件2
功能: 测试标准
  自己的话。

  @id:63.1.研发
  规则: 研发费用总额不低于100万元
    依据: 第一条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标               | 要求   | 门槛    |
        | 一   | 上年度研发费用总额 | 不低于 | 100万元 |

    场景大纲: 边界
      假如 企业填报
        | 上年度研发费用总额 | <研发> |
      那么 结论为“<结论>”

      例子:
        | 研发    | 结论     |
        | 100万元 | 符合     |
        |         | 材料不足 |

    场景: 单例
      假如 企业填报
        | 上年度研发费用总额 | 99万元 |
      那么 结论为“不符合”
"""
BACKGROUND = GOOD[GOOD.index("    背景:") : GOOD.index("    场景大纲:")]
SCENARIOS = GOOD[GOOD.index("    场景大纲:") :]


def problems(tmp_path: Path, text: str | bytes) -> str:
    file = tmp_path / "63" / "a.feature"
    file.parent.mkdir()
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SourceError) as caught:
        read(tmp_path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # full-width and misplaced signs
        ("    场景: 单例", "    场景： 单例", "25: 「场景」后是全角冒号，其后的内容会被悄悄忽略：请改为半角冒号「:」"),
        ("功能: ", "功能：", "3: 「功能」后是全角冒号，其后的内容会被悄悄忽略：请改为半角冒号「:」"),
        ("      例子:", "      例子 ：", "20: 「例子」后是全角冒号，其后的内容会被悄悄忽略：请改为半角冒号「:」"),
        ("场景: 单例", "场景 : 单例", "25: 「场景」与冒号之间有空格，其后的内容会被悄悄忽略：请删去空格"),
        ("        | 100万元 | 符", "        ｜ 100万元 | 符", "22: 表格用了全角竖线「｜」：请改为半角「|」"),
        ("| 100万元 | 符", "| １00万元 | 符", "22: 表格中有全角字符「１」：请改为半角"),
        ("# language: zh-CN\n", "", "1: 首行应为「# language: zh-CN」：请补上，否则中文关键字不被识别"),
        ("# language: zh-CN", "\ufeff# language: zh-CN", "1: 文件开头有 BOM：请另存为 UTF-8（无 BOM）"),
        ("99万元", "待填：略低于门槛", "27: 此处待填：略低于门槛；写好后请删去「待填：」"),
        # what is not seen
        ("单例", "单\u202e例", "25: 第10个字符不能显示（U+202E）：请删去"),
        ("99万元", "99\u200b万元", "27: 第25个字符不能显示（U+200B）：请删去"),
        ("自己的话", "自己\x9b的话\x1b[2J", "4: 第5个字符不能显示（U+009B）：请删去\n63/a.feature:4: 第8个字符不能显示（U+001B）：请删去"),
        ("单例", "单\r例", "25: 第10个字符不能显示（U+000D）：请删去"),
        ("# language: zh-CN\n", "# language: zh-CN\u2028\n", "1: 第18个字符不能显示（U+2028）：请删去"),
        # what Gherkin itself refuses
        ("| 一   | 上年度研发费用总额 |", "| 上年度研发费用总额 |", "13: 表格各行的列数不一致：请补齐或删去多余的「|」"),
        ("@id:63.1.研发", "@id:63.1 研发", "6: 标签（如 @id:编号）中不能有空格：请删去空格"),
        ("      那么 结论为“不符合”", "      结论为“不符合”", "28: 此处不应出现「结论为“不符合”」：请检查关键字、缩进和冒号"),
        (BACKGROUND, BACKGROUND * 2, "15: 此处不应出现「背景:」：请检查关键字、缩进和冒号"),
        (GOOD, "# language: zh-CN\n", "2: 文件到此中断，内容不完整：请补齐"),
        (GOOD, "# language: zh-CN\n@source:甲\n", "3: 文件到此中断，内容不完整：请补齐"),
        # scenarios that would not run, or not test
        ("单例", "边界", "25: 场景名「边界」与第15行重复，前一个会被悄悄替换：请改名"),
        ("场景: 单例", "场景:", "25: 场景没有名称：请写在冒号之后"),
        ("场景: 单例", "场景: 单例\n      一句说明", "25: 场景名之下有说明文字，可能吞掉步骤：说明请写在功能或规则之下"),
        ("      例子:", "      例子:\n        一句说明", "20: 例子之下有说明文字，可能吞掉步骤：说明请写在功能或规则之下"),
        ("    背景:", "    背景:\n      一句说明", "10: 背景之下有说明文字，可能吞掉步骤：说明请写在功能或规则之下"),
        (SCENARIOS, "", "7: 规则没有场景，不会被测试：请写边界上、略低和略高的例子"),
        (SCENARIOS, "    场景: 空\n", "15: 场景没有步骤，不会测试任何内容：请写「假如」和「那么」"),
        ("      那么 结论为“不符合”\n", "", "25: 场景「单例」没有「那么」：请写出应有的结论"),
        ("        | 100万元 | 符合     |\n        |         | 材料不足 |\n", "", "20: 例子表没有数据行，场景不会运行：请至少写一行"),
        ("场景: 单例", "场景大纲: 单例", "25: 场景大纲没有例子表，不会运行：请补写「例子:」"),
        ("| 研发    | 结论     |", "| 费用    | 结论     |", "17: 例子表中没有列「研发」：请补列或改正占位名\n63/a.feature:21: 例子表的列「费用」没有用到：请在步骤中写 <费用>，或删去此列"),
        ("99万元", "<研发>", "27: 例子表中没有列「研发」：请补列或改正占位名"),
        ("| 研发    | 结论     |", "| 结论    | 结论     |", "17: 例子表中没有列「研发」：请补列或改正占位名\n63/a.feature:21: 例子表有两列「结论」，前一列会被悄悄替换：请改名"),
        ("|         | 材料不足 |", "| 100万元 | 符合     |", "23: 此例与第22行相同：请删去一行"),
        ("        | 上年度研发费用总额 | 99万元 |", '        """\n        说明\n        """', "26: 步骤之下有成段文字，会被悄悄忽略：请改用表格"),
        # rules
        ("  @id:63.1.研发\n", "", "6: 规则没有编号：请在上一行写 @id:文号.条款，例如 @id:63.2.1"),
        ("@id:63.1.研发", "@id:63/1", "7: 编号「63/1」中有「/」：请改用「.」分隔"),
        ("规则: 研发费用总额不低于100万元", "规则:", "7: 规则没有标题：请把条文写在「规则:」之后"),
        ("功能: 测试标准", "功能:", "3: 功能没有标题：请写在「功能:」之后"),
        (BACKGROUND, "", "7: 规则没有定义表：请在「背景:」下写一句定义和一张表"),
        (BACKGROUND, BACKGROUND.rstrip() + "\n      而且 企业填报\n        | 甲 | 乙 |\n", "10: 规则的背景应恰有一句定义和一张表：请补齐或拆分规则"),
        (GOOD[GOOD.index("        | 情形") : GOOD.index("    场景大纲")], "\n", "11: 「满足下列任一情形即为符合」之下没有表：请在下一行起写它的表，或删去这一句"),
        ("  @id:63.1.研发\n  规则:", "  场景: 无主\n    那么 结论为“符合”\n\n  @id:63.1.研发\n  规则:", "6: 「场景」不在任何规则之下：请移到它所属的「规则:」之内"),
        (GOOD[GOOD.index("  @id") :], "", "3: 功能之下没有规则：请至少写一条「规则:」"),
        ("单例", "单\xa0例", "25: 第10个字符不是普通空格（U+00A0）：请改为普通空格，或删去"),
        ("单例", "单\u3000例", "25: 第10个字符不是普通空格（U+3000）：请改为普通空格，或删去"),
        ("单例", "单\u2003例", "25: 第10个字符不是普通空格（U+2003）：请改为普通空格，或删去"),
        ("单例", "单\xad例", "25: 第10个字符不能显示（U+00AD）：请删去"),
        ("单例", "单\ufeff例", "25: 第10个字符不能显示（U+FEFF）：请删去"),
        ("单例", "单\u200d例", "25: 第10个字符不能显示（U+200D）：请删去"),
        ("单例", "单\u2066例", "25: 第10个字符不能显示（U+2066）：请删去"),
        ("单例", "单\ufe0f例", "25: 第10个字符不能显示（U+FE0F）：请删去"),
        ("单例", "单\u3164例", "25: 第10个字符不能显示（U+3164）：请删去"),
        ("单例", "单\U000e0041例", "25: 第10个字符不能显示（U+E0041）：请删去"),
        ("单例", "单\u2f8f例", "25: 第10个字符「\u2f8f」（U+2F8F）是与常用字同形的另一个字：请改为「行」（U+884C）"),
        ("单例", "单\uf9ca例", "25: 第10个字符「\uf9ca」（U+F9CA）是与常用字同形的另一个字：请改为「流」（U+6D41）"),
        ("单例", "单\u2ecb例", "25: 第10个字符「\u2ecb」（U+2ECB）是与常用字同形的另一个字：请改为通用的字"),
        ("| 100万元 | 符", "| ＡＢ | 符", "22: 表格中有全角字符「Ａ」：请改为半角"),
        ("@id:63.1.研发", "@id:６3.1.研发", "6: 标签中有全角字符「６」：请改为半角"),
        # left for later
        ("99万元", "待填", "27: 此处还没有写好（「待填」）：请补齐"),
        ("99万元", "TODO", "27: 此处还没有写好（「TODO」）：请补齐"),
        ("99万元", "xxx", "27: 此处还没有写好（「xxx」）：请补齐"),
        ("99万元", "XXXX", "27: 此处还没有写好（「XXXX」）：请补齐"),
        ("99万元", "××××", "27: 此处还没有写好（「××××」）：请补齐"),
        ("99万元", "……", "27: 此处还没有写好（「……」）：请补齐"),
        ("99万元", "...", "27: 此处还没有写好（「...」）：请补齐"),
        ("99万元", "???", "27: 此处还没有写好（「???」）：请补齐"),
        ("99万元", "____", "27: 此处还没有写好（「____」）：请补齐"),
        # tags
        ("@tier:甲", "@层级:甲", "2: 标签「@层级:甲」不认识，会被悄悄忽略：功能可用的有@tier:…、@source:…"),
        ("@id:63.1.研发", "@id:63.1.研发 @wip", "6: 标签「@wip」不认识，会被悄悄忽略：规则可用的有@id:…、@对象:…、@用途:…"),
        ("@id:63.1.研发", "@id:63.1.研发 @id:63.2", "6: 标签「@id」重复：请只写一个"),
        ("    场景: 单例", "    @skip\n    场景: 单例", "25: 标签「@skip」不认识，会被悄悄忽略：场景可用的有@来源:…"),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert GOOD.count(old) >= 1
    assert problems(tmp_path, GOOD.replace(old, new, 1)) == f"63/a.feature:{message}"


def test_not_utf8(tmp_path: Path) -> None:
    expected = "63/a.feature:1: 文件不是 UTF-8 编码：请另存为 UTF-8（无 BOM）"
    assert problems(tmp_path, GOOD.encode("gb18030")) == expected


def test_an_empty_folder_is_not_a_set_of_rules(tmp_path: Path) -> None:
    found = read_all(tmp_path / "typo")
    assert found[0] == []
    assert [str(p) for p in found[1]] == ["typo:1: 此处没有 .feature 文件：请查对路径"]


def test_good_file(tmp_path: Path) -> None:
    (tmp_path / "a.feature").write_text(GOOD, encoding="utf-8")
    (document,) = read(tmp_path)
    assert read(tmp_path / "a.feature") == [document]
    assert (document.path, document.title) == ("a.feature", "测试标准")
    assert (document.tag("tier"), document.tag("source")) == ("甲", "乙文附件2")
    assert document.tag("id") == ""
    assert document.prose == ("自己的话。",)
    assert document.text == GOOD
    (clause,) = document.clauses
    assert (clause.id, clause.line, clause.tag("对象")) == ("63.1.研发", 7, "")
    assert clause.title == "研发费用总额不低于100万元"
    assert clause.prose == ("依据: 第一条",)
    assert clause.definition == GherkinStep(
        "满足下列任一情形即为符合",
        11,
        (
            Row(12, ("情形", "指标", "要求", "门槛")),
            Row(13, ("一", "上年度研发费用总额", "不低于", "100万元")),
        ),
    )
    outline, single = clause.scenarios
    assert single == Scenario(
        "单例",
        25,
        (
            GherkinStep("企业填报", 26, (Row(27, ("上年度研发费用总额", "99万元")),)),
            GherkinStep("结论为“不符合”", 28),
        ),
    )
    assert (outline.outline, outline.runs, single.outline, single.runs) == (True, 2, False, 1)


def test_outlines_run_once_per_row(tmp_path: Path) -> None:
    (tmp_path / "a.feature").write_text(GOOD, encoding="utf-8")
    outline, single = read(tmp_path)[0].clauses[0].scenarios
    assert list(single.expanded()) == [(25, "单例", single.steps)]
    assert list(outline.expanded()) == [
        (
            22,
            "边界［100万元、符合］",
            (
                GherkinStep("企业填报", 16, (Row(17, ("上年度研发费用总额", "100万元")),)),
                GherkinStep("结论为“符合”", 18),
            ),
        ),
        (
            23,
            "边界［空、材料不足］",
            (
                GherkinStep("企业填报", 16, (Row(17, ("上年度研发费用总额", "")),)),
                GherkinStep("结论为“材料不足”", 18),
            ),
        ),
    ]


def test_files_are_read_in_a_fixed_order(tmp_path: Path) -> None:
    for name in ("b/z.feature", "a.feature", "b/a.feature", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [f.relative_to(tmp_path).as_posix() for f in feature_files(tmp_path)]
    assert names == ["a.feature", "b/a.feature", "b/z.feature"]
