"""One report in every form: nothing that it says is left out of any."""

import re
from collections.abc import Callable

import pytest

from registry.reports.layout import LayoutItem, Part, Report, Section, Table, html, markdown, text

SECTION = Section(
    title="甲章", paragraphs=("段落",), items=(LayoutItem("要点", ("细节",)),), table=Table(("项", "值"), (("a|b", "5〔依据〕"), ("c", ""))),
    tree=("枝", "  叶"), commands=("命令",), remarks=("备注",),
)  # fmt: skip
REPORT = Report(
    title="题",
    facts=(("名", "实"),),
    verdict="符合",
    sections=(SECTION,),
    parts=(Part("乙部", ("说明",), (Section(title="丙章", paragraphs=("正文",)),)),),
)
SAID = [
    "题",
    "名",
    "实",
    "甲章",
    "段落",
    "要点",
    "细节",
    "项",
    "值",
    "b",
    "5",
    "依据",
    "无",
    "枝",
    "叶",
    "命令",
    "备注",
    "乙部",
    "说明",
    "丙章",
    "正文",
]


@pytest.mark.parametrize(
    "form", [lambda report: text(report, 80), markdown, html], ids=["text", "markdown", "html"]
)
def test_a_form_says_all_of_a_report_in_its_order(form: Callable[[Report], str]) -> None:
    shown = re.sub(r"<style>.*?</style>", "", form(REPORT), flags=re.DOTALL)
    body = shown.partition("<body>")[2] or shown
    place = 0
    for word in SAID:
        place = body.index(word, place) + 1


def test_markdown_is_marked_up_and_what_reads_like_it_is_escaped() -> None:
    lines = markdown(REPORT).splitlines()
    assert {"# 题", "**符合**", "- 名：实", "## 甲章", "- 要点", "  - 细节", "```", "### 丙章"} <= {
        *lines
    }
    assert "| a\\|b | 5〔依据〕 |" in lines
    assert lines[lines.index("- 枝") + 1] == "  - 叶"


def test_a_citation_in_a_table_begins_a_line() -> None:
    lines = text(REPORT, 80).splitlines()
    [row] = [n for n, line in enumerate(lines) if "a|b" in line]
    assert [line.split() for line in lines[row : row + 2]] == [["a|b", "5"], ["〔依据〕"]]
