"""Loading filings: read, examine and store a file or a folder of tables; or take a load back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO, Final

from registry.desk import headings
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.errors import LoadError, RegistryError
from registry.filings import FileReading, Heading, Issue, Submission
from registry.intake import (
    NoTableError,
    check_sectors,
    check_totals,
    directory,
    read,
    write_issues,
    write_template,
)
from registry.intake.asked import Asked
from registry.intake.coverage import Asking, Key, Wanted
from registry.intake.directory import CHUNK
from registry.intake.files.archives import SUFFIX as ARCHIVE
from registry.intake.folders import FolderCounts, FolderLoader, report_file
from registry.intake.grouped import Groups, grouped
from registry.intake.marking import mark
from registry.intake.tables.mapping import HeaderMapping
from registry.intake.tables.mapping_draft import draft as draft_mapping
from registry.judging.relations import SECTOR_FACTS
from registry.judging.sizes import Sizes
from registry.judging.totals import Totals
from registry.kit import regions
from registry.kit.files import working_folder, write_new
from registry.kit.workers import jobs_for
from registry.record import admissions, loading
from registry.record.loading import ImportLine, LoadReport, UndoReport
from registry.record.naming import Names
from rules.model.catalogue import Catalogue
from rules.model.facts import Profile, Scalar
from rules.portable.errors import Remedy, Words, unworded

__all__ = ["CHUNK", "FolderCounts", "Groups", "ImportLine", "LoadReport", "UndoReport", "grouped"]


#: The fact in which an enterprise states its sector.
_SECTOR: Final = "sector"
#: The kinds of files whose own cells can be marked.
_WORKBOOKS: Final = (".xlsx", ".xlsm")
#: What to do about a heading that is not understood.
_UNKNOWN: Final = Remedy("draft-mapping")


@dataclass(frozen=True)
class InParts:
    """Has a file stored in parts of at most ``size`` filings, so that others can write in between.

    A part of the usual size takes less than a second of one processor.
    Parts that were stored after the import ``after`` are not stored again.
    """

    after: int
    size: int = 500


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file or folder of filings, how to read it, and what to write about it.

    ``as_of`` overrides a day that the file gives. ``mapping`` adds to the headings that are
    understood, in place of the bureau's own; ``draft`` is where the others are written for
    completion. ``report`` receives all faults, ``marked`` what ``write_marked`` makes of a file that
    has any. With ``partial``, filings without a fault are stored even if others have one; ``dry_run``
    stores none. Without ``parts``, a file is stored at once, and a folder takes up where an earlier
    load of it stopped.
    """

    path: Path
    as_of: date | None = None
    mapping: Path | None = None
    draft: Path | None = None
    report: Path | None = None
    marked: Path | None = None
    partial: bool = False
    dry_run: bool = False
    parts: InParts | None = None
    jobs: int | None = None


@dataclass(frozen=True)
class Imported:
    """The result for a file: everything read, with remarks on names, and what was stored.

    ``drafted`` means that a mapping was drafted for unknown headings, ``held_back`` that faults
    kept the whole file from being stored. ``marking`` is None if nothing was to be marked.
    """

    reading: FileReading
    done: LoadReport
    drafted: bool
    held_back: bool
    marking: "Marking | None" = None


@dataclass(frozen=True)
class Marking:
    """Whether a file's own cells were marked, and why not, where that needs to be said."""

    done: bool
    why: str = ""


@dataclass(frozen=True)
class FolderImported:
    """The result for a folder; unless ``stored``, it was only examined."""

    counts: FolderCounts
    stored: bool
    drafted: bool
    held_back: bool
    headings: tuple[Heading, ...] = ()


# -- reading ---------------------------------------------------------------------------------------


def read_file(
    desk: Desk,
    path: Path,
    catalogue: Catalogue,
    *,
    as_of: date | None = None,
    mapping: Path | None = None,
    batch: str = "",
    ahead: Catalogue | None = None,
    words: Words | None = None,
) -> FileReading:
    """Read a file and hold back submissions whose records contradict their filed totals.

    ``catalogue`` is what may be filed, ``ahead`` what may be filed once the criteria at hand are
    published. The criteria of its day tell which columns are missing; ``batch`` adds those of a round.
    ``words`` are those for remedies, if not the desk's. The registry is opened only if the file has a
    code that may need admission.
    """
    mapping = mapping or headings.own()
    with desk.watch(f"读取 {path.name}", None) as done:
        reading = read(
            path,
            catalogue,
            as_of=as_of,
            mapping=mapping,
            asked=_asked(batch),
            progress=done,
            admitted=_Admitted(desk),
        )
    return rechecked(reading, catalogue, as_of, words or desk.words, desk.today, ahead)


