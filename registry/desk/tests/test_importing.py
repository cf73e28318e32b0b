"""Reading a file at the desk: what only its clock and its criteria can tell."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.demo.aims import aims
from registry.demo.tables import write_directory
from registry.desk.importing import Source, import_folder, read_file
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.intake.tests.counties import county, firm, saved
from registry.kit.progress import ignored


@pytest.mark.parametrize(
    ("evening", "told"),
    [
        (datetime(2023, 6, 29, 15, 59, tzinfo=UTC), ["填报日期2023-06-30还没有到"]),
        (datetime(2023, 6, 29, 16, 0, tzinfo=UTC), []),  # 30 June has begun in China
    ],
)
def test_a_filing_day_that_has_not_come_is_told_once(
    evening: datetime, told: list[str], tmp_path: Path
) -> None:
    path = saved(county([firm(1), firm(2)], day=date(2023, 6, 30)), tmp_path)
    reading = read_file(Desk(clock=lambda: evening), path)
    assert [i.message for i in reading.issues if "还没有到" in i.message] == told
    assert len(reading.submissions) == 2


def test_a_filing_day_that_has_not_come_is_told_in_a_folder_too(
    fresh: Callable[..., sa.Engine], tmp_path: Path
) -> None:
    url = fresh("sqlite").url.render_as_string(hide_password=False)
    folder = tmp_path / "全省"
    write_directory(folder, 3, 1, date(2026, 6, 30), aims(rulebook()), ignored)
    before = datetime(2026, 6, 1, tzinfo=UTC)
    with Desk(url, by="经办人", clock=lambda: before) as desk:
        done = import_folder(desk, Source(path=folder, dry_run=True))
    assert any("填报日期2026-06-30还没有到" in str(group) for group in done.counts.groups)
