"""``tidu db``: the registry's database, with schema, backup and roles."""

from pathlib import Path

import click

from registry.cli.common import Refused, desk, group, json_option, print_json, progress
from registry.desk import upkeep
from registry.desk.upkeep import Copied
from registry.jobs.store import JobStore


@group("db")
def db() -> None:
    """数据库：升级表结构，查看状态，备份、恢复、重建概况和授权。"""


@db.command("upgrade")
@json_option
def upgrade(as_json: bool) -> None:
    """把数据库升级到本程序需要的版本。"""
    done = upkeep.upgrade()
    with desk() as at, JobStore(at) as jobs:
        jobs.prepare()
    before, after = done.before, done.after
    if as_json:
        print_json({"from": before.current, "to": after.current, "applied": list(before.pending)})
    elif before.pending:
        click.echo(f"已升级：{before.current or '空库'} → {after.current}")
    else:
        click.echo(f"已是最新版本 {after.current}，无须升级")


@db.command("status")
@json_option
def status(as_json: bool) -> None:
    """显示数据库的位置和表结构版本。"""
    schema = upkeep.schema()
    found = schema.status
    if as_json:
        print_json(
            {
                "database": schema.place,
                "current": found.current,
                "head": found.head,
                "pending": list(found.pending),
            }
        )
        return
    click.echo(f"数据库：{schema.place}")
    click.echo(f"表结构版本：{found.current or '（空库）'}，程序需要：{found.head}")
    if found.pending:
        click.echo("请运行 tidu db upgrade 升级")


_FILE = click.Path(path_type=Path, dir_okay=False)


@db.command("backup")
@click.argument("file", type=_FILE, metavar="文件", help="写到哪个新文件；已有的文件不会覆盖。")
@json_option
def backup(file: Path, as_json: bool) -> None:
    """把整个登记库备份成一个文件，SQLite 和 PostgreSQL 都可以。

    备份取自同一时刻，写完并核对后才出现；备份期间可以照常登记和决定。文件含企业填报的全部内容，请妥善保管。

    登记库曾被改动的，照样备份（证据不能丢），并说明何处不对，以退出码1结束。
    """
    with desk() as at:
        done = upkeep.backup(at, file)
    _report(f"已备份到「{file}」", file, done.copied, as_json, problems=list(done.amiss))
    if done.amiss:
        more = f"等{len(done.amiss)}处" if len(done.amiss) > 1 else ""
        raise Refused(
            f"登记库曾被改动（{done.amiss[0]}{more}），备份保存了它现在的样子：请运行 tidu audit verify 查明"
        )
    if not as_json:
        click.echo(f"恢复到一个空库：TIDU_DATABASE_URL=… tidu db restore {file}")


@db.command("restore")
@click.argument("file", type=_FILE, metavar="文件", help="tidu db backup 写成的文件。")
@json_option
def restore(file: Path, as_json: bool) -> None:
    """把备份恢复到当前的数据库；它必须是空的，可以与备份来源不是同一种数据库。

    要么全部恢复，要么什么都不写；编号、记录和摘要都保持原样。
    """
    done = upkeep.restore(file, progress)
    _report(f"已恢复到「{done.place}」", file, done.copied, as_json)
    if not as_json:
        click.echo("请运行 tidu audit verify 核对全部记录")


@db.command("rebuild")
@json_option
def rebuild(as_json: bool) -> None:
    """从登记簿重新生成供查找和列表用的案件概况；登记簿本身不变。

    平时不必运行：登记、决定和撤销时，概况随之更新。tidu audit verify 报告概况与登记簿不符时再用。
    """
    with desk() as at:
        done = upkeep.rebuild(at)
    if as_json:
        print_json(done)
    elif done.changed:
        click.echo(f"已重建{done.enterprises}家企业的案件概况，改正{done.changed}行")
    else:
        click.echo(f"已重建{done.enterprises}家企业的案件概况，原来的都与登记簿相符")


def _report(what: str, file: Path, done: Copied, as_json: bool, **more: object) -> None:
    if as_json:
        print_json({"file": str(file), "head": done.head, "rows": done.rows, **more})
        return
    enterprises, filings, entries = (done.rows[t] for t in ("enterprise", "filing", "journal"))
    head = f"，末条摘要{done.head[:12]}…" if done.head else ""
    click.echo(
        f"{what}：企业{enterprises}家，填报{filings}份，记录{entries}条，共{done.total}行{head}"
    )


@db.command("grant")
@click.argument("role", metavar="角色", help="已有的 PostgreSQL 角色。")
@click.option("--auditor", is_flag=True, help="只授予查询的权限，供审计人员使用。")
@json_option
def grant(role: str, auditor: bool, as_json: bool) -> None:
    """授予一个 PostgreSQL 角色经办人（或审计人员）恰好需要的权限，由表的所有者运行。

    经办人可以登记、发布、认定和决定，但不能改动或删除已有的记录。原有的权限先收回，可以重复运行。
    """
    with desk() as at, JobStore(at) as jobs:
        upkeep.grant(at, role, auditor=auditor)
        jobs.prepare(role)
    kind = "auditor" if auditor else "officer"
    if as_json:
        print_json({"role": role, "granted": kind})
    else:
        said = (
            "审计人员的权限：只能查询"
            if auditor
            else "经办人的权限：能登记和决定，不能改动已有的记录"
        )
        click.echo(f"已授予角色「{role}」{said}")
