"""``tidu snapshot`` and ``tidu screen`` on a registry: the same on every database, checked by the engine."""

import csv
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from openpyxl import load_workbook

from registry.conftest import Run
from registry.database import storage
from registry.judging.case import Known
from registry.kit import resources
from registry.record import holdings, publication, register
from registry.record.determinations import Target
from registry.record.register import Holder, Notice
from registry.screening import deciding, funnel, snapshot
from registry.screening.compiler import bodies
from registry.screening.compiler.widths import UnsupportedError
from registry.screening.schema import FILING, schema_of
from registry.tests import packs
from registry.tests.history import code
from registry.tests.support import (
    CODES,
    DAY,
    FORTY,
    Change,
    Clock,
    determine,
    load,
    publish,
    publish_changed,
    submission,
)
from rules.errors import DisagreementError
from rules.model.facts import RecordList
from rules.portable.canonical import digest
from rules.tests.packaged import TITLES, catalogue

TIERS = ("--tier", "专精特新", "--as-of", DAY.isoformat())
#: One rule of it, which takes less time.
RULE = ("--ruleset", "63.2.研发费用", "--as-of", DAY.isoformat())


#: What does not depend on the registry's own database is tested on one.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def filed(database: sa.Engine, tmp_path: Path) -> sa.Engine:
    """Three enterprises: one that qualifies, one that is near, one with a determination."""
    clock = Clock()
    load(
        database,
        clock,
        submission(),
        submission(CODES[1], rd_expense__2022="1499999.99", segment_entry="2021-01-20"),
        submission(CODES[2], field_key_link=None, well_known=None),
    )
    evidence = tmp_path / "证明.txt"
    evidence.write_text("属实", encoding="utf-8")
    target = Target("field_key_link")
    determine(database, clock, target, "是", evidence, CODES[2])
    return database


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def test_the_funnel_and_the_lists(run: Run, filed: sa.Engine, tmp_path: Path) -> None:
    shown = said(run("screen", *TIERS, "-o", "名单.xlsx"))
    assert "筛查结果，不是决定" in shown
    assert "专精特新中小企业：3家" in shown
    assert "由规则引擎逐户判定1家：有人工认定" in shown
    assert "上年度研发费用占比 不低于3%，实为约3%（差不足0.0001个百分点" in shown
    assert "从事细分市场年限 不低于2年，实为约1.94年" in shown
    book = load_workbook(tmp_path / "名单.xlsx", read_only=True)
    funnel = list(book["漏斗"].iter_rows(values_only=True))[2:]
    passed = {row[2]: row[3:8] for row in funnel}
    assert passed["63.2.研发费用"] == (2, 2, 1, 0, 0)
    firms = list(book["企业"].iter_rows(values_only=True))[2:]
    assert Counter(row[10] for row in firms) == {"符合": 2, "接近": 1}
    # what only joins other criteria is not named beside them
    [missed] = [str(row[11]) for row in firms if row[10] == "接近"]
    assert [title[:8] for title in missed.split("；")] == ["截至上年末，从事", "上年度研发费用总"]


def test_every_database_gives_the_same_file(run: Run, filed: sa.Engine, tmp_path: Path) -> None:
    said(run("snapshot", "--as-of", DAY.isoformat(), "-o", "某日"))
    ways = [(), ("--snapshot", "某日")]
    if filed.dialect.name == "postgresql":
        ways += [("--engine", "postgresql"), ("--engine", "postgresql", "--snapshot", "某日")]
    counts = set()
    for n, way in enumerate(ways):
        shown = run("screen", *RULE, *way, "-o", f"{n}.csv", "--json").stdout
        [tier] = json.loads(shown)["tiers"]
        assert tier.pop("checked") + tier.pop("agreed") >= 2
        counts.add(json.dumps(tier))
    files = {(tmp_path / f"{n}.csv").read_bytes() for n in range(len(ways))}
    assert (len(files), len(counts)) == (1, 1)
    assert [r["结论"] for r in rows(tmp_path / "0.csv")] == ["不符合", "符合", "符合"]


