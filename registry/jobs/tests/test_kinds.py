"""Every kind of job: what comes of it, and that it comes to the same however often it is killed."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from io import BytesIO
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from shutil import copy
from time import monotonic, sleep
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import SQLModel

from registry.desk import auditing, importing, replaying
from registry.desk.place import Desk
from registry.desk.simulating import SimulationRequest
from registry.desk.waiting import WaitingFiles
from registry.jobs import child, kinds
from registry.jobs.kinds import Kind
from registry.jobs.store import Job, JobStore, Trouble
from registry.portable import sealing
from registry.record import decisions
from registry.tests.history import History, code
from registry.tests.processes import forked
from rules.portable.canonical import sha256
from rules.portable.errors import unworded

#: The moment of everything that jobs record here.
MOMENT = datetime(2026, 12, 1, tzinfo=UTC)
#: Five enterprises, of which one is on record otherwise.
FILE = "统一社会信用代码,企业名称,填报日期,2022年营业收入总额（万元）\n" + "".join(
    f"{code(n)},企业{n},2023-06-30,{2000 + n}\n" for n in (8, *range(60, 64))
)


@dataclass
class Case:
    """A job with its arguments."""

    kind: Kind[Any, Any]
    arguments: Any


CASES = {
    "verify": Case(kinds.VERIFY, kinds.Verifying(replay=False)),
    "replay": Case(kinds.REPLAY, kinds.Replaying(since=date(2024, 7, 1))),
    "decide": Case(
        kinds.DECIDE, kinds.Deciding(usccs=tuple(map(code, (1, 2, 3, 4))), tiers=("创新型",))
    ),
    "examine": Case(kinds.EXAMINE, kinds.Examining(sha256(FILE), "表.csv")),
    "import": Case(kinds.IMPORT, kinds.Importing(sha256(FILE), "表.csv")),
    "screen": Case(kinds.SCREEN, kinds.Screening(tiers=("创新型",))),
    "impact": Case(kinds.IMPACT, SimulationRequest(after="miit-2026-2", tiers=("专精特新",))),
    "bundle": Case(kinds.BUNDLE, kinds.Exporting(tier="创新型")),
}


@dataclass
class Runs:
    """Processes that do jobs, each of which may be told to die at some step, or to wait in a stage.

    One that does neither writes down what it would leave if it died, step by step.
    """

    place: "Place"
    killed_at: int = 0
    waits_in: str = ""
    waits: Any = field(default_factory=lambda: get_context("fork").Value("i", 0))

    def start(self, runner: str) -> tuple[int, Any]:
        """The process, and the leash that lets it go."""
        ours, theirs = get_context("fork").Pipe()

        def work() -> None:
            ours.close()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            self._count()
            child.live(self.place.url, unworded, runner, theirs)

        process = forked(work)
        theirs.close()
        return process, ours

    def _count(self) -> None:
        numbers = count(1)

        def step(*_: Any) -> None:
            if threading.current_thread() is not threading.main_thread():
                return
            number = next(numbers)
            if number == self.killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if not (self.killed_at or self.waits_in):
                with self.place.steps.open("a") as lines:
                    lines.write(f"{self.place.left()}\n")

        watch = child.Meter.watch

        @contextmanager
        def stepping(meter: child.Meter, stage: str, total: int | None = None) -> Iterator[Any]:
            step()
            with watch(meter, stage, total) as done:
                yield partial(waiting, done) if stage == self.waits_in else done
            step()

        def waiting(done: Callable[[int], None], number: int) -> None:
            done(number)
            self.waits.value = 1
            sleep(60)

        def committing(connection: sa.Connection) -> None:
            if connection.get_execution_options().get("tidu_write"):
                step()

        child.Meter.watch = stepping  # type: ignore[method-assign]
        event.listen(sa.Engine, "commit", committing)


@dataclass
class Place:
    """A folder with a registry that can be made anew, and the jobs of it."""

    folder: Path
    template: str

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'tidu.db'}"

    @property
    def steps(self) -> Path:
        """A line for each step of a job that nobody disturbed: what it would have left then."""
        return self.folder.parent / f"{self.folder.name}.steps"

    def anew(self) -> None:
        """The registry as it was at first, without any job."""
        for file in self.folder.glob("tidu*.db*"):
            file.unlink()
        copy(self.template, self.folder / "tidu.db")

    def contents(self) -> dict[str, list[Any]]:
        """All rows of the registry."""
        engine = sa.create_engine(f"sqlite:///{self.folder / 'tidu.db'}")
        with engine.connect() as connection:
            found = {
                name: list(connection.execute(sa.select(table).order_by(*table.primary_key)))
                for name, table in SQLModel.metadata.tables.items()
            }
        engine.dispose()
        return found

    def left(self) -> str:
        """The digest of all that the next process finds: the registry, the job's notes, and files."""
        files = {
            str(file): file.read_bytes()
            for file in sorted(self.folder.rglob("*"))
            if file.is_file() and not file.name.startswith("tidu.")
        }
        jobs = sa.create_engine(f"sqlite:///{self.folder / 'tidu.operations.db'}")
        with jobs.connect() as connection:
            notes = connection.exec_driver_sql("SELECT notes FROM job").all()
        jobs.dispose()
        return sha256(repr((self.contents(), notes, files)))

    @contextmanager
    def store(self) -> Iterator[JobStore]:
        with Desk(self.url) as desk, JobStore(desk) as store:
            yield store


