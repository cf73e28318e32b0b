"""Loads a folder of tables part by part; each part is a load that is stored whole or not at all.

A part is recognised by the digest of its rows, so an interrupted load continues where it stopped:
nothing is stored twice or half.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import storage
from registry.database.versions import ENTERPRISE
from registry.errors import RegistryError
from registry.filings import FileReading, Issue
from registry.intake import directory
from registry.intake.directory import FolderPart, FolderReader, Survey
from registry.intake.grouped import Groups
from registry.kit import workers
from registry.kit.jsontext import fields_of
from registry.kit.progress import Done
from registry.kit.workbooks import harmless, separated
from registry.record import admissions, loading
from registry.record.loading import Prepared
from registry.record.naming import Names
from registry.record.receipts import IMPORT

_HEADINGS: Final = (
    "级别",
    "表",
    "单元格",
    "原值",
    "问题",
    "应如何填写",
    "统一社会信用代码",
    "企业名称",
)

#: The most enterprises, on record and in the folder, for comparing names across its parts.
_REMEMBERED: Final = 200_000

#: Receives the issues of a part, with the names of its enterprises by code.
Report = Callable[[list[Issue], Mapping[str, str]], None]


@dataclass(kw_only=True)
class FolderCounts:
    """What became of a folder's enterprises; ``kept`` were stored before an interruption.

    ``errors`` and ``notices`` count the issues, which ``groups`` has by kind; ``first`` and
    ``last`` are the imports made now.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    kept: int = 0
    errors: int = 0
    notices: int = 0
    first: int | None = None
    last: int | None = None
    groups: Groups = field(default_factory=Groups)

    def add(self, done: loading.LoadReport, issues: list[Issue]) -> None:
        """Count the result of one part."""
        self.new += len(done.new)
        self.changed += len(done.changed)
        self.unchanged += len(done.unchanged)
        self.refused += len(done.refused)
        errors = sum(issue.severity == "错误" for issue in issues)
        self.errors += errors
        self.notices += len(issues) - errors
        self.groups.add(issues)
        if done.import_id is not None:
            self.first = self.first or done.import_id
            self.last = done.import_id

    def add_stored(self, stored: sa.RowMapping) -> None:
        """Count a part that was stored before as if it were now; its issues are not known."""
        self.new += stored["new"]
        self.changed += stored["changed"]
        self.unchanged += stored["unchanged"]
        self.refused += stored["refused"]
        self.first = self.first or stored["id"]
        self.last = stored["id"]

    def to_json(self) -> dict[str, Any]:
        """The counts for machines."""
        return fields_of(self, without=["groups"])


Check = Callable[[FileReading], FileReading]


@dataclass(frozen=True)
class Task:
    """A part to be prepared; with ``dry_run`` it will not be stored."""

    part: FolderPart
    dry_run: bool


class PreparingWorker:
    """Reads, checks and prepares the parts of a folder: the work that needs no database."""

    def __init__(
        self,
        found: Survey,
        as_of: date | None,
        mapping: Path | None,
        check: Check,
        admitted: Container[str] = (),
    ) -> None:
        self._reader = FolderReader(found, as_of=as_of, mapping=mapping, admitted=admitted)
        self._catalogue = found.catalogue
        self._as_of = as_of
        self._check = check

    def __call__(self, task: Task) -> tuple[Prepared, list[Issue]]:
        """The filings of a part, ready to be stored, and all its issues."""
        reading = self._check(self._reader.read(task.part))
        prepared = loading.prepare(reading, self._as_of, self._catalogue)
        issues = _issues(prepared, reading)
        return prepared.to_compare() if task.dry_run else prepared, issues


def unchecked(reading: FileReading) -> FileReading:
    """Return a reading unchanged."""
    return reading


