"""``tidu db``: the schema of the registry's database."""

import click

from registry import storage
from registry.cli.common import group, json_option, print_json


@group("db")
def db() -> None:
    """数据库：升级表结构，查看状态。"""


@db.command("upgrade")
@json_option
def upgrade(as_json: bool) -> None:
    """把数据库升级到本程序需要的版本。"""
    engine = storage.create_engine()
    try:
        before = storage.status(engine)
        storage.upgrade(engine)
        after = storage.status(engine)
    finally:
        engine.dispose()
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
    engine = storage.create_engine()
    try:
        found = storage.status(engine)
        place = engine.url.render_as_string(hide_password=True)
    finally:
        engine.dispose()
    if as_json:
        print_json(
            {
                "database": place,
                "current": found.current,
                "head": found.head,
                "pending": list(found.pending),
            }
        )
        return
    click.echo(f"数据库：{place}")
    click.echo(f"表结构版本：{found.current or '（空库）'}，程序需要：{found.head}")
    if found.pending:
        click.echo("请运行 tidu db upgrade 升级")
