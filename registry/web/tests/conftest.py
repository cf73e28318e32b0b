"""What the pages are tested on: the example registry with a few decisions, and one that is empty."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copy
from typing import Any, Final

import pytest
import sqlalchemy as sa

from registry.demo import DEMO_COUNTY
from registry.desk import deciding, importing
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.judging.case import Request
from registry.kit import resources
from registry.record import loading, publication
from registry.tests.support import CODES, Clock, load, submission
from registry.web.app import application
from registry.web.tests.visiting import Bureau, Visitor
from rules.tests.packaged import TITLES

PACK: Final = Path("docs/examples/shifan").resolve()


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the example registry; some of its cases are decided."""
    url = f"sqlite:///{tmp_path_factory.mktemp('example') / 'tidu.db'}"
    with Desk(url, by="经办人", clock=Clock()) as desk:
        desk.in_force()
        reading = importing.read_file(desk, DEMO_COUNTY, desk.to_be_filed())
        with desk.writing() as session:
            loading.load(session, reading, now=desk.clock(), partial=True, by="经办人")
        codes = [filed.uscc for filed in reading.submissions[:5]]
        with deciding.run(desk, codes, Request(TITLES[1:2]), jobs=1) as run:
            assert len(list(run)) == 5
    return url


@pytest.fixture(scope="session")
def office(example: str) -> Iterator[tuple[Desk, Judging]]:
    """The desk and the judging thread of the example registry."""
    with Desk(example, by="经办人") as desk, Judging(desk) as judging:
        yield desk, judging


@pytest.fixture(scope="session")
def visitor(office: tuple[Desk, Judging]) -> Visitor:
    """Somebody who reads the example registry."""
    return Visitor(application(*office))


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a registry that published the packaged criteria, then a pack not at hand."""
    url = f"sqlite:///{tmp_path_factory.mktemp('grown') / 'tidu.db'}"
    with Desk(url, by="李四", clock=Clock()) as desk:
        desk.in_force()
        load(desk.database, desk.clock, submission(CODES[0]))
        folder, own = resources.criteria(PACK)
        with desk.writing() as session:
            publication.publish(
                session, rulebook(PACK), folder, by=desk.by, now=desk.clock(), own=own
            )
    return url


@pytest.fixture(scope="session")
def successor(grown: str) -> Iterator[Visitor]:
    """Somebody who reads a registry with two publications, the latter of a pack not at hand."""
    with Desk(grown, by="李四") as desk, Judging(desk) as judging:
        yield Visitor(application(desk, judging))


@pytest.fixture
def newcomer(example: str, migrated: dict[str, str], tmp_path: Path) -> Iterator[Visitor]:
    """Somebody who opens a registry in which nobody is registered."""
    file = copy(migrated["sqlite"], tmp_path / "tidu.db")
    with Desk(f"sqlite:///{file}") as desk, Judging(desk) as judging:
        yield Visitor(application(desk, judging))


@pytest.fixture
def bureau(
    database: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bureau]:
    """A bureau of one, on each database."""
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    clock = Clock()
    load(database, clock, *(submission(code) for code in CODES[:2]))
    url = database.url.render_as_string(hide_password=False)
    with Desk(url, by="王某", clock=clock) as desk, Judging(desk) as judging:
        yield Bureau(desk, Visitor(application(desk, judging)), clock)


@pytest.fixture
def in_threads() -> Callable[[Callable[[], Any], int], list[Any]]:
    """Does something several times at once."""

    def done(what: Callable[[], Any], times: int) -> list[Any]:
        with ThreadPoolExecutor(times) as pool:
            return [future.result() for future in [pool.submit(what) for _ in range(times)]]

    return done
