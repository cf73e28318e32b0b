"""Verifies the whole record: three separate verdicts, each with every problem found.

*Integrity*: nothing was changed. Every digest is derived again, and the triggers are in place.
*Completeness*: nothing is missing or was slipped in. Numbers have no gaps, every filing has a
receipt, counts add up, and checkpoints still hold. *Correctness*: every decision comes out again.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, Final, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from registry.audit import applications, duties
from registry.audit.entries import Reader, Told
from registry.audit.report import VerificationReport
from registry.database import forms, projection, schema
from registry.database.altered import UNREADABLE
from registry.database.models import (
    Document,
    Enterprise,
    PublishedCheckpoint,
    Record,
    Restatement,
    Stated,
    YearlyFigure,
)
from registry.database.rows import STATES, Layout, Row, Statement, identity_columns, layout
from registry.database.versions import FILING, chunks, rows_of, table_of
from registry.errors import RecordError
from registry.filings import Submission
from registry.kit.progress import Done, ignored
from registry.portable.chain import GENESIS
from registry.portable.clock import moment_text
from registry.portable.merkle import Frontier, leaf_hash
from registry.portable.notes import Checkpoint, NoteError
from registry.record import journal, publication, receipts
from registry.record.replay import Replayer
from rules.errors import FactsError
from rules.model.facts import RecordList
from rules.portable.canonical import sha256

_CHECKPOINT: Final = table_of(PublishedCheckpoint)
_DOCUMENT: Final = table_of(Document)
_ENTERPRISE: Final = table_of(Enterprise)
_FIGURE: Final = table_of(YearlyFigure)
_RESTATEMENT: Final = table_of(Restatement)

_T = TypeVar("_T")


def verify(
    session: Session,
    checkpoints: Sequence[Checkpoint] = (),
    *,
    replay: bool = True,
    progress: Done = ignored,
) -> VerificationReport:
    """Verify the whole registry, which must still agree with ``checkpoints``.

    Memory does not grow with the journal, except for one number per version of a filing and one
    digest per registered title.
    """
    report = VerificationReport(checkpoints=len(checkpoints))
    session.info[journal.WHOLE] = True  # gaps are reported by their numbers
    report.integrity += schema.differences(session.connection())
    report.integrity += _misshapen(session.connection())
    told = Told()
    kept = _read(report, "登记库所存检查点", lambda: _kept(session, report, told)) or []
    try:
        points = dict.fromkeys((*checkpoints, *kept))  # kept ones may also be given
        _journal(session, report, told, tuple(points), replay, progress)
    except UNREADABLE:
        report.integrity.append(
            f"第{report.size + 1}号记录已被改动，无法读取；其后的记录和各表未核验"
        )
        # unread parts count as not holding
        report.completeness.append("登记簿没有读完，有无遗漏未能核验")
        if replay:
            report.correctness.append("登记簿没有读完，其中的决定没有全部重新作出")
        return report
    for name, check in (
        ("标准文本", lambda: _documents(session, report, told)),
        ("填报", lambda: _filings(session, report, told)),
        ("导入", lambda: _imports(session, report, told)),
        ("企业", lambda: _enterprises(session, report)),
        ("年度数据", lambda: _figures(session, report)),
        ("填报", lambda: _counts(session, report, told)),
        ("检查点", lambda: _checkpoints(report, told)),
        ("申报、办理和义务", lambda: _applications(session, report, told)),
        ("案件概况", lambda: _projected(session, report)),
    ):
        _read(report, name, check)
    return report


def _misshapen(connection: sa.Connection) -> list[str]:
    """The rows with a value that is not in its one stored form, so it may be read as another."""
    tables = SQLModel.metadata.sorted_tables
    return [
        f"{_row(found)}的{'、'.join(found.amiss)}不是登记时的写法，已被改动"
        for found in forms.misshapen(connection, tables)
    ]


def _row(found: forms.Misshapen) -> str:
    shown = "、".join(map(str, found.key))
    if found.table in _NAMES:
        return _NAMES[found.table].format(shown)
    return f"填报{found.filing_id}的明细行（{found.table} {shown}）"


#: The names of rows, by key.
_NAMES: Final = {
    "journal": "第{}号记录",
    "filing": "填报{}",
    "import": "导入{}",
    "enterprise": "企业（enterprise {}）",
    "document": "文本（摘要{}）",
    "checkpoint": "所存的检查点（{}条记录）",
    "restatement": "未变填报的清单（导入、填报{}）",
    "case_state": "案件概况（企业、层级 {}）",
}


def _read(report: VerificationReport, name: str, check: Callable[[], _T]) -> _T | None:
    """Run a check of a table; a table that cannot be read is a finding too."""
    try:
        return check()
    except (*UNREADABLE, RecordError):  # a text that is lost or altered is told by its digest too
        report.integrity.append(f"{name}的数据表中有内容已被改动，无法读取")
        report.completeness.append(f"{name}的数据表没有读完，有无遗漏未能核验")
        return None


def _kept(session: Session, report: VerificationReport, told: Told) -> list[Checkpoint]:
    """The checkpoints that are kept here; without the key their signatures are not checked."""
    found = []
    for size, written_at, note in session.execute(sa.select(_CHECKPOINT)):
        told.kept[size] = sha256(note)
        try:
            point = Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
        except NoteError:
            report.integrity.append(f"所存的检查点（{size}条记录）已被改动，无法读取")
            continue
        if point.size != size or f"time {moment_text(written_at)}" not in point.extensions:
            report.integrity.append(f"所存的检查点（{size}条记录）的条数或时间与其正文不符")
        found.append(point)
    return found


# -- the journal -----------------------------------------------------------------------------------


def _journal(
    session: Session,
    report: VerificationReport,
    told: Told,
    checkpoints: Sequence[Checkpoint],
    replay: bool,
    progress: Done,
) -> None:
    frontier, previous = Frontier(), GENESIS
    wanted: dict[int, list[Checkpoint]] = {}
    for checkpoint in checkpoints:
        wanted.setdefault(checkpoint.size, []).append(checkpoint)
    _agree(report, wanted.pop(0, ()), frontier)
    replayer, reader = Replayer(session), Reader(session, report, told)
    latest, signed = datetime.min.replace(tzinfo=UTC), ""
    entries = journal.entries(session, first=-(2**62), checked=False)
    for entry in replayer.reading_ahead(entries) if replay else entries:
        number = report.size + 1
        if entry.seq < number:
            report.completeness.append(f"第{entry.seq}号记录是多出来的")
            number = entry.seq
        elif entry.seq > number:
            report.completeness.append(f"第{number}号至第{entry.seq - 1}号记录缺失")
            number = entry.seq
        report.size = number
        if entry.previous != previous:
            report.integrity.append(
                f"第{entry.seq}号记录没有接在前一条之后：有记录被改动、删去或换位"
            )
        recorded_at = entry.recorded_at or latest  # an altered row's moment may be unreadable
        if recorded_at < latest:
            report.integrity.append(f"第{entry.seq}号记录的时间早于前一条")
        elif moment_text(recorded_at) < signed:
            report.integrity.append(f"第{entry.seq}号记录的时间早于此前签发的检查点：时间被倒填")
        latest, previous = recorded_at, entry.digest
        sound = reader.take(entry)
        report.decisions += entry.kind == "decision"
        if replay and entry.kind == "decision":
            again = replayer.replay(entry)
            report.replayed += 1
            if again.difference is not None:
                report.correctness.append(
                    f"第{entry.seq}号决定（{entry.tier}）重算不符，出在{again.difference}：{again.detail}"
                )
        frontier.append(leaf_hash(entry.header_bytes() if sound else b""))
        points = wanted.pop(frontier.size, ())
        _agree(report, points, frontier)
        if any("" < point.time < moment_text(latest) for point in points):
            report.integrity.append(
                f"第{entry.seq}号记录的时间晚于包含它的检查点：时间被改动，或检查点是伪造的"
            )
        signed = max(signed, *(point.time for point in points)) if points else signed
        progress(entry.seq)
    replayer.close()
    for size in sorted(wanted):
        report.completeness.append(
            f"检查点记有{size}条记录，登记库只有{frontier.size}条：末尾的记录被截去"
        )
    report.root, report.head = frontier.root(), previous


def _agree(
    report: VerificationReport, checkpoints: Iterable[Checkpoint], frontier: Frontier
) -> None:
    report.completeness += [
        f"登记库的前{c.size}条记录与检查点（{c.origin}）不一致：有记录被改动、删去或换位"
        for c in checkpoints
        if c.root != frontier.root()
    ]


# -- what the journal says about other tables ------------------------------------------------------


def _documents(session: Session, report: VerificationReport, told: Told) -> None:
    stored = list(session.execute(sa.select(_DOCUMENT)))
    left = dict(told.documents)
    for name, kind, text in stored:  # an applicability table names the catalogue beside it
        if kind == left.get(name) == "applicability" and sha256(text) == name:
            left |= {
                named: "catalogue" for key, named in json.loads(text).items() if key == "catalogue"
            }
    for name, kind, text in stored:
        if sha256(text) != name:
            report.integrity.append(f"摘要为{name[:12]}…的{_KINDS_OF_TEXT[kind]}已被改动")
        if left.pop(name, None) != kind:
            report.integrity.append(f"摘要为{name[:12]}…的文本没有发布过，或种类被改动")
    for name, kind in left.items():
        report.completeness.append(f"发布过的{_KINDS_OF_TEXT[kind]}（摘要{name[:12]}…）缺失")


_KINDS_OF_TEXT: Final = {
    "ruleset": "规则集",
    "applicability": "适用表",
    "catalogue": "填报项目录",
    "workflows": "办理程序",
    "clocks": "计时表",
    "calendar": "工作日历",
    "source": "标准文件",
}


def _applications(session: Session, report: VerificationReport, told: Told) -> None:
    """Check that every step was allowed by the workflow and the calendar of its time."""
    if told.announcement is not None:
        seq = told.announcement.entry.seq
        report.completeness.append(f"第{seq}号公告之后的办理少于其名单")
    report.correctness += applications.complaints(session)
    report.correctness += duties.complaints(session)


def _checkpoints(report: VerificationReport, told: Told) -> None:
    """Check that every recorded checkpoint is kept and, from the first such entry on, no other."""
    for size, name in told.signed.items():
        if size not in told.kept:
            report.completeness.append(f"签发过的检查点（{size}条记录）已不在登记库中")
        elif told.kept[size] != name:
            report.integrity.append(f"所存的检查点（{size}条记录）不是签发的那一份，已被改动")
    report.completeness += [
        f"所存的检查点（{size}条记录）没有签发的记录"
        for size in told.kept
        if told.signed and size not in told.signed
    ]


def _filings(session: Session, report: VerificationReport, told: Told) -> None:
    """Check that each version's rows agree with its text, and its end with the journal."""
    ids = list(session.scalars(sa.select(FILING.c.id).order_by(FILING.c.id)))
    if told.filings != len(ids) or (ids and ids[-1] > told.last_filing):
        report.completeness.append(
            f"记录中登记过{told.filings}份填报，登记库中有{len(ids)}份：有填报被增加或删去"
        )
    tables = [name for name, kind in told.documents.items() if kind == "applicability"]
    layouts = [layout(catalogue) for catalogue in publication.catalogues(session, tables)]
    for part in chunks(ids):
        rows = rows_of(session, part)
        query = sa.select(FILING).where(FILING.c.id.in_(part))
        for filing in session.execute(query).mappings():
            where = f"填报{filing['id']}（{filing['as_of']}）"
            try:
                for complaint in (
                    *_stated(filing, rows[filing["id"]], layouts),
                    *_owned(filing, rows[filing["id"]], told),
                ):
                    report.integrity.append(f"{where}{complaint}")
            except UNREADABLE:
                report.integrity.append(f"{where}已被改动，无法读取")


