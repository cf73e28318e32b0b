"""Spark, where PySpark and Java are installed: the PostgreSQL text over the same Parquet files."""

import shutil
from pathlib import Path

import pytest

from registry.screening import snapshot
from registry.screening.engines import Spark
from registry.screening.tests.filings import DAY
from registry.screening.tests.support import by_reference, differing, filed, rulebook
from registry.screening.tests.test_agreement import at_randoms

pytest.importorskip("pyspark", reason="PySpark is an extra")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java", allow_module_level=True)


#: What PySpark leaves open when it stops is none of ours.
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_spark_agrees_with_the_reference_on_every_node(tmp_path: Path) -> None:
    firms = at_randoms()
    list(snapshot.write(tmp_path / "某日", filed(firms), DAY, (0, "")))
    found = Spark(snapshot.manifest(tmp_path / "某日").schema, tmp_path / "某日", "local[2]")
    ruleset = rulebook().ruleset("2026.3")
    assert differing(found, ruleset, by_reference(ruleset, firms)) == []
    found.close()