def _with_mapping(source: Source) -> Source:
    """A source that is read with the bureau's own mapping, unless it has another."""
    return replace(source, mapping=source.mapping or headings.own())


def _days_to_come(reading: FileReading, today: date) -> Iterator[Issue]:
    """A notice for each filing day that has not come yet, at the first filing of that day."""
    told: set[date] = set()
    for filed in reading.submissions:
        if filed.as_of and filed.as_of > today and filed.as_of not in told:
            told.add(filed.as_of)
            sheet, _, cell = filed.where.rpartition("!")
            said = f"填报日期{filed.as_of}还没有到"
            yield Issue("提示", sheet, cell, filed.name, said, "请核对填报日期", filed.uscc)


def _unknown_places(reading: FileReading) -> Iterator[Issue]:
    """A notice for each place that is no region of the list, at the first filing from there."""
    told: set[tuple[str, ...]] = set()
    for filed in reading.submissions:
        parts = tuple(str(filed.identity.get(p, "")) for p in ("province", "city", "county"))
        if parts in told or not (said := regions.place_of(*parts).doubt):
            continue
        told.add(parts)
        sheet, _, cell = filed.where.rpartition("!")
        expected = "请核对所在地；属实的不必更改，只是按地区查找时归不到那里"
        yield Issue("提示", sheet, cell, "".join(parts), said, expected, filed.uscc)