def _stated(
    filing: sa.RowMapping, rows: dict[type[Stated], list[Row]], layouts: Sequence[Layout]
) -> Sequence[str]:
    """How a filing's text and rows differ, by the catalogue with which they agree best."""
    submission, found, unread = _submission(filing), [], None
    for one in layouts:
        try:
            found.append(list(_differences(filing, rows, one.state(submission))))
        except FactsError as error:  # it is none of this catalogue
            unread = error
            continue
        if not found[-1]:
            break
    if not found and unread is not None:
        raise unread
    return min(found, key=len)


def _differences(
    filing: sa.RowMapping, rows: dict[type[Stated], list[Row]], stated: Statement
) -> Iterator[str]:
    if stated.digest != filing["digest"]:
        yield "的内容与其摘要不符"
    if (stated.identity, stated.facts) != (filing["identity"], filing["facts"]):
        yield "的内容不是规范写法"
    if stated.sources != filing["sources"]:
        yield "的来源与其内容不符"
    for model, found in rows.items():
        kept = [tuple(row[k] for k in STATES[model]) for row in found]
        if model is YearlyFigure:  # a year has a row for each period in which it was current
            kept = [row for n, row in enumerate(kept) if row not in kept[:n]]
        expected = stated.rows[model]
        if not issubclass(model, Record):  # only records have an order
            kept, expected = sorted(kept, key=_key), sorted(expected, key=_key)
        if kept != expected:
            yield f"的内容与其明细行（{model.__tablename__}）不符"


