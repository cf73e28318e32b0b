"""A new feature file says what to write, and is refused until it is written."""

import re
from pathlib import Path

import pytest

from rules.drafting.check import check
from rules.drafting.format import format_text
from rules.drafting.scaffold import scaffold
from rules.errors import RulesetError
from rules.tests.packaged import FEATURES

KINDS = ("cases", "bands", "ladder", "total")


@pytest.mark.parametrize("kind", KINDS)
def test_every_blank_is_a_problem_in_its_line(tmp_path: Path, kind: str) -> None:
    text = scaffold("63.2.研发", "认定标准", kind)
    (tmp_path / "a.feature").write_text(text, encoding="utf-8")
    _, problems = check(tmp_path, base=FEATURES)
    blanks = [
        number
        for number, line in enumerate(text.splitlines(), 1)
        for _ in range(0 if line.lstrip().startswith("#") else line.count("待填："))
    ]
    assert [p.line for p in problems] == blanks
    assert all(re.fullmatch("此处待填：.+；写好后请删去「待填：」", p.message) for p in problems)


def test_the_messages_say_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "a.feature").write_text(scaffold("一", "标准", "cases"), encoding="utf-8")
    _, problems = check(tmp_path, base=FEATURES)
    lines = [str(p).removesuffix("；写好后请删去「待填：」") for p in problems]
    assert lines[:3] == [
        "a.feature:3: 此处待填：层级的名称",
        "a.feature:3: 此处待填：文号和附件",
        "a.feature:8: 此处待填：一句话复述条文，数字和单位与定义表一致",
    ]
    assert "a.feature:27: 此处待填：略低于门槛，如 99.9999万元、2.9999%、一人之差" in lines


@pytest.mark.parametrize("kind", KINDS)
def test_tables_are_aligned(kind: str) -> None:
    text = scaffold("一", "标准", kind)
    assert format_text(text) == text


def test_filled_in_it_passes(tmp_path: Path) -> None:
    text = scaffold("一", "标准", "cases")
    for blank, value in {
        "层级的名称": "甲",
        "文号和附件": "乙",
        "一句话复述条文，数字和单位与定义表一致": "研发费用不低于100万元",
        "附件几第几条": "第一条",
        "指标，如 上年度研发费用总额": "上年度研发费用总额",
        "不低于、高于、低于 或 不高于": "不低于",
        "门槛，如 100万元": "100万元",
        "场景名，如研发费用边界": "边界",
        "填报项，如 上年度研发费用总额": "上年度研发费用总额",
        "恰在门槛上": "100万元",
        "略低于门槛，如 99.9999万元、2.9999%、一人之差": "99.9999万元",
        "略高于门槛": "100.0001万元",
        "留空，即未填报": "",
        "结论，通常为 材料不足": "材料不足",
    }.items():
        assert text.count(f"待填：{blank}") == 1
        text = text.replace(f"待填：{blank}", value)
    (tmp_path / "a.feature").write_text(text, encoding="utf-8")
    assert [p.line for p in check(tmp_path, base=FEATURES)[1]] == [
        26,
        27,
        28,
    ]  # the outcomes are still blank
    for outcome in ("符合", "不符合", "符合"):
        text = text.replace("待填：结论", outcome, 1)
    (tmp_path / "a.feature").write_text(text, encoding="utf-8")
    assert check(tmp_path, base=FEATURES)[1] == []


def test_unknown_kind() -> None:
    with pytest.raises(RulesetError) as caught:
        scaffold("一", "标准", "表")
    assert str(caught.value) == "种类「表」不认识：应为 cases、bands、ladder、total 之一"
