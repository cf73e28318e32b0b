"""``tidu replay`` and ``tidu audit``: take decisions again, verify and export the record."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from registry.cli.common import (
    DayParam,
    NumberParam,
    Refused,
    TierParam,
    by_option,
    command,
    console,
    desk,
    group,
    jobs_option,
    json_option,
    output_option,
    print_json,
)
from registry.cli.targets import CodeParam
from registry.desk import auditing, replaying
from registry.desk.auditing import (
    EntryLine,
    EntryQuery,
    HeldFile,
    Selection,
    Trust,
    VerificationReport,
)
from registry.desk.replaying import Crossed, Replayed, ReplaySpan
from registry.kit.files import content, write_new
from registry.kit.screens import listing
from registry.portable import container, verifier
from registry.portable.chain import KINDS
from registry.portable.clock import china_text
from registry.portable.contents import file_digest
from registry.portable.notes import LARGEST

_SHOWN: Final = 50
#: The most changed rules that are shown.
_FEW: Final = 5


@command("replay")
@click.argument("seq", type=NumberParam(), required=False, metavar="[编号]", help="决定的编号。")
@click.option(
    "--all", "everything", is_flag=True, help="重新作出全部决定；中断后再次运行即接着做。"
)
@click.option("--since", type=DayParam(), help="重新作出此日期（含）以来记录的决定。")
@click.option("--restart", is_flag=True, help="从头开始，不接着上次。")
@click.option(
    "--facts",
    type=click.Choice(["then", "now"]),
    help="用当时（then）或现在（now）登记的事实；与 --rules 一起比较是什么改变了结论。",
)
@click.option(
    "--rules", type=click.Choice(["then", "now"]), help="用当时（then）或现在（now）发布的规则。"
)
@jobs_option
@json_option
def replay(
    seq: int | None,
    everything: bool,
    since: date | None,
    restart: bool,
    facts: str | None,
    rules: str | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """从登记库中存下的事实和规则重新作出决定，逐字节比较；不读标准文件。"""
    if [seq is not None, everything, since is not None].count(True) != 1:
        raise click.UsageError("请给出决定的编号，或用 --all、--since 日期（择一）")
    if facts or rules:
        if seq is None:
            raise click.UsageError("--facts 和 --rules 只用于单个编号")
        with desk() as at:
            _show_crossed(replaying.cross(at, seq, facts or "then", rules or "then"), as_json)
        return
    if seq is not None:
        with desk() as at:
            _show_replayed(replaying.replay(at, seq), as_json)
        return
    span = ReplaySpan(since, restart, jobs)
    with desk() as at:
        begun = replaying.begun(at, span)
        if begun.following > 1:
            click.echo(
                f"接着上次，从第{begun.following}号记录开始（从头开始请加 --restart）", err=True
            )
        done = replaying.finish(at, span, begun)
    _show_differing(done.counted, done.differing, as_json)


def _show_replayed(found: Replayed, as_json: bool) -> None:
    if as_json or found.difference:
        _show_differing(1, [found] if found.difference else [], as_json)
    else:
        click.echo(
            f"第{found.seq}号决定（{found.uscc} {found.tier}：{found.verdict}）重新作出，逐字节一致"
        )


def _show_differing(counted: int, differing: Sequence[Replayed], as_json: bool) -> None:
    if as_json:
        print_json({"replayed": counted, "differing": differing})
    else:
        for line in differing[:_SHOWN]:
            console.print(
                f"第{line.seq}号决定（{line.uscc} {line.tier}：{line.verdict}）"
                f"不一致，出在{line.difference}：{line.detail}",
                markup=False,
            )
        click.echo(f"重新作出{counted}项决定，{len(differing)}项不一致")
    if differing:
        raise Refused(f"{len(differing)}项决定不能原样重现：请运行 tidu audit verify 查明")


def _show_crossed(found: Crossed, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "seq": found.seq,
                "verdicts": {f"{f}/{r}": v for (f, r), v in found.verdicts.items()},
                "changed": {f"{f}/{r}": v for (f, r), v in found.changed.items()},
                "turned_by": found.turned_by,
            }
        )
        return
    words = {"then": "当时", "now": "现在"}
    rows = []
    for (f, r), verdict in found.verdicts.items():
        changes = [f"{k}：{a}→{b}" for k, (a, b) in found.changed.get((f, r), {}).items()]
        more = f" 等{len(changes)}项" if len(changes) > _FEW else ""
        rows.append((words[f], words[r], verdict, "；".join(changes[:_FEW]) + more))
    console.print(listing(("事实", "规则", "结论", "有变化的规则"), rows, console.width))
    turned = found.turned_by
    click.echo(f"改变结论的是：{turned}" if turned else "结论没有改变")


@group("audit")
def audit() -> None:
    """审计：查看登记簿，验证，签发检查点，导出证据包。"""


@audit.command("log")
@click.argument(
    "uscc", type=CodeParam(), required=False, metavar="[信用代码]", help="只列此企业的记录。"
)
@click.option("--tier", type=TierParam(), help="只列此层级的决定。")
@click.option("--kind", type=click.Choice(list(KINDS.values())), help="只列此种记录。")
@click.option("--last", type=click.IntRange(min=1), help="只列最后几条。")
@json_option
def log(
    uscc: str | None, tier: str | None, kind: str | None, last: int | None, as_json: bool
) -> None:
    """列出登记簿中的记录：登记、发布、认定、决定、申报、办理、公告等。"""
    with desk() as at:
        lines = [_plain(line) for line in auditing.log(at, EntryQuery(uscc, tier, kind, last))]
    if as_json:
        print_json(lines)
        return
    rows = [tuple(str(line[k]) for k in ("seq", "at", "kind", "what", "by")) for line in lines]
    console.print(listing(("编号", "时间", "种类", "内容", "经办"), rows, console.width))
    click.echo(f"共{len(lines)}条")


def _plain(line: EntryLine) -> dict[str, Any]:
    return {
        "seq": line.seq,
        "at": china_text(line.recorded_at),
        "kind": line.kind,
        "what": line.what,
        "by": line.by,
        "digest": line.digest,
    }


@audit.command("verify")
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="与此检查点文件核对，可多次给出。",
)
@click.option("--key", help="登记机关公布的公钥；默认用本机 TIDU_AUDIT_KEY 旁的公钥文件。")
@click.option("--no-replay", is_flag=True, help="不重新作出决定，只验证完整和未被改动。")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="验证一个证据包，而不是登记库。",
)
@json_option
def verify_record(
    against: tuple[Path, ...], key: str | None, no_replay: bool, bundle: Path | None, as_json: bool
) -> None:
    """验证登记库：未被改动、没有遗漏、决定正确，三项分别报告。"""
    trust = Trust(_held(against), key)
    if bundle is not None:
        _verify_bundle(bundle, trust, as_json)
        return
    with desk() as at:
        report = auditing.verified(at, trust, replay=not no_replay)
    if as_json:
        print_json(report.to_json())
    else:
        _show_report(report, no_replay, len(against))
    if not report.sound:
        count = len(report.integrity) + len(report.completeness) + len(report.correctness)
        raise Refused(f"登记库验证未通过：{count}个问题，见上")


def _verify_bundle(file: Path, trust: Trust, as_json: bool) -> None:
    found = auditing.verified_bundle(content(file, container.LARGEST), trust)
    if as_json:
        print_json({"problems": found.problems, "verdicts": found.verdicts})
    else:
        verifier.report(found)
    if found.problems:
        raise Refused(f"{file.name} 不可采信：发现{len(found.problems)}个问题")


def _held(files: Sequence[Path]) -> tuple[HeldFile, ...]:
    return tuple((file.name, content(file, LARGEST)) for file in files)


def _show_report(report: VerificationReport, no_replay: bool, given: int) -> None:
    for name, problems in (
        ("未被改动", report.integrity),
        ("没有遗漏", report.completeness),
        ("决定正确", report.correctness),
    ):
        if name == "决定正确" and no_replay:
            click.echo("－ 决定正确：没有验证（--no-replay）")
            continue
        click.echo(
            f"{'✗' if problems else '✓'} {name}：{f'{len(problems)}个问题' if problems else '成立'}"
        )
        for problem in problems[:_SHOWN]:
            console.print(f"    {problem}", markup=False, soft_wrap=True)
        if len(problems) > _SHOWN:
            click.echo(f"    ……共{len(problems)}个")
    click.echo(f"登记簿{report.size}条记录，决定{report.decisions}项，重新作出{report.replayed}项")
    if report.applications:
        click.echo(f"申报{report.applications}件，办理{report.steps}步，逐步按当时的办理程序核对")
    if report.duties:
        click.echo(f"更新、变化、举报和后果{report.duties}条，逐条按当时的计时表核对")
    parts = dict(report.filings)
    total = parts.pop("登记", 0)
    click.echo(f"填报{total}份 ＝ {' ＋ '.join(f'{k}{v}' for k, v in parts.items())}")
    said = f"（含所给的{given}个）" if given else ""
    click.echo(f"核对检查点{report.checkpoints}个{said}；末条摘要 {report.head}")


@audit.command("key")
@click.option("--name", required=True, help="登记机关名称，不含空格，例如 某市中小企业局。")
@json_option
def key(name: str, as_json: bool) -> None:
    """建立签发检查点的私钥（一次），并显示应当公布的公钥。

    位置由环境变量 TIDU_AUDIT_KEY 指定，口令由 TIDU_AUDIT_PASSPHRASE 给出。
    """
    made = auditing.new_key(name)
    if as_json:
        print_json({"file": str(made.file), "key": str(made.key)})
        return
    click.echo(f"私钥已写入 {made.file}，请妥善保管并备份；丢失后不能恢复")
    click.echo(f"请公布此公钥，供核对检查点和证据包：\n{made.key}")


@audit.command("checkpoint")
@output_option("", ".txt", ".note", help="写入此文本文件；默认显示出来。")
@json_option
def checkpoint(output: Path | None, as_json: bool) -> None:
    """签发检查点：交给兄弟单位保存，或随公示刊出，此后任何改动都能查出。"""
    with desk() as at:
        signed = auditing.checkpoint(at)
    if output is not None:
        write_new(output, signed.note.encode())
    if as_json:
        print_json({"checkpoint": signed.note, "key": str(signed.key)})
    elif output is not None:
        click.echo(f"检查点已写入 {output}；公钥：{signed.key}")
    else:
        click.echo(signed.note, nl=False)


@audit.command("export")
@click.argument(
    "numbers", nargs=-1, type=NumberParam(), metavar="[编号…]", help="决定或申报的编号。"
)
@click.option("--tier", type=TierParam(), help="此层级的全部决定和申报。")
@click.option("--from", "first", type=DayParam(), help="记录日期自（含），北京时间。")
@click.option("--to", "last", type=DayParam(), help="记录日期至（含），北京时间。")
@click.option(
    "--since",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="接收人持有的检查点：证明与它一致，可多次给出。",
)
@click.option("--mask", is_flag=True, help="遮盖姓名和个人信息；不影响验证。")
@output_option(".zip", required=True, help="证据包文件，以 .zip 结尾。")
@json_option
def export(
    numbers: tuple[int, ...],
    tier: str | None,
    first: date | None,
    last: date | None,
    since: tuple[Path, ...],
    mask: bool,
    output: Path,
    as_json: bool,
) -> None:
    """导出证据包：没有梯度的人也能验证其中的决定和申报，并重新作出、逐步核对。"""
    if bool(numbers) == bool(tier or first or last):
        raise click.UsageError(
            "请给出决定或申报的编号，或用 --tier、--from、--to 选定范围（二者择一）"
        )
    selection = Selection(numbers, tier or "", first, last)
    with desk() as at:
        done = auditing.export(at, selection, since=_held(since), masked=mask)
    write_new(output, done.data, private=True)
    if as_json:
        print_json({"file": str(output), "sha256": done.sha256, "decisions": done.decisions})
        return
    held = f"{done.decisions}份决定"
    held += f"，{done.applications}份申报" if done.applications else ""
    click.echo(f"已写入 {output}：{held}，{len(done.data)}字节")
    click.echo(f"SHA-256 {done.sha256}")
    click.echo(f"验证：python3 verify.py {output.name} --key '{done.key}'")


@audit.command("verifier")
@output_option(".py", help="写入此 .py 文件；默认只显示摘要。")
@json_option
def verifier_script(output: Path | None, as_json: bool) -> None:
    """取出独立的验证程序 verify.py：一个文件，只需 Python。"""
    data = auditing.verifier_script()
    if output is not None:
        write_new(output, data)
    if as_json:
        print_json({"file": str(output) if output else None, "sha256": file_digest(data)})
    else:
        click.echo(f"verify.py 的 SHA-256 {file_digest(data)}")


@audit.command("four-eyes")
@click.argument("state", type=click.Choice(["on", "off"]), metavar="on|off", help="开启或关闭。")
@by_option
@json_option
def four_eyes(state: str, by: str, as_json: bool) -> None:
    """双人复核：开启后，人工认定须经第二人确认才生效。"""
    with desk(by) as at:
        entry = auditing.set_four_eyes(at, state == "on")
    if as_json:
        print_json({"seq": entry.seq, **entry.content})
    else:
        click.echo(f"双人复核已{'开启' if state == 'on' else '关闭'}（第{entry.seq}号记录）")
