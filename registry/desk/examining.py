"""What registering a waiting file would do: found out before it is done, and kept as long as the file waits.

The result holds until something is registered, undone or published, or the bureau's mapping
changes; then the file is examined anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Final

from pydantic import TypeAdapter

from registry.desk import headings, importing
from registry.desk.importing import FolderCounts, Imported, InParts, Source
from registry.desk.place import Desk
from registry.desk.waiting import Waiting, WaitingFiles
from registry.errors import LoadError, RegistryError, StorageError
from registry.filings import FileReading, Heading, Issue
from registry.intake import NoTableError, refuse
from registry.intake.files import archives
from registry.intake.grouped import Group, grouped
from registry.kit.files import sha256_of, written_whole
from registry.record import journal
from rules.portable.canonical import digest

#: The largest table, in bytes, that is examined while somebody waits for the page.
AT_ONCE: Final = 256 << 10
#: The most kinds of issues that are kept.
_LINES: Final = 5_000
#: The entries after which a file may fare otherwise.
_CHANGING: Final = ("intake", "undo", "publication", "admission")
_EXAMINED: Final = "examined.json"
_BOOK: Final = "issues"
_ONE_AT_A_TIME: Final = Lock()


@dataclass(frozen=True, kw_only=True)
class IssueLine:
    """Issues of one kind in one column: the first of them, how many there are, and where.

    ``doubt`` marks a 提示 about a figure that stands as filed, although it can hardly be true.
    """

    severity: str
    doubt: bool
    where: str
    count: int
    name: str
    value: str
    message: str
    expected: str

    @property
    def kind(self) -> str:
        """错误, 存疑 or 提示."""
        return "存疑" if self.doubt else self.severity


@dataclass(frozen=True)
class Term:
    """A word in headings that is not understood, where it stands, and what it may mean, best first."""

    text: str
    unit: str
    where: str
    guesses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What registering a file would do; ``trouble`` says why nothing of it can be read.

    ``lines`` has the issues by kind, errors first; ``reasons`` why filings without an error would
    be refused. ``undated`` filings have no day. ``book`` is the name of the officer's workbook with
    its cells marked, or of a list of the issues; ``unmarked`` says why it is the latter.
    """

    key: str
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    errors: int = 0
    notices: int = 0
    lines: tuple[IssueLine, ...] = ()
    reasons: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    days: tuple[date, ...] = ()
    undated: int = 0
    trouble: str = ""
    details: tuple[str, ...] = ()
    book: str = ""
    unmarked: str = ""

    @property
    def good(self) -> int:
        """How many filings can be registered, or already are."""
        return self.new + self.changed + self.unchanged

    @property
    def faultless(self) -> bool:
        """Whether all of it can be registered."""
        return not (self.errors or self.refused or self.trouble)

    @property
    def changes(self) -> bool:
        """Whether anything would be stored."""
        return bool(self.new or self.changed)

    def of(self, kind: str) -> tuple[IssueLine, ...]:
        """The lines of a kind, or all."""
        return tuple(line for line in self.lines if kind in ("", line.kind))

    def counts(self) -> Mapping[str, int]:
        """How many issues of each kind there are."""
        return {k: sum(x.count for x in self.of(k)) for k in ("错误", "存疑", "提示")}


@dataclass(frozen=True, kw_only=True)
class Registered:
    """What was registered from a file: the imports made, by number, and the filings in them.

    Nothing new is stored where all was registered before; the imports are then those of that time,
    if they are known.
    """

    file: str
    first: int | None
    last: int | None
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    again: bool = field(default=False)


_EXAMINATION: Final = TypeAdapter(Examination)


def refuse_other_kinds(files: WaitingFiles, digest: str) -> None:
    """Raise ``RegistryError`` for a file of a kind that is not read."""
    with files.opened(digest) as path:
        if importing.holds_tables(path):
            archives.refuse_others(path)
        else:
            refuse(path)


# -- examining -------------------------------------------------------------------------------------


def is_light(waiting: Waiting) -> bool:
    """Whether a file can be examined while somebody waits for the page; no archive can."""
    return waiting.size <= AT_ONCE and not importing.holds_tables(Path(waiting.name))


def key(desk: Desk, waiting: Waiting) -> str:
    """What an examination depends on, besides the file."""
    own = headings.own()
    with desk.reading() as session:
        changed = journal.size(session, _CHANGING)
    day = waiting.as_of.isoformat() if waiting.as_of else ""
    parts = [waiting.digest, waiting.name, day, own and sha256_of(own), changed]
    return digest(parts)


def found(desk: Desk, files: WaitingFiles, waiting: Waiting) -> Examination | None:
    """What is known of a file; None if it has to be examined, for the first time or again."""
    with suppress(OSError, ValueError):
        kept = files.beside(waiting.digest, _EXAMINED).read_bytes()
        examined = _EXAMINATION.validate_json(kept)
        return examined if examined.key == key(desk, waiting) else None
    return None


def examine(desk: Desk, files: WaitingFiles, waiting: Waiting) -> Examination:
    """Find out what registering a file would do; nothing is registered."""
    with _ONE_AT_A_TIME, files.opened(waiting.digest) as path:
        if (known := found(desk, files, waiting)) is not None:
            return known
        examined = _examined(desk, path, waiting, files.beside(waiting.digest, _BOOK))
        with written_whole(files.beside(waiting.digest, _EXAMINED), private=True) as fresh:
            fresh.write_bytes(_EXAMINATION.dump_json(examined))
    return examined


def book(files: WaitingFiles, waiting: Waiting, examined: Examination) -> bytes:
    """The file that an examination made for the officer."""
    path = files.beside(waiting.digest, f"{_BOOK}{Path(examined.book).suffix}")
    return path.read_bytes()


