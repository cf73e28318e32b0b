"""Loading filings, and taking a load back.

A filing is what one enterprise states as of one day, and it is stored whole. Filings of different
days stand side by side; a filing that changes in any fact becomes a new version with all its rows.
Yearly figures belong to their
filing too, but if several filings state one fiscal year, only the statement of the newest current
filing is current. Nothing is deleted: an undone load leaves closed versions, and whatever it had
superseded is opened again as a copy.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import bulk, projection
from registry.database.models import Import, Restatement
from registry.database.rows import (
    Statement,
    layout,
)
from registry.database.versions import (
    ENTERPRISE,
    FILING,
    chunks,
    close,
    insert,
    reopen,
    settle,
    table_of,
    touched,
)
from registry.errors import LoadError
from registry.filings import FileReading, Issue, Submission
from registry.kit import regions
from registry.portable.clock import china_day
from registry.record import journal, publication, receipts
from registry.record.applications import Reader
from registry.record.naming import Names
from rules.errors import FactsError
from rules.model.catalogue import Catalogue
from rules.model.facts import check_day
from rules.portable.applications import Application
from rules.portable.workflow import EXTEND, GRANT

_IMPORT: Final = table_of(Import)
_RESTATEMENT: Final = table_of(Restatement)
#: The columns in which an import describes itself.
_STATED: Final = (
    "id", "file", "digest", "as_of", "loaded_at", "new", "changed", "unchanged", "refused",
)  # fmt: skip


@dataclass(frozen=True)
class LoadedLine:
    """A submission in a report; ``reason`` says why it was refused."""

    uscc: str
    name: str
    as_of: date | None
    where: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """What a load did, or would do; ``import_id`` is None if nothing was stored.

    ``names`` reports new and changed filings whose names differ from those on record. A file that
    was stored in several parts has a ``last_import`` too.
    """

    file: str
    digest: str
    import_id: int | None
    new: tuple[LoadedLine, ...]
    changed: tuple[LoadedLine, ...]
    unchanged: tuple[LoadedLine, ...]
    refused: tuple[LoadedLine, ...]
    names: tuple[Issue, ...] = ()
    last_import: int | None = None


@dataclass(frozen=True, kw_only=True)
class UndoReport:
    """What taking an import back did, or would do, to which enterprises (by credit code).

    ``decisions`` and ``determinations`` are the numbers of those that rest on the withdrawn
    filings; ``titles`` and ``holdings`` those of the register's entries on these enterprises. All
    of them stay on record.
    """

    import_id: int
    file: str
    withdrawn: tuple[str, ...]
    restored: tuple[str, ...]
    decisions: tuple[int, ...] = ()
    determinations: tuple[int, ...] = ()
    titles: tuple[int, ...] = ()
    holdings: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImportLine:
    """An import as the registry has it: its source, when it was made or undone, and what it did."""

    id: int
    file: str
    digest: str
    as_of: date | None
    loaded_at: datetime
    undone_at: datetime | None
    new: int
    changed: int
    unchanged: int
    refused: int


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A file ready to be stored: one statement per enterprise and day, and the refusals.

    ``whole`` means that nothing is wrong with the file; ``as_of`` is the day for statements that
    give none. ``catalogue`` is the digest of the catalogue by which the facts were taken.
    """

    file: str
    digest: str
    as_of: date | None
    catalogue: str
    good: Mapping[tuple[str, date], tuple[LoadedLine, Statement]]
    refused: tuple[LoadedLine, ...]
    whole: bool

    def to_compare(self) -> "Prepared":
        """A copy with just enough to tell what is new or changed, for a dry run."""
        good = {
            key: (line, Statement("", "", statement.digest, "", {}))
            for key, (line, statement) in self.good.items()
        }
        return replace(self, good=good)


def load(
    session: Session,
    reading: FileReading,
    *,
    now: datetime,
    partial: bool = False,
    dry_run: bool = False,
    as_of: date | None = None,
    by: str = "",
) -> LoadReport:
    """``store`` a file as it was read; ``as_of`` is the day for submissions that give none."""
    prepared = prepare(reading, as_of, publication.to_be_filed(session))
    return store(session, prepared, now=now, partial=partial, dry_run=dry_run, by=by)


