"""Acts beside jobs: whoever has to write waits for one part of a job at most."""

import zipfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from registry.desk import importing
from registry.desk.place import Desk
from registry.desk.waiting import WaitingFiles
from registry.jobs import kinds
from registry.jobs.kinds import Work
from registry.record import decisions
from registry.tests.history import code
from registry.tests.support import CODES, Clock, load, submission
from registry.tests.turns import part_by_part
from rules.tests.packaged import TITLES

PARTS = 3
HEADINGS = "统一社会信用代码,企业名称,填报日期,2022年营业收入总额（万元）"
ROWS = [f"{code(n)},企业{n},2023-06-30,2000" for n in range(PARTS)]


def of_file(desk: Desk) -> Any:
    return registering(desk, "\n".join((HEADINGS, *ROWS)).encode(), "表.csv")


def of_folder(desk: Desk) -> Any:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        rows = (f"{code(n)},企业{n},2023-06-30" for n in range(PARTS))
        archive.writestr("enterprises.csv", "\n".join(("uscc,name,as_of", *rows)))
    return registering(desk, packed.getvalue(), "表.zip")


def registering(desk: Desk, data: bytes, name: str) -> Any:
    kept = WaitingFiles(desk).keep(BytesIO(data), name)
    return kinds.IMPORT, kinds.Importing(kept.digest, name)


def of_cases(desk: Desk) -> Any:
    load(desk.database, desk.clock, *map(submission, CODES[:PARTS]))
    return kinds.DECIDE, kinds.Deciding(tiers=TITLES[1:2])


@pytest.mark.parametrize("asked", [of_file, of_folder, of_cases])
def test_an_act_waits_for_one_part_of_a_job_at_most(
    database: sa.Engine,
    asked: Callable[[Desk], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    monkeypatch.setattr(decisions, "_CHUNK", 1)
    monkeypatch.setattr(importing, "InParts", partial(importing.InParts, size=1))
    url = database.url.render_as_string(hide_password=False)
    with Desk(url, by="王某", clock=Clock()) as desk:
        desk.in_force()
        kind, arguments = asked(desk)

        def act() -> None:
            with desk.writing():
                pass

        with part_by_part(desk.database, 1, act) as written:
            kind.done(Work(desk, arguments))
    assert written == [*range(1, PARTS + 1)]