class _Admitted:
    """The admitted codes, read once a file has a code that needs admission."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._codes: frozenset[str] | None = None

    def __contains__(self, code: object) -> bool:
        if not self._desk.is_there:  # to look would create one
            return False
        if self._codes is None:
            with self._desk.reading() as session:
                self._codes = admissions.codes(session)
        return code in self._codes


@cache
def _asked(batch: str) -> Asking:
    criteria: list[Asked] = []  # compiled once a table with a known day needs them

    def asked(day: date, province: str) -> Mapping[Key, Wanted]:
        if not criteria:
            criteria.append(Asked(rulebook(), batch))
        return criteria[0](day, province)

    return asked


def rechecked(
    reading: FileReading,
    catalogue: Catalogue,
    as_of: date | None,
    words: Words = unworded,
    today: date | None = None,
    ahead: Catalogue | None = None,
) -> FileReading:
    """Add to a reading the faults that the rules and the clock find in its submissions, and word all.

    Submissions whose records contradict their filed totals are held back. Filing days after
    ``today`` are reported. A heading that only ``ahead`` declares is reported as such.
    """
    good: list[Submission] = []
    sector_fact = catalogue.get(_SECTOR)
    sectors = sector_fact.codes if sector_fact else ()
    refused, issues = list(reading.refused), _unpublished(reading.issues, catalogue, ahead)
    issues = [issue.worded(words) for issue in issues]
    issues += _days_to_come(reading, today) if today else ()
    for submission in reading.submissions:
        day = submission.as_of or as_of
        listed = _totals().counts(submission.profile(day)) if day else {}
        found = check_totals(submission, listed, catalogue)
        said = {k: v for k in SECTOR_FACTS if (v := submission.values.get(k)) is not None}
        if day and (sector := _sector(day, tuple(said.items()))) in sectors:
            issues += check_sectors(submission, sector, catalogue)
        issues += found
        (refused if found else good).append(submission)
    return replace(reading, submissions=tuple(good), refused=tuple(refused), issues=tuple(issues))


def _unpublished(
    issues: Iterable[Issue], catalogue: Catalogue, ahead: Catalogue | None
) -> list[Issue]:
    """The issues; a heading that is understood by what is not yet published asks for that."""
    if ahead is None or (ahead.facts, ahead.records) == (catalogue.facts, catalogue.records):
        return [*issues]
    known, found = HeaderMapping(ahead, ids=True), []
    for issue in issues:
        table = known.list_of(Path(issue.sheet).stem)
        if issue.remedy == _UNKNOWN and known.resolve(issue.value, table):
            said = "标准声明了这个填报项，但还没有发布，该列未读取"
            issue = replace(issue, message=said, expected="", remedy=Remedy("publish-criteria"))
        found.append(issue)
    return found


@cache
def _totals() -> Totals:
    return Totals(rulebook())


@cache
def _sizes() -> Sizes:
    return Sizes(rulebook())


@lru_cache(maxsize=4096)  # many enterprises of a county share an industry
def _sector(day: date, filed: tuple[tuple[str, Scalar], ...]) -> str:
    """The sector that the rules read from the filed values, or the word for an open one."""
    return _sizes().sector(Profile(day, dict(filed))) if len(filed) > 1 else ""


# -- a file ----------------------------------------------------------------------------------------


def import_file(desk: Desk, source: Source) -> Imported:
    """Store the filings of a file: all or none, or with ``partial`` those without a fault."""
    source = _with_mapping(source)
    catalogue = desk.to_be_filed()
    with _drafted(source, catalogue):
        reading = read_file(
            desk,
            source.path,
            catalogue,
            as_of=source.as_of,
            mapping=source.mapping,
            ahead=rulebook().catalogue,
            words=unworded,
        )
    drafted = _draft(source, reading.headings, catalogue)
    done = _stored(desk, source, loading.prepare(reading, source.as_of, catalogue))
    found = (*reading.issues, *done.names, *_unknown_places(reading))
    marking = None
    # before remedies are worded: what is returned to an enterprise has nothing to type or click
    if source.marked is not None and found:
        marking = write_marked(source.path, replace(reading, issues=found), source.marked)
    reading = replace(reading, issues=tuple(issue.worded(desk.words) for issue in found))
    if source.report is not None:
        write_issues(source.report, reading, source.path)
    faulty = bool(done.refused or reading.errors)
    kept = source.partial and (done.import_id is not None or source.dry_run or done.unchanged)
    return Imported(reading, done, drafted, faulty and not kept, marking)


def write_marked(path: Path, reading: FileReading, to: Path) -> Marking:
    """Write a workbook anew with the cells of its issues marked; for any other file, their list."""
    why = ""
    if path.suffix.lower() in _WORKBOOKS:
        try:
            mark(path, reading, to)
        except RegistryError as error:
            why = str(error)
        else:
            return Marking(True)
    write_issues(to, reading)
    return Marking(False, why)


def _stored(desk: Desk, source: Source, prepared: loading.Prepared) -> LoadReport:
    """Store a file, or only compare it with what is on record."""
    store = partial(loading.store, partial=source.partial, dry_run=source.dry_run, by=desk.by)
    if source.dry_run or source.parts is None:
        with desk.reading() if source.dry_run else desk.writing() as session:
            return store(session, prepared, now=desk.clock())
    after, reports, count = source.parts.after, list[LoadReport](), 0
    loading.get_ready()
    desk = desk.in_parts()
    with desk.reading() as session:  # all at once, so that no writer waits for it
        names = Names(session, {line.uscc: line.name for line, _ in prepared.good.values()})
    with desk.watch("登记", len(prepared.good)) as done:
        for part in loading.parts(prepared, source.parts.size):
            with desk.writing() as session:
                kept = loading.stored_after(session, part, after)
                reports.append(kept or store(session, part, now=desk.clock(), names=names))
            count += len(part.good)
            done(count)
    return loading.joined(prepared, reports)


def last_import(desk: Desk) -> int:
    """The number of the last import; 0 if there is none."""
    with desk.reading() as session:
        return loading.last_import(session)


@contextmanager
def _drafted(source: Source, catalogue: Catalogue) -> Iterator[None]:
    """Draft a mapping even if a table's headings make the file unreadable."""
    try:
        yield
    except NoTableError as error:
        if _draft(source, error.headings, catalogue):
            error.remedy = Remedy("complete-mapping", {"file": source.draft})
        raise


def _draft(source: Source, found: Sequence[Heading], catalogue: Catalogue) -> bool:
    """Draft a mapping of the unknown headings if one is wanted; False if there are none."""
    if source.draft is None:
        return False
    text = draft_mapping(found, catalogue, source.mapping)
    if text is None:
        return False
    write_new(source.draft, text.encode("utf-8-sig"))
    return True


# -- a folder --------------------------------------------------------------------------------------


def _examined(reading: FileReading, **given: Any) -> FileReading:
    """A part of a folder with all that an import tells of it: what ``rechecked`` finds, and places."""
    found = rechecked(reading, **given)
    return replace(found, issues=(*found.issues, *_unknown_places(found)))


