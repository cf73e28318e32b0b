"""``tidu snapshot`` and ``tidu screen``: a whole registry at once, by the criteria that the engine runs."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import date
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from sqlmodel import Session

from registry.cli.common import (
    Day,
    NewFolder,
    Refused,
    apart,
    batch_option,
    command,
    console,
    engine,
    errors,
    jobs_option,
    json_option,
    output_option,
    print_json,
    procedure_option,
    progress,
    stages,
    tiers_option,
)
from registry.database import storage
from registry.database.versions import FILING
from registry.desk.place import rulebook
from registry.judging.judge import Judge
from registry.judging.verdicts import titles_of
from registry.kit.files import working_folder
from registry.record import publication
from registry.record.known import fetch
from registry.reports import screening as report
from registry.screening import snapshot
from registry.screening.agreed import Agreed
from registry.screening.engines import Database, DuckDB, PostgreSQL, Spark
from registry.screening.funnel import EXPLAINED, Scope, Screening
from registry.screening.results import Listed, Tally
from registry.screening.schema import CATALOGUE
from registry.screening.tables import Files
from registry.simulation import impact, texts
from rules.errors import NoRulesetError
from rules.language.editions import Governing, governing

_LISTED = 10


@command("snapshot")
@click.option("--as-of", type=Day(), required=True, help="按此日期（含）以前各企业最近一份填报。")
@click.option(
    "--output",
    "-o",
    type=NewFolder(),
    help="写到哪个新文件夹；默认 snapshot-日期。",
)
@json_option
def take_snapshot(as_of: date, output: Path | None, as_json: bool) -> None:
    """写出登记库某日的快照（Parquet），供 tidu screen 和其他数据库读取。

    每家企业一行，年度数据按上年度、上上年度、再上年度展开；清单各成一表。快照含企业填报的全部内容，请妥善保管。
    """
    folder = output or Path(f"snapshot-{as_of.isoformat()}")
    with engine() as database, storage.snapshot(database) as session:
        found = _write(session, folder, as_of)
    if as_json:
        print_json({"folder": str(folder), **asdict(found)})
        return
    click.echo(f"已写入 {folder}：{found.filings}家，{as_of.isoformat()}的情况")
    for reason, number in found.routed.items():
        click.echo(f"  其中{number}家不含数据，筛查时由规则引擎判定：{reason}")


def _write(session: Session, folder: Path, day: date) -> snapshot.Manifest:
    ids = impact.stock(session, day)
    filed = snapshot.stock(session, ids, day)
    with progress("快照", len(ids)) as done:
        for number in snapshot.write(folder, filed, day, snapshot.head(session)):
            done(number)
    return snapshot.manifest(folder)


class Near(click.ParamType[Fraction]):
    """A share such as 5%."""

    name = "比例"

    def convert(self, value: Any, param: Any, ctx: Any) -> Fraction:
        """The share; anything else is misuse."""
        if isinstance(value, Fraction):
            return value
        written = re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,6})?)%", str(value))
        share = Fraction(written[1]) / 100 if written else Fraction(0)
        if not share:
            self.fail(f"「{value}」应是大于 0%、小于 100% 的比例，例如 5%", param, ctx)
        return share


@command("screen")
@tiers_option
@click.option(
    "--region", "regions", multiple=True, help="只看此省、市或县，可多次给出；计划单列市自成一省。"
)
@click.option(
    "--as-of", type=Day(), help="按此日期的情况；默认用快照的日期，或登记库中最近的填报日期。"
)
@click.option(
    "--ruleset", help="按此文本筛查：文件夹（如 miit-2026-2）或根规则；默认用适用的标准。"
)
@click.option(
    "--draft",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="按此标准目录（例如修改中的草案）筛查。",
)
@procedure_option
@batch_option
@click.option(
    "--near",
    type=Near(),
    default="5%",
    show_default=True,
    help="差距在此比例内算接近；分档计分的指标，按此比例内可得的最高分算。",
)
@click.option(
    "--engine",
    "kind",
    type=click.Choice(["duckdb", "postgresql", "spark"]),
    default="duckdb",
    show_default=True,
    help="用哪个数据库计算；结果相同。",
)
@click.option(
    "--master",
    default="local[*]",
    show_default=True,
    help="Spark 集群的地址，只用于 --engine spark。",
)
@click.option(
    "--snapshot",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="tidu snapshot 写成的文件夹；默认现取。",
)
@output_option(
    ".xlsx",
    ".parquet",
    ".csv",
    help="写入此文件：.xlsx 汇总和名单，.parquet 或 .csv 每家一行。",
    replaced=True,
)
@jobs_option
@json_option
def screen(
    tiers: tuple[str, ...],
    regions: tuple[str, ...],
    as_of: date | None,
    ruleset: str | None,
    draft: Path | None,
    procedure: str,
    batch: str,
    near: Fraction,
    kind: str,
    master: str,
    folder: Path | None,
    output: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """筛查全部企业：逐条符合多少家，哪些符合，哪些失去资格，哪些接近、差在哪里。

    一条 SQL 语句由同一标准编译而成；门槛附近的符合企业和随机抽取的企业由规则引擎逐项复核，有一处不同即不给出结果。
    结果不是决定，不写入登记库。
    """
    if ruleset is not None and draft is not None:
        raise click.UsageError("--ruleset 和 --draft 只能给出一个")
    if output is not None:
        apart(output, *filter(None, (draft, folder)))
    with ExitStack() as stack:
        database = stack.enter_context(engine())
        session = stack.enter_context(storage.snapshot(database))
        taken = snapshot.manifest(folder) if folder else None
        day = _day(session, as_of, folder, taken)
        criteria = texts.InForce(publication.current(session), rulebook())
        text = texts.named(str(draft or ruleset), criteria) if draft or ruleset else criteria.text()
        if text.single:
            procedure = text.rows[0].procedure
            if tiers and text.rows[0].tier not in titles_of(tiers):
                raise Refused(f"{ruleset}是{text.rows[0].tier}的规则：请去掉 --tier，或改为该层级")
        judge = Judge(text.rules)
        stack.callback(judge.close)
        governed: dict[Governing, None] = {}
        loaded = _database(stack, session, database.url, kind, folder, day, master)
        screening = Screening(
            loaded,
            loaded.schema,
            Scope(day, regions, near),
            judge,
            _governing(text, procedure, batch, day, governed),
            partial(fetch, session, until=taken.head[0] if taken else None),
            jobs,
            Agreed(folder, loaded.release),
        )
        chosen = _tiers(text, titles_of(tiers), procedure)
        with stages() as shown:
            for stage in screening.run(chosen):
                shown(stage.what, stage.done, stage.total)
        tallies = screening.tallies
        if not any(t.total for t in tallies.values()) and not any(
            t.refused for t in tallies.values()
        ):
            raise Refused("范围内没有企业：请核对 --region 和 --as-of")
        head = taken.head if taken else snapshot.head(session)
        heading = [
            f"标准：{text.label}；程序：{procedure}；截至{day.isoformat()}"
            + (f"；批次：{batch}" if batch else "")
            + (f"；地区含{'、'.join(regions)}" if regions else ""),
            f"登记库：{impact.state_text(*head)}；计算：{kind}；接近：{_percent(near)}以内",
            *(
                f"规则集：{root} {digest[:12]}"
                for tally in tallies.values()
                for root, digest in tally.rulesets.items()
            ),
            *dict.fromkeys(f"注意：{said}" for governs in governed for said in governs.told()),
        ]
        _explain(screening, tallies, EXPLAINED if output is not None or as_json else _LISTED)
        if as_json:
            print_json(report.to_json(heading, list(tallies.values())))
        else:
            report.print_summary(heading, list(tallies.values()), console)
            listed = _first(screening.firms(chosen))
            report.print_lists(listed, list(tallies.values()), console)
        if output is not None:
            report.write(output, heading, list(tallies.values()), screening.doubted_firms(chosen))
            click.echo(f"（{report.LABEL}）已写入 {output}", err=as_json)
        if batch and batch not in {governs.row.batch for governs in governed}:
            errors.print(f"批次「{batch}」在这一天没有另外的规定，按办法筛查", markup=False)
        if faults := sum(t.faults for t in tallies.values()):
            raise Refused(f"{faults}家企业的差距因程序出错没有算出，见名单；其余不受影响")


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):g}%"


def _day(
    session: Session, as_of: date | None, folder: Path | None, found: snapshot.Manifest | None
) -> date:
    if found is not None:
        if as_of is not None and as_of != found.as_of:
            raise Refused(
                f"{folder} 是{found.day}的快照，不能按{as_of.isoformat()}筛查：请另取快照"
            )
        if not snapshot.belongs(session, found):
            raise Refused(f"{folder} 不是这个登记库的快照：请用 tidu snapshot 重新生成")
        return found.as_of
    newest = session.scalar(
        sa.select(sa.func.max(FILING.c.as_of)).where(FILING.c.known_until.is_(None))
    )
    if newest is None:
        raise Refused("登记库中没有填报：先用 tidu import 文件 登记，或用 tidu demo 看示例")
    return as_of or newest


def _database(
    stack: ExitStack,
    session: Session,
    url: sa.URL,
    kind: str,
    folder: Path | None,
    day: date,
    master: str,
) -> Database:
    """The database of the kind asked for, with a snapshot in it."""
    work = stack.enter_context(working_folder())
    if kind == "postgresql" and url.get_backend_name() != "postgresql":
        raise Refused("登记库不是 PostgreSQL：请改用 --engine duckdb，或设 TIDU_DATABASE_URL")
    if kind in ("duckdb", "spark"):
        if folder is None:
            folder = work / "snapshot"
            _write(session, folder, day)
        found: Database = (
            DuckDB(CATALOGUE, folder) if kind == "duckdb" else Spark(CATALOGUE, folder, master)
        )
    else:
        found = _loaded(session, url, folder, day, work)
    stack.callback(found.close)
    # of the rows themselves, not as the manifest has them: what is wrong there would not be noticed
    found.schema = snapshot.narrowed(found)
    return found


def _loaded(
    session: Session, url: sa.URL, folder: Path | None, day: date, work: Path
) -> PostgreSQL:
    """The registry's own PostgreSQL with the tables of a snapshot, or of the registry as it stands."""
    ids = [] if folder else impact.stock(session, day)
    with progress("装入", len(ids) or None) as done, Files(CATALOGUE, work) as files:
        steps = (
            snapshot.copied(folder, files)
            if folder is not None
            else snapshot.collect(snapshot.stock(session, ids, day), day, files)
        )
        for number in steps:
            done(number)
    server = PostgreSQL(CATALOGUE, url)
    server.load(work)
    return server