def _owned(filing: sa.RowMapping, rows: dict[type[Stated], list[Row]], told: Told) -> Iterator[str]:
    """The rows that no longer belong to a filing, and a wrong end."""
    same = ("enterprise_id", "import_id", "as_of")
    for model, found in rows.items():
        period = () if model is YearlyFigure else ("known_from", "known_until")
        for row in found:
            if any(row[c] != filing[c] for c in (*same, *period)):
                yield f"的明细行（{model.__tablename__} {row['id']}）不再属于它"
    if told.closed.get(filing["id"]) != _text(filing["known_until"]):
        yield "的失效时间与记录不符"


def _key(row: tuple[Any, ...]) -> tuple[str, ...]:
    """What a row states, without its sources: first its year, fact or kind."""
    return tuple(map(str, row[1:]))


def _submission(filing: sa.RowMapping) -> Submission:
    """The submission, read from the stored text."""
    facts, identity = json.loads(filing["facts"]), json.loads(filing["identity"])
    return Submission(
        uscc="",
        name=identity.pop("name"),
        as_of=filing["as_of"],
        identity=identity,
        values=facts["values"],
        records={
            k: RecordList(tuple(r["items"]), r["complete"]) for k, r in facts["records"].items()
        },
        sources=facts["sources"],
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)


