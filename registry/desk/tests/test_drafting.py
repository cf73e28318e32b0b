"""Checking feature files from the desk: places as they were typed, and nothing passed over."""

import shutil
from pathlib import Path

import pytest

from registry.desk import drafting
from registry.desk.positions import Positions
from registry.kit import resources
from rules.errors import Problem, RulesError

GOOD = """\
# language: zh-CN
@tier:专精特新中小企业 @source:示例文件
功能: 示例标准

  @id:示例.研发费用
  规则: 上年度研发费用总额不低于100万元
    依据: 示例第一条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标               | 要求   | 门槛    |
        | 一   | 上年度研发费用总额 | 不低于 | 100万元 |

    场景大纲: 研发费用
      假如 企业填报
        | 上年度研发费用总额 | <研发> |
      那么 结论为“<结论>”

      例子:
        | 研发         | 结论     |
        | 100万元      | 符合     |
        | 99.9999万元  | 不符合   |
        | 100.0001万元 | 符合     |
        |              | 材料不足 |
"""
SECTOR = GOOD.replace(
    "        | 一   | 上年度研发费用总额 | 不低于 | 100万元 |\n",
    "        | 一   | 上年度研发费用总额 | 不低于 | 100万元 |\n"
    "        | 一   | 划型行业 | 属于 | 工业、建筑业 |\n",
).replace("        | 上年度研发费用总额 | <研发> |\n", "        | 上年度研发费用总额 | <研发> |\n        | 行业代码 | C3411 |\n")  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("draft/a.feature", "draft/a.feature"),
        ("./draft/a.feature", "draft/a.feature"),
        ("draft/../draft/a.feature", "draft/../draft/a.feature"),
        ("draft", "draft/a.feature"),
        ("draft/", "draft/a.feature"),
        (".", "draft/a.feature"),
    ],
)
def test_a_place_is_told_as_it_was_typed(here: Path, typed: str, place: str) -> None:
    write(here / "draft" / "a.feature", GOOD.replace("不低于100万元\n", "不高于100万元\n"))
    [problem] = drafting.check(Path(typed)).problems
    assert str(problem) == (
        f"{place}:6: 条文「不高于100万元」与定义表的要求「不低于」不同：请使条文与定义表一致"
    )


def test_an_absolute_place_stays_absolute(here: Path) -> None:
    file = here / "draft" / "a.feature"
    write(file, GOOD.replace("@source:示例文件", ""))
    [problem] = drafting.check(file).problems
    assert problem.path == str(file)


def test_places_inside_a_sentence_are_told_alike(here: Path) -> None:
    write(here / "draft" / "a.feature", GOOD)
    write(here / "draft" / "b.feature", GOOD)
    problems = [str(p) for p in drafting.check(Path("draft")).problems]
    assert "draft/b.feature:6: 编号「示例.研发费用」与 draft/a.feature:6 重复：请改编号" in problems


def test_two_files_of_the_same_name_are_told_apart(here: Path) -> None:
    own = here / "ours"
    (own / "provinces").mkdir(parents=True)
    positions = Positions(resources.features(), own, Path("ours"))
    told = positions.told(
        [
            Problem("provinces/guangdong/specialised.feature", 1, "见 provinces/guangdong/specialised.feature:6"),
            Problem("ours/provinces/guangdong/specialised.feature", 1, "甲"),
            Problem("ours", 1, "乙"),
            Problem("mutants-equivalent.csv", 2, "丙"),
        ]
    )  # fmt: skip
    assert [str(p) for p in told] == [
        "features/provinces/guangdong/specialised.feature:1: 见 features/provinces/guangdong/specialised.feature:6",
        "ours/provinces/guangdong/specialised.feature:1: 甲",
        "ours:1: 乙",
        "features/mutants-equivalent.csv:2: 丙",
    ]


def test_a_file_beside_with_problems_is_pointed_out(here: Path) -> None:
    write(here / "draft" / "a.feature", GOOD)
    write(here / "draft" / "b.feature", GOOD.replace("规则: ", "规则："))
    found = drafting.check(Path("draft/a.feature"))
    assert found.problems == ()
    assert [str(n) for n in found.notices] == [
        "draft/b.feature:6: 这个文件另有1个问题，不在此次检查之内：请另行检查"
    ]
    assert (found.rules, found.examples) == (1, 4)


def test_a_lone_file_reads_the_packaged_map(here: Path) -> None:
    write(here / "a.feature", SECTOR)
    found = drafting.check(Path("a.feature"))
    assert [str(p) for p in found.problems if "划型行业" in str(p) or "maps" in str(p)] == []


def test_a_draft_whose_examples_fail_is_told_before_it_is_evaluated(here: Path) -> None:
    for name in ("same", "draft", "broken"):
        shutil.copytree(resources.features(), name, ignore=shutil.ignore_patterns("*.py", "_*"))
    draft = here / "draft"
    assert drafting.unproved(Path("same")) == ()
    write(
        draft / "more.feature",
        GOOD.replace("| 100万元      | 符合     |", "| 100万元      | 不符合   |"),
    )
    found = [str(p) for p in drafting.unproved(Path("draft"))]
    assert found == [
        "draft/more.feature:21: 规则「示例.研发费用」的例子「研发费用［100万元、不符合］」"
        "应为“不符合”，按定义表得“符合”：请改正例子或定义表"
    ]
    assert drafting.unproved(Path("draft/miit-2022-63")) != ()
    write(here / "broken" / "more.feature", GOOD.replace("规则: ", "规则："))
    assert drafting.unproved(Path("broken")) == ()


@pytest.mark.parametrize("name", ["没有.feature", "空", "a.txt"])
def test_what_holds_no_criteria(here: Path, name: str) -> None:
    (here / "空").mkdir()
    (here / "a.txt").write_text("甲", encoding="utf-8")
    with pytest.raises(RulesError):
        drafting.check(Path(name))