_SELF_TEST = """# language: zh-CN
@tier:虚构自测 @source:示范市自测通知
功能: 虚构自测

  @id:自测.层级
  规则: 虚构自测不授予称号
    依据: 第一条

    背景:
      假如 层级如下
        | 名称     | 简称 | 标识  | 种类 |
        | 虚构自测 | 自测 | trial | 自测 |

  @id:自测.研发
  规则: 上年度研发费用总额不低于150万元
    依据: 第二条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标               | 要求   | 门槛    |
        | 一   | 上年度研发费用总额 | 不低于 | 150万元 |

    场景: 未填报
      假如 企业填报
        | 自主品牌 | 是 |
      那么 结论为“材料不足”
"""


@on_sqlite
def test_what_is_no_title_is_screened_and_held_by_nobody(
    run: Run, database: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, own = Clock(), tmp_path / "own"
    (own / "rounds").mkdir(parents=True)
    (own / "rounds" / "a.feature").write_text(_SELF_TEST, encoding="utf-8")
    monkeypatch.setenv("TIDU_FEATURES", str(own))
    book, folder = packs.compiled(own), resources.features()
    with storage.session(database, write=True) as session:
        publication.publish(session, book, folder, by="乙", now=clock(), own=own)
    load(database, clock, submission(), submission(CODES[1], rd_expense__2022="1499999.99"))
    asked = ("--ruleset", "自测.研发", "--as-of", DAY.isoformat(), "-o", "名单.csv", "--json")
    [tier] = json.loads(run("screen", *asked).stdout)["tiers"]
    assert (tier["total"], tier["holders"]) == (2, 0)
    assert sorted(r["结论"] for r in rows(tmp_path / "名单.csv")) == ["不符合", "符合"]


@on_sqlite
def test_a_parquet_file_holds_a_row_for_each(run: Run, filed: sa.Engine, tmp_path: Path) -> None:
    from registry.screening.engines import duckdb_connection

    said(run("screen", *RULE, "-o", "全部.parquet"))
    query = f"SELECT 结论, COUNT(*) FROM read_parquet('{tmp_path}/全部.parquet') GROUP BY 结论"
    assert dict(duckdb_connection(1).execute(query).fetchall()) == {"符合": 2, "不符合": 1}


@on_sqlite
def test_names_are_no_formulas_in_files_for_people(
    run: Run, database: sa.Engine, tmp_path: Path
) -> None:
    """Programs read Parquet, where they stand as they are."""
    from registry.screening.engines import duckdb_connection

    names = ['=HYPERLINK("http://x","点我")', "@SUM(1)", "-2"]
    filings = [replace(submission(c), name=n) for c, n in zip(CODES, names, strict=True)]
    load(database, Clock(), *filings)
    for name in ("名单.csv", "名单.parquet"):
        said(run("screen", *RULE, "-o", name))
    assert {r["企业名称"] for r in rows(tmp_path / "名单.csv")} == {f"'{n}" for n in names}
    query = f"SELECT 企业名称 FROM read_parquet('{tmp_path}/名单.parquet')"
    assert {n for [n] in duckdb_connection(1).execute(query).fetchall()} == set(names)


@on_sqlite
def test_a_mistake_of_the_compiler_is_refused(
    run: Run, filed: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = bodies.compared
    swapped = {">=": "<", "<": ">="}
    monkeypatch.setattr(bodies, "compared", lambda f, op, t: original(f, swapped.get(op, op), t))
    result = run("screen", *RULE)
    assert result.exit_code == 1
    assert "筛查与规则引擎不一致" in result.output
    assert "依次符合" not in result.output


def unsupported(*_: object) -> None:
    raise UnsupportedError("uncomparable-line", "有一行不能比较")


@on_sqlite
def test_what_sql_cannot_express_is_left_to_the_engine(
    run: Run, filed: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts and lists are the same; how many the engine decided, and why, is said."""
    asked = ("screen", *TIERS, "--near", "20%", "--json", "-o")
    by_sql = json.loads(run(*asked, "筛查.csv").stdout)
    monkeypatch.setattr(funnel, "Program", unsupported)
    by_engine = json.loads(run(*asked, "引擎.csv", "--jobs", "1").stdout)
    [one], [other] = by_sql["tiers"], by_engine["tiers"]
    assert {k for k in one if one[k] != other[k]} == {"by_engine", "checked"}
    assert (one["near"], other["checked"]) == (1, 0)
    assert other["by_engine"] == {"63.2不能用 SQL 筛查，有一行不能比较": 3}
    assert (tmp_path / "筛查.csv").read_bytes() == (tmp_path / "引擎.csv").read_bytes()
    assert [r["分组"] for r in rows(tmp_path / "引擎.csv")] == ["接近", "符合", "符合"]


@on_sqlite
def test_what_the_engine_gives_no_result_for_is_counted(
    run: Run, filed: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = deciding.judged_under

    def judge(by: Any, root: str, known: Known, day: date) -> Any:
        if known.case.uscc == CODES[1]:
            raise DisagreementError("made-up", "两次独立计算不一致")
        return original(by, root, known, day)

    monkeypatch.setattr(funnel, "Program", unsupported)
    monkeypatch.setattr(deciding, "judged_under", judge)
    [tier] = json.loads(said(run("screen", *RULE, "--json")))["tiers"]
    assert (tier["total"], tier["refused"]) == (2, {"两次独立计算不一致": 1})


@on_sqlite
def test_a_holder_with_a_determination_is_one(
    run: Run, database: sa.Engine, tmp_path: Path
) -> None:
    """The engine says who holds a title where the columns are empty."""
    clock = Clock()
    publish(database, clock)
    load(database, clock, *map(submission, CODES[:2]))
    evidence = tmp_path / "证明.txt"
    evidence.write_text("属实", encoding="utf-8")
    determine(database, clock, Target("field_key_link"), "否", evidence, CODES[0])
    notice = Notice("示工信〔2022〕1号", date(2022, 10, 1))
    with storage.session(database, write=True) as session:
        how = {"by": "甲", "now": clock(), "first": date(2022, 10, 1)}
        register.grant(session, [Holder(CODES[0])], TITLES[1], notice, **how)
    asked = ("--ruleset", "63.2.年限", "--as-of", DAY.isoformat())
    [tier] = json.loads(said(run("screen", *asked, "--json")))["tiers"]
    assert (tier["by_engine"], tier["holders"]) == ({snapshot.DETERMINED: 1}, 1)


@on_sqlite
def test_a_title_that_a_person_found_not_to_be_held_is_none(
    run: Run, database: sa.Engine, tmp_path: Path
) -> None:
    clock = Clock()
    load(database, clock, *map(submission, CODES[:2]))
    evidence = tmp_path / "证明.txt"
    evidence.write_text("属实", encoding="utf-8")
    held = Target("held", records="titles", number=1)
    determine(database, clock, held, "否", evidence, CODES[0])
    asked = ("--tier", "创新型", "--as-of", DAY.isoformat(), "--json")
    [tier] = json.loads(said(run("screen", *asked)))["tiers"]
    assert (tier["total"], tier["holders"]) == (2, 1)


@on_sqlite
def test_under_the_rules_of_a_province_the_engine_decides_too(
    run: Run, database: sa.Engine, tmp_path: Path
) -> None:
    clock = Clock()
    firms = [submission(code) for code in CODES[:2]]
    local = [replace(f, identity={**f.identity, "province": "山东省"}) for f in firms]
    load(database, clock, *local)
    evidence = tmp_path / "证明.txt"
    evidence.write_text("属实", encoding="utf-8")
    determine(database, clock, Target("field_key_link"), "否", evidence, CODES[0])
    [tier] = json.loads(said(run("screen", *TIERS, "--near", "20%", "--json")))["tiers"]
    assert (tier["total"], tier["by_engine"]) == (2, {snapshot.DETERMINED: 1})
    assert [r for r in tier["rulesets"] if "@山东省" in r]


@on_sqlite
def test_those_within_reach_by_a_score(run: Run, database: sa.Engine, tmp_path: Path) -> None:
    """55 points of 60; a share of 76 % is a twentieth below the 80 % that give two points more."""
    clock = Clock()
    publish(database, clock)
    few = dict.fromkeys(
        ("own_brand", "standards", "quality_award", "management_certificate"), False
    )
    filed = {**few, "digital_level": "1", "net_profit__2022": "0", "local_points": "2"}
    filed["revenue__2022"] = "60000000"
    load(
        database,
        clock,
        submission(CODES[0], **filed, main_revenue__2022="45600000"),
        submission(CODES[1], **filed, main_revenue__2022="45599999.99"),
    )
    asked = ("--ruleset", "63.2.评分或直通", "--as-of", DAY.isoformat())
    shown = said(run("screen", *asked, "-o", "名单.csv"))
    groups = {r["统一社会信用代码"]: r["分组"] for r in rows(tmp_path / "名单.csv")}
    assert groups == {CODES[0]: "接近", CODES[1]: ""}
    assert "认定分数线（60分），实为55分（差5分）" in shown


@on_sqlite
def test_regions_rulesets_and_drafts(run: Run, filed: sa.Engine) -> None:
    assert "专精特新中小企业：3家" in said(run("screen", *RULE, "--region", "江苏"))
    [tier] = json.loads(said(run("screen", *RULE, "--region", "江苏", "--json")))["tiers"]
    assert tier["outcomes"] == {"符合": 2, "不符合": 1, "材料不足": 0, "待人工认定": 0}
    assert [(s["rule"], s["passed"]) for s in tier["funnel"]] == [("63.2.研发费用", 2)]
    refused = run("screen", *RULE, "--region", "广东")
    assert (refused.exit_code, "范围内没有企业" in refused.output) == (1, True)
    folder = str(resources.features())
    assert "草案" in said(run("screen", *TIERS, "--draft", folder))
    recheck = ("--ruleset", "63.2.复核", "--as-of", DAY.isoformat())
    assert "程序：复核" in said(run("screen", *recheck))
    both = run("screen", "--ruleset", "63.2", "--draft", folder)
    assert both.exit_code == 2


@on_sqlite
def test_another_year_is_not_screened(run: Run, filed: sa.Engine) -> None:
    shown = said(run("screen", *RULE[:2], "--as-of", "2024-07-01"))
    told = shown[shown.index("■") :].splitlines()
    assert told == ["■ 专精特新中小企业：0家", "未筛查3家：最新的年度数据不是2023年"]
    listed = said(run("screen", *TIERS, "--as-of", "2024-07-01", "--json"))
    assert {n for tier in json.loads(listed)["tiers"] for n in tier["refused"].values()} == {3}


@on_sqlite
def test_what_is_refused(run: Run, filed: sa.Engine, tmp_path: Path) -> None:
    for arguments, words in (
        *((["--near", n], "大于 0%、小于 100%") for n in ("0", "5", "0%", "100%", "1e-99999999%")),
        (["-o", "名单.txt"], "文件名请以"),
        (["--snapshot", str(tmp_path)], "不是快照"),
        (["--ruleset", "63.2.评价得分"], "63.2.评价得分只计分，没有符合与否之分"),
        (["--ruleset", "63.1"], "63.1是创新型中小企业的规则：请去掉 --tier"),
    ):
        result = run("screen", *TIERS, *arguments)
        assert result.exit_code in (1, 2)
        assert words in result.output
    if filed.dialect.name == "sqlite":
        assert "登记库不是 PostgreSQL" in run("screen", *TIERS, "--engine", "postgresql").output


@on_sqlite
def test_a_snapshot_says_what_it_is(run: Run, filed: sa.Engine, tmp_path: Path) -> None:
    shown = said(run("snapshot", "--as-of", DAY.isoformat(), "-o", "某日"))
    assert "3家" in shown
    assert "其中1家不含数据" in shown
    found = snapshot.manifest(tmp_path / "某日", schema_of(catalogue()))
    assert (found.as_of, found.filings, found.rows["titles"]) == (DAY, 3, 2)
    assert found.routed == {snapshot.DETERMINED: 1}
    assert found.bounds["rd_expense_t0"] == (149999999, 200000000)
    assert set(found.columns[FILING]) == set(schema_of(catalogue()).tables[FILING])
    assert "已存在" in run("snapshot", "--as-of", DAY.isoformat(), "-o", "某日").output
    other = run("screen", "--snapshot", "某日", "--as-of", "2024-01-01")
    assert "不能按2024-01-01筛查" in other.output


@on_sqlite
def test_a_snapshot_of_another_registry_is_refused(
    run: Run, filed: sa.Engine, tmp_path: Path
) -> None:
    said(run("snapshot", "--as-of", DAY.isoformat(), "-o", "某日"))
    file = tmp_path / "某日" / "manifest.json"
    plain = json.loads(file.read_text(encoding="utf-8"))
    del plain["digest"]
    other = plain | {"head": [1, "0" * 64]}
    file.write_text(json.dumps(other | {"digest": digest(other)}), encoding="utf-8")
    assert "不是这个登记库的快照" in run("screen", "--snapshot", "某日").output
    file.write_text(json.dumps({**plain, "format": 0}), encoding="utf-8")
    assert "由另一版本的程序写成" in run("screen", "--snapshot", "某日").output
    for damaged in (
        "{",
        "[1]",
        json.dumps({**plain, "digest": digest(plain), "filings": 4}),
        json.dumps(plain),
        json.dumps({**plain, "day": "2026-13-01"}),
        json.dumps({**plain, "bounds": [1]}),
        json.dumps({**plain, "head": 1}),
        json.dumps({**plain, "rows": 1}),
        json.dumps({**plain, "filings": 1e300}),
        json.dumps({**plain, "bounds": {"x": ["9" * 5000, 1]}}),
        json.dumps(plain).replace('"filings": 3', '"filings": 1e999'),
        json.dumps(plain).replace('"filings": 3', f'"filings": {"9" * 5000}'),
        "[" * 100_000,
        json.dumps({**plain, "routed": {"x" * (1 << 20): 1}}),
    ):
        file.write_text(damaged, encoding="utf-8")
        assert "说明文件已损坏" in run("screen", "--snapshot", "某日").output


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def garbage(path: Path) -> None:
    path.write_bytes(b"PAR1" * 100)


def queried(query: str) -> Callable[[Path], None]:
    """Parquet that DuckDB reads, but other than it was."""

    def spoil(path: Path) -> None:
        from registry.screening.engines import duckdb_connection

        other = path.with_suffix(".other")
        source = f"SELECT {query.format(path)}"
        duckdb_connection(1).execute(f"COPY ({source}) TO '{other}' (FORMAT parquet)")
        other.replace(path)

    return spoil


@on_sqlite
@pytest.mark.parametrize(
    ("table", "spoil"),
    [
        (FILING, truncated),
        ("titles", garbage),
        ("titles", queried("1 AS other")),
        (FILING, queried("* FROM '{}' LIMIT 2")),
        (FILING, queried("* REPLACE (0 AS rd_expense_t0) FROM '{}'")),
    ],
)
def test_a_damaged_snapshot_is_one_clear_sentence(
    run: Run,
    filed: sa.Engine,
    tmp_path: Path,
    table: str,
    spoil: Callable[[Path], None],
) -> None:
    said(run("snapshot", "--as-of", DAY.isoformat(), "-o", "某日"))
    spoil(tmp_path / "某日" / f"{table}.parquet")
    result = run("screen", *RULE, "--snapshot", "某日")
    assert result.exit_code == 1
    start = f"错误：某日/{table}.parquet 已损坏或被替换"
    assert result.output == f"{start}：请用 tidu snapshot 重新生成\n"


@on_sqlite
def test_titles_are_those_of_the_register(run: Run, database: sa.Engine, tmp_path: Path) -> None:
    """The engine says what the register leaves of an incomplete list."""
    clock, kind = Clock(), TITLES[0]
    publish(database, clock)
    open_list = {**submission().records, "titles": RecordList((), None)}
    load(
        database,
        clock,
        submission(),
        replace(submission(CODES[1]), records=open_list),
        replace(submission(CODES[2]), records=open_list),
    )
    notice = Notice("示工信〔2022〕1号", date(2022, 10, 1))
    holders = [Holder(code) for code in CODES[:2]]
    with storage.session(database, write=True) as session:
        how = {"by": "甲", "now": clock()}
        register.grant(session, holders, kind, notice, first=date(2022, 10, 1), **how)
        register.end(session, holders[:1], kind, notice, on=DAY, reason="撤销", **how)
    asked = ("--ruleset", "63.2.前置称号", "--as-of", DAY.isoformat())
    shown = said(run("screen", *asked, "-o", "名单.csv"))
    assert f"由规则引擎逐户判定1家：{snapshot.REGISTERED}" in shown
    found = {row["统一社会信用代码"]: row["结论"] for row in rows(tmp_path / "名单.csv")}
    assert found == dict(zip(CODES, ("不符合", "符合", "材料不足"), strict=True))


@on_sqlite
def test_a_title_of_impossible_days_holds_up_nobody_else(
    run: Run, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such titles were taken in once, and nothing that reads the whole registry went on."""
    clock = Clock()
    publish(database, clock)
    load(database, clock, submission(), submission(CODES[1]))
    monkeypatch.setattr(register, "check_day", lambda _: None)
    with storage.session(database, write=True) as session:
        holders, notice = [Holder(CODES[1], "误登公司")], Notice("函", date(2022, 10, 1))
        day = {"first": date(2022, 10, 1), "last": date(9999, 12, 31)}
        [entry] = register.grant(session, holders, TITLES[0], notice, **day, by="甲", now=clock())
    told = f"误登公司（{CODES[1]}）：登记簿第{entry.seq}号称号有效期的年份应在1900至2199之间"
    shown = said(run("screen", "--ruleset", "63.2.前置称号", "--as-of", DAY.isoformat(), "--json"))
    [tier] = json.loads(shown)["tiers"]
    assert (tier["total"], len(tier["refused"])) == (1, 1)
    assert told in next(iter(tier["refused"]))
    checked = run("check", "--all", "--tier", "专精特新")
    assert checked.exit_code == 1
    assert f"拒绝 {told}" in checked.output
    assert "1家企业未能检查" in checked.output
    assert told in run("impact", "--to", "随附", "--tier", "专精特新", "--json").output


@on_sqlite
@pytest.mark.parametrize(
    ("changes", "least", "shares"),
    [
        ((), "50%", {"0.4": "符合", "0.5": "符合", "0.51": "不符合"}),
        (FORTY, "40%", {"0.4": "符合", "0.400001": "不符合", "0.51": "不符合"}),
    ],
)
def test_control_relations_are_those_of_the_register(
    run: Run,
    database: sa.Engine,
    tmp_path: Path,
    changes: tuple[Change, ...],
    least: str,
    shares: dict[str, str],
) -> None:
    """The engine decides those whose holdings reach the threshold of the text, SQL the others."""
    clock = Clock()
    publish_changed(database, clock, tmp_path / "标准", *changes)
    filed = {"giant_holding": "0", "single_champion": False, "group_similar": False}
    firms = [code(number) for number in range(1, 1 + len(shares))]
    load(database, clock, *(submission(firm, **filed) for firm in firms))
    notice = Notice("章程1号", date(2022, 10, 1))
    giant = Holder("91440300757632547Y")
    with storage.session(database, write=True) as session:
        how = {"by": "甲", "now": clock(), "first": date(2022, 10, 1)}
        register.grant(session, [giant], TITLES[2], notice, **how)
        stated = zip(firms, shares, strict=True)
        held = [holdings.Holding(Holder(firm), giant, share) for firm, share in stated]
        holdings.hold(session, held, notice, **how)
    said(run("snapshot", "--as-of", DAY.isoformat(), "-o", "某日"))
    asked = ("screen", "--ruleset", "第八批.3.推荐要求", "--as-of", DAY.isoformat())
    for more in ((), ("--snapshot", "某日")):
        shown = said(run(*asked, *more, "-o", "名单.csv"))
        left = sum(Fraction(share) * 100 >= int(least.removesuffix("%")) for share in shares)
        assert f"由规则引擎逐户判定{left}家：{funnel.LINKED}" in shown
        found = {row["统一社会信用代码"]: row["结论"] for row in rows(tmp_path / "名单.csv")}
        assert found == dict(zip(firms, shares.values(), strict=True))
        (tmp_path / "名单.csv").unlink()
    # a text that does not ask of holdings leaves nobody to the engine
    others = said(run("screen", "--ruleset", "63.2.研发费用", "--as-of", DAY.isoformat()))
    assert "由规则引擎逐户判定" not in others


@on_sqlite
def test_a_snapshot_is_screened_as_the_registry_was_then(
    run: Run, filed: sa.Engine, tmp_path: Path
) -> None:
    """What is determined or registered after it has no say, neither in SQL nor in the engine."""
    said(run("snapshot", "--as-of", DAY.isoformat(), "-o", "某日"))
    asked = ("screen", "--ruleset", "63.2", "--as-of", DAY.isoformat())
    before = said(run(*asked, "--snapshot", "某日", "-o", "此前.csv"))
    evidence = tmp_path / "证明.txt"
    clock = Clock(datetime(2023, 7, 2, tzinfo=UTC))
    determine(filed, clock, Target("field_key_link"), "否", evidence, CODES[0])
    with storage.session(filed, write=True) as session:
        how = {"by": "甲", "now": clock(), "first": date(2022, 10, 1)}
        notice = Notice("示工信〔2022〕1号", date(2022, 10, 1))
        register.grant(session, [Holder(CODES[1])], TITLES[1], notice, **how)
    after = said(run(*asked, "--snapshot", "某日", "-o", "此后.csv"))
    assert (tmp_path / "此前.csv").read_bytes() == (tmp_path / "此后.csv").read_bytes()
    [state] = [line for line in before.splitlines() if "登记库：" in line]
    assert state in after
    now = said(run(*asked, "-o", "现在.csv"))
    assert state not in now
    assert (tmp_path / "此前.csv").read_bytes() != (tmp_path / "现在.csv").read_bytes()


@on_sqlite
def test_what_agreed_once_is_not_decided_again(
    run: Run, filed: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(funnel.Scope.__init__, "__defaults__", ((), None, 0))
    monkeypatch.setattr(funnel, "EDGE", Fraction(6, 10))
    said(run("snapshot", "--as-of", DAY.isoformat(), "-o", "某日"))

    def counted(*asked: str) -> tuple[int, int]:
        shown = said(run("screen", *asked, "--snapshot", "某日", "--json"))
        [tier] = json.loads(shown)["tiers"]
        return tier["checked"], tier["agreed"]

    assert [counted(*RULE), counted(*RULE)] == [(1, 0), (0, 1)]
    # another ruleset, other files
    assert counted("--ruleset", "63.2") == (1, 0)
    os.utime(tmp_path / "某日" / f"{FILING}.parquet", (1, 1))
    assert counted(*RULE) == (1, 0)
    for damaged in ("[", '{"1": 2}', '[null, 1, "a", 2.5]', "7"):
        for kept in (tmp_path / "某日" / "agreed").iterdir():
            kept.write_text(damaged, encoding="ascii")
        assert counted(*RULE) == (1, 0)
    assert counted(*RULE) == (0, 1)


@on_sqlite
def test_a_snapshot_that_fails_leaves_nothing(filed: sa.Engine, tmp_path: Path) -> None:
    def stop(_done: int) -> None:
        raise KeyboardInterrupt

    with storage.snapshot(filed) as session:
        stock, head = snapshot.stock(session, [1, 2, 3], DAY, ()), snapshot.head(session)
        with pytest.raises(KeyboardInterrupt):
            snapshot.write(tmp_path / "半", catalogue(), stock, DAY, head, stop)
    assert [p for p in tmp_path.iterdir() if "半" in p.name] == []
