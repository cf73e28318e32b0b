"""Loading folders of tables: what is stored, what is refused, and what an interruption leaves."""

import csv
import io
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlmodel import Session, SQLModel

from registry.audit.verify import verify
from registry.cli import main
from registry.conftest import Run
from registry.database import bulk, storage
from registry.demo.aims import aims
from registry.demo.firms import code
from registry.demo.tables import write_directory
from registry.errors import RegistryError
from registry.filings import FileReading
from registry.intake import directory
from registry.intake.cells import PLAIN, read_fact
from registry.intake.folders import FolderCounts, FolderLoader, PreparingWorker, Task, unchecked
from registry.intake.tests.counties import CATALOGUE, survey
from registry.record import loading, on_file, receipts
from registry.tests import history
from registry.tests.history import FILED, LATER, bare, full
from registry.tests.processes import ended, forked
from rules.model.facts import Fact, check_value
from rules.tests import packaged

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
COUNT = 55


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "全省"
    wanted = aims(packaged.rulebook())
    write_directory(folder, COUNT, 1, date(2026, 6, 30), wanted, lambda done: None)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The same tables, to be spoilt."""
    copy = tmp_path / "全省"
    copy.mkdir()
    for path in made.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FolderLoader, "parts", lambda self: directory.parts(self.found, 25))


def table(folder: Path, name: str) -> list[list[str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def rewrite(folder: Path, name: str, rows: Sequence[Sequence[str]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def loaded(
    engine: sa.Engine,
    folder: Path,
    progress: Callable[[int], object] = id,
    jobs: int | None = None,
) -> FolderCounts:
    found = survey(folder)
    loader = FolderLoader(engine, found, now=lambda: NOW, by="甲", jobs=jobs)
    return loader.load(None, lambda done: progress(done) and None)


def readings(folder: Path, size: int = 10**6) -> list[FileReading]:
    found = survey(folder)
    reader = directory.FolderReader(found)
    return [reader.read(part) for part in directory.parts(found, size)]


def contents(engine: sa.Engine, *without: str) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            name: [
                [row[c.name] for c in columns.c if c.name not in without]
                for row in connection.execute(
                    sa.select(columns).order_by(*columns.primary_key)
                ).mappings()
            ]
            for name, columns in SQLModel.metadata.tables.items()
        }


def sound(engine: sa.Engine) -> None:
    with storage.session(engine) as session:
        report = verify(session)
    assert report.sound, report.to_json()


# what is stored


def _plainly(session: Session, columns: sa.Table, names: Sequence[str], rows: Any) -> None:
    if rows:
        given = [dict(zip(names, row, strict=True)) for row in rows]
        session.execute(sa.insert(columns), given)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_is_stored_in_bulk_is_what_an_ordinary_insert_stores(
    kind: str, fresh: Callable[..., sa.Engine], made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [read] = readings(made)
    first = (full(1), bare(2), bare(3), bare(3, LATER))
    changed = (
        replace(full(1), name="改名"),
        bare(2, LATER),
        replace(bare(4), identity={"city": "福州市"}),
    )
    monkeypatch.setattr("registry.record.journal.new_salt", lambda: "0" * 32)

    def work(engine: sa.Engine) -> dict[str, list[Any]]:
        for submissions in (first, changed, read.submissions):
            with storage.session(engine, write=True) as session:
                filed = replace(read, submissions=submissions)
                done = loading.load(session, filed, now=NOW, by="甲")
        with storage.session(engine, write=True) as session:
            loading.undo(session, 2, now=NOW, by="甲")
        assert not done.refused
        sound(engine)
        return contents(engine, "disclosures", "digest", "previous")

    copied = work(fresh(kind))
    monkeypatch.setattr(bulk, "insert", _plainly)
    assert work(fresh(kind)) == copied


@pytest.mark.parametrize("jobs", [None, 2])
def test_in_parts_the_same_is_stored_as_at_once(
    jobs: int | None, database: sa.Engine, fresh: Callable[..., sa.Engine], made: Path
) -> None:
    counts = loaded(database, made, jobs=jobs)
    assert (counts.new, counts.refused, counts.first, counts.last) == (COUNT, 0, 1, 3)
    sound(database)
    other = fresh(database.dialect.name)
    [read] = readings(made)
    with storage.session(other, write=True) as session:
        loading.load(session, read, now=NOW, by="甲")
    parted, whole = contents(database, "import_id"), contents(other, "import_id")
    for name in ("import", "journal"):
        assert (len(parted.pop(name)), len(whole.pop(name))) == (3, 1)
    assert parted == whole


def test_a_dry_run_is_handed_no_more_than_it_compares(made: Path) -> None:
    found = survey(made)
    [part] = directory.parts(found, 10**6)
    prepare = PreparingWorker(found, None, None, unchecked)
    (whole, _), (light, issues) = (
        prepare(Task(part, dry_run=False)),
        prepare(Task(part, dry_run=True)),
    )
    assert [issue for issue in issues if not issue.doubt] == []
    assert len(light.good) == COUNT
    for (line, stored), (same, compared) in zip(
        whole.good.values(), light.good.values(), strict=True
    ):
        assert (line, stored.digest) == (same, compared.digest)
        assert stored.rows
        assert not compared.rows


def test_the_same_folder_again_changes_nothing(database: sa.Engine, made: Path) -> None:
    loaded(database, made)
    before = contents(database)
    assert loaded(database, made).kept == COUNT
    assert contents(database) == before


def test_after_another_load_nothing_is_taken_as_stored(database: sa.Engine, folder: Path) -> None:
    loaded(database, folder)
    rows = table(folder, "yearly")
    rows[1][6] = "-99999"
    rewrite(folder, "yearly", rows)
    assert loaded(database, folder).changed == 1
    rows[1][6] = "4"
    rewrite(folder, "yearly", rows)
    loaded(database, folder)
    told = history.History(database, NOW)
    told.load(bare(1))
    counts = loaded(database, folder)
    assert (counts.kept, counts.unchanged) == (0, COUNT)
    sound(database)


# interruptions


def test_loading_goes_on_after_a_kill(database: sa.Engine, made: Path) -> None:
    """Killed within a part, and between two: nothing is half stored, lost or stored twice."""
    intake = receipts.intake

    def within(*arguments: Any, **named: Any) -> None:
        intake(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    def killed() -> None:
        engine = storage.create_engine(database.url)
        loaded(engine, made, lambda done: done > 25 and os.kill(os.getpid(), signal.SIGKILL))

    def killed_within() -> None:
        receipts.intake = within
        loaded(storage.create_engine(database.url), made)

    database.dispose()
    assert ended(forked(killed_within)) == -signal.SIGKILL
    with storage.session(database) as session:
        assert on_file.filings(session) == []
    database.dispose()
    assert ended(forked(killed)) == -signal.SIGKILL
    with storage.session(database) as session:
        assert len(on_file.filings(session)) == 50
    counts = loaded(database, made)
    assert (counts.kept, counts.new) == (50, 5)
    with storage.session(database) as session:
        assert [f.uscc for f in on_file.filings(session)] == [code(n + 1) for n in range(COUNT)]
    sound(database)


# what is amiss


def test_rows_amiss_are_named_and_hold_back_themselves_alone(folder: Path) -> None:
    rows = table(folder, "enterprises")
    rows[3][0] = rows[3][0][:17] + ("0" if rows[3][0][17] != "0" else "1")
    rewrite(folder, "enterprises", rows)
    years = table(folder, "yearly")
    years[1][2], years[1][3] = "5", "6"  # more researchers than staff
    years[5][4] = "一百万"
    rewrite(folder, "yearly", years)
    [read] = readings(folder)
    assert {(i.severity, i.sheet, i.cell) for i in read.issues if not i.doubt} == {
        ("错误", "enterprises.csv", "A4"),
        ("错误", "yearly.csv", "A10"),  # its yearly rows have no enterprise now
        ("错误", "yearly.csv", "D2"),
        ("提示", "yearly.csv", "E6"),
    } | {(i.severity, i.sheet, i.cell) for i in read.issues if i.uscc == code(3) and not i.doubt}
    assert {s.uscc for s in read.refused} == {code(1), code(3), rows[3][0]}
    assert len(read.submissions) == COUNT - 2


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: [rows[0], *reversed(rows[1:])], r"第\d+行：.*排序"),
        (lambda rows: rows[1:], "第一行没有统一社会信用代码"),
        (lambda rows: [[c for c in row if c != row[1]] for row in rows], "第一行缺少年度"),
    ],
)
def test_a_table_out_of_order_is_refused_before_anything_is_stored(
    spoil: Callable[[Any], Any], message: str, folder: Path
) -> None:
    rewrite(folder, "yearly", spoil(table(folder, "yearly")))
    with pytest.raises(RegistryError, match=message) as caught:
        readings(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("stray", ["91990000G000000000", "91990000G99999999R"])
def test_rows_of_nobody_are_amiss_wherever_they_stand(folder: Path, stray: str) -> None:
    heading, *rows = table(folder, "titles")
    rewrite(folder, "titles", [heading, *sorted([*rows, [stray, *rows[0][1:]]])])
    parted = [str(i) for read in readings(folder, 25) for i in read.issues if i.severity == "错误"]
    assert len(parted) == 1
    assert "基本情况中没有这个统一社会信用代码" in parted[0]


def test_a_heading_that_is_not_understood_is_told_once(folder: Path) -> None:
    rows = table(folder, "yearly")
    rows[0][-1] = "税号"
    rewrite(folder, "yearly", rows)
    told = [str(i) for read in readings(folder, 25) for i in read.issues if not i.doubt]
    assert told == ["提示 yearly.csv!K1「税号」：看不懂这个表头，该列未读取，请改用模板的表头"]


def test_a_table_that_is_not_known_is_refused(folder: Path) -> None:
    (folder / "税务.csv").write_text("uscc\n")
    with pytest.raises(RegistryError, match=r"税务\.csv：不认识的表"):
        survey(folder)


def test_the_command_stores_nothing_unless_all_is_right_or_partial(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    years = table(folder, "yearly")
    years[1][2], years[1][3] = "5", "6"
    rewrite(folder, "yearly", years)
    refused = run("import", str(folder), "--report", "问题.csv")
    assert refused.exit_code == 1
    assert "没有登记任何企业" in refused.output
    with (tmp_path / "问题.csv").open(encoding="utf-8-sig") as file:
        [issue] = [line for line in csv.DictReader(file) if line["级别"] == "错误"]
    assert (issue["单元格"], issue["统一社会信用代码"]) == ("D2", code(1))
    assert "没有登记的企业" in run("enterprise", "list").output
    done = run("import", str(folder), "--partial", "--report", "再.csv")
    assert done.exit_code == 0, done.output
    assert f"已登记 新增{COUNT - 1}家，变更0家，未变0家，退回1家" in done.output
    again = run("import", str(folder), "--partial", "--report", "又.csv")
    assert f"中断前已登记{COUNT}家" in again.output
    told = [
        (tmp_path / name).read_text(encoding="utf-8-sig")
        for name in ("问题.csv", "再.csv", "又.csv")
    ]
    assert told[0] == told[1] == told[2]
    assert run("audit", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ("全省/ip.csv", "全省/ip.csv 在要读取的文件夹里：请写到别处，以免覆盖原有的文件"),
        ("全省/新/问题.csv", "全省/新/问题.csv 在要读取的文件夹里：请写到别处，以免覆盖原有的文件"),
        ("表头.csv", "表头.csv 就是要读取的文件：请另取文件名，以免覆盖原表"),
        ("问题.xlsx", "问题.xlsx：文件夹的问题清单可能很长，请把文件名改为以 .csv 结尾"),
    ],
)
def test_a_report_never_stands_in_the_way_of_what_is_read(
    report: str, message: str, run: Run, folder: Path
) -> None:
    before = (folder / "ip.csv").read_bytes()
    (folder / "新").mkdir()
    refused = run("import", "全省", "--mapping", "表头.csv", "--report", report)
    assert (refused.exit_code, refused.output) == (1, f"错误：{message}\n")
    assert (folder / "ip.csv").read_bytes() == before


def test_records_that_contradict_a_filed_total_are_refused(run: Run, folder: Path) -> None:
    rows, rights = table(folder, "enterprises"), table(folder, "ip")
    named = rights[1][0]
    row = next(r for r in rows if r[0] == named)
    row[rows[0].index("ip_class_two")], row[rows[0].index("ip_complete")] = "77", "是"
    rewrite(folder, "enterprises", rows)
    done = run("import", str(folder), "--partial")
    assert "清单已报全但符合的至多" in done.output
    assert "退回1家" in done.output


# ways to write the same


def test_parquet_says_what_csv_says(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "全省"
    other.mkdir()
    for path in made.iterdir():
        to = other / f"{path.stem}.parquet"
        columns = "* REPLACE (year::BIGINT AS year)" if path.stem == "yearly" else "*"
        rows = f"SELECT {columns} FROM read_csv('{path}', header=true, all_varchar=true)"
        duckdb.sql(f"COPY ({rows}) TO '{to}'")
    [one], [two] = readings(made), readings(other)
    for a, b in zip(one.submissions, two.submissions, strict=True):
        assert (a.uscc, a.as_of, a.identity, a.values, a.records) == (
            b.uscc, b.as_of, b.identity, b.values, b.records,
        )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_folders_and_streams_are_read_in_every_encoding_and_with_every_delimiter(
    encoding: str, delimiter: str, made: Path, tmp_path: Path
) -> None:
    other, stream = tmp_path / "全省", io.StringIO()
    other.mkdir()
    for path in made.iterdir():
        rows = table(made, path.stem)
        with (other / path.name).open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        csv.writer(stream, delimiter=delimiter).writerows([path.stem, *row] for row in rows)
    spooled = tmp_path / "标准输入"
    directory.spooled(io.BytesIO(stream.getvalue().encode(encoding)), spooled, CATALOGUE)
    [one], [two], [three] = readings(made), readings(other), readings(spooled)
    assert one.submissions == two.submissions == three.submissions


LONG = "长" * 200_000


@pytest.mark.parametrize("spoilt", ['"甲', LONG], ids=["quote", "length"])
def test_an_open_quote_swallows_nothing(spoilt: str, folder: Path) -> None:
    path = folder / "enterprises.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = spoilt + lines[3]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(RegistryError, match=r"^enterprises\.csv第4行：从这一行起引号没有成对"):
        survey(folder)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b'enterprises,uscc\nenterprises,a\nip,"b\nip,c\n', "标准输入第3行：从这一行起"),
        (f"enterprises,uscc\nip,{LONG}\n".encode(), "标准输入第2行：从这一行起引号没有成对"),
        (b"enterprises,\xff\xff\n", "标准输入：文字编码不是 UTF-8 或 GB18030"),
        (b"enterprises," + b"x" * (1 << 20) + b"\xff", "标准输入"),
        (b"enterprises,a\n" * 100_000 + b"\xff", "标准输入：文字编码不是 UTF-8 或 GB18030"),
        (b"", "标准输入：没有内容"),
        (b"ip,uscc\n", "标准输入：没有 enterprises"),
        (b"enterprises,uscc\n,x\n", "标准输入第2行：「」不是表名"),
    ],
    ids=["quote", "length", "bytes", "long", "late", "nothing", "nobody", "nameless"],
)
def test_a_stream_that_cannot_be_read_is_one_clear_sentence(
    given: bytes, message: str, tmp_path: Path
) -> None:
    with pytest.raises(RegistryError, match=f"^{message}") as caught:
        directory.spooled(io.BytesIO(given), tmp_path / "标准输入", CATALOGUE)
    assert "\n" not in str(caught.value)


def test_nothing_comes_in_where_standard_input_is_closed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.cli.filings.sys", SimpleNamespace(stdin=None))
    assert "错误：标准输入：没有内容，请核对数据从哪里来" in run("import", "-").output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_generate_writes_to_a_pipe_import_reads_from_one(
    run: Run, database: sa.Engine
) -> None:
    made = run("generate", "30", "--seed", "3", "-o", "-").output
    imported = ["import", "-", "--by", "甲"]
    done = CliRunner().invoke(main, imported, input=made)
    assert "标准输入：已登记 新增30家" in done.output, done.output
    again = CliRunner().invoke(main, imported, input=made)
    assert "新增0家" in again.output
    wrong = CliRunner().invoke(main, imported, input=made + "企业,x\n")
    assert wrong.exit_code == 1
    assert "「企业」不是表名" in wrong.output


PARQUET = "SELECT '91990000G00000001X' AS uscc, '甲' AS name, DATE '2026-06-30' AS as_of"


@pytest.mark.parametrize("kind", ["DOUBLE", "FLOAT"])
def test_a_float_that_is_no_number_is_not_filed_or_not_understood(
    kind: str, tmp_path: Path
) -> None:
    folder = tmp_path / "全省[1]"  # no pattern of names, though it looks like one
    folder.mkdir()
    odd = f"'NaN'::{kind} AS registered_capital, 'NaN'::{kind} AS listing, '-inf'::{kind} AS ip_class_two"
    duckdb.sql(f"COPY ({PARQUET}, {odd}) TO '{folder}/enterprises.parquet'")
    [read] = readings(folder)
    assert [str(i) for i in read.issues] == [
        "提示 enterprises.parquet!F2「-Infinity」：“Ⅱ类知识产权总数”不是可识别的数字，按未提供处理，应为数字，单位项"
    ]
    [filed] = read.submissions
    assert (filed.identity, filed.values) == ({}, {"registered_in_prc": True})


@pytest.mark.parametrize("cell", ["['a']", "{'a': 1}", "MAP {'a': 1}", "'a'::BLOB"])
def test_a_parquet_column_of_no_single_values_is_refused(cell: str, tmp_path: Path) -> None:
    duckdb.sql(f"COPY ({PARQUET}, {cell} AS listing) TO '{tmp_path}/enterprises.parquet'")
    with pytest.raises(RegistryError, match=r"^enterprises\.parquet：listing列是列表、结构或字节"):
        survey(tmp_path)


def test_a_broken_parquet_file_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "enterprises.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(RegistryError, match=r"enterprises\.parquet：不是完整的 Parquet 文件"):
        survey(tmp_path)


SAME = f"SELECT '{code(1)}' AS uscc, '甲' AS name"


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        (f"SELECT '{code(1)}' AS uscc, repeat('a', 2000000) AS name", "", "有一行超过1048576字"),
        ("SELECT " + ", ".join(f"{n} AS c{n}" for n in range(17_000)), "", "超过16384列"),
        (f"{SAME} FROM range(1100000)", ", ROW_GROUP_SIZE 2000000", "一批行太大"),
        (f'SELECT 1 AS "{"a" * (5 << 20)}"', "", "列太多"),
        (f"{SAME}, repeat(i::TEXT, 1000) AS city FROM range(50000) t(i)", "", "一批行太大"),
        (f"{SAME}, random() AS x FROM range(110000)", "", "连续100000行以上属于同一批企业"),
    ],
    ids=["long", "wide", "many", "named", "unpacked", "same"],
)
def test_a_parquet_file_beyond_bounds_is_refused_in_little_memory(
    query: str, options: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "enterprises.parquet"
    duckdb.sql(f"COPY ({query}) TO '{file}' (FORMAT parquet, COMPRESSION zstd{options})")
    with pytest.raises(RegistryError, match=message) as caught:
        list(directory.parts(survey(tmp_path)))
    assert str(caught.value).startswith(file.name)


def test_every_text_of_a_parquet_file_within_bounds_is_read(tmp_path: Path) -> None:
    """A few of them at a time, where they are long."""
    long = f"SELECT printf('{code(1)[:9]}%09d', i) AS uscc, repeat('甲', 20000) AS name"
    duckdb.sql(f"COPY ({long} FROM range(1000) t(i)) TO '{tmp_path}/enterprises.parquet'")
    [part] = directory.parts(survey(tmp_path), 10**6)
    assert [len(row[1]) for _, row in part.rows[0]] == [20_000] * 1000  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uscc,name\n" + "a" * (2 << 20), "第2行超过1048576字"),
        ("uscc,name" + "," * 900_000, "第1行：超过16384列"),
        ("uscc,name" + "," * 20_000, "第1行：超过16384列"),
        ("uscc,name\n" + '"a\n",' * 300_000, "第2行：这一行超过1048576字"),
        ("uscc,name," + "x" * 900_000, "一格过长"),
        ("\0" * (2 << 20), "第1行超过1048576字"),
        ("uscc,name\n" + f"{code(1)},甲\n" * 101_002, "连续100000行以上"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_csv_table_beyond_bounds_is_refused(
    text: str, message: str, streamed: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "全省"

    def read() -> object:
        if streamed:
            named = "".join(f"enterprises,{line}\n" for line in text.split("\n"))
            directory.spooled(io.BytesIO(named.encode()), folder, CATALOGUE)
        else:
            folder.mkdir()
            (folder / "enterprises.csv").write_text(text, encoding="utf-8")
        return list(directory.parts(survey(folder)))

    with pytest.raises(RegistryError, match=message):
        read()


def test_tables_in_capitals_are_known_and_locks_of_open_ones_left_out(
    folder: Path, made: Path
) -> None:
    for path in list(folder.iterdir()):
        path.rename(folder / path.name.upper())
    (folder / "~$IP.CSV").write_bytes(b"\x04user")
    [one], [two] = readings(made), readings(folder)
    assert [(s.values, s.records) for s in one.submissions] == [
        (s.values, s.records) for s in two.submissions
    ]


def test_headings_may_be_those_of_the_template(folder: Path, made: Path) -> None:
    rows = table(folder, "yearly")
    at = rows[0].index("revenue")
    rows[0] = ["统一社会信用代码", "年度", *rows[0][2:]]
    rows[0][at] = "营业收入总额（元）"
    rewrite(folder, "yearly", rows)
    (folder / "yearly.csv").rename(folder / "年度数据.csv")
    [one], [two] = readings(made), readings(folder)
    assert [s.values for s in one.submissions] == [s.values for s in two.submissions]


NUMBERS = [
    "0", "1", "-1", "007", "0.5", "0.50", "12.34", "12.345", "-0.01", "1e3", "99999999999999",
    "999999999999999", "1.0", "-0", "4", "5", "", "１", "+3", "1,000", "0.1234567890123",
]  # fmt: skip


@pytest.mark.parametrize(
    "item", [f for f in CATALOGUE.facts if f.kind == "number"], ids=lambda f: f.id
)
def test_what_programs_write_is_read_without_detours_to_the_same_value(
    item: Fact, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = {"万元": "元", "%": PLAIN}.get(item.unit, "")
    fast = [read_fact(item, text, unit) for text in NUMBERS]
    monkeypatch.setattr("registry.intake.cells._as_it_is", lambda *_: False)
    assert [read_fact(item, text, unit) for text in NUMBERS] == fast


def test_an_obvious_number_is_checked_the_short_way_to_the_same_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = [f for f in CATALOGUE.facts if f.kind == "number"]
    assert all(f.obvious("0") for f in numbers if f.unit in ("万元", "%", "人"))
    found = [[check_value(item, text) for text in NUMBERS] for item in numbers]
    monkeypatch.setattr(Fact, "obvious", lambda *_: False)
    assert [[check_value(item, text) for text in NUMBERS] for item in numbers] == found


def test_filing_dates_come_from_the_column_or_the_command(made: Path) -> None:
    found = survey(made)
    for day in (None, FILED):
        reader = directory.FolderReader(found, as_of=day)
        [part] = directory.parts(found, 10**6)
        days = {s.as_of for s in reader.read(part).submissions}
        assert days == {day or date(2026, 6, 30)}