def store(
    session: Session,
    prepared: Prepared,
    *,
    now: datetime,
    partial: bool = False,
    dry_run: bool = False,
    by: str = "",
    names: Names | None = None,
) -> LoadReport:
    """Store what is new or changed in a file; ``by`` names the person for the journal.

    ``names`` are the names on record if already read; the file's names are added to them. If
    anything in a file is refused, none of it is stored, unless ``partial``. Raises ``LoadError`` if
    the clock is behind an earlier load, and ``RecordError`` for a catalogue that is not on record.
    """
    lines = {key: line for key, (line, _) in prepared.good.items()}
    statements = {key: statement for key, (_, statement) in prepared.good.items()}
    current = _current_filings(session, {uscc for uscc, _ in statements})
    new = [key for key in statements if key not in current]
    filed_before = [key for key in statements if key in current]
    unchanged = [key for key in filed_before if current[key][1] == statements[key].digest]
    changed = [key for key in filed_before if current[key][1] != statements[key].digest]

    told = _unlike(session, [lines[key] for key in (*new, *changed)], names)
    import_id = None
    if (new or changed) and (prepared.whole or partial) and not dry_run:
        _check_clock(session, now)
        publication.hold_catalogue(session, prepared.catalogue, by=by, now=now)
        receipts.adopt(session, by=by, now=now)
        [import_id] = bulk.numbers(session, _IMPORT, 1)
        counts = tuple(map(len, (new, changed, unchanged, prepared.refused)))
        stored = (import_id, prepared.file, prepared.digest, prepared.as_of, now, *counts)
        bulk.insert(session, _IMPORT, _STATED, [stored])
        replaced = {key: current[key][0] for key in changed}
        close(session, list(replaced.values()), now)
        unsettled: set[int] = set()
        for part in chunks([*new, *changed]):
            begun = {key: statements[key] for key in part}
            unsettled |= set(insert(session, import_id, begun, replaced, now))
        settle(session, sorted(unsettled), now)
        again = [(import_id, id) for id in sorted(current[key][0] for key in unchanged)]
        bulk.insert(session, _RESTATEMENT, ("import_id", "filing_id"), again)
        receipts.intake(session, import_id, list(replaced.values()), by=by, now=now)
        _list_anew(session, import_id)
    return LoadReport(
        file=prepared.file,
        digest=prepared.digest,
        import_id=import_id,
        new=tuple(lines[key] for key in new),
        changed=tuple(lines[key] for key in changed),
        unchanged=tuple(lines[key] for key in unchanged),
        refused=prepared.refused,
        names=told,
    )


def get_ready() -> None:
    """Read what storing needs besides the database, so that no other writer waits for that."""
    publication.packaged_digest()
    regions.place_of("", "", "")


def parts(prepared: Prepared, size: int) -> Iterator[Prepared]:
    """A file in parts of at most ``size`` filings, each to be stored by itself; refusals come first.

    A part is named after its place in the file, and has the digest of the file.
    """
    keys = list(prepared.good)
    if len(keys) <= size:
        yield prepared
        return
    for start in range(0, len(keys), size):
        part = keys[start : start + size]
        yield replace(
            prepared,
            file=f"{prepared.file}（第{start + 1}至{start + len(part)}家）",
            good={key: prepared.good[key] for key in part},
            refused=() if start else prepared.refused,
        )