@contextmanager
def streamed(desk: Desk, stream: BinaryIO, name: str) -> Iterator[Path]:
    """The rows of a stream, each preceded by its table's name, as a folder called ``name``."""
    with working_folder() as scratch:
        folder = scratch / name
        directory.spooled(stream, folder, desk.to_be_filed())
        yield folder


def holds_tables(path: Path) -> bool:
    """Whether a path leads to a folder of tables, or to an archive of one."""
    return path.is_dir() or path.suffix.lower() == ARCHIVE


@contextmanager
def opened(desk: Desk, path: Path) -> Iterator[Path]:
    """A folder of tables, or what an archive of one holds."""
    if path.is_dir():
        yield path
        return
    with working_folder() as scratch:
        yield directory.unpacked(path, scratch, desk.to_be_filed())


def import_folder(desk: Desk, source: Source) -> FolderImported:
    """Store a folder of tables part by part; unless ``partial``, it is first examined whole."""
    source = _with_mapping(source)
    folder = source.path
    catalogue = desk.to_be_filed()
    with desk.watch(f"核对 {folder.name} 的次序", None) as done:
        found = directory.survey(folder, catalogue, done)
    known = tuple(directory.headings(found, source.mapping))
    drafted = _draft(source, known, catalogue)
    with report_file(source.report) as tell:
        loader = FolderLoader(
            desk.in_parts().database,
            found,
            now=desk.clock,
            by=desk.by,
            as_of=source.as_of,
            mapping=source.mapping,
            check=partial(
                _examined,
                catalogue=catalogue,
                as_of=source.as_of,
                words=desk.words,
                today=desk.today,
                ahead=rulebook().catalogue,
            ),
            size=source.parts.size if source.parts else CHUNK,
            after=source.parts.after if source.parts else None,
            jobs=jobs_for(found.enterprises, source.jobs, few=2 * directory.CHUNK),
        )
        checked = None
        if source.dry_run or not source.partial:
            with desk.watch("检查", found.enterprises) as done:
                checked = loader.dry_run(tell, done)
        if checked is not None and (source.dry_run or checked.errors):
            kept = source.dry_run and source.partial
            held_back = bool(checked.errors) and not kept
            return FolderImported(checked, False, drafted, held_back, known)
        untold = source.report is not None and checked is None
        with desk.watch("登记", found.enterprises) as done:
            counts = loader.load(tell if untold else None, done)
    return FolderImported(counts, True, drafted, False, known)


def undo(
    desk: Desk, number: int, *, dry_run: bool = False, unless_rested_upon: bool = False
) -> UndoReport:
    """Take an import back and report what rests on it; with ``dry_run``, only report.

    With ``unless_rested_upon``, ``LoadError`` refuses an import on whose filings a decision or a
    determination rests.
    """
    with desk.reading() if dry_run else desk.writing() as session:
        found = loading.undo(session, number, now=desk.clock(), by=desk.by, dry_run=dry_run)
        if unless_rested_upon and (found.decisions or found.determinations):
            raise LoadError(
                "rested-upon",
                "导入{value}不能撤销：依据它的填报已有决定{decisions}项、人工认定{determinations}项",
                value=number,
                decisions=len(found.decisions),
                determinations=len(found.determinations),
            )
        return found


def imports(desk: Desk, *, before: int | None = None, limit: int = 20) -> list[ImportLine]:
    """The imports, newest first, or those before a number."""
    with desk.reading() as session:
        return loading.imports(session, before=before, limit=limit)


def one(desk: Desk, number: int) -> ImportLine:
    """One import; ``LoadError`` if there is none of that number."""
    with desk.reading() as session:
        return loading.one(session, number)


def of_digest(desk: Desk, digest: str) -> ImportLine | None:
    """The last import of a file that still stands, by its SHA-256."""
    with desk.reading() as session:
        return loading.last_of(session, digest)


def stated(desk: Desk, number: int, limit: int) -> list[tuple[str, str]]:
    """Code and name of the first enterprises for which an import registered something, by code."""
    with desk.reading() as session:
        return loading.stated(session, number, limit)


def template(file: Path, as_of: date | None = None, province: str = "", batch: str = "") -> None:
    """Write the workbook to fill in: every column, or only those that recognition needs on a day.

    Raises ``RegistryError`` for a day without a known text.
    """
    rules = rulebook()
    only = Asked(rules, batch).ids(as_of, province) if as_of else None
    if only is not None and not only:
        raise RegistryError(
            "no-text-of-that-day", "{value}还没有适用的文本：请核对填报日期", value=as_of
        )
    write_template(file, rules.catalogue, only)
