import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner, Result
from openpyxl import Workbook, load_workbook

from registry.cli import main
from registry.kit import resources

Run = Callable[..., Result]

GOOD = {
    "企业名称": "测试一号有限公司",
    "统一社会信用代码": "913205052HYEF0R3JN",
    "行业代码": "C3511",
    "是否独立法人": "是",
    "2022年末从业人员（人）": 100,
    "其中研发人员（人）": 20,
    "2020年营业收入（万元）": 4000,
    "2021年营业收入（万元）": 4500,
    "2022年营业收入（万元）": 5000,
    "2020年主营业务收入（万元）": 3600,
    "2021年主营业务收入（万元）": 4050,
    "2022年主营业务收入（万元）": 4500,
    "2022年净利润（万元）": 500,
    "2021年研发费用（万元）": 160,
    "2022年研发费用（万元）": 140,
    "2022年末资产总额（万元）": 8000,
    "2022年末负债总额（万元）": 4000,
}


def workbook(path: Path, *rows: dict[str, object], day: str = "2023年6月30日") -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "汇总表"
    sheet.append([f"填报日期：{day}"] if day else ["汇总表"])
    sheet.append(list(GOOD))
    for row in rows:
        sheet.append([row.get(k) for k in GOOD])
    book.save(path)
    return path


def test_every_command_has_chinese_help() -> None:
    def walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
        yield name, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for sub in command.list_commands(context):
                below = command.get_command(context, sub)
                assert below is not None
                yield from walk(below, f"{name} {sub}")

    for name, command in walk(main, "tidu"):
        texts = [command.help or "", *(getattr(p, "help", None) or "" for p in command.params)]
        for text in texts:
            assert any("\u4e00" <= c <= "\u9fff" for c in text), name
        if not isinstance(command, click.Group) and name != "tidu serve":  # which answers in pages
            assert "as_json" in {p.name for p in command.params}, name
        shown = CliRunner().invoke(main, [*name.split()[1:], "--help"], prog_name="tidu")
        assert shown.exit_code == 0
        for english in ("Usage", "Options", "Commands", "Show this", "Arguments"):
            assert english not in shown.output, name


