"""The record on the command line: decide, determine, withdraw, replay, verify, hand out."""

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.cli.tests.test_cli import GOOD, Run, workbook
from registry.kit import workers

CODE = str(GOOD["统一社会信用代码"])
#: What is refused is refused in the same words whatever the database.
words = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def filed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on a registry that holds one filing, with a name to sign with."""
    monkeypatch.setenv("TIDU_BY", "李四")
    assert run("import", str(workbook(tmp_path / "汇总表.xlsx", GOOD))).exit_code == 0
    (tmp_path / "证据.txt").write_text("证据", encoding="utf-8")
    return run


@words
def test_decide_asks_who_decides(run: Run, tmp_path: Path) -> None:
    run("import", str(workbook(tmp_path / "汇总表.xlsx", GOOD)))
    done = run("decide", CODE)
    assert done.exit_code == 1
    assert "错误：请写明经办人姓名：用 --by 给出" in done.output
    assert run("decide", CODE, "--by", "李四").exit_code == 0


def test_decide_says_number_and_verdict_and_repeats_nothing(filed: Run) -> None:
    first = filed("decide", CODE, "--tier", "专精特新", "--procedure", "new")
    assert first.output.startswith("第3号决定 测试一号有限公司 专精特新中小企业：")
    assert "tidu explain 3" in first.output
    assert filed("explain", "测试一号有限公司").output == filed("explain", CODE).output
    assert "没有名称为「没有的公司」的企业" in filed("explain", "没有的公司").output
    again = filed("decide", CODE, "--tier", "专精特新")
    assert again.output.startswith("已有第3号决定，内容相同")
    everything = json.loads(filed("decide", "--all", "--json").output)
    assert [line["seq"] for line in everything] == [4, 3, 5]
    assert [line["earlier"] for line in everything] == [False, True, False]


@words
@pytest.mark.parametrize("arguments", [(), ("--bundle", "证据.txt")])
def test_a_key_that_cannot_be_read_is_one_sentence(
    filed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = filed("audit", "verify", "--key", "乱写", *arguments)
    assert done.exit_code == 1
    assert done.output.startswith("错误：验证公钥「乱写」无法识别")


NOTICE = ("--document", "函", "--dated", "2022-10-01")
WIDE = "".join(chr(ord(c) + 0xFEE0) for c in CODE)


@words
@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("decide",),
        ("enterprise", "show"),
        ("withdraw", "--ground", "来函"),
        (
            "determine",
            "--fact",
            "自主品牌",
            "--value",
            "是",
            "--ground",
            "属实",
            "--evidence",
            "证据.txt",
        ),
        ("audit", "log"),
        ("titles", "grant", "--tier", "创新型", *NOTICE),
        ("titles", "list"),
        ("holdings", "add", "--holder", "王某", "--share", "9%", *NOTICE),
        ("holdings", "list"),
    ],
)
@pytest.mark.parametrize("typed", [f"{CODE[:8]} {CODE[8:].lower()}", WIDE])
def test_credit_codes_are_understood_however_they_are_typed(
    filed: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    typed: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert filed(*arguments, typed).exit_code == 0


@words
@pytest.mark.parametrize("register", ["titles", "holdings"])
def test_a_register_says_that_it_knows_nothing_of_a_code(filed: Run, register: str) -> None:
    done = filed(register, "list", "9111000071783519X4")
    assert done.exit_code == 1
    assert "登记库中没有信用代码为9111000071783519X4的企业" in done.output
    assert "共0条" in filed(register, "list", CODE).output


@words
@pytest.mark.parametrize("arguments", [[], [CODE, "--all"]])
def test_decide_wants_either_some_or_all(filed: Run, arguments: list[str]) -> None:
    assert filed("decide", *arguments).exit_code == 2


@words
@pytest.mark.parametrize("what", ["9111000071783519X4", "没有的文件.xlsx", "不是代码"])
def test_decide_refuses_what_it_cannot_find(filed: Run, what: str) -> None:
    done = filed("decide", what)
    assert done.exit_code == 1
    assert done.output.startswith("错误：")
    assert len(done.output.strip().splitlines()) == 1


def test_decide_takes_a_file_whole_or_not_at_all(filed: Run, tmp_path: Path) -> None:
    other = {**GOOD, "企业名称": "测试二号有限公司", "统一社会信用代码": "9111000071783519X4"}
    done = filed("decide", str(workbook(tmp_path / "二.xlsx", other)), "--tier", "创新型")
    assert done.exit_code == 0, done.output
    assert "测试二号有限公司" in done.output
    wrong = {**other, "统一社会信用代码": "9111000071783519X1"}
    third = {**GOOD, "统一社会信用代码": "914403007576325472"}
    done = filed("decide", str(workbook(tmp_path / "三.xlsx", wrong, third)), "--tier", "创新型")
    assert done.exit_code == 1
    assert "没有登记，也没有作出决定" in done.output
    log = json.loads(filed("audit", "log", "--kind", "决定", "--json").output)
    assert len(log) == 1


def test_a_determination_goes_on_the_record_and_stands_out(filed: Run, tmp_path: Path) -> None:
    given = ("--ground", "审计更正", "--evidence", str(tmp_path / "证据.txt"))
    cost = ("--fact", "研发费用总额", "--year", "2022", "--value", "200万元")
    done = filed("determine", CODE, *cost, *given)
    assert done.output == "已记录第2号认定\n" or done.output == "已记录第3号认定\n"
    check = filed("check", CODE, "--tier", "专精特新", "--explain").output
    assert "† 人工认定第" in check
    assert "2022年研发费用总额：140万元 → 200万元，理由：审计更正（李四，证据1件）" in check
    assert "† 含人工认定" in filed("check", CODE).output
    assert "（含人工认定第" in filed("decide", CODE, "--tier", "专精特新").output
    log = filed("audit", "log", CODE).output
    assert "2022年研发费用总额：审计更正" in log
    assert "含人工认定" in log


def test_two_pairs_of_eyes(filed: Run, tmp_path: Path) -> None:
    given = ("--ground", "核查", "--evidence", str(tmp_path / "证据.txt"), "--value", "是")
    assert "双人复核已开启" in filed("audit", "four-eyes", "on").output
    done = filed("determine", CODE, "--fact", "知名度和影响力", *given)
    seq = done.output.split("第")[1].split("号")[0]
    assert f"tidu confirm {seq}" in done.output
    assert "须由另一人确认" in filed("confirm", seq).output
    assert filed("confirm", seq, "--by", "王五").exit_code == 0
    assert "第" + seq + "号认定" in filed("audit", "log", "--kind", "复核认定").output


@words
@pytest.mark.parametrize(
    "arguments",
    [
        ["--value", "是"],
        ["--fact", "自主品牌", "--rule", "63.2", "--value", "是"],
        ["--rule", "63.2", "--value", "符合"],
        ["--records", "知识产权", "--number", "1", "--value", "是"],
        ["--fact", "自主品牌"],
    ],
)
def test_determine_explains_misuse(filed: Run, tmp_path: Path, arguments: list[str]) -> None:
    given = ("--ground", "核查", "--evidence", str(tmp_path / "证据.txt"))
    assert filed("determine", CODE, *given, *arguments).exit_code == 2


def test_withdraw(filed: Run) -> None:
    assert "已撤回" in filed("withdraw", CODE, "--ground", "来函").output
    done = filed("decide", CODE, "--tier", "创新型")
    assert done.exit_code == 1
    assert "填报已撤回" in done.output
    report = json.loads(filed("audit", "verify", "--json").output)
    assert report["filings"] == {
        "登记": 1,
        "已决定": 0,
        "已撤回": 1,
        "已更正或撤销": 0,
        "待决定": 0,
    }


def test_replay_one_all_and_since(filed: Run, tmp_path: Path) -> None:
    filed("decide", "--all")
    assert "逐字节一致" in filed("replay", "3").output
    assert "重新作出3项决定，0项不一致" in filed("replay", "--all").output
    assert "重新作出3项决定" in filed("replay", "--since", "2020-01-01").output
    assert "重新作出0项决定" in filed("replay", "--since", "2199-01-01").output
    assert "结论没有改变" in filed("replay", "3", "--facts", "now", "--rules", "now").output
    assert filed("replay", "1").exit_code == 1
    assert filed("replay", "99").exit_code == 1
    assert filed("replay").exit_code == 2
    assert filed("replay", "3", "--all").exit_code == 2
    assert not (tmp_path / "tidu-replay.json").exists()


def test_an_interrupted_replay_goes_on(
    filed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.desk import replaying
    from registry.record.replay import Replayer

    filed("decide", "--all")
    replayed: list[int] = []
    original = Replayer.replay

    def counting(self: Replayer, entry: object) -> object:
        replayed.append(entry.seq)  # type: ignore[attr-defined]
        if len(replayed) == 3:
            raise KeyboardInterrupt
        return original(self, entry)  # type: ignore[arg-type]

    monkeypatch.setattr(Replayer, "replay", counting)
    monkeypatch.setattr(replaying, "_EVERY", 1)
    monkeypatch.setattr(workers, "PART", 1)
    assert filed("replay", "--all").exit_code == 130
    assert (tmp_path / "tidu-replay.json").exists()
    monkeypatch.setattr(Replayer, "replay", original)
    done = filed("replay", "--all")
    assert "接着上次，从第5号记录开始" in done.output
    assert "重新作出3项决定，0项不一致" in done.output
    assert not (tmp_path / "tidu-replay.json").exists()


def test_verify_reports_three_verdicts_and_a_tampered_record(
    filed: Run, database: sa.Engine
) -> None:
    filed("decide", "--all")
    sound = filed("audit", "verify")
    assert sound.exit_code == 0
    for line in ("✓ 未被改动：成立", "✓ 没有遗漏：成立", "✓ 决定正确：成立", "填报1份 ＝ 已决定1"):
        assert line in sound.output
    on = " ON journal" if database.dialect.name == "postgresql" else ""
    with database.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER journal_no_update{on}")
        connection.exec_driver_sql(
            "UPDATE journal SET body = replace(body, '测试一号', '测试九号') WHERE seq = 4"
        )
    tampered = filed("audit", "verify")
    assert tampered.exit_code == 1
    assert "✗ 未被改动" in tampered.output
    assert "journal_no_update" in tampered.output
    assert "第4号记录的内容与其摘要不符" in tampered.output
    assert "✓ 没有遗漏：成立" in tampered.output


def test_checkpoints_and_bundles_end_to_end(filed: Run, tmp_path: Path) -> None:
    filed("decide", "--all")
    refused = filed("audit", "checkpoint")
    assert refused.exit_code == 1
    assert "tidu audit key --name" in refused.output
    made = filed("audit", "key", "--name", "某市中小企业局")
    public = made.output.strip().splitlines()[-1]
    assert public.startswith("某市中小企业局+")
    assert filed("audit", "key", "--name", "某市中小企业局").exit_code == 1
    assert filed("audit", "checkpoint", "-o", "检查点.txt").exit_code == 0
    assert filed("audit", "checkpoint", "-o", "检查点.txt").exit_code == 1
    assert (
        "核对检查点2个（含所给的1个）" in filed("audit", "verify", "--against", "检查点.txt").output
    )
    assert filed("audit", "export", "3", "--mask", "-o", "包.zip").exit_code == 0
    assert filed("audit", "export", "3", "-o", "包.zip").exit_code == 1
    assert filed("audit", "export", "-o", "x.zip").exit_code == 2
    assert filed("audit", "export", "1", "-o", "x.zip").exit_code == 1
    assert not (tmp_path / "x.zip").exists()
    assert filed("audit", "verify", "--bundle", "包.zip", "--key", public).exit_code == 0
    assert filed("audit", "verifier", "-o", "verify.py").exit_code == 0
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "verify.py",
            "包.zip",
            "--key",
            public,
            "--against",
            "检查点.txt",
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert "重新作出并核对无误的决定：1份" in done.stdout.decode()
    data = bytearray((tmp_path / "包.zip").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "坏.zip").write_bytes(data)
    assert filed("audit", "verify", "--bundle", "坏.zip", "--key", public).exit_code == 1


def test_publishing_the_packaged_criteria_again_changes_nothing(filed: Run) -> None:
    filed("check", CODE)
    done = filed("rules", "publish")
    assert done.exit_code == 0, done.output
    assert "没有变化" in done.output


def moment() -> str:
    """This moment, as --known-at takes it."""
    return f"{datetime.now(timezone(timedelta(hours=8))):%Y-%m-%d %H:%M:%S.%f}"


def test_check_as_it_was_known_leaves_out_what_came_later(filed: Run, tmp_path: Path) -> None:
    def verdict(*arguments: str) -> tuple[str, str]:
        done = filed("check", CODE, "--tier", "专精特新", "--json", *arguments)
        found = json.loads(done.output)
        [result] = found["results"]
        return result["verdicts"][0]["parts"]["实质条件"], found.get("known_at", "")

    unpublished = moment()
    assert verdict()[0] == "不符合"  # which publishes
    first = moment()
    given = ("--ground", "审计更正", "--evidence", str(tmp_path / "证据.txt"))
    cost = ("--fact", "研发费用总额", "--year", "2022", "--value", "200万元")
    assert filed("determine", CODE, *cost, *given).exit_code == 0
    determined = moment()
    corrected = workbook(tmp_path / "更正.xlsx", {**GOOD, "2022年研发费用（万元）": 130})
    assert filed("import", str(corrected)).exit_code == 0
    assert verdict() == ("不符合", "")  # what is determined of one filing says nothing of another
    assert verdict("--known-at", first) == ("不符合", first)
    assert verdict("--known-at", determined) == ("材料不足", determined)
    assert "按" + determined[:19] in filed("check", CODE, "--known-at", determined).output
    done = filed("check", CODE, "--known-at", unpublished)
    assert done.exit_code == 1
    assert "当时登记库还没有发布规则" in done.output
    assert verdict("--known-at", unpublished, "--rules", "now") == ("不符合", unpublished)
    done = filed("check", CODE, "--known-at", "2020-01-01", "--rules", "now")
    assert done.output.startswith("错误：在2020-01-01 23:59:59以前没有登记信用代码为")


@words
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--known-at", "2199-01-01"), "还没有到"),
        (("--known-at", "2023-06-30 25:00"), "不是日期"),
        (("--rules", "now"), "--rules 只与 --known-at 一起使用"),
    ],
)
def test_check_refuses_moments_that_it_cannot_tell_of(
    filed: Run, arguments: tuple[str, ...], said: str
) -> None:
    done = filed("check", CODE, *arguments)
    assert done.exit_code == 2
    assert said in done.output


@words
def test_a_file_has_no_moment_of_registration(filed: Run) -> None:
    done = filed("check", "汇总表.xlsx", "--known-at", "2023-06-30")
    assert done.exit_code == 2
    assert "未登记的文件没有登记的时间" in done.output


@words
def test_a_refused_decision_says_what_to_type_and_its_json_has_the_same_fields(filed: Run) -> None:
    asked = ("decide", "--all", "--as-of", "2024-06-30", "--by", "甲")
    typed = "请补报2023年数据，或用 --as-of 2023-06-30 按当时检查"
    shown = filed(*asked)
    assert shown.exit_code == 1
    assert typed in shown.output
    lines = json.loads(filed(*asked, "--json").stdout)
    assert lines
    assert all(line["reason"].endswith(typed) for line in lines)
    assert {tuple(line) for line in lines} == {
        (
            "uscc", "name", "tier", "verdict", "seq", "earlier", "reason",
            "determinations", "rounds", "doubts",
        )
    }  # fmt: skip