def _governing(
    text: texts.Text, procedure: str, batch: str, day: date, governed: dict[Governing, None]
) -> Callable[[str, str], Governing]:
    """What governs a tier in a province under a text; adds it to what ``governed``."""

    def found(tier: str, province: str) -> Governing:
        if text.whole:
            rows, how = text.rules.applicability, {"province": province, "batch": batch}
            governs = governing(rows, tier=tier, procedure=procedure, day=day, **how)
        else:
            nearest = text.nearest(tier, procedure, day, province, batch)
            row = text.rows[0] if text.single else nearest
            if row is None:
                raise NoRulesetError(f"{text.label}没有{tier}{procedure}的规则集")
            governs = Governing(row, "", ())
        governed[governs] = None
        return governs

    return found


def _tiers(text: texts.Text, tiers: Sequence[str], procedure: str) -> list[str]:
    if text.single:
        return [text.rows[0].tier]
    having = {r.tier for r in text.rows if r.procedure == procedure}
    return [t for t in tiers if t in having]


def _explain(screening: Screening, tallies: dict[str, Tally], most: int) -> None:
    for tally in tallies.values():
        with progress(f"{tally.tier}差距", min(tally.near, most)) as done:
            for number in screening.explain_near(tally, most):
                done(number)


def _first(firms: Iterator[Listed]) -> list[Listed]:
    """The first few of each group and tier."""
    kept: dict[tuple[str, str], list[Listed]] = {}
    for firm in firms:
        listed = kept.setdefault((firm.tier, firm.group), [])
        if firm.group in ("失去资格", "接近") and len(listed) < _LISTED:
            listed.append(firm)
    return [firm for listed in kept.values() for firm in listed]
