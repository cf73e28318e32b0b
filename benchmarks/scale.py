"""Screening at scale: one statement on DuckDB beside a bare reading of its columns and a kernel.

Run ``python -m benchmarks.scale``; ``--count 100000 1000000`` sets the numbers of filings. Each is
measured in a separate process for its own peak memory; the best of three runs counts. The filings
are synthetic rows from DuckDB, typed and spread like real ones, with gaps. The handwritten numpy
kernel covers only 63.8 and runs if numpy is installed; loops in C for every ruleset run if there is
also a C compiler. The results of both must equal those of the statement.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from time import perf_counter
from typing import Any, Final

from registry.kit import resources
from registry.record.publication import packaged_catalogue
from registry.screening.compiler.program import Program
from registry.screening.engines import DuckDB, duckdb_connection, text_of
from registry.screening.schema import FILING, IDENTITY, Column, Schema, complete_column, schema_of
from registry.screening.snapshot import bounds
from rules.language.rulebook import load
from rules.model.ruleset import Ruleset

DAY: Final = date(2023, 6, 30)
BY_HAND: Final = "63.8"
ROOTS: Final = ("63.1", "63.2", "63.3", "2026.2", "2026.3", BY_HAND)
#: Facts that are bad if they hold, and the number of records in each list of a filing.
_ADVERSE: Final = (
    "abnormal_list", "dishonesty_list", "restricted_product", "major_accident", "tax_violation",
    "safety_accident", "data_incident", "environment_offence", "quality_problem", "industry_breach",
    "single_champion", "group_similar",
)  # fmt: skip
_RECORDS: Final = {"ip": 6, "financing": 1, "titles": 1, "honours": 1, "institutions": 1}
CATALOGUE: Final = schema_of(packaged_catalogue())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each number of filings and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--one", choices=("make", "screen", "floor", "fused", "kernel"), help=argparse.SUPPRESS
    )
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        work: dict[str, Callable[..., Any]] = {
            "make": make, "screen": screen, "floor": floor, "fused": fused, "kernel": by_hand,
        }  # fmt: skip
        print(json.dumps(work[given.one](given.folder, given.count[0], given.threads)))
        return
    print(f"DuckDB，{given.threads}个线程；三次中最快的一次")
    for count in given.count:
        with tempfile.TemporaryDirectory() as name:
            report(Path(name), count, given.threads)


def report(folder: Path, count: int, threads: int) -> None:
    """Measure one number of filings and print its lines."""
    _apart("make", folder, count, threads)
    read, screened = (_apart(w, folder, count, threads) for w in ("floor", "screen"))
    hand = _apart("kernel", folder, count, threads) if find_spec("numpy") else {}
    loops = _apart("fused", folder, count, threads) if find_spec("numpy") and which("cc") else {}
    size = sum(f.stat().st_size for f in folder.glob("*.parquet"))
    print(f"\n{count}家，快照{size / 2**20:.0f} MB；峰值内存{screened['memory']:.0f} MB")
    for root in ROOTS:
        ratio = screened[root] / read[root]
        print(
            f"  {root:8} 筛查{screened[root]:7.2f}秒  只读列{read[root]:7.2f}秒  {ratio:5.1f}倍"
            f"  编译{screened[root + ' compiling']:.2f}秒  符合{screened[root + ' met']}家"
        )
        if loops:
            whole = read[root] + loops[root]
            print(
                f"{'':10} C 融合循环{loops[root]:.3f}秒，筛查为读列加循环的{screened[root] / whole:.1f}倍，结果逐家相同"
            )
    if hand:
        ratio = screened[BY_HAND] / hand["seconds"]
        print(
            f"  {BY_HAND:8} 手写 numpy{hand['seconds']:7.2f}秒，筛查为其{ratio:.2f}倍，结果逐家相同"
        )
    if "openfisca" in hand:
        each = screened[BY_HAND] / count
        alone, all_ = (
            hand[n] / hand["compared"] / each for n in ("openfisca", "openfisca from files")
        )
        print(
            f"  {BY_HAND:8} OpenFisca 每家用时为筛查的{all_:.1f}倍（其中只算规则{alone:.1f}倍，其余为读列和查行业）；"
            f"比较{hand['compared']}家无缺项的，{hand['wrong']}家不同"
        )


def _apart(work: str, folder: Path, count: int, threads: int) -> Any:
    command = [sys.executable, "-m", "benchmarks.scale", "--one", work, "--folder", str(folder)]
    command += ["--count", str(count), "--threads", str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def best(run: Callable[[], Any]) -> tuple[float, Any]:
    """The fastest of three runs in seconds, and its result."""
    times = []
    for _ in range(3):
        begun = perf_counter()
        found = run()
        times.append(perf_counter() - begun)
    return min(times), found


# -- what is measured ----------------------------------------------------------------------------


def screen(folder: Path, count: int, threads: int) -> dict[str, float]:
    """Verdict and codes of every filing, as a table in memory, for each root."""
    schema = _schema(folder)
    found: dict[str, float] = {}
    rulebook = load(resources.features())
    for root in ROOTS:
        begun = perf_counter()
        program = Program(rulebook.ruleset(root), schema, DAY)
        statement = program.statement([*program.verdict.columns, *program.codes])
        text = text_of(statement)
        found[f"{root} compiling"] = perf_counter() - begun
        database = DuckDB(schema, folder, threads)
        run = f"CREATE OR REPLACE TEMP TABLE screened AS {text}"
        found[root], _ = best(lambda: database.connection.execute(run))  # noqa: B023
        met = f"SELECT COUNT(*) FROM screened WHERE {program.verdict.columns[0]} = 3"
        [(found[f"{root} met"],)] = database.connection.execute(met).fetchall()
        database.close()
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def floor(folder: Path, count: int, threads: int) -> dict[str, float]:
    """Only reads the columns that each root needs."""
    schema = _schema(folder)
    rulebook = load(resources.features())
    found = {}
    for root in ROOTS:
        program = Program(rulebook.ruleset(root), schema, DAY)
        text = text_of(program.statement([*program.verdict.columns, *program.codes]))
        database = DuckDB(schema, folder, threads)
        queries = []
        for table, columns in schema.tables.items():
            read = [c for c in columns if f" {c} " in f" {_words(text)} "]
            if read and (table == FILING or f"FROM {table}" in text):
                queries.append(f"SELECT {', '.join(f'COUNT({c})' for c in read)} FROM {table}")
        run = [(q,) for q in queries]
        found[root], _ = best(lambda: [database.connection.execute(q).fetchall() for (q,) in run])  # noqa: B023
        database.close()
    return found


def fused(folder: Path, count: int, threads: int) -> dict[str, float]:
    """The loops in C over columns in memory, which must give the statement's results."""
    import numpy as np

    from benchmarks.fused import Kernel

    schema = _schema(folder)
    rulebook = load(resources.features())
    found = {}
    for root in ROOTS:
        program = Program(rulebook.ruleset(root), schema, DAY)
        outputs = list(dict.fromkeys(c for c in (*program.verdict.columns, *program.codes) if c))
        database = DuckDB(schema, folder, threads)
        kernel = Kernel(program, outputs, database, folder)
        found[root], made = best(lambda: kernel.run(threads))  # noqa: B023
        text = text_of(program.statement(outputs))
        query = f"SELECT * FROM ({text}) ORDER BY filing_id"
        screened = database.connection.execute(query).fetchnumpy()
        assert all(np.array_equal(screened[o].astype(np.int64), made[o]) for o in outputs), root
        database.close()
    return found


