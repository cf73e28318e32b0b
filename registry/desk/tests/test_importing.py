"""Reading a file at the desk: what only its clock and its criteria can tell."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from registry.desk.importing import read_file
from registry.desk.place import Desk
from registry.intake.tests.counties import county, firm, saved


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