def stored_after(session: Session, part: Prepared, after: int) -> LoadReport | None:
    """What was stored of a part after the import ``after`` and not undone; None if nothing was."""
    day = _IMPORT.c.as_of.is_(None) if part.as_of is None else _IMPORT.c.as_of == part.as_of
    import_id = session.scalar(
        sa.select(sa.func.max(_IMPORT.c.id)).where(
            _IMPORT.c.id > after,
            _IMPORT.c.file == part.file,
            _IMPORT.c.digest == part.digest,
            _IMPORT.c.undone_at.is_(None),
            day,
        )
    )
    if import_id is None:
        return None
    query = (
        sa.select(ENTERPRISE.c.uscc, FILING.c.as_of, FILING.c.replaces_id)
        .join_from(FILING, ENTERPRISE)
        .where(FILING.c.import_id == import_id)
    )
    replaced = {(uscc, as_of): before for uscc, as_of, before in session.execute(query)}
    lines = {key: line for key, (line, _) in part.good.items()}
    return LoadReport(
        file=part.file,
        digest=part.digest,
        import_id=import_id,
        new=tuple(lines[k] for k in lines if k in replaced and replaced[k] is None),
        changed=tuple(lines[k] for k in lines if replaced.get(k) is not None),
        unchanged=tuple(lines[k] for k in lines if k not in replaced),
        refused=part.refused,
    )


def joined(prepared: Prepared, reports: Sequence[LoadReport]) -> LoadReport:
    """The report of a file from those of its parts; its import is the first that was made."""
    made = [report.import_id for report in reports if report.import_id is not None]
    return LoadReport(
        file=prepared.file,
        digest=prepared.digest,
        import_id=made[0] if made else None,
        last_import=made[-1] if made else None,
        new=tuple(line for report in reports for line in report.new),
        changed=tuple(line for report in reports for line in report.changed),
        unchanged=tuple(line for report in reports for line in report.unchanged),
        refused=prepared.refused,
        names=tuple(name for report in reports for name in report.names),
    )


def last_import(session: Session) -> int:
    """The number of the last import; 0 if there is none."""
    return session.scalar(sa.select(sa.func.coalesce(sa.func.max(_IMPORT.c.id), 0))) or 0


def _unlike(
    session: Session, filed: Sequence[LoadedLine], names: Names | None
) -> tuple[Issue, ...]:
    """A 提示 for each filing whose name or code is on record with another code or name."""
    if not filed:
        return ()
    known = names or Names(session, {line.uscc: line.name for line in filed})
    found = tuple(
        Issue("提示", *line.where.partition("!")[::2], line.name, *said, line.uscc, True)
        for line in filed
        for said in known.unlike(line.uscc, line.name)
    )
    for line in filed:
        known.add(line.uscc, line.name)
    return found


def imports(session: Session, *, before: int | None = None, limit: int = 20) -> list[ImportLine]:
    """The imports, newest first, or those before a number."""
    query = sa.select(_IMPORT).order_by(_IMPORT.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_IMPORT.c.id < before)
    return [ImportLine(**row) for row in session.execute(query).mappings()]


def one(session: Session, import_id: int) -> ImportLine:
    """One import; ``LoadError`` if there is none of that number."""
    query = sa.select(_IMPORT).where(_IMPORT.c.id == import_id)
    row = session.execute(query).mappings().first()
    if row is None:
        raise _no_such_import(import_id)
    return ImportLine(**row)


def last_of(session: Session, digest: str) -> ImportLine | None:
    """The last import of a file that was not undone, by the file's SHA-256; None if there is none."""
    standing = _IMPORT.c.digest == digest, _IMPORT.c.undone_at.is_(None)
    query = sa.select(_IMPORT).where(*standing).order_by(_IMPORT.c.id.desc()).limit(1)
    row = session.execute(query).mappings().first()
    return ImportLine(**row) if row else None


def stated(session: Session, import_id: int, limit: int) -> list[tuple[str, str]]:
    """Code and name of the first enterprises for which an import stored a filing, by code."""
    query = (
        sa.select(ENTERPRISE.c.uscc, ENTERPRISE.c.name)
        .where(ENTERPRISE.c.id.in_(touched(import_id)))
        .order_by(ENTERPRISE.c.uscc)
        .limit(limit)
    )
    return [(row.uscc, row.name) for row in session.execute(query)]


def _no_such_import(import_id: int) -> LoadError:
    return LoadError("no-such-import", "没有编号为{value}的导入", value=import_id)


