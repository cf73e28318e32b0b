"""The command line ``tidu``: thin commands over the registry and the rules, in Chinese.

Exit codes: 0 done, 1 refused by data, 2 misuse.
"""

import click

from registry.cli import (
    audit,
    checks,
    criteria,
    database,
    decisions,
    explain,
    filings,
    holdings,
    impact,
    screen,
    synthetic,
    titles,
)
from registry.cli.common import ChineseGroup, group


@group("tidu")
@click.version_option(package_name="tidu", message="tidu %(version)s", help="显示版本。")
def main() -> None:
    """梯度：优质中小企业梯度培育的企业登记库与规则引擎。

    按《优质中小企业梯度培育管理暂行办法》（工信部企业〔2022〕63号）判定企业可获得的层级，
    说明理由、差距和缺少的材料。数据库默认为当前目录的 tidu.db，可用环境变量
    TIDU_DATABASE_URL 指定（sqlite:///文件 或 postgresql://用户@主机/库名）。
    """


assert isinstance(main, ChineseGroup)
for command in (
    checks.demo,
    filings.import_file,
    filings.template,
    filings.enterprise,
    checks.check,
    impact.impact_of,
    screen.take_snapshot,
    screen.screen,
    decisions.decide,
    explain.explain,
    decisions.determine,
    decisions.confirm,
    decisions.withdraw,
    titles.titles,
    holdings.holdings,
    audit.replay,
    audit.audit,
    criteria.rules,
    database.db,
    synthetic.generate,
):
    main.add_command(command)

__all__ = ["main"]
