"""The register of titles on the command line."""

import json
from datetime import date
from pathlib import Path

import pytest

from registry.cli.tests.test_cli import GOOD, Run, workbook

#: What the commands say does not depend on the database; that either keeps the same, see the record.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

CODE, OTHER = str(GOOD["统一社会信用代码"]), "9111000071783519X4"
GRANT = ("titles", "grant", "--tier", "创新型", "--document", "示工信〔2022〕1号")
END = ("titles", "end", CODE, "--tier", "创新型", "--document", "示工信〔2023〕9号")


@pytest.fixture
def filed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on a registry that holds one filing, with a name to sign with."""
    monkeypatch.setenv("TIDU_BY", "李四")
    assert run("import", str(workbook(tmp_path / "汇总表.xlsx", GOOD))).exit_code == 0
    return run


def test_a_notice_is_registered_and_a_check_reads_it(filed: Run) -> None:
    assert "材料不足" in filed("check", CODE, "--tier", "专精特新", "--explain").output
    done = filed(*GRANT, CODE, "--dated", "2022-10-08", "--from", "2022年10月1日")
    assert done.output == (
        f"第3号授予 测试一号有限公司 {CODE} 创新型中小企业，有效期2022-10-01至2025-09-30，"
        "依据示工信〔2022〕1号（2022-10-08）\n"
    )
    shown = filed("check", CODE, "--tier", "专精特新", "--explain").output
    assert "登记簿第3号　创新型中小企业，有效期2022-10-01至2025-09-30" in shown
    assert "前置称号：符合" in shown
    done = filed(*END, "--dated", "2023-05-01", "--reason", "撤销")
    assert "2023-05-01终止（撤销）" in done.output
    assert "前置称号：不符合" in filed("check", CODE, "--tier", "专精特新", "--explain").output
    before = filed("check", CODE, "--tier", "专精特新", "--as-of", "2023-06-30", "--json")
    [entry] = json.loads(before.output)["results"][0]["verdicts"][0]["register"]
    assert (entry["seq"], entry["ended_on"], entry["by"]) == (4, "2023-05-01", "李四")
    log = filed("audit", "log", "--kind", "称号登记").output
    assert "终止" in log
    assert "共2条" in log


def test_a_list_is_registered_whole_or_not_at_all(filed: Run, tmp_path: Path) -> None:
    second = {**GOOD, "企业名称": "测试二号有限公司", "统一社会信用代码": OTHER}
    names = workbook(tmp_path / "名单.xlsx", GOOD, second, day="")
    done = filed(*GRANT, str(names), "--dated", "2022-10-08", "--json")
    assert "提示 汇总表的这些列不用，未读取：行业代码、是否独立法人、" in done.stderr
    found = json.loads(done.stdout)
    assert [(e["uscc"], e["name"]) for e in found] == [
        (CODE, "测试一号有限公司"),
        (OTHER, "测试二号有限公司"),
    ]
    assert len(found[0]["evidence"]) == 1  # the list itself
    again = filed(*GRANT, str(names), "--dated", "2023-10-08")
    assert again.exit_code == 1
    assert f"错误 汇总表!B4 测试二号有限公司{OTHER}：第3号已登记" in again.output
    assert "名单.xlsx 有2处错误，整份名单没有登记：" in again.output
    assert "有效期重叠" in again.output
    assert len(json.loads(filed("titles", "list", "--json").output)) == 2


def test_a_list_that_names_another_enterprise_than_its_code_is_refused(
    filed: Run, tmp_path: Path
) -> None:
    """The columns of a list may have slipped against each other, or the enterprise has a new name."""
    second = {**GOOD, "企业名称": "测试二号有限公司", "统一社会信用代码": OTHER}
    slipped = {**GOOD, "企业名称": "测试二号有限公司"}
    path = str(workbook(tmp_path / "名单.xlsx", slipped, second, day=""))
    for command in (GRANT, ("titles", "extend", *GRANT[2:])):
        done = filed(*command, path, "--dated", "2022-10-08")
        assert done.exit_code == 1
        assert done.output.partition("\n")[2] == (
            f"错误 汇总表!B3 {CODE}：名单写的是「测试二号有限公司」，登记的是「测试一号有限公司」\n"
            "错误：名单.xlsx 有1处错误，整份名单没有登记：请核对名单是否错行；"
            "确已更名的，用 --renamed 信用代码 逐家指明后再登记\n"
        )
    assert json.loads(filed("titles", "list", "--json").output) == []
    done = filed(*GRANT, path, "--dated", "2022-10-08", "--renamed", CODE, "--json")
    assert {e["uscc"]: e["name"] for e in json.loads(done.stdout)} == dict.fromkeys(
        (CODE, OTHER), "测试二号有限公司"
    )
    # from now on this is a name that the enterprise had
    assert filed(*GRANT, path, "--dated", "2026-10-08").exit_code == 0
    for entry in json.loads(filed("titles", "list", CODE, "--json").output):
        filed(
            "titles", "strike", str(entry["seq"]), "--document", "更正函", "--dated", "2026-10-09"
        )
    assert filed(*GRANT, path, "--dated", "2026-10-08").exit_code == 1


#: Cells of codes and names that say nothing good, and what is said of them.
ODD: dict[object, str] = {
    "9.1320E+17": "统一社会信用代码存成了科学计数法，后几位数字已丢失，请把单元格设为文本后重新录入18位代码",
    913205052000000000: "统一社会信用代码存成了数字，后几位已失真，请把单元格设为文本后重新录入18位代码",
    "#REF!": "统一社会信用代码是公式的错误值，请改正公式，或直接填写18位代码",
    date(2023, 1, 1): "统一社会信用代码不是代码，请把单元格设为文本后重新录入18位代码",
    "=CONCATENATE(A1)": "公式没有保存计算结果，请用 Excel 或 WPS 打开并保存后再导入",
    CODE.replace("0", "O", 1): f"统一社会信用代码含有不允许的字符 O（代码中没有字母 I、O、Z、S、V，可能是 {CODE}），请核对营业执照上的18位代码",
}  # fmt: skip


def test_a_list_says_of_codes_and_names_what_a_filing_says(filed: Run, tmp_path: Path) -> None:
    rows = [{**GOOD, "统一社会信用代码": cell} for cell in ODD]
    named = {**GOOD, "统一社会信用代码": OTHER, "企业名称": "#N/A"}
    path = str(workbook(tmp_path / "名单.xlsx", *rows, named))
    said = [*ODD.values(), "企业名称是公式的错误值，请改正公式，或直接填写企业全称"]
    listed = filed(*GRANT, path, "--dated", "2022-10-08").stderr.splitlines()
    assert [line.partition("：")[2] for line in listed if line.startswith("错误 汇总表!")] == said
    assert f"名单.xlsx 有{len(said)}处错误，整份名单没有登记" in listed[-1]
    loaded = filed("import", path, "--dry-run").output.splitlines()
    assert [line.partition("：")[2] for line in loaded if line.startswith("  错误 汇总表!")] == said


def test_a_name_is_registered_as_it_is_written(filed: Run, tmp_path: Path) -> None:
    other = {**GOOD, "企业名称": "乙（云溪）有限公司", "统一社会信用代码": OTHER}
    path = str(workbook(tmp_path / "名单.xlsx", other, day=""))
    assert f"授予 乙（云溪）有限公司 {OTHER}" in filed(*GRANT, path, "--dated", "2022-10-08").stdout


@pytest.mark.parametrize(
    "name",
    [
        "测试 一号有限公司",
        "测试一号有限责任公司",
        "测试一号　有限公司",
        "测试（一号）有限公司",
        None,
    ],
)
def test_a_name_that_is_only_typed_otherwise_is_the_same(
    filed: Run, tmp_path: Path, name: str | None
) -> None:
    path = str(workbook(tmp_path / "名单.xlsx", {**GOOD, "企业名称": name}, day=""))
    assert filed(*GRANT, path, "--dated", "2022-10-08").exit_code == 0


def test_the_list_of_titles_is_of_a_day_and_of_what_was_known(filed: Run) -> None:
    def listed(*arguments: str) -> list[int]:
        return [e["seq"] for e in json.loads(filed("titles", "list", "--json", *arguments).output)]

    assert filed(*GRANT, CODE, "--dated", "2022-10-01").exit_code == 0
    assert filed(*END, "--dated", "2023-05-01", "--reason", "注销").exit_code == 0
    assert listed() == [3]
    assert listed("--history") == [2, 3]
    assert listed("--as-of", "2023-04-30") == [3]
    assert listed("--as-of", "2023-05-01") == []
    assert listed("--tier", "小巨人") == []
    assert listed("--known-at", "2022-10-01") == []
    assert filed("titles", "list", "--history", "--as-of", "2023-05-01").exit_code == 2
    shown = filed("titles", "list").output
    assert "2023-05-01终止（注销）" in shown
    done = filed("titles", "strike", "3", "--document", "更正函", "--dated", "2023-05-02")
    assert done.exit_code == 0, done.output
    assert listed() == []


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        ((*GRANT, "没有的名单", "--dated", "2022-10-01"), "不是18位信用代码", 1),
        (("titles", "strike", "1", "--document", "函", "--dated", "2023-05-02"), "不是称号登记", 1),
        ((*END, "--dated", "2023-05-01", "--reason", "不喜欢"), "不在可选范围内", 2),
        ((*END, "--dated", "2023-05-01", "--reason", "撤销"), "登记簿中没有这项称号", 1),
    ],
)
def test_refusals_are_one_sentence(
    filed: Run, arguments: tuple[str, ...], said: str, code: int
) -> None:
    done = filed(*arguments)
    assert done.exit_code == code
    assert said in done.output
