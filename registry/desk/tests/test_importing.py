"""Reading a file at the desk: what only its clock and its criteria can tell."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.demo.aims import aims
from registry.demo.tables import write_directory
from registry.desk import finding
from registry.desk.importing import Source, import_file, import_folder, read_file
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.intake.tests.counties import CATALOGUE, county, firm, saved
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
    reading = read_file(Desk(clock=lambda: evening), path, CATALOGUE)
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


def test_a_place_that_is_no_region_is_told_once_and_filed_all_the_same(
    fresh: Callable[..., sa.Engine], tmp_path: Path
) -> None:
    url = fresh("sqlite").url.render_as_string(hide_password=False)
    places = ["示范省示范市示范县", "江苏省甲市", "江苏省甲市", "深圳南山", "广东深圳"]
    rows = [firm(n) | {"所在地（省市县）": place} for n, place in enumerate(places, 1)]
    path = saved(county(rows, day=date(2023, 6, 30)), tmp_path)
    with Desk(url, by="经办人") as desk:
        found = import_file(desk, Source(path=path))
        told = [i for i in found.reading.issues if "按地区查找" in i.expected]
        assert [(i.severity, i.value, i.message) for i in told] == [
            ("提示", "江苏省甲市", "「江苏省」中没有「甲市」"),
        ]
        assert len(found.done.new) == 5
        of = {
            place: finding.find(desk, place=place).count for place in ("320000", "440300", "990101")
        }
        assert of == {"320000": 2, "440300": 2, "990101": 1}


def test_a_place_in_a_folder_that_is_no_region_is_told(
    fresh: Callable[..., sa.Engine], tmp_path: Path
) -> None:
    url = fresh("sqlite").url.render_as_string(hide_password=False)
    folder = tmp_path / "全省"
    write_directory(folder, 3, 1, date(2023, 6, 30), aims(rulebook()), ignored)
    [table] = [
        file for file in folder.iterdir() if "city" in file.read_text("utf-8").split("\n")[0]
    ]
    lines = table.read_text("utf-8").splitlines()
    column = lines[0].split(",").index("city")
    cells = lines[1].split(",")
    cells[column] = "乌有市"
    table.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]), "utf-8")
    with Desk(url, by="经办人") as desk:
        done = import_folder(desk, Source(path=folder))
    assert len([g for g in done.counts.groups if "乌有市" in str(g)]) == 1
    assert done.counts.errors == 0