def _imports(session: Session, report: VerificationReport, told: Told) -> None:
    left = dict(told.imports)
    for row in session.execute(sa.select(receipts.IMPORT)).mappings():
        stated = left.pop(row["id"], None)
        if stated is None:
            report.completeness.append(f"导入{row['id']}没有记录")
        if stated is not None and receipts.import_json(row) != stated:
            report.integrity.append(f"导入{row['id']}的登记信息已被改动")
        if told.undone.get(row["id"]) != _text(row["undone_at"]):
            report.integrity.append(f"导入{row['id']}的撤销时间与记录不符")
    report.completeness += [f"导入{id}的登记信息缺失" for id in left]
    if session.scalar(sa.select(sa.func.count()).select_from(_RESTATEMENT)) != told.restated:
        report.completeness.append("未变填报的清单多于或少于记录")


def _enterprises(session: Session, report: VerificationReport) -> None:
    """Check that enterprises are described as in their current, or last current, filings."""
    for part in _enterprise_parts(session):
        query = sa.select(FILING).where(FILING.c.enterprise_id.in_(part)).order_by(FILING.c.id)
        versions: dict[int, list[sa.RowMapping]] = {id: [] for id in part}
        for filing in session.execute(query).mappings():
            versions[filing["enterprise_id"]].append(filing)
        rows = sa.select(_ENTERPRISE).where(_ENTERPRISE.c.id.in_(part))
        for row in session.execute(rows).mappings():
            found = versions[row["id"]]
            if not found:
                report.completeness.append(f"企业{row['uscc']}没有任何填报")
                continue
            last = max(v["known_until"] or _NEVER for v in found)
            speaking = {v["as_of"]: v for v in found if (v["known_until"] or _NEVER) == last}
            try:
                expected = identity_columns(speaking[day]["identity"] for day in sorted(speaking))
            except UNREADABLE:
                continue  # reported with the filing
            report.integrity += [
                f"企业{row['uscc']}的{column}与其填报不符"
                for column, value in expected.items()
                if row[column] != value
            ]


