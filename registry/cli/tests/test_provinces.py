"""Provinces, rounds and a bureau's own packs, from the command line."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from registry.cli import main
from registry.cli.common import console
from registry.conftest import Once
from registry.kit import resources
from registry.record import certification
from rules.drafting.certificate import Certificate, certify
from rules.model.ruleset import Ruleset

Run = Callable[..., Result]

#: A bureau's own pack: 湖南 asks for 65 points from 2024 on.
OWN = """# language: zh-CN
@tier:专精特新中小企业 @source:湘工信〔2024〕1号（虚构）
功能: 湖南省的设定

  @id:湖南.认定分数线
  规则: 自2024年1月1日起，评价得分的认定分数线为65分
    依据: 第三条

    背景:
      假如 省级主管部门设定如下
        | 省份   | 项目            | 自           | 至 | 设定 |
        | 湖南省 | 63.2.认定分数线 | 2024年1月1日 |    | 65分 |

    场景大纲: 湖南的分数线
      假如 案件如下
        | 层级     | 专精特新中小企业 |
        | 程序     | <程序>           |
        | 省份     | 湖南省           |
        | 填报日期 | <日期>           |
      那么 适用“<规则集>”
      而且 设定为“<分数线>”

      例子:
        | 程序 | 日期           | 规则集                      | 分数线 |
        | 认定 | 2023年12月31日 | 63.2                        | 60分   |
        | 认定 | 2024年1月1日   | 63.2@湖南省.2024-01-01      | 65分   |
        | 认定 | 2024年1月2日   | 63.2@湖南省.2024-01-01      | 65分   |
        | 认定 | 2026年3月30日  | 63.2@湖南省.2024-01-01      | 65分   |
        | 认定 | 2026年3月31日  | 63.2@湖南省.2024-01-01      | 65分   |
        | 认定 | 2026年4月1日   | 2026.2                      | 65分   |
        | 复核 | 2023年12月31日 | 63.2.复核                   | 60分   |
        | 复核 | 2024年1月1日   | 63.2.复核@湖南省.2024-01-01 | 65分   |
        | 复核 | 2024年1月2日   | 63.2.复核@湖南省.2024-01-01 | 65分   |
        | 复核 | 2026年3月30日  | 63.2.复核@湖南省.2024-01-01 | 65分   |
        | 复核 | 2026年3月31日  | 63.2.复核@湖南省.2024-01-01 | 65分   |
        | 复核 | 2026年4月1日   | 2026.2.复核                 | 65分   |
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on an empty registry, in a folder of its own."""
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{tmp_path / 'tidu.db'}")
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), prog_name="tidu", catch_exceptions=False)

    return invoke


def _certificate(ruleset: Ruleset) -> tuple[Certificate, dict[str, int]]:
    done: dict[str, int] = {}
    return certify(ruleset, done), done


@pytest.fixture(autouse=True)
def rulesets_certified_once(monkeypatch: pytest.MonkeyPatch, once: Once) -> None:
    """The same ruleset is not certified anew by each test that publishes it."""

    def found(ruleset: Ruleset, done: dict[str, int]) -> Certificate:
        name = f"certificate-{ruleset.digest}"
        certificate, cases = once(name, lambda _: _certificate(ruleset))
        done |= cases
        return certificate

    monkeypatch.setattr(certification, "certify", found)


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """A bureau's own directory with one pack."""
    file = tmp_path / "own-packs" / "provinces" / "hunan" / "specialised.feature"
    file.parent.mkdir(parents=True)
    file.write_text(OWN, encoding="utf-8")
    return file


def filed(folder: Path, day: str, province: str, city: str = "", **values: object) -> str:
    year = int(day[:4]) - 1
    filing = {
        "uscc": "913205052HYEF0R3JN",
        "name": "测试一号有限公司",
        "as_of": day,
        "identity": {"province": province, "city": city} if city else {"province": province},
        "values": {f"revenue@{year}": "30000000"} | values,
        "records": {},
    }
    file = folder / "a.json"
    file.write_text(json.dumps([filing]), encoding="utf-8")
    return str(file)


