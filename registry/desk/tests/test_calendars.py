"""The calendar at the desk: a publication that states a year otherwise than the record says so."""

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.desk import calendars, publishing
from registry.desk.calendars import Notice
from registry.desk.place import Desk
from registry.desk.publishing import PreparedCriteria
from registry.desk.rulebooks import rulebook
from registry.kit import resources
from registry.tests.support import Clock


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_publication_that_states_a_year_otherwise_says_so(
    database: sa.Engine, tmp_path: Path
) -> None:
    desk = Desk(str(database.url), by="李四", clock=Clock())
    found = rulebook()
    prepared = PreparedCriteria(folder=resources.features(), own=None, rulebook=found, problems=())
    assert publishing.publish(desk, prepared).years == {}
    year = max(found.calendar)
    table = resources.features() / "maps" / "calendar.csv"
    first, last = found.calendar[year]["rest"][0]
    assert first != last
    file = tmp_path / "安排.csv"
    file.write_text(
        table.read_text(encoding="utf-8").replace(f"{first},{last},", f"{first},{first},"),
        encoding="utf-8",
    )
    notice = Notice(found.calendar[year]["basis"], date(2023, 6, 30))
    assert calendars.add(desk, int(year), file, notice, replaced=True).changed
    done = publishing.publish(desk, prepared)
    assert done.seq == 3
    assert [*done.years] == [year]
    assert done.years[year][0].startswith("新增放假：")
    desk.close()
