"""Made-up enterprises: always the same, never real, and beside every threshold."""

import csv
import errno
import io
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from itertools import islice
from pathlib import Path

import pytest

from registry.demo.aims import Aim, aims, thresholds
from registry.demo.firms import firms
from registry.demo.tables import write_directory, write_stream
from registry.filings import FileReading
from registry.intake import directory
from registry.intake.tests.counties import survey
from registry.kit import uscc
from rules.decider import by_reference
from rules.engine.readings import Evaluator
from rules.language.editions import governing
from rules.language.rulebook import Rulebook
from rules.model.facts import Profile
from rules.model.ruleset import Indicator, Outcome, Ruleset
from rules.tests import packaged
from rules.tests.packaged import TITLES

DAY = date(2026, 6, 30)


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return packaged.rulebook()


@pytest.fixture(scope="module")
def wanted(rulebook: Rulebook) -> list[Aim]:
    return aims(rulebook)


@pytest.fixture(scope="module")
def reading(wanted: list[Aim], tmp_path_factory: pytest.TempPathFactory) -> FileReading:
    """Twice as many firms as there are aims, as they are read."""
    folder = tmp_path_factory.mktemp("synthetic") / "firms"
    write_directory(folder, 2 * len(wanted), 0, DAY, wanted, lambda done: None)
    found = survey(folder)
    [part] = directory.parts(found, 10_000)
    return directory.FolderReader(found).read(part)


def test_nothing_is_amiss_in_them(reading: FileReading, wanted: list[Aim]) -> None:
    assert [str(i) for i in reading.issues if i.severity == "错误"] == []
    assert len(reading.submissions) == 2 * len(wanted)


def test_none_can_be_taken_for_a_real_one(reading: FileReading) -> None:
    for submission in reading.submissions:
        assert uscc.fault(submission.uscc) is None
        assert submission.uscc[2:8] == "990000"
        assert "（虚构）" in submission.name


def test_every_threshold_is_met_from_both_sides_and_on_it(
    reading: FileReading, wanted: list[Aim], rulebook: Rulebook
) -> None:
    rulesets = [rulebook.ruleset(r.ruleset) for r in rulebook.applicability if r.encoded]
    missed = []
    for aim, submission in zip(wanted, reading.submissions[::2], strict=True):
        known = _read(rulesets, aim.indicator, submission.profile(DAY))
        if not any(_side(value, aim.threshold) == aim.side for value in known):
            missed.append((aim.indicator.name, str(aim.threshold), aim.side, known))
    # nobody can file less than nothing, a rank above the first, more than all points
    impossible = {("上市培育得分", "3", 1)}
    # all made-up titles have begun: the day on which one starts is nobody's aim
    begun = {("称号起始日", "0", side) for side in (0, 1)}
    assert {m[:3] for m in missed} <= impossible | begun


def _read(rulesets: list[Ruleset], indicator: Indicator, profile: Profile) -> list[Fraction | None]:
    key = f"{indicator.records}.{indicator.name}" if indicator.records else indicator.name
    ruleset = next(
        r
        for r in rulesets
        if indicator in (r.indicators.get(key), r.indicators.get(indicator.name))
    )
    evaluator = Evaluator(ruleset, profile, {})
    items = profile.records[indicator.records].items if indicator.records else ({},)
    return [evaluator.read(indicator.expr, indicator.records, i).exact for i in items]


def _side(value: Fraction | None, threshold: Fraction) -> int | None:
    return None if value is None else (value > threshold) - (value < threshold)


def test_what_is_not_aimed_at_is_left_to_chance_and_found(
    rulebook: Rulebook, wanted: list[Aim], reading: FileReading
) -> None:
    """Counts of records and of flags: nobody needs to aim for one and none of them to occur."""
    left = {i.name: i for i, _ in thresholds(rulebook)} | {}
    for aim in wanted:
        left.pop(aim.indicator.name, None)
    assert all(i.expr[0] in ("count", "least", "add") for i in left.values())
    for listed in ("awards", "competitions", "institutions", "titles", "honours", "brands"):
        found = {bool(s.records[listed].items) for s in reading.submissions if listed in s.records}
        assert found == {True, False}, listed


@pytest.mark.parametrize("tier", TITLES)
def test_some_reach_each_tier(tier: str, reading: FileReading, rulebook: Rulebook) -> None:
    row = governing(rulebook.applicability, tier=tier, procedure="认定", day=DAY).row
    ruleset = rulebook.ruleset(row.ruleset)
    profiles = (submission.profile(DAY) for submission in reading.submissions)
    assert any(by_reference(ruleset, p)[ruleset.root] is Outcome.MET for p in profiles)


def test_figures_are_missing_now_and_then(reading: FileReading) -> None:
    filed = [len(s.values) for s in reading.submissions]
    assert min(filed) < max(filed) - 20


def test_the_seed_alone_decides(wanted: list[Aim]) -> None:
    def text(seed: int) -> str:
        file = io.StringIO()
        write_stream(file, 30, seed, DAY, wanted, lambda done: None)
        return file.getvalue()

    assert text(7) == text(7)
    assert text(7) != text(8)


def test_a_stream_holds_the_rows_of_the_folder(wanted: list[Aim], tmp_path: Path) -> None:
    file = io.StringIO()
    write_stream(file, 20, 1, DAY, wanted, lambda done: None)
    write_directory(tmp_path / "d", 20, 1, DAY, wanted, lambda done: None)
    rows: dict[str, list[list[str]]] = {}
    for table, *row in csv.reader(io.StringIO(file.getvalue())):
        rows.setdefault(table, []).append(row)
    for path in (tmp_path / "d").iterdir():
        with path.open(encoding="utf-8", newline="") as written:
            assert list(csv.reader(written)) == rows.pop(path.stem)
    assert not rows


def test_so_many_firms_are_made_one_by_one(wanted: list[Aim]) -> None:
    endless: Iterator[object] = firms(10**8 - 1, 1, DAY, wanted)
    assert len(list(islice(endless, 3))) == 3


def test_a_folder_that_could_not_be_completed_is_not_there(
    wanted: list[Aim], tmp_path: Path
) -> None:
    def full(_done: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="示例"):
        write_directory(tmp_path / "示例", 1_000, 0, DAY, wanted, full)
    assert list(tmp_path.iterdir()) == []