def _figures(session: Session, report: VerificationReport) -> None:
    """Check that each fiscal year's current statement was the one of the newest filing of its time."""
    kept = (_FIGURE.c.fiscal_year, _FIGURE.c.filing_id, _FIGURE.c.known_from, _FIGURE.c.known_until)
    versions = (FILING.c.id, FILING.c.as_of, FILING.c.known_from, FILING.c.known_until)
    for part in _enterprise_parts(session):
        rows = sa.select(_FIGURE.c.enterprise_id, *kept).where(_FIGURE.c.enterprise_id.in_(part))
        found: dict[tuple[int, int], dict[int, list[_Period]]] = {}
        for id, year, filing_id, *period in session.execute(rows):
            statements = found.setdefault((id, year), {})
            statements.setdefault(filing_id, []).append((period[0], period[1] or _NEVER))
        query = sa.select(FILING.c.enterprise_id, *versions).where(FILING.c.enterprise_id.in_(part))
        known: dict[int, dict[int, tuple[date, datetime, datetime]]] = {id: {} for id in part}
        for id, filing_id, as_of, begin, end in session.execute(query):
            known[id][filing_id] = as_of, begin, end or _NEVER
        for (id, year), statements in sorted(found.items()):
            filings = {f: known[id][f] for f in statements if f in known[id]}
            for filing_id, periods in statements.items():
                if filing_id not in filings:
                    continue  # reported with the journal
                if sorted(periods) != _current(filing_id, filings):
                    report.integrity.append(
                        f"填报{filing_id}的{year}年数据何时为现行，与先后的填报不符"
                    )


_Period: TypeAlias = tuple[datetime, datetime]
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def _current(id: int, filings: Mapping[int, tuple[date, datetime, datetime]]) -> list[_Period]:
    """The periods in which a filing was the newest current one; its beginning always counts."""
    as_of, begin, end = filings[id]
    periods = [(begin, begin)]
    newer = [(b, e) for day, b, e in filings.values() if day > as_of]
    moments = sorted({begin, end, *(m for period in newer for m in period if begin < m < end)})
    for start, stop in pairwise(moments):
        if not any(b <= start < e for b, e in newer):
            periods.append((start, stop))
    return _joined(periods)


def _joined(periods: Iterable[_Period]) -> list[_Period]:
    """Periods, with adjacent ones merged."""
    joined: list[_Period] = []
    for start, stop in sorted(periods):
        if joined and joined[-1][1] >= start:
            joined[-1] = joined[-1][0], max(joined[-1][1], stop)
        else:
            joined.append((start, stop))
    return joined


def _enterprise_parts(session: Session) -> Iterator[Sequence[int]]:
    return chunks(list(session.scalars(sa.select(_ENTERPRISE.c.id).order_by(_ENTERPRISE.c.id))))


def _counts(session: Session, report: VerificationReport, told: Told) -> None:
    """Count the versions of filings by state; the parts must add up to all that came in."""
    closed = set(session.scalars(sa.select(FILING.c.id).where(FILING.c.known_until.is_not(None))))
    became: Counter[str] = Counter()
    for id in session.scalars(sa.select(FILING.c.id)):
        if id in told.decided:
            became["已决定"] += 1
        elif id in told.withdrawn:
            became["已撤回"] += 1
        else:
            became["已更正或撤销" if id in closed else "待决定"] += 1
    report.filings = {"登记": told.filings, **{k: became[k] for k in _BECAME}}
    if told.decided & told.withdrawn:
        report.completeness.append("有填报既有决定又已撤回")
    if told.filings != sum(became.values()):
        report.completeness.append("登记的填报数不等于已决定、已撤回、已更正或撤销、待决定之和")


def _projected(session: Session, report: VerificationReport) -> None:
    """Compare what lists show with the record, if that holds."""
    if not report.sound:
        return
    if amiss := list(projection.differences(session.connection())):
        more = f"等{len(amiss)}家企业" if len(amiss) > 1 else ""
        report.integrity.append(
            f"供查找和列表用的案件概况与登记簿不符（企业{amiss[0]}{more}）："
            "它不是证据，可以从登记簿重新生成"
        )
    elif stray := projection.misplaced_names(session.connection()):
        report.integrity.append(
            f"供按名称查找用的索引与案件概况不符（涉及{len(stray)}家企业）：查找会有遗漏或多出，"
            "它不是证据，可以从登记簿重新生成"
        )


_BECAME: Final = ("已决定", "已撤回", "已更正或撤销", "待决定")