@dataclass(frozen=True)
class Ended:
    """What a job left: its result and files, and the registry."""

    job: Job
    files: tuple[bytes, ...]
    contents: Any

    def same(self, other: "Ended") -> bool:
        mine, others = (json.loads(found.job.result or "") for found in (self, other))
        return bool(mine == others and self.contents == other.contents)


@pytest.fixture
def place(
    written: Callable[[str], tuple[str, History]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """Such a folder; jobs in it do small parts, and everything at one moment."""
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    monkeypatch.delenv("TIDU_AUDIT_KEY", raising=False)
    monkeypatch.setattr(child, "_LOOK", 0.01)
    monkeypatch.setattr(child, "_TELL", 0.05)
    monkeypatch.setattr(child, "Desk", partial(Desk, clock=lambda: MOMENT))
    monkeypatch.setattr(decisions, "_CHUNK", 3)
    monkeypatch.setattr(replaying, "_EVERY", 9)
    monkeypatch.setattr(sealing, "secrets", Salts())
    monkeypatch.setattr(importing, "InParts", partial(importing.InParts, size=3))
    made = Place(tmp_path, written("sqlite")[0])
    made.anew()
    with Desk(made.url, clock=lambda: MOMENT) as desk:
        WaitingFiles(desk).keep(BytesIO(FILE.encode()), "表.csv")
    return made


class Salts:
    """Makes the same salt again and again."""

    def token_hex(self, size: int) -> str:
        return "5a" * size

    def token_bytes(self, size: int) -> bytes:
        return b"Z" * size


def done(place: Place, case: Case, *, killed_at: int = 0, waits_in: str = "") -> Ended:
    """A job from begin to end, its process killed or stopped at a step."""
    place.anew()
    with place.store() as store:
        id = store.ask(case.kind.name, case.kind.written(case.arguments), by="经办人")
        runs = Runs(place, killed_at, waits_in)
        process, leash = runs.start("first")
        if waits_in:
            until(lambda: runs.waits.value)
            store.stop(id)
        until(lambda: not store.job(id).is_open or died(process))
        if store.job(id).is_open:
            assert killed_at
            store.interrupt("first", Trouble("进程已死"))
        if store.job(id).can_be_resumed:
            assert store.job(id).word == "中断", store.job(id).trouble
            leash.close()
            until(lambda: died(process))
            store.again(id)
        if store.job(id).is_open:  # also one that was never taken
            leash.close()
            process, leash = Runs(place, killed_at=-1).start("second")
            until(lambda: not store.job(id).is_open)
        leash.close()
        job = store.job(id)
        assert job.word == "完成", job.trouble
        files = tuple(store.file(id, name).data for name in job.files)
    return Ended(job, files, place.contents())


def died(process: int) -> bool:
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def until(found: Callable[[], Any], seconds: float = 60) -> Any:
    """What is found, once there is something."""
    end = monotonic() + seconds
    while not (what := found()):
        assert monotonic() < end
        sleep(0.01)
    return what


@pytest.mark.parametrize("name", CASES)
def test_a_job_killed_at_any_step_and_resumed_comes_to_the_same(place: Place, name: str) -> None:
    case = CASES[name]
    if case.kind is kinds.BUNDLE:
        auditing.new_key("示例市工信局")
    undisturbed = done(place, case)
    # whoever goes on finds the same after any step that leaves the same: of these, the last will do
    last = {left: step for step, left in enumerate(place.steps.read_text().split(), start=1)}
    assert max(last.values()) > 4
    for step in last.values():
        assert done(place, case, killed_at=step).same(undisturbed), f"killed at step {step}"


def test_a_job_stopped_in_the_middle_leaves_it_in_order_and_goes_on(place: Place) -> None:
    undisturbed = done(place, CASES["import"])
    assert done(place, CASES["import"], waits_in="登记").same(undisturbed)


def test_an_import_of_many_is_made_in_parts_which_its_result_names(place: Place) -> None:
    found = done(place, CASES["import"])
    result = kinds.IMPORT.outcome(found.job.result or "")
    made = [row for row in found.contents["import"] if row.digest == sha256(FILE)]
    assert [row.file for row in made] == [
        "表.csv（第1至3家）",
        "表.csv（第4至5家）",
    ]
    assert (result.first, result.last) == (made[0].id, made[-1].id)
    assert (result.new, result.changed, result.unchanged) == (4, 1, 0)
    assert [row.kind for row in found.contents["journal"]][-2:] == ["intake"] * 2