def verdicts(run: Run, *arguments: str) -> list[dict[str, Any]]:
    result = run("check", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["results"][0]["verdicts"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("province", "city", "ruleset"),
    [
        ("广东省", "广州市", "63.2@广东省.2024-01-01"),
        ("广东", "", "63.2@广东省.2024-01-01"),
        ("广东省", "深圳市", "63.2"),
        ("深圳", "", "63.2"),
        ("山东省", "济南市", "63.2@山东省.2022-08-01"),
        ("山东省", "青岛", "63.2"),
        ("江苏省", "苏州市", "63.2"),
    ],
)
def test_the_place_decides_and_a_planned_city_has_its_own(
    run: Run, tmp_path: Path, province: str, city: str, ruleset: str
) -> None:
    file = filed(tmp_path, "2024-06-30", province, city)
    assert verdicts(run, file)[1]["ruleset"] == ruleset


@pytest.mark.parametrize(
    ("city", "ruleset"), [("济南市", "63.2@山东省.2022-08-01"), ("青岛市", "63.2")]
)
def test_what_is_registered_is_decided_by_its_place(
    run: Run, tmp_path: Path, city: str, ruleset: str
) -> None:
    assert run("import", filed(tmp_path, "2024-06-30", "山东省", city)).exit_code == 0
    assert verdicts(run, "--all")[1]["ruleset"] == ruleset
    decided = run("decide", "--all", "--by", "张三", "--tier", "专精特新")
    assert decided.exit_code == 0, decided.output
    with closing(sqlite3.connect(tmp_path / "tidu.db")) as database:
        bodies = database.execute("SELECT body FROM journal WHERE kind = 'decision'").fetchall()
    assert [json.loads(b)["applicability"]["ruleset"] for (b,) in bodies] == [ruleset]
    replayed = run("replay", "--all")
    assert replayed.exit_code == 0, replayed.output


def test_the_option_takes_short_names_and_refuses_others(run: Run, tmp_path: Path) -> None:
    file = filed(tmp_path, "2024-06-30", "江苏省")
    assert verdicts(run, file, "--province", "广东")[1]["ruleset"] == "63.2@广东省.2024-01-01"
    refused = run("check", file, "--province", "广冬")
    assert refused.exit_code == 2
    assert "「广冬」不是省级行政区，也不是计划单列市" in refused.output


def test_a_province_is_named_where_its_setting_decides(run: Run, tmp_path: Path) -> None:
    file = filed(tmp_path, "2024-06-30", "广东省")
    assert "专精特新适用广东省的设定：" in run("check", file).output
    explained = run("check", file, "--tier", "专精特新", "--explain").output
    assert "认定分数线70分" in explained
    assert "不低于认定分数线（70分）" in explained
    assert "60分" not in explained


@pytest.mark.parametrize(
    ("day", "procedure", "batch", "ruleset", "basis"),
    [
        ("2025-06-30", "认定", "第七批", "第七批.3", "第七批轮次要求，另加于"),
        ("2025-06-30", "复核", "2025年复核", "第七批.3.复核", "2025年复核轮次要求，不考察增长率"),
        ("2026-06-30", "认定", "第八批", "第八批.3", "第八批轮次要求，另加于"),
        ("2026-06-30", "认定", "2026年认定", "第八批.3", "第八批轮次要求，另加于"),
    ],
)
def test_a_batch_brings_the_rules_of_its_round_and_says_so(
    run: Run, tmp_path: Path, day: str, procedure: str, batch: str, ruleset: str, basis: str
) -> None:
    file = filed(tmp_path, day, "山东省")
    arguments = (file, "--procedure", procedure, "--batch", batch)
    verdict = verdicts(run, *arguments)[2]
    assert verdict["ruleset"] == ruleset
    assert verdict["applicability"].startswith(basis)
    assert f"小巨人适用轮次要求：{basis}" in run("check", *arguments).output
    assert verdicts(run, file, "--procedure", procedure)[2]["ruleset"] != ruleset


def test_a_batch_without_rules_of_its_own_is_told(run: Run, tmp_path: Path) -> None:
    file = filed(tmp_path, "2025-06-30", "山东省")
    told = "批次「第七」在这一天没有另外的规定，按办法检查"
    assert told in run("check", file, "--batch", "第七").output
    assert "没有另外的规定" not in run("check", file, "--batch", "第七批").output
    assert run("import", file).exit_code == 0
    shown = run("screen", "--tier", "小巨人", "--batch", "第七").output
    assert "批次：第七" in shown
    assert told.replace("检查", "筛查") in shown
    shown = run("screen", "--tier", "小巨人", "--batch", "第七批").output
    assert "没有另外的规定" not in shown


def test_too_little_revenue_is_ruled_out_in_the_seventh_batch(run: Run, tmp_path: Path) -> None:
    file = filed(tmp_path, "2025-06-30", "山东省")
    verdict = verdicts(run, file, "--batch", "第七批", "--tier", "小巨人")[0]
    assert verdict["parts"]["实质条件"] == "不符合"
    assert "第七批.3.营业收入" in json.dumps(verdict, ensure_ascii=False)


def test_a_holding_of_more_than_half_is_not_recommended(run: Run, tmp_path: Path) -> None:
    for share, outcome in (("0.5", "待人工认定"), ("0.500001", "不符合")):
        values = {"single_champion": False, "giant_holding": share}
        file = filed(tmp_path, "2026-06-30", "山东省", **values)
        text = run("check", file, "--batch", "第八批", "--tier", "小巨人", "--json").stdout
        found = [
            f["outcome"]
            for f in findings(json.loads(text))
            if f.get("rule") == "第八批.3.推荐要求" and "outcome" in f
        ]
        assert found[0] == outcome


def findings(value: object) -> list[dict[str, Any]]:
    found = [value] if isinstance(value, dict) else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found + [f for part in inner for f in findings(part)]


def test_check_reports_what_a_province_exceeds_and_passes(run: Run) -> None:
    shandong = resources.features() / "provinces" / "shandong"
    result = run("rules", "check", str(shandong))
    assert result.exit_code == 0, result.output
    assert f"提示 {shandong}/specialised.feature:" in result.output
    assert "（features/miit-2022-63/specialised.feature:" in result.output
    assert "山东省的「特色化指标」设了4项指标，全国文本允许1项至3项" in result.output
    assert "四川" not in result.output


def test_own_packs_are_checked_listed_shown_published_and_decide(
    run: Run, packs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = packs.parents[2]
    monkeypatch.setenv("TIDU_FEATURES", str(own))
    assert run("rules", "check", str(own)).output == "1条规则、12个例子，全部通过\n"
    assert "湖南.认定分数线" in run("rules", "list", "湖南").output
    rows = json.loads(run("rules", "list", "--applicability", "--json").output)
    assert ("湖南省", "63.2@湖南省.2024-01-01") in {(r["province"], r["ruleset"]) for r in rows}
    shown = run("rules", "show", "湖南.认定分数线").output
    assert "位置：own-packs/provinces/hunan/specialised.feature:6" in shown
    assert "✗" not in shown
    file = filed(tmp_path, "2024-06-30", "湖南省")
    assert verdicts(run, file)[1]["ruleset"] == "63.2@湖南省.2024-01-01"
    run("import", file)
    assert run("decide", "--all", "--by", "张三").exit_code == 0  # the first publication
    assert verdicts(run, "--all")[1]["ruleset"] == "63.2@湖南省.2024-01-01"
    again = run("rules", "publish", "--by", "张三")
    assert again.output.endswith("与已发布的标准相同，没有变化\n")
    monkeypatch.delenv("TIDU_FEATURES")
    assert verdicts(run, "--all")[1]["ruleset"] == "63.2@湖南省.2024-01-01"
    # a file, too, is judged by what is in force, wherever its folder is now
    assert verdicts(run, file)[1]["ruleset"] == "63.2@湖南省.2024-01-01"
    assert verdicts(run, file, "--features", str(own))[1]["ruleset"] == "63.2@湖南省.2024-01-01"


def test_a_directory_of_packs_can_be_published_by_name(run: Run, packs: Path) -> None:
    result = run("rules", "publish", str(packs.parents[2]), "--by", "张三")
    assert result.exit_code == 0, result.output
    assert "已发布 63.2@湖南省.2024-01-01" in result.output
    assert "已发布 63.3　" in result.output


def test_own_packs_have_the_same_checks(run: Run, packs: Path) -> None:
    packs.write_text(OWN.replace("| 65分 |\n\n", "| 66分 |\n\n"), encoding="utf-8")
    result = run("rules", "check", str(packs))
    assert result.exit_code == 1
    assert (
        "own-packs/provinces/hunan/specialised.feature:6: 条文写有65分，定义表中没有"
        in result.output
    )
    row = "        | 复核 | 2024年1月2日   | 63.2.复核@湖南省.2024-01-01 | 65分   |\n"
    packs.write_text(OWN.replace(row, ""), encoding="utf-8")
    result = run("rules", "check", str(packs))
    assert (
        "适用的起止日及前后各一日都应有例子：专精特新中小企业复核湖南省缺2024-01-02"
        in result.output
    )
    packs.write_text(OWN.replace("65分", "55分"), encoding="utf-8")
    result = run("rules", "check", str(packs))
    assert result.exit_code == 0, result.output
    assert "湖南省设定认定分数线为55分，全国文本的默认值为60分，不得降低" in result.output


def test_one_id_in_two_files_names_both(
    run: Run, packs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs.write_text(OWN.replace("@id:湖南.", "@id:广东."), encoding="utf-8")
    monkeypatch.setenv("TIDU_FEATURES", str(packs.parents[2]))
    found = run("rules", "check")
    assert found.exit_code == 1
    assert re.search(
        "own-packs/provinces/hunan/specialised.feature:6: 编号「广东.认定分数线」与 "
        r"features/provinces/guangdong/specialised.feature:\d+ 重复",
        found.output,
    )


def test_a_directory_that_is_not_there_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_FEATURES", "nosuch")
    result = run("rules", "list")
    assert result.exit_code == 1
    assert result.output == (
        "错误：环境变量 TIDU_FEATURES 所指的目录 nosuch 不存在：请改正或取消设置\n"
    )


def test_a_new_pack_is_refused_until_it_is_written(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own" / "provinces" / "hunan" / "specialised.feature"
    made = run("rules", "new", str(file), "--province", "湖南")
    assert made.exit_code == 0, made.output
    assert "`湖南.认定分数线`" in file.with_name("clauses.md").read_text(encoding="utf-8")
    result = run("rules", "check", str(file))
    assert result.exit_code == 1
    assert "own/provinces/hunan/specialised.feature:4: 此处待填：本省文号" in result.output
    assert run("rules", "format", "--check", str(file)).exit_code == 0
    assert run("rules", "new", str(tmp_path / "b.feature")).exit_code == 2
    assert "以 .feature 结尾" in run("rules", "new", "b.txt", "--id", "甲", "--title", "乙").output
    assert "不存在：请给出 .feature 文件" in run("rules", "format", "没有").output
    both = run("rules", "new", str(tmp_path / "b.feature"), "--province", "湖南", "--id", "甲")
    assert both.exit_code == 2