def undo(
    session: Session, import_id: int, *, now: datetime, by: str = "", dry_run: bool = False
) -> UndoReport:
    """Take a load back: close its versions and reopen what they had superseded.

    ``by`` names the person for the journal; ``dry_run`` only reports.

    Raises ``LoadError`` if the load is unknown or already undone, if a later load concerns the same
    enterprises (that one must be undone first), or if an application rests on one of its filings
    that is open or was announced.
    """
    loaded = session.get(Import, import_id)
    if loaded is None:
        raise _no_such_import(import_id)
    if loaded.undone_at is not None:
        raise LoadError("undone-already", "编号为{value}的导入已经撤销过", value=import_id)
    _check_clock(session, now)
    restating = (
        sa.select(_RESTATEMENT.c.import_id)
        .join(FILING, FILING.c.id == _RESTATEMENT.c.filing_id)
        .where(FILING.c.enterprise_id.in_(touched(import_id)))
    )
    changing = sa.select(FILING.c.import_id).where(FILING.c.enterprise_id.in_(touched(import_id)))
    later = session.execute(
        sa.select(_IMPORT.c.id, _IMPORT.c.file)
        .where(
            _IMPORT.c.id > import_id,
            _IMPORT.c.undone_at.is_(None),
            _IMPORT.c.id.in_(sa.union(restating, changing)),
        )
        .order_by(_IMPORT.c.id)
    ).all()
    if later:
        named = "、".join(f"{key}（{file}）" for key, file in later[:3])
        raise LoadError(
            "filed-again-later",
            "导入{where}中的企业后来又被{number}次导入申报：请先撤销导入{value}",
            where=import_id,
            number=len(later),
            value=named,
        )
    closing = session.execute(
        sa.select(FILING.c.id, FILING.c.replaces_id, FILING.c.as_of, ENTERPRISE.c.uscc)
        .join(ENTERPRISE)
        .where(FILING.c.import_id == import_id, FILING.c.known_until.is_(None))
        .order_by(ENTERPRISE.c.uscc)
    ).all()
    firms = [row.uscc for row in closing]
    filed = {(row.uscc, row.as_of.isoformat()) for row in closing}
    _refuse_rested_upon(session, import_id, filed, china_day(now))
    decided, determined, titles, holdings = _resting(session, [row.id for row in closing], firms)
    report = UndoReport(
        import_id=import_id,
        file=loaded.file,
        withdrawn=_codes(row.uscc for row in closing if row.replaces_id is None),
        restored=_codes(row.uscc for row in closing if row.replaces_id is not None),
        decisions=decided,
        determinations=determined,
        titles=titles,
        holdings=holdings,
    )
    if dry_run:
        return report
    receipts.adopt(session, by=by, now=now)
    close(session, [row.id for row in closing], now)
    reopen(session, [row.replaces_id for row in closing if row.replaces_id is not None], now)
    undone = sa.update(_IMPORT).where(_IMPORT.c.id == import_id).values(undone_at=now)
    bulk.update(session, undone, 1)
    settle(session, sorted(session.scalars(touched(import_id).distinct())), now)
    receipts.undo(session, import_id, [row.id for row in closing], by=by, now=now)
    _list_anew(session, import_id)
    return report


def _refuse_rested_upon(
    session: Session, import_id: int, filed: Collection[tuple[str, str]], today: date
) -> None:
    """Refuse to take back filings (code and day) on which open or announced applications rest."""
    applications = Reader(session).of(sorted({uscc for uscc, _ in filed}))
    resting = [
        one
        for one in chain.from_iterable(applications.values())
        if (one.entry.body["uscc"], one.entry.body["filed_as_of"]) in filed and _binds(one, today)
    ]
    if resting:
        named = [f"第{one.entry.seq}号{one.entry.body['name']}" for one in resting[:_SHOWN]]
        raise LoadError(
            "applied-upon",
            "导入{where}不能撤销：依据它的填报有{number}件申报（{value}），尚未办结的请先撤回申报，已公告的不能撤销",
            where=import_id,
            number=len(resting),
            value="、".join(named) + ("等" if len(resting) > _SHOWN else ""),
        )


