"""A person's word: facts corrected and criteria settled, on the record, with ground and evidence.

What the law leaves to judgement a person can settle: a fact that is a finding (认定), or a rule that
figures cannot settle. Filed facts can be corrected. The filing stays as it was; every decision says
which determinations it rests on. Where ``four_eyes`` is set, a second person has to confirm.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.errors import RecordError
from registry.judging.judge import Determination, Judge, Rules, amended_profile, facts_of
from registry.portable.sealing import SEALED, new_salt, sealed_facts
from registry.record import cases, journal
from rules.drafting.steps import filed_value
from rules.model.facts import Fact, fact, record_kind, validate, yearly_key
from rules.model.ruleset import OUTCOMES, Outcome, Points
from rules.portable.canonical import digest
from rules.portable.record import Json, admissible, current_value, plain

UNKNOWN: Final = "未知"
_SCHEMA: Final = 1


@dataclass(frozen=True)
class Target:
    """What is determined: a fact (with its year, or of the n-th record of a list), or a rule.

    ``name`` is a fact's, a field's or a list's Chinese name or id, or a rule's id; ``records`` names
    the list of the record ``number``, counted from 1.
    """

    name: str
    year: int | None = None
    records: str = ""
    number: int = 0
    rule: bool = False


def determine(
    session: Session,
    rules: Rules,
    uscc: str,
    target: Target,
    value: str,
    *,
    ground: str,
    evidence: Sequence[Path],
    by: str,
    now: datetime,
    tier: str = "",
    procedure: str = "认定",
    batch: str = "",
    as_of: date | None = None,
) -> journal.Entry:
    """Record a determination of an enterprise's newest open filing; needs a writing transaction.

    ``value`` is written as in feature files (符合, 是, 120万元, 3%, 2023-06-30, 未知). A rule is looked at
    in the ruleset that governs ``tier`` and ``procedure``. Raises ``RecordError`` for a rule that is
    not left to judgement, a value that is filed already, or a missing ground or evidence.
    """
    named, ground = signed_name(by), ground.strip()
    if not ground or not evidence:
        raise RecordError("人工认定必须写明理由（--ground）并附证据文件（--evidence）")
    case = cases.open_case(session, uscc, as_of)
    so_far = cases.determinations(session, [case.filing_id]).get(case.filing_id, [])
    if target.rule:
        body = _of_rule(rules, case, so_far, target.name, value, (tier, procedure, batch))
    else:
        body = _of_fact(case, so_far, target, value)
    salt = new_salt()
    body |= {
        "schema": _SCHEMA,
        "case": {"uscc": case.uscc, "as_of": case.as_of.isoformat()},
        "facts": digest(sealed_facts(case.facts, salt)),
        "ground": journal.SEALED,
        "evidence": [_digest(path) for path in evidence],
        "four_eyes": four_eyes(session),
    }
    draft = journal.Draft("determination", body, tier, case.filing_id, {"ground": ground}, salt)
    return journal.append(session, [draft], by=named, now=now)[0]


def confirm(session: Session, seq: int, *, by: str, now: datetime) -> journal.Entry:
    """Confirm a determination as a second person; needs a writing transaction.

    Raises ``RecordError`` where it needs no confirmation, has one, or ``by`` made it.
    """
    named, entry = signed_name(by), journal.entry(session, seq)
    if entry.kind != "determination" or entry.filing_id is None:
        raise RecordError(f"第{seq}号记录不是人工认定：请查对编号")
    waiting = cases.determinations(session, [entry.filing_id], pending=True)
    if seq not in [d.seq for d in waiting.get(entry.filing_id, [])]:
        raise RecordError(f"第{seq}号认定不需要确认，或已经确认过")
    if same_person(named, entry.by):
        raise RecordError(f"第{seq}号认定由{entry.by}作出，须由另一人确认")
    body = {"schema": _SCHEMA, "determination": entry.digest}
    draft = journal.Draft("confirmation", body, entry.tier, entry.filing_id)
    return journal.append(session, [draft], by=named, now=now)[0]


def four_eyes(session: Session) -> bool:
    """Whether determinations need a second person."""
    table = journal.JOURNAL
    seq = session.scalar(sa.select(sa.func.max(table.c.seq)).where(table.c.kind == "policy"))
    return seq is not None and bool(journal.entry(session, seq).content["four_eyes"])


def set_four_eyes(session: Session, asked: bool, *, by: str, now: datetime) -> journal.Entry:
    """Ask for a second person from now on, or no longer; needs a writing transaction."""
    if four_eyes(session) is asked:
        raise RecordError(f"双人复核已经是{'开启' if asked else '关闭'}的，无须改动")
    draft = journal.Draft("policy", {"schema": _SCHEMA, "four_eyes": asked})
    return journal.append(session, [draft], by=signed_name(by), now=now)[0]


def signed_name(by: str) -> str:
    """The name someone signs with; an empty one raises ``RecordError``."""
    name = " ".join(by.split())
    if not name:
        raise RecordError("请用 --by 写明经办人姓名（或设置环境变量 TIDU_BY）")
    return name


def same_person(one: str, other: str) -> bool:
    """Whether two names are written alike but for width, case and spaces."""

    def folded(name: str) -> str:
        return "".join(unicodedata.normalize("NFKC", name).casefold().split())

    return folded(one) == folded(other)


def _of_fact(case: cases.Case, so_far: Sequence[Determination], target: Target, text: str) -> Json:
    key, found = _key(case, target)
    value: Any = None
    if text != UNKNOWN:
        value = filed_value(found, text)
    body: Json = {"fact": key, "value": value}
    if found.id == _COMPLETE.id:
        body["list"] = True
    stated = facts_of(amended_profile(case.profile, [d for d in so_far if "fact" in d.content]))
    body["was"] = current_value(stated, body)
    if body["was"] == value:
        raise RecordError(f"{found.name}现在就是「{text}」，无须认定")
    amended = amended_profile(case.profile, [*so_far, Determination(0, "", body, "", "")])
    validate(amended)
    return body


#: Whether a list is complete is determined like a flag.
_COMPLETE: Final = Fact("complete", "清单是否已报全", "flag")


def _key(case: cases.Case, target: Target) -> tuple[str, Fact]:
    """The key of a target in the facts, and what can be stated of it."""
    if target.records:
        kind = record_kind(target.records)
        if not target.number:
            return kind.id, _COMPLETE
        found = kind.field(target.name)
        if found is None:
            named = "、".join(f.name for f in kind.fields)
            raise RecordError(f"{kind.name}没有字段「{target.name}」：可用的有{named}")
        if f"{kind.id}.{found.id}" in SEALED:
            raise RecordError(f"{found.name}不影响结论，无须认定：请更正原表后重新登记")
        listed = case.facts["records"].get(kind.id, {"items": []})["items"]
        if not 1 <= target.number <= len(listed):
            raise RecordError(f"{kind.name}只有{len(listed)}条，没有第{target.number}条")
        return f"{kind.id}#{target.number - 1}.{found.id}", found
    found = fact(target.name)
    if found.yearly != (target.year is not None):
        hint = "请用 --year 写明年度" if found.yearly else "不分年度，请去掉 --year"
        raise RecordError(f"{found.name}{hint}")
    if target.year is None:
        return found.id, found
    last = case.profile.fiscal_year
    years = range(last - 3, last + 2)  # no rule reads any other
    if target.year not in years:
        raise RecordError(
            f"{found.name}不能认定{target.year}年：填报日期为{case.as_of}的填报只用"
            f"{years.start}至{years.stop - 1}年的数据，请核对 --year"
        )
    return yearly_key(found.id, target.year), found


def _of_rule(
    rules: Rules,
    case: cases.Case,
    so_far: Sequence[Determination],
    id: str,
    text: str,
    how: tuple[str, str, str],
) -> Json:
    tier, procedure, batch = how
    judge = Judge(rules)
    try:
        found = judge.governing(
            tier,
            case.as_of,
            {"procedure": procedure, "province": case.province, "batch": batch},
        )
        if not found.row.encoded:
            raise RecordError(f"适用的文本{found.row.basis}尚未编入，不能作认定")
        facts_only = [d for d in so_far if "fact" in d.content]
        judged = judge.judge(found, case.profile, facts_only)
        root = judge.plain(found.row.ruleset)
    finally:
        judge.close()
    rule = next((r for r in root["rules"] if r["id"] == id), None)
    if rule is None:
        raise RecordError(f"{tier}适用的规则集中没有规则「{id}」：用 tidu rules list 查对编号")
    result = judged.decision.trace.get(id)
    value = _result(text, isinstance(result, Points))
    if not admissible(rule, judged.decision.trace, value):
        stands = "" if result is None else f"，现为{_shown(result)}"
        raise RecordError(
            f"规则「{id}」{rule['title']}{stands}：不是留待人工认定的事项，不能改判；"
            "如填报有误，请用 --fact 更正填报项"
        )
    return {"rule": id, "value": value, "was": plain(result)}


def _result(text: str, scored: bool) -> Any:
    if not scored and text in ("符合", "不符合"):
        return int(OUTCOMES[text])
    points = text.removesuffix("分")
    if scored and len(points) <= 20 and points.replace(".", "", 1).isdecimal():
        return [str(Fraction(points)), str(Fraction(points)), 0]
    raise RecordError(f"「{text}」应为{'得分，如 10分' if scored else '符合 或 不符合'}")


def _shown(result: Outcome | Points) -> str:
    if isinstance(result, Outcome):
        return result.text
    return f"{result.lo}～{result.hi}分" if result.lo != result.hi else f"{result.lo}分"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