def _examined(desk: Desk, path: Path, waiting: Waiting, to: Path) -> Examination:
    made = key(desk, waiting)
    try:
        if importing.holds_tables(path):
            return _folder(desk, path, waiting, made, to.with_suffix(".csv"))
        marked = to.with_suffix(".xlsx")
        return _file(
            desk, Source(path=path, as_of=waiting.as_of, marked=marked, dry_run=True), made
        )
    except StorageError:  # which says nothing of the file, and passes
        raise
    except NoTableError as error:
        terms = _terms(desk, error.headings)
        return Examination(key=made, trouble=str(error), details=error.details, terms=terms)
    except RegistryError as error:
        return Examination(key=made, trouble=str(error), details=error.details)


def _file(desk: Desk, source: Source, made: str) -> Examination:
    read = importing.import_file(desk, source)
    reading, done = read.reading, read.done
    filed = (*reading.submissions, *reading.refused)
    lines = _lines(grouped(reading.issues, reading.headings), reading)
    marking, stem = read.marking, source.path.stem
    book = (
        "" if marking is None else f"{stem}（{'已标出问题' if marking.done else '问题清单'}）.xlsx"
    )
    return Examination(
        key=made,
        new=len(done.new),
        changed=len(done.changed),
        unchanged=len(done.unchanged),
        refused=len(done.refused),
        errors=len(reading.errors),
        notices=len(reading.issues) - len(reading.errors),
        lines=lines,
        reasons=_reasons(read),
        terms=_terms(desk, reading.headings),
        days=tuple(sorted({s.as_of for s in filed if s.as_of})),
        undated=sum(s.as_of is None for s in filed),
        book=book,
        unmarked=marking.why if marking else "",
    )


def _lines(groups: Iterable[Group], reading: FileReading | None = None) -> tuple[IssueLine, ...]:
    return tuple(_line(group, reading) for group, _ in zip(groups, range(_LINES), strict=False))


def _line(group: Group, reading: FileReading | None) -> IssueLine:
    one: Issue = group.first
    name = (reading.named(one) if reading else "") or one.uscc
    several = group.count > 1
    places = f"{one.sheet} {group.column}：{group.where()}" if several else one.where
    return IssueLine(
        severity=one.severity,
        doubt=one.doubt,
        where=places,
        count=group.count,
        name=f"{name}等" if several and name else name,
        value=f"{one.value}等" if several and one.value and not group.headings else one.value,
        message=one.message,
        expected=one.expected,
    )


def _reasons(read: Imported) -> tuple[str, ...]:
    """Why filings without an issue would be refused: each reason with the first filing and how many."""
    told = {filed.where for filed in read.reading.refused}
    late: dict[str, list[str]] = {}
    for line in read.done.refused:
        if line.where not in told:
            late.setdefault(line.reason, []).append(line.name or line.uscc)
    return tuple(
        f"{names[0]}{f'等{len(names)}家' if len(names) > 1 else ''}：{reason}"
        for reason, names in late.items()
    )


def _terms(desk: Desk, found: Sequence[Heading]) -> tuple[Term, ...]:
    asked = headings.asked(desk, found)
    return tuple(Term(one.term, one.unit, one.where, one.guesses) for one in asked)


def _folder(desk: Desk, path: Path, waiting: Waiting, made: str, to: Path) -> Examination:
    with importing.opened(desk, path) as folder:
        source = Source(path=folder, as_of=waiting.as_of, report=to, dry_run=True)
        read = importing.import_folder(desk, source)
    counts = read.counts
    book = f"{path.stem}（问题清单）.csv" if counts.errors or counts.notices else ""
    return Examination(
        key=made,
        new=counts.new,
        changed=counts.changed,
        unchanged=counts.unchanged,
        refused=counts.refused,
        errors=counts.errors,
        notices=counts.notices,
        lines=_lines(counts.groups),
        terms=_terms(desk, read.headings),
        book=book,
    )


# -- registering -----------------------------------------------------------------------------------


def register(
    desk: Desk,
    files: WaitingFiles,
    waiting: Waiting,
    *,
    partial: bool,
    parts: InParts | None = None,
) -> Registered:
    """Register a waiting file: all of it, or with ``partial`` what has no fault; at once, or in ``parts``.

    ``LoadError`` if a fault keeps it from being registered. Done again, it changes nothing.
    """
    with files.opened(waiting.digest) as path:
        source = Source(path=path, as_of=waiting.as_of, partial=partial, parts=parts)
        if importing.holds_tables(path):
            with importing.opened(desk, path) as folder:
                done = importing.import_folder(desk, replace(source, path=folder))
                if done.held_back:
                    raise _held_back(folder.name)
                return _of_folder(folder.name, done.counts)
        read = importing.import_file(desk, source)
        if read.held_back:
            raise _held_back(path.name)
        return _of_file(desk, read)


def _held_back(name: str) -> LoadError:
    return LoadError(
        "faulty-file", "{where}有错误，没有登记任何企业：请改正后重试，或只登记无误的", where=name
    )


def _of_file(desk: Desk, read: Imported) -> Registered:
    done, number = read.done, read.done.import_id
    if number is None and (before := importing.of_digest(desk, done.digest)) is not None:
        number = before.id
    return Registered(
        file=done.file,
        first=number,
        last=done.last_import or number,
        new=len(done.new),
        changed=len(done.changed),
        unchanged=len(done.unchanged),
        refused=len(done.refused),
        again=done.import_id is None,
    )


def _of_folder(name: str, counts: FolderCounts) -> Registered:
    return Registered(
        file=name,
        first=counts.first,
        last=counts.last,
        new=counts.new,
        changed=counts.changed,
        unchanged=counts.unchanged + counts.kept,
        refused=counts.refused,
        again=counts.first is None,
    )
