"""``tidu generate``: made-up enterprises for benchmarks, demonstrations and training."""

import sys
from datetime import date
from pathlib import Path

import click

from registry.cli.common import DayParam, NewFolder, command, json_option, print_json, progress
from registry.desk import generating
from registry.desk.generating import DAY, MOST, MadeUp


@command("generate")
@click.argument("count", type=click.IntRange(1, MOST), metavar="数量", help="多少家企业。")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="种子：相同的种子得到相同的企业。"
)
@click.option("--day", type=DayParam(), default=DAY, help=f"填报日期，默认 {DAY}。")
@click.option(
    "-o",
    "--output",
    type=NewFolder(),
    required=True,
    help="写到哪个新文件夹，每张表一个 CSV 文件；- 写到标准输出，每行以表名开头。",
)
@json_option
def generate(count: int, seed: int, day: date, output: Path, as_json: bool) -> None:
    """生成虚构的企业，用于测试、演示和培训：数据分布接近实际，半数企业在各项门槛上或紧邻门槛。

    信用代码的行政区划码为 990000，没有真实企业；企业名称都带（虚构）。
    """
    to_stream = str(output) == "-"
    generating.write(MadeUp(count, seed, day), sys.stdout if to_stream else output, progress)
    if as_json and not to_stream:
        print_json({"folder": str(output), "enterprises": count})
    elif not to_stream:
        click.echo(f"已写出{count}家虚构企业；登记：tidu import {output}")