class FolderLoader:
    """Checks or loads a surveyed folder; ``check`` finds what a single reading cannot.

    ``size`` enterprises are a part. A load that continues one that began ``after`` an import
    reports what that one stored as its own. Parts are read in ``jobs`` processes, or in this one if
    it is None; only this one stores.
    """

    def __init__(
        self,
        engine: sa.Engine,
        found: Survey,
        *,
        now: Callable[[], datetime],
        by: str = "",
        as_of: date | None = None,
        mapping: Path | None = None,
        check: Check = unchecked,
        size: int = directory.CHUNK,
        after: int | None = None,
        jobs: int | None = None,
    ) -> None:
        self.engine = engine
        self.found = found
        self.now = now
        self.by = by
        self.as_of = as_of
        self.size = size
        self.after = after
        self.jobs = jobs
        self._names: Names | None = None
        self._start = partial(PreparingWorker, found, as_of, mapping, check)

    def dry_run(self, report: Report, progress: Done) -> FolderCounts:
        """Read and check everything, and report what would be stored."""
        counts = FolderCounts(groups=Groups(self.found.headings))
        self._recall()
        for task, prepared, issues in self._prepared(Task(part, True) for part in self.parts()):
            with storage.session(self.engine) as session:
                done = self._store(session, prepared, dry_run=True)
            self._told(counts, done, [*issues, *done.names], report, _named(prepared))
            progress(task.part.last)
        return counts

    def load(self, report: Report | None, progress: Done) -> FolderCounts:
        """Store whatever is right in each part, and continue after the parts stored before.

        With ``report``, parts stored before are read again to report their issues.
        """
        counts = FolderCounts(groups=Groups(self.found.headings))
        self._recall()
        loading.get_ready()
        with storage.session(self.engine) as session:
            name = self.found.folder.resolve().name
            stored = _stored(session, name, self.as_of, self.after)

        def wanted() -> Iterator[Task]:
            for part in self.parts():
                kept = part.digest in stored
                if kept and self.after is None:
                    counts.kept += part.last - part.first + 1
                elif kept:
                    counts.add_stored(stored[part.digest])
                if kept:
                    progress(part.last)
                if not kept or report is not None:
                    yield Task(part, kept)

        for task, prepared, issues in self._prepared(wanted()):
            if not task.dry_run:
                with storage.session(self.engine, write=True) as session:
                    done = self._store(session, prepared, dry_run=False)
                    self._told(counts, done, [*issues, *done.names], report, _named(prepared))
            elif report is not None:
                report(issues, _named(prepared))
            progress(task.part.last)
        return counts

    def parts(self) -> Iterator[FolderPart]:
        """The parts of the folder."""
        return directory.parts(self.found, self.size)

    def _prepared(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, Prepared, list[Issue]]]:
        work: workers.Work[Task, tuple[Prepared, list[Issue]]]
        with storage.session(self.engine) as session:
            admitted = admissions.codes(session)
        work = workers.work(partial(self._start, admitted), self.jobs)
        with closing(work):
            keyed = ((task, task) for task in tasks)
            for task, answer in workers.answers(work, keyed, 1 + (self.jobs or 0)):
                if isinstance(answer, workers.Lost):
                    raise RegistryError(
                        "part-lost",
                        "{where}：{value}，没有登记：请保留数据并报告",
                        where=task.part.name,
                        value=answer.reason,
                    )
                yield task, *answer

    def _store(self, session: Session, prepared: Prepared, *, dry_run: bool) -> loading.LoadReport:
        names = self._names or Names.by_code(session, {uscc for uscc, _ in prepared.good})
        return loading.store(
            session,
            prepared,
            now=self.now(),
            partial=True,
            dry_run=dry_run,
            by=self.by,
            names=names,
        )

    def _recall(self) -> None:
        """Read the names on record, to compare those of all parts, if memory allows."""
        with storage.session(self.engine) as session:
            recorded = session.scalar(sa.select(sa.func.count()).select_from(ENTERPRISE)) or 0
            few = recorded + self.found.enterprises <= _REMEMBERED
            self._names = Names(session) if few else None

    def _told(
        self,
        counts: FolderCounts,
        done: loading.LoadReport,
        issues: list[Issue],
        report: Report | None,
        names: Mapping[str, str],
    ) -> None:
        counts.add(done, issues)
        if report is not None:
            report(issues, names)


def _named(prepared: Prepared) -> dict[str, str]:
    """The names of the enterprises of a part by credit code."""
    good = (line for line, _ in prepared.good.values())
    return {line.uscc: line.name for line in (*good, *prepared.refused)}


@contextmanager
def report_file(path: Path | None) -> Iterator[Report]:
    """The receiver of a folder's issues: a CSV file that may grow to millions of lines.

    Everything found before an error or an interrupt is kept.
    """
    if path is None:
        yield lambda issues, names: None
        return
    ended: BaseException | None = None
    with separated(path, _HEADINGS) as write_rows:

        def write(issues: list[Issue], names: Mapping[str, str]) -> None:
            write_rows(_texts(issue, names.get(issue.uscc, "")) for issue in issues)

        try:
            yield write
        except BaseException as error:
            ended = error
    if ended is not None:
        raise ended


def _texts(issue: Issue, name: str) -> tuple[str, ...]:
    cells = (
        issue.severity, issue.sheet, issue.cell, issue.value,
        issue.message, issue.expected, issue.uscc, name,
    )  # fmt: skip
    return tuple(map(harmless, cells))


def _issues(prepared: Prepared, reading: FileReading) -> list[Issue]:
    """The issues of a reading, and a 错误 for what was read well but could not be stored."""
    held = {submission.where for submission in reading.refused}
    late = [
        Issue("错误", *line.where.partition("!")[::2], "", line.reason, "", line.uscc)
        for line in prepared.refused
        if line.where not in held
    ]
    return [*reading.issues, *late]


def _stored(
    session: Session, folder: str, as_of: date | None, after: int | None
) -> dict[str, sa.RowMapping]:
    """The imports of parts of a folder, by digest, since which nothing else was loaded.

    With ``after``, those after that import that were not undone.
    """
    own = IMPORT.c.file.startswith(f"{folder}（", autoescape=True)
    if after is None:
        others = sa.select(sa.func.max(IMPORT.c.id)).where(~own | IMPORT.c.undone_at.is_not(None))
        after = session.scalar(others) or 0
    query = sa.select(IMPORT).where(own, IMPORT.c.id > after, IMPORT.c.undone_at.is_(None))
    query = query.where(IMPORT.c.as_of.is_(None) if as_of is None else IMPORT.c.as_of == as_of)
    return {row["digest"]: row for row in session.execute(query).mappings()}
