"""The command line ``tidu``: thin commands over the registry and the rules, in Chinese.

Exit codes: 0 done, 1 refused by data, 2 misuse.
"""

from importlib import import_module
from typing import Any, Final

import click

from registry.cli.common import ChineseGroup
from registry.kit.terminals import guarded

#: Where the commands are. To load all takes a while, so each is loaded when it is asked for.
_COMMANDS: Final = {
    "audit": "audit.audit",
    "check": "checks.check",
    "confirm": "decisions.confirm",
    "db": "database.db",
    "decide": "decisions.decide",
    "demo": "demo.demo",
    "determine": "decisions.determine",
    "enterprise": "filings.enterprise",
    "explain": "explain.explain",
    "generate": "synthetic.generate",
    "holdings": "holdings.holdings",
    "impact": "impact.impact_of",
    "import": "filings.import_file",
    "replay": "audit.replay",
    "rules": "criteria.rules",
    "screen": "screen.screen",
    "snapshot": "screen.take_snapshot",
    "template": "filings.template",
    "titles": "titles.titles",
    "withdraw": "decisions.withdraw",
}


class _Commands(ChineseGroup):
    """All of them."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run one; whatever it prints is harmless to a terminal."""
        with guarded():
            return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(".")
        found: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return found


@click.group("tidu", cls=_Commands)
@click.version_option(package_name="tidu", message="tidu %(version)s", help="显示版本。")
def main() -> None:
    """梯度：优质中小企业梯度培育的企业登记库与规则引擎。

    按已发布的标准判定企业可获得的层级（有哪些文本、何时适用，见 tidu rules list），
    说明理由、差距和缺少的材料。数据库默认为当前目录的 tidu.db，可用环境变量
    TIDU_DATABASE_URL 指定（sqlite:///文件 或 postgresql://用户@主机/库名）。
    """


__all__ = ["main"]
