"""``tidu replay`` and ``tidu audit``: taking decisions again, verifying and handing out the record."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import click
from sqlmodel import Session

from registry.audit import bundle as bundles
from registry.audit import checkpoints, standalone
from registry.audit.evidence import Selection
from registry.audit.verify import Report, verify
from registry.cli.common import (
    Day,
    Number,
    Refused,
    by_option,
    command,
    console,
    engine,
    group,
    jobs_option,
    json_option,
    output_option,
    print_json,
    progress,
    registry,
)
from registry.cli.targets import Code
from registry.database import storage
from registry.desk.place import now
from registry.errors import RecordError
from registry.kit import settings
from registry.kit.files import content, write_new, written_whole
from registry.kit.jsontext import json_text
from registry.kit.screens import listing
from registry.kit.workers import jobs_for
from registry.portable import container, verifier
from registry.portable.chain import KINDS
from registry.portable.clock import china_text, midnight
from registry.portable.notes import LARGEST, Checkpoint, NoteError, VerifierKey
from registry.portable.verifier import file_digest
from registry.record import admissions, cases, determinations, journal, register
from registry.record.replay import Replayed, Replayer, replayed
from registry.record.wording import registered_text, target_text
from rules.model.roles import TIERS
from rules.portable.record import plain_text

_SHOWN: Final = 50
#: Where an interrupted replay goes on.
_STATE: Final = "tidu-replay.json"
#: After how many decisions it is noted down how far a replay has come.
_EVERY: Final = 500


@command("replay")
@click.argument("seq", type=Number(), required=False, metavar="[编号]", help="决定的编号。")
@click.option(
    "--all", "everything", is_flag=True, help="重新作出全部决定；中断后再次运行即接着做。"
)
@click.option("--since", type=Day(), help="重新作出此日期（含）以来记录的决定。")
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
        _cross(seq, facts or "then", rules or "then", as_json)
        return
    if seq is not None:
        with registry() as session:
            replayer = Replayer(session)
            lines = [replayer.replay(journal.entry(session, seq))]
            replayer.close()
        counted = len(lines)
    else:
        lines, counted = _replay_many(since, restart, jobs)
    differing = [line for line in lines if line.difference]
    if as_json:
        print_json({"replayed": counted, "differing": differing})
    elif seq is not None and not differing:
        [line] = lines
        click.echo(f"第{seq}号决定（{line.uscc} {line.tier}：{line.verdict}）重新作出，逐字节一致")
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


def _replay_many(since: date | None, restart: bool, jobs: int | None) -> tuple[list[Replayed], int]:
    """Replay a run of decisions, keeping only those that differ; goes on where it was interrupted."""
    state = settings.home() / _STATE
    with engine() as database, storage.session(database) as session:
        head = journal.head(session)
        if head is None:
            raise Refused("登记库还没有任何记录")
        first, counted, differing = _resumed(session, state, restart) if not since else (1, 0, [])
        if first > 1:
            click.echo(f"接着上次，从第{first}号记录开始（从头开始请加 --restart）", err=True)
        start = midnight(since) if since else None
        wanted = (
            entry
            for entry in _decisions(session, first, head.seq)
            if start is None or entry.recorded_at >= start
        )
        with progress("重算", head.seq) as done:
            for found in replayed(database, wanted, jobs_for(head.seq - first, jobs)):
                counted += 1
                if found.difference:
                    differing.append(found)
                done(found.seq)
                if not since and counted % _EVERY == 0:
                    _save(session, state, found.seq + 1, counted, differing)
    state.unlink(missing_ok=True)
    return differing, counted


def _decisions(session: Session, first: int, last: int) -> Iterator[journal.Entry]:
    """The decisions with these numbers, also altered ones: each is told of by itself."""
    return journal.entries(session, first=first, last=last, kinds=["decision"], checked=False)


def _resumed(session: Session, state: Path, restart: bool) -> tuple[int, int, list[Replayed]]:
    if restart or not state.exists():
        return 1, 0, []
    try:
        kept = json.loads(state.read_text(encoding="utf-8"))
        mark = journal.entry(session, kept["next"] - 1)
        if mark.digest != kept["mark"]:
            return 1, 0, []  # of another registry
        return kept["next"], kept["counted"], [Replayed(**r) for r in kept["differing"]]
    except (ValueError, KeyError, TypeError, RecordError):
        return 1, 0, []


def _save(
    session: Session, state: Path, following: int, counted: int, differing: list[Replayed]
) -> None:
    mark = journal.entry(session, following - 1).digest
    kept = {
        "next": following,
        "mark": mark,
        "counted": counted,
        "differing": differing,
    }
    with written_whole(state, private=True) as fresh:
        fresh.write_text(json_text(kept), encoding="utf-8")


def _cross(seq: int, facts: str, rules: str, as_json: bool) -> None:
    with registry() as session:
        replayer = Replayer(session)
        found = replayer.cross(journal.entry(session, seq), [facts], [rules])
        replayer.close()
    if as_json:
        print_json(
            {
                "seq": seq,
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
        more = f" 等{len(changes)}项" if len(changes) > 5 else ""
        shown = "；".join(changes[:5]) + more
        rows.append((words[f], words[r], verdict, shown))
    console.print(listing(("事实", "规则", "结论", "有变化的规则"), rows, console.width))
    turned = found.turned_by
    click.echo(f"改变结论的是：{turned}" if turned else "结论没有改变")


@group("audit")
def audit() -> None:
    """审计：查看登记簿，验证，签发检查点，导出证据包。"""


@audit.command("log")
@click.argument(
    "uscc", type=Code(), required=False, metavar="[信用代码]", help="只列此企业的记录。"
)
@click.option("--tier", type=click.Choice(list(TIERS)), help="只列此层级的决定。")
@click.option("--kind", type=click.Choice(list(KINDS.values())), help="只列此种记录。")
@click.option("--last", type=click.IntRange(min=1), help="只列最后几条。")
@json_option
def log(
    uscc: str | None, tier: str | None, kind: str | None, last: int | None, as_json: bool
) -> None:
    """列出登记簿中的记录：登记、发布、认定、决定、撤回。"""
    kinds = [k for k, word in KINDS.items() if word == kind]
    with registry() as session:
        first = 1
        head = journal.head(session)
        if last and head and not (uscc or tier or kinds):
            first = max(1, head.seq - last + 1)
        ids = cases.of_enterprise(session, uscc) if uscc else None
        if uscc and not ids:
            raise Refused(
                f"没有登记信用代码为{uscc}的企业：用 tidu enterprise list 查看已登记的企业"
            )
        found = journal.entries(
            session, first=first, kinds=kinds, tier=TIERS[tier] if tier else "", filing_ids=ids
        )
        entries = list(found)[-(last or 0) :]
        numbers = journal.numbers(session, [_confirmed(e) for e in entries])
    lines = [_log_line(e, numbers) for e in entries]
    if as_json:
        print_json(lines)
        return
    rows = [tuple(str(line[k]) for k in ("seq", "at", "kind", "what", "by")) for line in lines]
    console.print(listing(("编号", "时间", "种类", "内容", "经办"), rows, console.width))
    click.echo(f"共{len(lines)}条")


def _log_line(entry: journal.Entry, numbers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "at": china_text(entry.recorded_at),
        "kind": KINDS[entry.kind],
        "what": _what(entry, numbers),
        "by": entry.by,
        "digest": entry.digest,
    }


def _what(entry: journal.Entry, numbers: Mapping[str, int]) -> str:
    body = entry.content
    match entry.kind:
        case "decision":
            case, verdict = body["case"], plain_text(body["verdict"])
            mark = "（含人工认定）" if body["determinations"] else ""
            return f"{case['name']} {case['tier']}{case['procedure']}：{verdict}{mark}"
        case "intake":
            stored, count = body["import"], body["filings"]["count"]
            return f"{stored['file'] if stored else '原有填报'}：{count}份填报"
        case "undo":
            return f"导入{body['import']['id']}"
        case "publication":
            return f"{len(body['rulesets'])}个规则集：{'、'.join(body['rulesets'])}"
        case "policy":
            return f"双人复核：{'开启' if body['four_eyes'] else '关闭'}"
        case "determination":
            where = f"{body['case']['uscc']} {target_text(body)}"
            return f"{where}：{entry.texts['ground']}"
        case "title" | "holding":
            return f"{body['uscc']} {register.ACTIONS[body['action']]} {registered_text(body)}"
        case "checkpoint":
            return "、".join(f"{size}条记录" for size, _ in body["signed"])
        case "admission":
            return f"{admissions.ACTIONS[body['action']]} {body['uscc']}，依据{body['document']}（{body['dated']}）"
        case "confirmation":
            return f"第{numbers[_confirmed(entry)]}号认定"
    return f"{body['case']['uscc']}：{entry.texts['ground']}"


def _confirmed(entry: journal.Entry) -> str:
    """The digest of the determination that an entry confirms."""
    return str(entry.content.get("determination", ""))


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
    if bundle is not None:
        held = [content(path, LARGEST) for path in against]
        public = _public(key, needed=False)
        found = verifier.verify_bundle(
            content(bundle, container.LARGEST), key=str(public) if public else None, against=held
        )
        if as_json:
            print_json({"problems": found.problems, "verdicts": found.verdicts})
        else:
            verifier.report(found)
        if found.problems:
            raise Refused(f"{bundle.name} 不可采信：发现{len(found.problems)}个问题")
        return
    with registry() as session:
        points, problems = _points(session, against, key)
        with progress("验证", journal.last_number(session)) as done:
            report = verify(session, points, replay=not no_replay, progress=done)
    report.integrity += problems
    if as_json:
        print_json(report.to_json())
    else:
        _show_report(report, no_replay, against)
    if not report.sound:
        count = len(report.integrity) + len(report.completeness) + len(report.correctness)
        raise Refused(f"登记库验证未通过：{count}个问题，见上")


def _points(
    session: Session, files: Sequence[Path], key: str | None
) -> tuple[list[Checkpoint], list[str]]:
    """The checkpoints to agree with: those kept here, and those given."""
    public = _public(key, needed=bool(files))
    points, problems = [], []
    for size, note in checkpoints.kept(session):
        try:
            if public is None:
                point = Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
            else:
                point = checkpoints.read(note, public)
            if point.size != size:
                raise NoteError("条数与登记不符")
            points.append(point)
        except NoteError as error:
            problems.append(f"登记库中{size}条记录的检查点无效：{error}")
    for file in files:
        assert public is not None
        try:
            points.append(checkpoints.read(content(file, LARGEST), public))
        except NoteError as error:
            raise Refused(f"{file.name}：{error}") from error
    return points, problems


def _public(key: str | None, *, needed: bool) -> VerifierKey | None:
    if key is not None:
        try:
            return VerifierKey.parse(key)
        except NoteError as error:
            raise Refused(f"{error}") from error
    path = settings.audit_key()
    if not needed and not path.with_name(path.name + ".pub").exists():
        return None
    return checkpoints.verifier_key(path)


def _show_report(report: Report, no_replay: bool, against: Sequence[Path]) -> None:
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
    parts = Counter(report.filings)
    total = parts.pop("登记", 0)
    click.echo(
        f"填报{total}份 ＝ {' ＋ '.join(f'{k}{v}' for k, v in report.filings.items() if k != '登记')}"
    )
    given = f"（含所给的{len(against)}个）" if against else ""
    click.echo(f"核对检查点{report.checkpoints}个{given}；末条摘要 {report.head}")


@audit.command("key")
@click.option("--name", required=True, help="登记机关名称，不含空格，例如 某市中小企业局。")
@json_option
def key(name: str, as_json: bool) -> None:
    """建立签发检查点的私钥（一次），并显示应当公布的公钥。

    位置由环境变量 TIDU_AUDIT_KEY 指定，口令由 TIDU_AUDIT_PASSPHRASE 给出。
    """
    path = settings.audit_key()
    public = checkpoints.create_key(
        path, name, settings.AUDIT_PASSPHRASE.value or None
    ).verifier_key
    if as_json:
        print_json({"file": str(path), "key": str(public)})
        return
    click.echo(f"私钥已写入 {path}，请妥善保管并备份；丢失后不能恢复")
    click.echo(f"请公布此公钥，供核对检查点和证据包：\n{public}")


@audit.command("checkpoint")
@output_option("", ".txt", ".note", help="写入此文本文件；默认显示出来。")
@json_option
def checkpoint(output: Path | None, as_json: bool) -> None:
    """签发检查点：交给兄弟单位保存，或随公示刊出，此后任何改动都能查出。"""
    signing = checkpoints.load_key(settings.audit_key(), settings.AUDIT_PASSPHRASE.value or None)
    with registry(write=True) as session:
        note = checkpoints.write(session, signing, now=now())
    if output is not None:
        write_new(output, note.encode())
    if as_json:
        print_json({"checkpoint": note, "key": str(signing.verifier_key)})
    elif output is not None:
        click.echo(f"检查点已写入 {output}；公钥：{signing.verifier_key}")
    else:
        click.echo(note, nl=False)


@audit.command("export")
@click.argument("numbers", nargs=-1, type=Number(), metavar="[编号…]", help="决定的编号。")
@click.option("--tier", type=click.Choice(list(TIERS)), help="此层级的全部决定。")
@click.option("--from", "first", type=Day(), help="记录日期自（含），北京时间。")
@click.option("--to", "last", type=Day(), help="记录日期至（含），北京时间。")
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
    """导出证据包：没有梯度的人也能验证其中的决定，并重新作出。"""
    if bool(numbers) == bool(tier or first or last):
        raise click.UsageError("请给出决定的编号，或用 --tier、--from、--to 选定范围（二者择一）")
    signing = checkpoints.load_key(settings.audit_key(), settings.AUDIT_PASSPHRASE.value or None)
    try:
        held = [checkpoints.read(content(path, LARGEST), signing.verifier_key) for path in since]
    except NoteError as error:
        raise Refused(f"{error}") from error
    selection = Selection(numbers, TIERS[tier] if tier else "", first, last)
    with registry(write=True) as session:
        data = bundles.export(session, selection, signing, now=now(), masked=mask, since=held)
    found = verifier.verify_bundle(data, key=str(signing.verifier_key))
    if found.problems:
        raise Refused(f"登记库有误，没有导出（{found.problems[0]}）：请运行 tidu audit verify 查明")
    write_new(output, data, private=True)
    if as_json:
        print_json(
            {"file": str(output), "sha256": file_digest(data), "decisions": len(found.verdicts)}
        )
        return
    click.echo(f"已写入 {output}：{len(found.verdicts)}份决定，{len(data)}字节")
    click.echo(f"SHA-256 {file_digest(data)}")
    click.echo(f"验证：python3 verify.py {output.name} --key '{signing.verifier_key}'")


@audit.command("verifier")
@output_option(".py", help="写入此 .py 文件；默认只显示摘要。")
@json_option
def verifier_script(output: Path | None, as_json: bool) -> None:
    """取出独立的验证程序 verify.py：一个文件，只需 Python。"""
    data = standalone.script().encode()
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
    with registry(write=True) as session:
        entry = determinations.set_four_eyes(session, state == "on", by=by, now=now())
    if as_json:
        print_json({"seq": entry.seq, **entry.content})
    else:
        click.echo(f"双人复核已{'开启' if state == 'on' else '关闭'}（第{entry.seq}号记录）")
