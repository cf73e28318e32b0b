"""``tidu impact --changed``: verdicts by screening, reasons only of those whose verdict changes."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.conftest import Run
from registry.screening.compiler import bodies
from registry.screening.funnel import Screening
from registry.simulation import screened as stocktaking
from registry.simulation.effects import CHANGED
from registry.simulation.impact import Sides
from registry.simulation.tests.test_impact import TRANSITIONS, filed, impact, load
from rules.model.ruleset import Outcome

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
RULE = ("--from", "63.2.研发费用", "--to", "2026.2.研发费用")


@pytest.fixture
def screened(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few they are."""
    monkeypatch.setattr(stocktaking, "FEW", 1)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many filings both evaluators decided under both texts for their reasons."""
    counted: Counter[str] = Counter()
    original = Sides.judge

    def judge(*how: Any) -> Any:
        counted["filings"] += 1
        return original(*how)

    monkeypatch.setattr(Sides, "judge", judge)
    return counted


def same(every: dict[str, Any], changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Assert that counts are the same and that what is listed is what was listed; the latter."""
    listed = [e for e in every["enterprises"] if e["group"] in CHANGED]
    assert changed["enterprises"] == listed
    assert (changed["from"], changed["to"]) == (every["from"], every["to"])
    for one, other in zip(every["tiers"], changed["tiers"], strict=True):
        for name in ("tier", "total", "matrix", "groups", "by", "cleared"):
            assert other[name] == one[name]
        stops = [{**c, "failing": 0, "alone": 0} for c in one["criteria"] if c["losing"]]
        found = [{**c, "failing": 0, "alone": 0} for c in other["criteria"] if c["losing"]]
        key = str
        assert sorted(found, key=key) == sorted(stops, key=key)
        open_ = sum(n for s, n in other["standings"].items() if s not in one["standings"])
        assert open_ == one["groups"]["不能判断"]
        assert other["standings"]["符合"] == one["standings"]["符合"]
    return listed


def test_the_counts_are_those_of_a_whole_simulation(
    run: Run, tmp_path: Path, screened: None, judged: Counter[str]
) -> None:
    filings = []
    for number, (changed, *_) in enumerate(TRANSITIONS, 1):
        changed = {**changed}
        filings.append(filed(number, without=changed.pop("without", ()), **changed))
    # finer than the column: the engine decides it
    filings.append(filed(len(filings) + 1, revenue_at_2025="20000000.001"))
    load(run, tmp_path, *filings)
    assert run("generate", "40", "--seed", "5", "-o", "全省").exit_code == 0
    assert run("import", "全省").exit_code == 0
    texts = ("--from", "63.2", "--to", "2026.2")
    every = impact(run, *texts)
    assert judged.pop("filings") == len(filings) + 40
    listed = same(every, impact(run, *texts, "--changed"))
    assert {e["group"] for e in listed} == set(CHANGED)
    assert judged["filings"] == len(listed)


def test_each_filing_is_screened_as_of_its_own_day(
    run: Run, tmp_path: Path, screened: None, judged: Counter[str]
) -> None:
    lost = {"rd_expense_at_2024": "999999.99"}
    later = [{**f, "as_of": "2026-07-01"} for f in (filed(3, **lost), filed(4))]
    load(run, tmp_path, filed(1, **lost), filed(2), *later)
    every = impact(run, *RULE)
    judged.clear()
    assert len(same(every, impact(run, *RULE, "--changed"))) == 2
    assert judged["filings"] == 2


def test_few_filings_are_not_worth_a_statement(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(run, tmp_path, filed(1, rd_expense_at_2024="999999.99"), filed(2))
    every = impact(run, *RULE)
    monkeypatch.delattr(stocktaking, "Screening")
    assert len(same(every, impact(run, *RULE, "--changed"))) == 1


def test_workbook_page_and_summary_say_what_they_list(
    run: Run, tmp_path: Path, screened: None
) -> None:
    load(run, tmp_path, filed(1, rd_expense_at_2024="999999.99"), filed(2))
    shown = run("impact", *RULE, "--changed", "-o", "x.xlsx", "-o", "x.html")
    assert shown.exit_code == 0, shown.output
    assert "只逐户说明结论改变的企业" in shown.output
    assert "仍符合1家，不再符合1家" in shown.output
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "只逐户说明结论改变的企业" in page
    assert ("测试1号" in page, "测试2号" in page) == (True, False)


def test_a_wrong_verdict_is_refused(
    run: Run, tmp_path: Path, screened: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of the compiler is found by the checks of a screening; one after these as well."""
    load(run, tmp_path, filed(1, rd_expense_at_2024="999999.99"), filed(2))
    original = Screening.verdicts

    def turned(screening: Screening, tier: str) -> Iterator[tuple[int, Outcome]]:
        for id, verdict in original(screening, tier):
            yield id, Outcome.MET if verdict is Outcome.NOT_MET else Outcome.NOT_MET

    with monkeypatch.context() as wrong:
        wrong.setattr(Screening, "verdicts", turned)
        refused = run("impact", *RULE, "--changed")
        assert (refused.exit_code, "筛查与规则引擎不一致" in refused.output) == (1, True)
    compared = bodies.compared
    swapped = {">=": "<", "<": ">="}
    monkeypatch.setattr(bodies, "compared", lambda f, op, t: compared(f, swapped.get(op, op), t))
    refused = run("impact", *RULE, "--changed")
    assert (refused.exit_code, "筛查与规则引擎不一致" in refused.output) == (1, True)
    assert "家" not in refused.stdout
