"""Where a batch would change the text that governs, every answer given without one says so and names it."""

import json
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from registry.conftest import Run
from registry.tests.support import CODES, Clock, load, submission

#: What is told does not depend on the database.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

GIANT = ("--tier", "小巨人", "--procedure", "复核")
SAID = "属于批次「2026年复核」的"
OTHER = "63号附件3（2026年全国复核）（自2026-04-01至2026-12-31）"


@pytest.fixture
def filed(database: sa.Engine) -> None:
    """Filings of the first year by the newer text, and of the next."""
    clock = Clock()
    load(
        database,
        clock,
        submission(day=date(2026, 6, 30), revenue__2025="50000000"),
        submission(CODES[1], day=date(2027, 1, 4), revenue__2026="50000000"),
    )


@pytest.mark.usefixtures("filed")
@pytest.mark.parametrize(
    ("command", "last"),
    [
        (("check", CODES[0], *GIANT), ("--batch", "2026年复核")),
        (("check", CODES[0], *GIANT, "--explain"), ("--batch", "2026年复核")),
        (("decide", CODES[0], *GIANT, "--by", "李四"), ("--batch", "2026年复核")),
        (("screen", *GIANT, "--as-of", "2026-06-30"), ("--batch", "2026年复核")),
    ],
)
def test_a_batch_that_would_change_the_text_is_named_until_it_is_given(
    run: Run, command: tuple[str, ...], last: tuple[str, ...]
) -> None:
    for _ in range(2):  # a decision that was taken before says it again
        shown = run(*command)
        assert shown.exit_code == 0, shown.output
        assert SAID in shown.output
        assert OTHER in shown.output
        assert "请写明批次，例如 2026年复核" in shown.output
    given = run(*command, *last)
    assert given.exit_code == 0, given.output
    assert SAID not in given.output


@pytest.mark.usefixtures("filed")
def test_a_round_of_the_year_before_is_not_named(run: Run) -> None:
    assert "批次" not in run("check", CODES[1], *GIANT).output


@pytest.mark.usefixtures("filed")
def test_two_names_of_one_round_are_one_sentence(run: Run) -> None:
    shown = run("check", CODES[0], "--tier", "小巨人").output
    assert shown.count("属于批次「第八批」或「2026年认定」的") == 1


@pytest.mark.usefixtures("filed")
@pytest.mark.parametrize("reader", ["enterprise", "officer", "auditor"])
def test_a_recorded_decision_is_explained_with_the_batch(run: Run, reader: str) -> None:
    decided = json.loads(run("decide", CODES[0], *GIANT, "--by", "李四", "--json").stdout)
    assert SAID in decided[0]["rounds"][0]
    told = run("explain", str(decided[0]["seq"]), "--for", reader)
    assert SAID in told.output.replace("\n", "")


@pytest.mark.usefixtures("filed")
def test_programs_read_the_batch_with_its_text(run: Run) -> None:
    checked = json.loads(run("check", CODES[0], *GIANT, "--json").stdout)
    [verdict] = checked["results"][0]["verdicts"]
    [found] = verdict["rounds"]
    assert (verdict["ruleset"], found["ruleset"]) == ("2026.3.复核", "63.3.复核")
    assert found["batch"] == "2026年复核"
    screened = json.loads(run("screen", *GIANT, "--as-of", "2026-06-30", "--json").stdout)
    assert any(SAID in line for line in screened["scope"])


@pytest.mark.usefixtures("filed")
def test_a_simulation_by_tables_of_applicability_names_the_batch(run: Run) -> None:
    sides = ("--from", "随附", "--to", "随附", *GIANT)
    assert SAID in run("impact", *sides).output
    [told] = json.loads(run("impact", *sides, "--json").stdout)["rounds"]
    assert SAID in told
    assert SAID not in run("impact", *sides, "--batch", "2026年复核").output


@pytest.mark.usefixtures("filed")
def test_a_workbook_has_the_batch_beside_the_verdict(run: Run, tmp_path: Path) -> None:
    run("check", "--all", *GIANT, "-o", str(tmp_path / "结果.xlsx"))
    [head, *rows] = load_workbook(tmp_path / "结果.xlsx")["结论"].iter_rows(values_only=True)
    assert head[-1] == "注意"
    told = {row[2]: row[-1] for row in rows}
    assert SAID in told["2026-06-30"]
    assert not told["2027-01-04"]