def by_hand(folder: Path, count: int, threads: int) -> dict[str, float]:
    """One ruleset's verdicts by a kernel written for it, which must equal the statement's."""
    from benchmarks import kernel

    schema = _schema(folder)
    ruleset = load(resources.features()).ruleset(BY_HAND)
    database = DuckDB(schema, folder, threads)
    seconds, (ids, found) = best(
        lambda: kernel.verdicts(database.connection, folder / f"{FILING}.parquet", ruleset)
    )
    program = Program(ruleset, schema, DAY)
    statement = program.statement(program.verdict.columns)
    screened = dict(database.connection.execute(text_of(statement)).fetchall())
    assert {int(id): int(v) for id, v in zip(ids, found, strict=True)} == screened
    found_by = {"seconds": seconds}
    if find_spec("openfisca_core"):
        found_by |= _by_openfisca(database, folder, ruleset, screened)
    return found_by


def _by_openfisca(
    database: DuckDB, folder: Path, ruleset: Ruleset, screened: dict[int, int]
) -> dict[str, float]:
    """OpenFisca's time, and the number of filings without gaps on which it differs."""
    from benchmarks import kernel, openfisca

    names = ("filing_id", *kernel.COLUMNS)
    known = " AND ".join(f"{c} IS NOT NULL" for c in kernel.COLUMNS if c != "sector_found")
    source = f"read_parquet('{folder / FILING}.parquet') WHERE {known}"

    def read() -> tuple[dict[str, Any], Any]:
        query = f"SELECT {', '.join(names)} FROM {source}"
        columns = database.connection.execute(query).fetchnumpy()
        sectors, _ = kernel.sectors_of(columns, ruleset)
        known = sectors >= 0
        return {n: kernel.parts(c)[0][known] for n, c in columns.items()}, sectors[known]

    whole, sectors = read()
    seconds, eligible = best(lambda: openfisca.verdicts(whole, sectors))
    from_files, _ = best(lambda: openfisca.verdicts(*read()))
    wrong = sum(
        bool(e) is not (screened[int(id)] == 3)
        for id, e in zip(whole["filing_id"], eligible, strict=True)
    )
    return {
        "openfisca": seconds,
        "openfisca from files": from_files,
        "compared": len(eligible),
        "wrong": wrong,
    }


