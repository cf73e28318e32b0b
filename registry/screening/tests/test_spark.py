"""Spark: the PostgreSQL text over the same Parquet files, where PySpark and Java are installed."""

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import sqlalchemy as sa

from registry.conftest import Run
from registry.screening import snapshot
from registry.screening.engines import ScreeningError, Spark
from registry.screening.schema import schema_of
from registry.screening.tests.filings import DAY
from registry.screening.tests.support import by_reference, differing, filed, rulebook
from registry.screening.tests.test_agreement import at_randoms
from registry.tests import support
from rules.tests.packaged import catalogue

needs_spark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("java") is None,
    reason="Spark needs PySpark (pip install -e '.[dev,spark]') and Java 17 or later",
)
#: What PySpark leaves open when it stops is none of ours.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

SCHEMA = schema_of(catalogue())


@needs_spark
def test_spark_agrees_with_the_reference_on_every_node(tmp_path: Path) -> None:
    firms = at_randoms()
    snapshot.write(tmp_path / "某日", catalogue(), filed(firms), DAY, (0, ""))
    bounds = snapshot.manifest(tmp_path / "某日", SCHEMA).bounds
    found = Spark(SCHEMA.narrowed(bounds), tmp_path / "某日", "local[2]")
    ruleset = rulebook().ruleset("2026.3")
    assert differing(found, ruleset, by_reference(ruleset, firms)) == []
    found.close()


@needs_spark
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_whole_tier_comes_out_as_on_duckdb(run: Run, database: sa.Engine, tmp_path: Path) -> None:
    near = support.submission(support.CODES[1], rd_expense__2022="1499999.99")
    missing = support.submission(support.CODES[2], rd_expense__2022=None)
    support.load(database, support.Clock(), support.submission(), near, missing)
    assert run("snapshot", "--as-of", support.DAY.isoformat(), "-o", "某日").exit_code == 0

    def screened(engine: str, *more: str) -> tuple[bytes, Any]:
        way = ("--snapshot", "某日", "--tier", "专精特新", "--engine", engine, *more)
        told = run("screen", *way, "-o", f"{engine}.csv", "--json")
        assert told.exit_code == 0, told.output
        return (tmp_path / f"{engine}.csv").read_bytes(), json.loads(told.stdout)["tiers"]

    found = screened("spark", "--master", "local[2]")
    assert found == screened("duckdb")
    assert found[1][0]["near"] == 1


def test_without_pyspark_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ScreeningError, match=r"^没有安装 PySpark$"):
        Spark(SCHEMA, tmp_path)


def test_a_session_that_does_not_start_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spark = MagicMock()
    builder = spark.SparkSession.builder.master.return_value.appName.return_value
    builder.config.return_value = builder
    builder.getOrCreate.side_effect = RuntimeError("Java gateway process exited\n  at java_gateway")
    monkeypatch.setitem(sys.modules, "pyspark", spark)
    monkeypatch.setitem(sys.modules, "pyspark.sql", spark)
    said = "^Spark（集群）没有启动：Java gateway process exited$"
    with pytest.raises(ScreeningError, match=said):
        Spark(SCHEMA, tmp_path, "集群")