def _binds(one: Application, day: date) -> bool:
    """Whether an application is open, or was announced."""
    course = one.on(day)
    return not course.ended or bool({GRANT, EXTEND}.intersection(course.effects))


#: The most applications that a refusal names.
_SHOWN: Final = 5


def _list_anew(session: Session, import_id: int) -> None:
    """Bring what lists show of an import's enterprises up to date."""
    projection.refresh(session.connection(), sorted(session.scalars(touched(import_id).distinct())))


def _resting(
    session: Session, filing_ids: Sequence[int], usccs: Sequence[str]
) -> Iterator[tuple[int, ...]]:
    """The numbers of decisions and determinations on filings, and of enterprises' registrations.

    Registrations are of titles and of holdings.
    """
    filings: list[dict[str, Any]] = [{"filing_ids": part} for part in chunks(filing_ids)]
    held: list[dict[str, Any]] = [{"subjects": part} for part in chunks(usccs)]
    holding: list[dict[str, Any]] = [{"holders": part} for part in chunks(usccs)]
    for kind, parts in (
        ("decision", filings),
        ("determination", filings),
        ("title", held),
        ("holding", held + holding),
    ):
        found = (journal.entries(session, kinds=[kind], **part) for part in parts)
        yield tuple(sorted({entry.seq for entries in found for entry in entries}))


def prepare(reading: FileReading, as_of: date | None, catalogue: Catalogue) -> Prepared:
    """What can be stored of a file, and what is refused; needs no database."""
    laid_out = layout(catalogue)
    refused = [_line(s, s.as_of or as_of, reading.reasons(s)) for s in reading.refused]
    good: dict[tuple[str, date], tuple[LoadedLine, Statement]] = {}
    for submission in reading.submissions:
        day = submission.as_of or as_of
        reason = ""
        if day is None:
            reason = "没有填报日期：请在文件中填写，或另行给出"
        elif wrong := check_day(str(day)):
            reason = f"填报日期{day}的{wrong}：请核对日期"
        elif (submission.uscc, day) in good:
            reason = "同一企业同一填报日期在文件中出现两次"
        else:
            try:
                good[submission.uscc, day] = _line(submission, day), laid_out.state(submission)
            except FactsError as error:
                reason = str(error)
        if reason:
            refused.append(_line(submission, day, reason))
    whole = not refused and not reading.errors
    return Prepared(
        file=reading.file,
        digest=reading.digest,
        as_of=as_of,
        catalogue=laid_out.digest,
        good=good,
        refused=tuple(refused),
        whole=whole,
    )


def _codes(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def _line(submission: Submission, as_of: date | None, reason: str = "") -> LoadedLine:
    return LoadedLine(submission.uscc, submission.name, as_of, submission.where, reason)


def _check_clock(session: Session, now: datetime) -> None:
    moments = session.execute(
        sa.select(sa.func.max(_IMPORT.c.loaded_at), sa.func.max(_IMPORT.c.undone_at))
    ).one()
    latest = max((m for m in moments if m is not None), default=now)
    if now < latest:
        raise LoadError(
            "clock-behind-record",
            "系统时间早于上一次导入或撤销的时间{expected:%Y-%m-%d %H:%M:%S}：请校正时钟",
            expected=latest,
        )


def _current_filings(
    session: Session, usccs: Iterable[str]
) -> dict[tuple[str, date], tuple[int, str]]:
    query = (
        sa.select(ENTERPRISE.c.uscc, FILING.c.as_of, FILING.c.id, FILING.c.digest)
        .join_from(FILING, ENTERPRISE)
        .where(FILING.c.known_until.is_(None))
    )
    return {
        (uscc, as_of): (key, digest)
        for part in chunks(sorted(usccs))
        for uscc, as_of, key, digest in session.execute(query.where(ENTERPRISE.c.uscc.in_(part)))
    }