def _words(text: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text)


def _schema(folder: Path) -> Schema:
    plain = json.loads((folder / "bounds.json").read_text(encoding="utf-8"))
    return CATALOGUE.narrowed({k: (v[0], v[1]) for k, v in plain.items()})


# -- synthetic rows ------------------------------------------------------------------------------


def make(folder: Path, count: int, threads: int) -> None:
    """Write a snapshot of synthetic rows."""
    connection = duckdb_connection(threads)
    connection.execute("SELECT setseed(0.42)")
    for table, columns in CATALOGUE.tables.items():
        made = ", ".join(f"{e} AS {n}" for n, e in _expressions(table, list(columns)))
        source = f"range({count}) t(i)"
        if table != FILING:
            most = _RECORDS.get(table, 0)
            source += f", range({most}) u(j) WHERE random() < 0.5"
        place = folder / f"{table}.parquet"
        connection.execute(f"COPY (SELECT {made} FROM {source}) TO '{place}' (FORMAT parquet)")
    found = bounds(DuckDB(CATALOGUE, folder, threads))
    (folder / "bounds.json").write_text(json.dumps(found), encoding="utf-8")


def _expressions(table: str, names: list[str]) -> Iterator[tuple[str, str]]:
    identity = {
        "filing_id": "i", "position": "j", "uscc": "'SYNTHETIC' || i", "name": "'合成企业' || i",
        "province": "'示范省'", "city": "'示范市'", "county": "'示范县'", "as_of": "DATE '2023-06-30'",
        "newest_year": "2022", "routed": "NULL::TEXT", "linked": "NULL::BIGINT",
    }  # fmt: skip
    columns = {c.name: (k, c) for k, c in CATALOGUE.facts.items()} if table == FILING else {
        c.name: (k, c) for k, c in CATALOGUE.lists[table].items()
    }  # fmt: skip
    complete = {complete_column(k) for k in CATALOGUE.lists}
    for name in names:
        if name in columns:
            yield name, f"CASE WHEN random() < 0.95 THEN {_value(*columns[name])} END"
        elif name in complete:
            yield name, "CASE WHEN random() < 0.9 THEN 1 END::SMALLINT"
        else:
            yield name, identity[name] if name in IDENTITY or name == "position" else "NULL"


def _value(key: str, column: Column) -> str:
    fact = column.fact
    match fact.kind:
        case "flag":
            bad = 0.99 if fact.id in _ADVERSE else 0.2
            return f"(random() > {bad})::SMALLINT"
        case "date":
            return "DATE '2022-12-31' - (random() * 5000)::INTEGER"
        case "text":
            return "'C' || (1000 + (random() * 3000)::INTEGER)"
        case "code":
            return f"(random() * {len(fact.codes) - 1})::SMALLINT"
    if fact.unit == "万元":
        share = 0.06 if fact.id == "rd_expense" else 0.9 if fact.id == "main_revenue" else 1
        age = 0.9 ** -int(key.removeprefix(fact.id) or 0) if fact.yearly else 1
        # between 100 thousand and 10 billion yuan, evenly by digits; similar within one filing
        return f"(power(10, 7 + hash(i) % 1000 / 200.0) * {share * age} * (0.9 + 0.3 * random()))::BIGINT"
    if fact.unit == "%":
        return f"(random() * {column.scale})::BIGINT"
    top = 400 if fact.unit == "人" else 60 if fact.maximum is None else int(fact.maximum)
    low = int(fact.minimum or 0)
    return f"({low} + (random() * {top - low})::BIGINT) * {column.scale}"


if __name__ == "__main__":
    main()
