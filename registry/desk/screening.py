"""The whole registry at once: snapshots of a day, and screenings by the engine's criteria."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import storage
from registry.database.versions import FILING
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook, written
from registry.judging.judge import Judge
from registry.kit.files import working_folder
from registry.kit.progress import Watch
from registry.record import cases, known, publication
from registry.screening import snapshot
from registry.screening.agreed import Agreed
from registry.screening.engines import Database, DuckDB, PostgreSQL, ScreeningError, Spark
from registry.screening.funnel import EXPLAINED as EXPLAINED
from registry.screening.funnel import Scope, Screening
from registry.screening.results import ListedFirm as ListedFirm
from registry.screening.results import ScreeningTally
from registry.screening.schema import schema_of
from registry.screening.snapshot import Manifest as Manifest
from registry.screening.tables import Files
from registry.simulation import impact, texts
from rules.language.editions import RECOGNITION, Governing, governing
from rules.model.catalogue import Catalogue
from rules.portable.errors import Remedy

#: The databases that can compute a screening; all give the same result.
ENGINES: Final = ("duckdb", "postgresql", "spark")


@dataclass(frozen=True, kw_only=True)
class ScreeningRequest:
    """What is screened, by which text, and in which database.

    ``tiers`` are those of ``registry.simulation.texts.tiers``. Without ``as_of``, the day is the snapshot's or that of the
    newest filing. ``text`` is named as in ``registry.simulation.texts``; without it, the criteria
    in force govern. A threshold is near within the share ``near`` (None: nobody is near); for
    ``explained`` filings of each tier the engine tells by how much they miss it. ``snapshot`` is a
    folder that ``take_snapshot`` wrote; without it, the present registry is screened, of which
    ``usccs`` selects some enterprises.
    """

    tiers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    as_of: date | None = None
    text: str | None = None
    procedure: str = RECOGNITION
    batch: str = ""
    near: Fraction | None = Fraction(1, 20)
    engine: str = ENGINES[0]
    master: str = "local[*]"
    snapshot: Path | None = None
    jobs: int | None = None
    explained: int = EXPLAINED
    usccs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScreeningResult:
    """The result of a screening: text, day, state of the registry, and the counts by tier."""

    text: str
    procedure: str
    day: date
    state: str
    tallies: Mapping[str, ScreeningTally]
    governed: tuple[Governing, ...]
    _screening: Screening = field(repr=False)

    def firms(self) -> Iterator[ListedFirm]:
        """All screened enterprises, tier by tier; only while the screening is open."""
        return self._screening.firms([*self.tallies])

    def doubted_firms(self) -> Iterator[ListedFirm]:
        """The enterprises that qualify, with the doubts about the figures behind it."""
        return self._screening.doubted_firms([*self.tallies])

    @property
    def told(self) -> list[str]:
        """Sentences that name the batches under which another text would govern."""
        return list(dict.fromkeys(said for found in self.governed for said in found.told()))

    @property
    def batches(self) -> set[str]:
        """The batches that a governing text names."""
        return {found.row.batch for found in self.governed}

    @property
    def faults(self) -> int:
        """For how many filings the program failed to say by how much they miss a threshold."""
        return sum(tally.faults for tally in self.tallies.values())


def take_snapshot(desk: Desk, folder: Path, day: date) -> Manifest:
    """Write the newest filings on or before a day to a new folder; returns its manifest."""
    with storage.snapshot(desk.database) as session:
        catalogue = publication.to_be_filed(session)
        return _write(desk.watch, session, folder, day, catalogue, impact.stock(session, day))


@contextmanager
def run(desk: Desk, request: ScreeningRequest) -> Iterator[ScreeningResult]:
    """Screen the newest filings; decides nothing and writes nothing to the registry.

    Raises ``RegistryError`` if nobody is in scope, and if screening and engine differ on any
    filing.
    """
    with ExitStack() as stack:
        session = stack.enter_context(storage.snapshot(desk.database))
        book = written(session) if request.text else rulebook()
        criteria = texts.InForce(publication.current(session), rulebook(), book)
        text = texts.named(request.text, criteria) if request.text else criteria.text()
        catalogue = text.rules.catalogue
        schema = schema_of(catalogue)
        taken = snapshot.manifest(request.snapshot, schema) if request.snapshot else None
        day = _day(session, request, taken)
        tiers = texts.tiers(request.tiers, text)
        if request.tiers:
            _refuse_other_tier(request, tiers, text)
        procedure = text.rows[0].procedure if text.single else request.procedure
        judge = Judge(text.rules)
        stack.callback(judge.close)
        governed = _Governed(text, procedure, request.batch, day)
        database = _database(stack, desk, session, request, day, catalogue)
        screening = Screening(
            database,
            database.schema,
            Scope(day, request.regions, request.near),
            judge,
            governed,
            partial(known.fetch, session, until=taken.head[0] if taken else None),
            request.jobs,
            Agreed(request.snapshot, database.release),
        )
        screening.run(_tiers(text, tiers, procedure), desk.watch)
        tallies = screening.tallies
        if not any(tally.total or tally.refused for tally in tallies.values()):
            raise ScreeningError("nobody", "范围内没有企业", remedy=Remedy("widen-screening"))
        for tally in tallies.values():
            with desk.watch(f"{tally.tier}差距", min(tally.near, request.explained)) as done:
                screening.explain_near(tally, request.explained, done)
        head = impact.state_text(*(taken.head if taken else snapshot.head(session)))
        yield ScreeningResult(
            text=text.label,
            procedure=procedure,
            day=day,
            state=head,
            tallies=tallies,
            governed=tuple(governed.found),
            _screening=screening,
        )


def heading(request: ScreeningRequest, found: ScreeningResult) -> list[str]:
    """What was screened, by which text and how, as lines at the top of a report."""
    batch = f"；批次：{request.batch}" if request.batch else ""
    where = f"；地区含{'、'.join(request.regions)}" if request.regions else ""
    near = f"；接近：{float(request.near * 100):g}%以内" if request.near is not None else ""
    return [
        f"标准：{found.text}；程序：{found.procedure}；截至{found.day.isoformat()}{batch}{where}",
        f"登记库：{found.state}；计算：{request.engine}{near}",
        *(
            f"规则集：{root} {digest[:12]}"
            for tally in found.tallies.values()
            for root, digest in tally.rulesets.items()
        ),
        *(f"注意：{said}" for said in found.told),
    ]


def _stock(session: Session, request: ScreeningRequest, day: date) -> list[int]:
    """The filings of a registry that are screened as of a day."""
    if request.usccs:
        return cases.newest(session, request.usccs, as_of=day)
    return impact.stock(session, day)


def _write(
    watch: Watch,
    session: Session,
    folder: Path,
    day: date,
    catalogue: Catalogue,
    ids: Sequence[int],
) -> Manifest:
    filed = snapshot.stock(session, ids, day, catalogue.titles)
    schema = schema_of(catalogue)
    with watch("快照", len(ids)) as done:
        snapshot.write(folder, catalogue, filed, day, snapshot.head(session), done)
    return snapshot.manifest(folder, schema)


def _day(session: Session, request: ScreeningRequest, taken: Manifest | None) -> date:
    if taken is not None:
        return _day_of_snapshot(session, request, taken)
    current = sa.select(sa.func.max(FILING.c.as_of)).where(FILING.c.known_until.is_(None))
    newest = session.scalar(current)
    if newest is None:
        raise ScreeningError("nothing-filed", "登记库中没有填报", remedy=Remedy("import-or-demo"))
    return request.as_of or newest


def _day_of_snapshot(session: Session, request: ScreeningRequest, taken: Manifest) -> date:
    if request.as_of not in (None, taken.as_of):
        raise ScreeningError(
            "snapshot-of-another-day",
            "{where} 是{expected}的快照，不能按{value}筛查：请另取快照",
            where=request.snapshot,
            value=request.as_of,
            expected=taken.day,
        )
    if not snapshot.belongs(session, taken):
        raise ScreeningError(
            "snapshot-of-another-registry",
            "{where} 不是这个登记库的快照",
            where=request.snapshot,
            remedy=Remedy("take-snapshot"),
        )
    return taken.as_of


def _refuse_other_tier(request: ScreeningRequest, tiers: Sequence[str], text: texts.Text) -> None:
    if text.single and text.rows[0].tier not in tiers:
        raise ScreeningError(
            "rule-of-another-tier",
            "{where}是{value}的规则",
            where=request.text,
            value=text.rows[0].tier,
            expected=tiers,
            remedy=Remedy("drop-tier"),
        )


def _tiers(text: texts.Text, tiers: Sequence[str], procedure: str) -> list[str]:
    if text.single:
        return [text.rows[0].tier]
    having = {r.tier for r in text.rows if r.procedure == procedure}
    return [t for t in tiers if t in having]


@dataclass
class _Governed:
    """Tells which text governs a tier in a province, and keeps what it ``found``."""

    text: texts.Text
    procedure: str
    batch: str
    day: date
    found: dict[Governing, None] = field(default_factory=dict)

    def __call__(self, tier: str, province: str) -> Governing:
        governs = self._whole(tier, province) if self.text.whole else self._part(tier, province)
        self.found[governs] = None
        return governs

    def _whole(self, tier: str, province: str) -> Governing:
        rows, case = self.text.rules.applicability, {"province": province, "batch": self.batch}
        return governing(rows, tier=tier, procedure=self.procedure, day=self.day, **case)

    def _part(self, tier: str, province: str) -> Governing:
        text = self.text
        nearest = text.nearest(tier, self.procedure, self.day, province, self.batch)
        row = text.rows[0] if text.single else nearest
        if row is None:
            raise texts.no_ruleset(text, tier, self.procedure)
        return Governing(row, "", ())


def _database(
    stack: ExitStack,
    desk: Desk,
    session: Session,
    request: ScreeningRequest,
    day: date,
    catalogue: Catalogue,
) -> Database:
    """The requested database, loaded with a snapshot."""
    work = stack.enter_context(working_folder())
    if request.engine == "postgresql":
        found: Database = _postgresql(desk, session, request, day, work, catalogue)
    else:
        folder = request.snapshot or work / "snapshot"
        if request.snapshot is None:
            ids = _stock(session, request, day)
            _write(desk.watch, session, folder, day, catalogue, ids)
        schema = schema_of(catalogue)
        duckdb = request.engine == "duckdb"
        found = DuckDB(schema, folder) if duckdb else Spark(schema, folder, request.master)
    stack.callback(found.close)
    # of the rows themselves, not as the manifest has them: what is wrong there would not be noticed
    found.schema = snapshot.narrowed(found)
    return found


def _postgresql(
    desk: Desk,
    session: Session,
    request: ScreeningRequest,
    day: date,
    work: Path,
    catalogue: Catalogue,
) -> PostgreSQL:
    """The registry's own PostgreSQL with the tables of a snapshot, or of the present registry."""
    url = desk.database.url
    if url.get_backend_name() != "postgresql":
        raise ScreeningError(
            "no-postgresql", "登记库不是 PostgreSQL", remedy=Remedy("screen-by-another")
        )
    ids = [] if request.snapshot else _stock(session, request, day)
    schema = schema_of(catalogue)
    with desk.watch("装入", len(ids) or None) as done, Files(schema, work) as files:
        if request.snapshot is not None:
            snapshot.copy(request.snapshot, files, done)
        else:
            filed = snapshot.stock(session, ids, day, catalogue.titles)
            snapshot.collect(filed, day, files, catalogue, done)
    server = PostgreSQL(schema, url)
    server.load(work)
    return server
