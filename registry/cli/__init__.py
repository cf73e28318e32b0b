"""The command line ``tidu``: thin commands over the registry and the rules, in Chinese.

Exit codes: 0 done, 1 refused by data, 2 misuse, 130 interrupted.
"""

from gettext import gettext
from importlib import import_module
from typing import Any, Final, NamedTuple

import click

from registry.cli.chinese import ChineseGroup
from registry.kit.terminals import guarded

#: The exit code of a command that was interrupted, as shells count: 128 and the number of the signal.
INTERRUPTED: Final = 130


class _Listed(NamedTuple):
    """A command: the module that has it, and its line in the list of all commands."""

    place: str
    said: str


#: Loading all commands takes a while, so each is loaded when it is used, and none to list them.
_COMMANDS: Final = {
    "announce": _Listed(
        "applications.announce",
        "公告认定（或复核通过）的企业：登记称号，了结申报；有一家不能公告的，整份名单都不登记。",
    ),
    "apply": _Listed(
        "applications.apply",
        "登记企业的申报，一家或一份名单；有一家不能登记的，整份名单都不登记。",
    ),
    "audit": _Listed("audit.audit", "审计：查看登记簿，验证，签发检查点，导出证据包。"),
    "calendar": _Listed(
        "calendars.calendar",
        "工作日历：各年的放假和调休上班，各依据一份通知；办理期限的工作日按它计算。",
    ),
    "cancel": _Listed(
        "duties.cancel",
        "取消称号：依据一份决定，写明事由；不得再申报的期间由标准按事由写明，及于各个层级。",
    ),
    "case": _Listed(
        "courses.case",
        "查看一家企业的申报：历次办理，现在的环节和办结期限，下一步由谁办理什么、须有什么。",
    ),
    "change": _Listed(
        "duties.change", "登记企业的重大变化和报告的日期；先登记而后来才报告的，用 --of 补登。"
    ),
    "check": _Listed(
        "checks.check", "检查企业可获得的层级：给出信用代码、--all，或一个未登记的文件。"
    ),
    "complain": _Listed(
        "duties.complain", "登记对一家企业的实名举报，或用 --answer 登记对它的答复。"
    ),
    "confirm": _Listed("decisions.confirm", "以第二人身份确认一项人工认定（开启双人复核时）。"),
    "consequence": _Listed(
        "duties.consequence",
        "决定逾期事项的后果，或不追究；一家或一份名单。哪些逾期、可有什么后果，见 tidu due。",
    ),
    "db": _Listed("database.db", "数据库：升级表结构，查看状态，备份、恢复、重建概况和授权。"),
    "decide": _Listed(
        "decisions.decide", "作出决定并记入登记簿：给出信用代码、--all，或一个文件。"
    ),
    "demo": _Listed(
        "demo.demo", "用随附的示例工作簿演示：登记、检查三个层级、说明一家企业的理由。"
    ),
    "determine": _Listed(
        "decisions.determine",
        "人工认定：更正一项填报，或认定法规留给审核人判断的事项，记入登记簿。",
    ),
    "due": _Listed(
        "due.due",
        "列出某日称号的到期事项：更新、变化报告、复核、举报答复、有效期和不得申报的期间。",
    ),
    "enterprise": _Listed("enterprises.enterprise", "企业：列出、查找、查看登记的内容。"),
    "explain": _Listed(
        "explain.explain",
        "说明已记录的决定：理由、依据、差距，怎样的变化会改变结论；也可以一次写出许多告知书。",
    ),
    "generate": _Listed(
        "synthetic.generate",
        "生成虚构的企业，用于测试、演示和培训：数据分布接近实际，半数企业在各项门槛上或紧邻门槛。",
    ),
    "holdings": _Listed(
        "holdings.holdings",
        "持股登记簿：谁持有哪家企业多少股权，各依据一份文件；用来判断与“小巨人”的控制关系。",
    ),
    "impact": _Listed(
        "impact.impact_of",
        "摸底：换用另一文本，哪些企业仍符合、不再符合、新符合，哪些不能判断、缺什么。",
    ),
    "import": _Listed(
        "filings.import_file",
        "登记一个文件中的企业：县级汇总表、tidu 模板、CSV 或 JSON；或一个文件夹的数据表。",
    ),
    "object": _Listed("applications.object_", "登记对一家企业的异议，或用 --settle 处理一件异议。"),
    "recheck": _Listed(
        "recheck.recheck",
        "列出某日的复核名单：谁该申报、谁已申报、谁失去资格和原因，谁按标准通不过、差在哪里、缺什么。",
    ),
    "replay": _Listed(
        "audit.replay", "从登记库中存下的事实和规则重新作出决定，逐字节比较；不读标准文件。"
    ),
    "round": _Listed(
        "rounds.round_",
        "轮次：依据一份通知受理申报，自某日至某日；没有规定的期限可在此写明。",
    ),
    "rules": _Listed("criteria.rules", "标准：查看、检查、排版和新建规则。"),
    "screen": _Listed(
        "screen.screen",
        "筛查全部企业：逐条符合多少家，哪些符合，哪些失去资格，哪些接近、差在哪里。",
    ),
    "revoke": _Listed("decisions.revoke", "撤回一项人工认定，或误记的更新、变化、举报和后果。"),
    "serve": _Listed(
        "serve.serve", "在本机浏览器中查阅和办理：企业、案件的理由和依据、标准、登记簿。"
    ),
    "snapshot": _Listed(
        "screen.take_snapshot", "写出登记库某日的快照（Parquet），供 tidu screen 和其他数据库读取。"
    ),
    "step": _Listed(
        "applications.step",
        "办理申报的一步，例如 推荐、退回补正、不予推荐；一家或一份名单，有一家不能办理的都不办理。",
    ),
    "template": _Listed("filings.template", "写出多工作表的填报模板，内有下拉选项、单位和说明。"),
    "titles": _Listed(
        "titles.titles",
        "称号登记簿：授予、延期、终止，各依据一份公告或决定；前置称号和复核以它为准。",
    ),
    "update": _Listed(
        "duties.update", "登记企业的年度更新，一家或一份名单；有一家不须更新的，整份名单都不登记。"
    ),
    "withdraw": _Listed("decisions.withdraw", "撤回申报：不作决定而了结一份填报，记入登记簿。"),
}


class _Commands(ChineseGroup):
    """All commands."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command; its output cannot control the terminal."""
        with guarded():
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; whoever interrupts it gets the exit code of an interrupt, not of a refusal."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("已中断。", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].place.split(".")
        found: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands as click does, from the table."""
        limit = formatter.width - 6 - max(map(len, _COMMANDS))
        rows = [
            (name, click.Command(name, help=listed.said).get_short_help_str(limit))
            for name, listed in _COMMANDS.items()
        ]
        with formatter.section(gettext("Commands")):
            formatter.write_dl(rows)


@click.group("tidu", cls=_Commands)
@click.version_option(package_name="tidu", message="tidu %(version)s", help="显示版本。")
def main() -> None:
    """梯度：优质中小企业梯度培育的企业登记库与规则引擎。

    按已发布的标准判定企业可获得的层级（有哪些文本、何时适用，见 tidu rules list），
    说明理由、差距和缺少的材料。数据库默认为当前目录的 tidu.db，可用环境变量
    TIDU_DATABASE_URL 指定（sqlite:///文件 或 postgresql://用户@主机/库名）。
    """


__all__ = ["main"]