def test_misuse_is_explained_in_chinese_with_exit_code_2(run: Run) -> None:
    for arguments, sentence in (
        (("check",), "请给出信用代码或文件，或用 --all 检查全部（二者择一）"),
        (("check", "--nosuch"), "没有选项 '--nosuch'。"),
        (("nosuch",), "没有命令 'nosuch'。"),
        (
            ("check", "--all", "--as-of", "昨天"),
            "「昨天」不是日期，请写成 2023-06-30 或 2023年6月30日",
        ),
        *(
            (arguments, "的年份应在1900至2199之间，请核对日期")
            for arguments in (
                ("screen", "--as-of", "9999-12-31"),
                ("generate", "5", "--day", "0001-01-01", "-o", "企业"),
            )
        ),
        (("import",), "请给出一个文件，或用 --undo 编号 撤销一次导入（二者择一）"),
        (("rules", "show"), "缺少参数"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2, arguments
        assert sentence in result.output


def test_import_check_and_explain(run: Run, tmp_path: Path) -> None:
    file = workbook(tmp_path / "a.xlsx", GOOD)
    loaded = run("import", str(file))
    assert loaded.exit_code == 0, loaded.output
    assert "已登记 新增1家，变更0家，未变0家，退回0家" in loaded.output
    again = run("import", str(file))
    assert "内容没有变化，1家均已登记" in again.output

    checked = run("check", "--all")
    assert checked.exit_code == 0, checked.output
    assert "测试一号有限公司" in checked.output
    assert "2023-06-30" in checked.output

    explained = run("check", GOOD_CODE, "--tier", "专精特新", "--explain")
    assert "上年度研发费用占比 不低于3%：2.8%（差0.2个百分点，合10万元）" in explained.output
    assert "2022年研发费用总额（上年度）：140万元　〔汇总表!" in explained.output

    found = json.loads(run("check", GOOD_CODE, "--json").output)["results"][0]
    assert found["as_of"] == "2023-06-30"
    assert [v["tier"] for v in found["verdicts"]] == [
        "创新型中小企业",
        "专精特新中小企业",
        "专精特新“小巨人”企业",
    ]
    assert found["verdicts"][1]["outcome"] == "不符合"


GOOD_CODE = str(GOOD["统一社会信用代码"])


def test_a_changed_row_is_a_new_version_and_undo_brings_the_old_one_back(
    run: Run, tmp_path: Path
) -> None:
    run("import", str(workbook(tmp_path / "a.xlsx", GOOD)))
    changed = run(
        "import",
        str(workbook(tmp_path / "b.xlsx", {**GOOD, "2022年研发费用（万元）": 150})),
        "--json",
    )
    number = json.loads(changed.output)["import_id"]
    assert "恰在门槛上" in run("check", GOOD_CODE, "--explain").output
    history = run("enterprise", "show", GOOD_CODE, "--history").output
    assert "a.xlsx" in history
    assert "b.xlsx" in history
    undone = run("import", "--undo", str(number))
    assert "撤回0家，恢复原内容1家" in undone.output
    assert "差0.2个百分点" in run("check", GOOD_CODE, "--explain").output
    assert run("import", "--undo", "99").output == "错误：没有编号为99的导入\n"


def test_a_file_with_errors_stores_nothing_unless_partial(run: Run, tmp_path: Path) -> None:
    bad = {**GOOD, "企业名称": "测试二号有限公司", "统一社会信用代码": "913205052HYEF0R3JX"}
    file = workbook(tmp_path / "a.xlsx", GOOD, bad)
    refused = run("import", str(file), "--report", str(tmp_path / "errors.xlsx"))
    assert refused.exit_code == 1
    assert "913205052HYEF0R3JX" in refused.output
    assert "没有登记任何企业" in refused.output
    assert load_workbook(tmp_path / "errors.xlsx").active.max_row >= 2  # type: ignore[union-attr]
    assert "没有登记的企业" in run("enterprise", "list").output
    partial = run("import", str(file), "--partial")
    assert partial.exit_code == 0
    assert "已登记 新增1家" in partial.output
    assert "测试一号有限公司" in run("enterprise", "list").output


def test_dry_run_says_what_would_happen_and_stores_nothing(run: Run, tmp_path: Path) -> None:
    dry = run("import", str(workbook(tmp_path / "a.xlsx", GOOD)), "--dry-run")
    assert "将会登记 新增1家" in dry.output
    assert "没有登记的企业" in run("enterprise", "list").output


def test_check_refuses_a_day_whose_last_year_is_not_filed(run: Run, tmp_path: Path) -> None:
    run("import", str(workbook(tmp_path / "a.xlsx", GOOD)))
    result = run("check", GOOD_CODE, "--as-of", "2024-06-30")
    assert result.exit_code == 1
    assert (
        "测试一号有限公司：最新的年度数据是2022年，而按2024-06-30上年度应为2023年；"
        "请补报2023年数据，或用 --as-of 2023-06-30 按当时检查"
    ) in result.output


def test_check_names_the_text_that_governs_but_is_not_encoded(run: Run, tmp_path: Path) -> None:
    draft = drafted(tmp_path)
    table = draft / "applicability.feature"
    text = table.read_text(encoding="utf-8")
    changed = re.sub(r"\| 2026\.([23]) +\|", r"| 某年\1号（未编码） |", text)
    assert changed != text
    table.write_text(changed, encoding="utf-8")
    row = {
        k.replace("2022", "2025").replace("2021", "2024").replace("2020", "2023"): v
        for k, v in GOOD.items()
    }
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["填报日期：2026年4月1日"])
    sheet.append(list(row))
    sheet.append(list(row.values()))
    book.save(tmp_path / "a.xlsx")
    result = run("check", str(tmp_path / "a.xlsx"), "--features", str(draft), "--json")
    assert result.exit_code == 0, result.output
    first, second, third = json.loads(result.stdout)["results"][0]["verdicts"]
    assert first["ruleset"] == "63.1"
    assert second["note"] == "适用某年2号，本系统尚未编入该文本，不能给出结论"
    assert third["note"] == "适用某年3号，本系统尚未编入该文本，不能给出结论"
    assert (second["outcome"], third["outcome"]) == ("未编码", "未编码")


def test_from_april_2026_on_the_measures_of_2026_govern(run: Run, tmp_path: Path) -> None:
    figures = {
        "revenue": "20000000", "main_revenue": "19000000", "rd_expense": "1200000",
        "total_assets": "30000000", "total_liabilities": "9000000", "staff": "50",
    }  # fmt: skip
    values = {f"{k}@{y}": v for k, v in figures.items() for y in (2024, 2025)}
    good = dict.fromkeys(
        ["registered_in_prc", "law_abiding", "tech_title", "leading_position"], True
    )
    clean = dict.fromkeys(
        ["abnormal_list", "dishonesty_list", "restricted_product", "safety_accident",
         "data_incident", "environment_offence", "quality_problem", "industry_breach"], False,
    )  # fmt: skip
    values |= good | clean | {
        "industry_code": "C3985", "segment_entry": "2015-03-01", "tech_title_until": "2026-12-31",
        "ip_own_earning": "1", "development_score@2026": "50", "development_score@2025": "99",
    }  # fmt: skip
    file = tmp_path / "a.json"

    def verdicts(day: str, **changed: object) -> list[dict[str, Any]]:
        filed = filing(as_of=day, values=values | changed)
        file.write_text(json.dumps([filed]), encoding="utf-8")
        result = json.loads(run("check", str(file), "--json").output)
        return result["results"][0]["verdicts"]  # type: ignore[no-any-return]

    _, specialised, little_giant = verdicts("2026-04-01")
    assert (specialised["ruleset"], specialised["outcome"]) == ("2026.2", "符合")
    assert little_giant["ruleset"] == "2026.3"
    assert little_giant["parts"] == {"实质条件": "不符合", "前置称号": "材料不足"}
    below = {"development_score@2026": "49.9"}
    assert verdicts("2026-04-01", **below)[1]["outcome"] == "不符合"
    assert verdicts("2026-03-31")[1]["ruleset"] == "63.2"


def test_check_a_file_without_storing_it(run: Run, tmp_path: Path) -> None:
    result = run(
        "check", str(workbook(tmp_path / "a.xlsx", GOOD)), "--output", str(tmp_path / "r.xlsx")
    )
    assert result.exit_code == 0, result.output
    book = load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames == ["结论", "逐项", "待补材料", "数据存疑", "解读", "说明", "未能检查"]
    assert book["结论"]["B2"].value == "测试一号有限公司"
    assert "没有登记的企业" in run("enterprise", "list").output
    undated = run("check", str(workbook(tmp_path / "b.xlsx", GOOD, day="")))
    assert undated.exit_code == 1
    assert "没有填报日期" in undated.output


def test_unknown_enterprise_and_missing_file(run: Run) -> None:
    assert run("check", GOOD_CODE).exit_code == 1
    missing = run("import", "nosuch.xlsx")
    assert missing.exit_code == 1
    assert missing.output == "错误：nosuch.xlsx：找不到这个文件，请核对文件名和位置\n"


def test_rules_commands(run: Run, tmp_path: Path) -> None:
    assert "63.2.年限" in run("rules", "list", "63.2").output
    shown = run("rules", "show", "63.2.研发费用")
    assert "上年度研发费用占比" in shown.output
    assert "✗" not in shown.output
    assert json.loads(run("rules", "show", "63.2.研发费用", "--json").output)["table"]
    unknown = run("rules", "show", "63.9")
    assert unknown.exit_code == 1
    assert "没有编号为「63.9」的规则" in unknown.output
    draft = tmp_path / "draft" / "a.feature"
    draft.parent.mkdir()
    assert run("rules", "new", str(draft), "--id", "甲.一", "--title", "研发费用").exit_code == 0
    failing = run("rules", "check", str(draft))
    assert failing.exit_code == 1
    assert "a.feature:" in failing.output


def test_changing_a_threshold_is_noticed_and_then_changes_verdicts_without_python(
    run: Run, tmp_path: Path
) -> None:
    draft = drafted(tmp_path)
    file = draft / "miit-2022-63" / "specialised.feature"
    text = file.read_text(encoding="utf-8")
    start = text.index("@id:63.2.研发费用")
    end = text.index("@id:", start + 4)
    clause = text[start:end]
    changed = clause.replace("| 3% ", "| 4% ", 1)
    assert changed != clause
    file.write_text(text[:start] + changed + text[end:], encoding="utf-8")
    result = run("rules", "check", str(file))
    assert result.exit_code == 1
    assert "定义表写有4%，条文「" in result.output
    assert "条文写有3%，定义表中没有" in result.output
    file.write_text(text[:start] + changed.replace("3%", "4%") + text[end:], encoding="utf-8")
    result = run("rules", "check", str(file))
    assert result.exit_code == 1
    assert "应为“符合”，按定义表得“不符合”" in result.output

    row = {**GOOD, "2022年研发费用（万元）": 175}  # 3.5%
    filed = str(workbook(tmp_path / "a.xlsx", row))

    def outcome(*arguments: str) -> list[str]:
        found = json.loads(run("check", filed, "--json", *arguments).stdout)["results"][0]
        return [
            f["outcome"]
            for f in findings(found)
            if f.get("rule") == "63.2.研发费用" and "outcome" in f
        ]

    assert set(outcome()) == {"符合"}
    assert set(outcome("--features", str(draft))) == {"不符合"}


def drafted(tmp_path: Path) -> Path:
    """A copy of the packaged criteria, to be changed."""
    without = shutil.ignore_patterns("*.py", "__pycache__")
    return Path(shutil.copytree(resources.features(), tmp_path / "draft", ignore=without))


def findings(value: object) -> Iterator[dict[str, str]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from findings(part)


def test_db_status_and_upgrade(run: Run) -> None:
    assert json.loads(run("db", "status", "--json").output)["pending"] == []
    assert "无须升级" in run("db", "upgrade").output


def test_template_round_trip(run: Run, tmp_path: Path) -> None:
    assert run("template", "t.xlsx").exit_code == 0
    assert "已存在" in run("template", "t.xlsx").output


def filing(**more: object) -> dict[str, object]:
    return {
        "uscc": GOOD_CODE,
        "name": "测试一号有限公司",
        "as_of": "2023-06-30",
        "identity": {},
        "values": {"revenue@2022": "50000000"},
        "records": {},
        **more,
    }


PATENT = {
    "kind": "发明专利",
    "in_force": True,
    "related": True,
    "acquisition": "原始取得",
    "grant_date": "2020-01-01",
}


def test_records_that_exceed_or_fall_short_of_their_total_are_refused_with_both_numbers(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "a.json"
    for total, complete, sentence in (
        ("1", False, "清单中符合的有2项，多于Ⅰ类知识产权总数1项"),
        ("3", True, "清单已报全但符合的至多2项，少于Ⅰ类知识产权总数3项"),
    ):
        records = {"ip": {"complete": complete, "items": [PATENT, PATENT]}}
        document = filing(
            values={"revenue@2022": "50000000", "ip_class_one": total}, records=records
        )
        file.write_text(json.dumps([document]), encoding="utf-8")
        result = run("import", str(file))
        assert result.exit_code == 1
        assert sentence in result.output
    agreeing = filing(
        values={"revenue@2022": "50000000", "ip_class_one": "3"},
        records={"ip": {"complete": False, "items": [PATENT, PATENT]}},
    )
    file.write_text(json.dumps([agreeing]), encoding="utf-8")
    assert run("import", str(file)).exit_code == 0


def test_check_as_of_a_day_takes_the_filing_of_that_time(run: Run, tmp_path: Path) -> None:
    def named(year: int) -> dict[str, object]:
        shift = {"2022": year, "2021": year - 1, "2020": year - 2}
        row: dict[str, object] = {}
        for key, value in GOOD.items():
            for old, new in shift.items():
                if key.startswith(old):
                    key = key.replace(old, str(new), 1)
                    break
            row[key] = value
        return row

    for year in (2022, 2023):
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append([f"填报日期：{year + 1}年6月30日"])
        sheet.append(list(named(year)))
        sheet.append(list(named(year).values()))
        book.save(tmp_path / f"{year}.xlsx")
        assert run("import", str(tmp_path / f"{year}.xlsx")).exit_code == 0

    def as_of(*arguments: str) -> str:
        result = run("check", GOOD_CODE, "--json", *arguments)
        return str(json.loads(result.output)["results"][0]["as_of"])

    assert as_of() == "2024-06-30"
    assert as_of("--as-of", "2023-12-31") == "2023-12-31"
    refused = run("check", GOOD_CODE, "--as-of", "2023-03-31")
    assert refused.exit_code == 1
    assert "没有2023-03-31以前的填报，最早的是2023-06-30" in refused.output


def test_a_title_held_before_it_begins_or_ending_before_it_begins_is_refused(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "a.json"
    for start, end, sentence in (
        ("2023-07-01", "2026-06-30", "称号有效期始晚于填报日期2023-06-30，却填报为持有"),
        ("2023-06-01", "2023-05-31", "称号有效期至2023-05-31早于有效期始"),
    ):
        title = {"kind": "创新型中小企业", "valid_from": start, "valid_until": end, "held": True}
        records = {"titles": {"complete": True, "items": [title]}}
        file.write_text(json.dumps([filing(records=records)]), encoding="utf-8")
        result = run("import", str(file))
        assert result.exit_code == 1
        assert sentence in result.output


def test_a_recheck_looks_at_the_title_held_and_takes_its_batch(run: Run, tmp_path: Path) -> None:
    title = {"kind": "专精特新中小企业", "valid_until": "2025-06-30", "held": True}
    records = {"titles": {"complete": True, "items": [title]}}
    file = tmp_path / "a.json"
    file.write_text(json.dumps([filing(records=records)]), encoding="utf-8")
    arguments = ("check", str(file), "--procedure", "复核", "--json")
    verdicts = json.loads(run(*arguments).output)["results"][0]["verdicts"]
    assert verdicts[1]["ruleset"] == "63.2.复核"
    assert verdicts[1]["parts"]["所持称号"] == "符合"
    assert verdicts[1]["parts"]["前置称号"] == "不适用"

    later = filing(as_of="2026-05-01", values={"revenue@2025": "1"}, records=records)
    file.write_text(json.dumps([later]), encoding="utf-8")
    plain = json.loads(run(*arguments).output)["results"][0]["verdicts"]
    assert [v["ruleset"] for v in plain] == ["63.1", "2026.2.复核", "2026.3.复核"]
    assert plain[1]["parts"] == {
        "实质条件": "材料不足", "所持称号": "不符合", "前置称号": "不适用",
    }  # fmt: skip
    assert plain[2]["parts"]["营收增长"] == "不适用"
    batch = json.loads(run(*arguments, "--batch", "2026年复核").output)["results"][0]["verdicts"]
    assert batch[2]["ruleset"] == "63.3.复核"


def test_enterprise_show_tells_the_size_class(run: Run, tmp_path: Path) -> None:
    run("import", str(workbook(tmp_path / "a.xlsx", GOOD)))
    assert "300号）：小型" in run("enterprise", "show", GOOD_CODE).output
