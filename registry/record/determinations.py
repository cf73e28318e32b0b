"""Determinations: a person corrects a fact or settles a criterion, with ground and evidence.

A person can settle what the law leaves to judgement: a fact that is a finding (认定), or a rule that
figures cannot settle. Filed facts can be corrected. The filing itself does not change; every
decision names the determinations on which it rests. If ``four_eyes`` is set, a second person must
confirm. One that was a mistake can be taken back.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final

from sqlmodel import Session

from registry.errors import RecordError
from registry.judging.case import Case, Known, Request
from registry.judging.facts import determined, profile_of
from registry.judging.judge import Judge
from registry.judging.published import Published
from registry.judging.settled import Determination
from registry.portable.sealing import committed, new_salt
from registry.record import cases, journal
from rules.explanation.wording import result_text
from rules.language.editions import RECOGNITION
from rules.language.values import filed_value
from rules.model.facts import Fact, yearly_key
from rules.model.ruleset import OUTCOMES, Points
from rules.portable.errors import Remedy
from rules.portable.record import Body, Json, admissible, current_value, plain

UNKNOWN: Final = "未知"
_SCHEMA: Final = 1


@dataclass(frozen=True)
class Target:
    """What is determined: a fact (with its year, or of the n-th record of a list), or a rule.

    ``name`` is the Chinese name or the id of a fact, field or list, or a rule's id. ``records``
    names the list that contains the record ``number``, counted from 1.
    """

    name: str
    year: int | None = None
    records: str = ""
    number: int = 0
    rule: bool = False


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What a person settles about an enterprise's newest open filing, and on what ground.

    ``value`` is written as in feature files (符合, 是, 120万元, 3%, 2023-06-30, 未知); ``evidence`` are
    the SHA-256 of files. A rule is looked up in the ruleset that governs ``tier`` and
    ``procedure``, in the case's own ``province`` unless another is given. ``as_of`` asks for the
    newest filing on or before a day.
    """

    uscc: str
    target: Target
    value: str
    ground: str
    evidence: tuple[str, ...]
    tier: str = ""
    procedure: str = RECOGNITION
    batch: str = ""
    province: str | None = None
    as_of: date | None = None


def target_of(content: Json) -> Target:
    """What the body of a determination settles.

    >>> target_of({"fact": "revenue@2022"}), target_of({"fact": "ip#0.pledge"})
    (Target(name='revenue', year=2022, records='', number=0, rule=False), Target(name='pledge', year=None, records='ip', number=1, rule=False))
    >>> target_of({"fact": "ip", "list": True}).records, target_of({"rule": "1.甲"}).rule
    ('ip', True)
    """
    if "rule" in content:
        return Target(content["rule"], rule=True)
    name, _, place = content["fact"].partition("#")
    if place:
        number, _, field = place.partition(".")
        return Target(field, records=name, number=int(number) + 1)
    if content.get("list"):
        return Target("", records=name)
    id, _, year = name.partition("@")
    return Target(id, int(year) if year else None)


def determine(
    session: Session, rules: Published, ruling: Ruling, *, by: str, now: datetime
) -> journal.Entry:
    """Record what a person settles; needs a writing transaction.

    Raises ``RecordError`` for a rule that is not left to judgement, for a value that is already
    filed, and for a missing ground or evidence.
    """
    named, ground = signed_name(by), ruling.ground.strip()
    _refuse_groundless(ground, ruling.evidence)
    case = cases.open_case(session, ruling.uscc, ruling.as_of)
    so_far = cases.determinations(session, [case.filing_id]).get(case.filing_id, [])
    if ruling.target.rule:
        body = _of_rule(rules, case, so_far, ruling)
    else:
        body = _of_fact(rules, case, so_far, ruling)
    return _append(
        session,
        rules,
        case,
        body,
        tier=ruling.tier,
        ground=ground,
        evidence=ruling.evidence,
        by=named,
        now=now,
    )


def _refuse_groundless(ground: str, evidence: Sequence[str]) -> None:
    if not ground or not evidence:
        raise RecordError(
            "no-ground",
            "人工认定必须写明理由并附证据文件",
            remedy=Remedy("give-ground-and-evidence"),
        )


def _append(
    session: Session,
    rules: Published,
    case: Case,
    settled: Json,
    *,
    tier: str,
    ground: str,
    evidence: Sequence[str],
    by: str,
    now: datetime,
) -> journal.Entry:
    """Record what is ``settled`` about a case."""
    salt = new_salt()
    body = {
        **settled,
        "schema": _SCHEMA,
        "case": {"uscc": case.uscc, "as_of": case.as_of.isoformat()},
        **committed(case.facts, salt, rules.shown),
        "ground": journal.SEALED,
        "evidence": list(evidence),
        "four_eyes": four_eyes(session),
    }
    draft = journal.Draft(
        kind="determination",
        body=body,
        tier=tier,
        filing_id=case.filing_id,
        texts={"ground": ground},
        salt=salt,
    )
    return journal.append(session, [draft], by=by, now=now)[0]


def revoke(
    session: Session,
    rules: Published,
    seq: int,
    *,
    ground: str,
    evidence: Sequence[str],
    by: str,
    now: datetime,
) -> journal.Entry:
    """Take a determination back; needs a writing transaction.

    A fact is again what was filed, a rule again open; earlier determinations of the same do not
    revive. One that still waits for a second person is only dropped. Raises ``RecordError`` for one
    that does not stand, and for a missing ground or evidence.
    """
    named, ground = signed_name(by), ground.strip()
    _refuse_groundless(ground, evidence)
    found = revocable(session, seq)
    return _append(
        session,
        rules,
        found.case,
        {**found.restored, "revokes": found.entry.digest},
        tier=found.entry.tier,
        ground=ground,
        evidence=evidence,
        by=named,
        now=now,
    )


@dataclass(frozen=True, kw_only=True)
class Revocable:
    """A determination that can be taken back: its entry, its case, and what is then ``restored``.

    ``waits`` says that it is only proposed, and no second person has confirmed it.
    """

    entry: journal.Entry
    determination: Determination
    waits: bool
    case: Case
    restored: Body


def revocable(session: Session, seq: int) -> Revocable:
    """A determination that holds or waits, on an open filing; ``RecordError`` for any other."""
    entry = _entry(session, seq)
    assert entry.filing_id is not None
    id = entry.filing_id
    case = cases.case(session, id)
    settled = cases.determinations(session, [id]).get(id, [])
    waiting = cases.determinations(session, [id], pending=True).get(id, [])
    last = {d.target: d for d in settled}
    stands = next(
        (d for d in (*waiting, *last.values()) if d.seq == seq and "revokes" not in d.content), None
    )
    asked = next((d.seq for d in waiting if d.content.get("revokes") == entry.digest), None)
    if asked is not None:
        raise RecordError(
            "revoked-already",
            "第{value}号认定已有第{expected}号撤回，待第二人确认",
            value=seq,
            expected=asked,
        )
    if stands is None or case.known_until is not None or cases.withdrawn(session, [id]):
        raise RecordError(
            "not-standing",
            "第{value}号认定已经不起作用（已撤回、另作认定，或填报已更正、已撤回），无须撤回",
            value=seq,
        )
    content = stands.content
    target = {k: content[k] for k in ("rule", "fact", "list") if k in content}
    value = None if "rule" in content else current_value(case.facts, content)
    waits = stands in waiting
    if waits and (before := last.get(stands.target)):
        value = before.content["value"]  # it stays so: what was proposed never held
    restored = {**target, "value": value, "was": content["value"]}
    return Revocable(entry=entry, determination=stands, waits=waits, case=case, restored=restored)


def confirm(session: Session, seq: int, *, by: str, now: datetime) -> journal.Entry:
    """Confirm a determination as a second person; needs a writing transaction.

    Raises ``RecordError`` if it needs no confirmation or already has one, or if ``by`` made it.
    """
    named, (entry, _) = signed_name(by), waiting(session, seq)
    if same_person(named, entry.by):
        raise RecordError(
            "own-determination", "第{value}号认定由{by}作出，须由另一人确认", value=seq, by=entry.by
        )
    body = {"schema": _SCHEMA, "determination": entry.digest}
    draft = journal.Draft(
        kind="confirmation", body=body, tier=entry.tier, filing_id=entry.filing_id
    )
    return journal.append(session, [draft], by=named, now=now)[0]


def waiting(session: Session, seq: int) -> tuple[journal.Entry, Determination]:
    """The entry of a determination that waits for a second person; ``RecordError`` for any other."""
    entry = _entry(session, seq)
    assert entry.filing_id is not None
    pending = cases.determinations(session, [entry.filing_id], pending=True)
    for found in pending.get(entry.filing_id, []):
        if found.seq == seq:
            return entry, found
    raise RecordError("not-waiting", "第{value}号认定不需要确认，已经确认过，或已撤回", value=seq)


def _entry(session: Session, seq: int) -> journal.Entry:
    entry = journal.entry(session, seq)
    if entry.kind != "determination" or entry.filing_id is None:
        raise RecordError(
            "not-a-determination", "第{value}号记录不是人工认定：请查对编号", value=seq
        )
    return entry


def four_eyes(session: Session) -> bool:
    """Whether determinations need a second person."""
    policy = next(journal.newest_first(session, ["policy"]), None)
    return policy is not None and bool(policy.content["four_eyes"])


def set_four_eyes(session: Session, asked: bool, *, by: str, now: datetime) -> journal.Entry:
    """Require a second person from now on, or no longer; needs a writing transaction."""
    if four_eyes(session) is asked:
        state = "开启" if asked else "关闭"
        raise RecordError("four-eyes-unchanged", "双人复核已经是{value}的，无须改动", value=state)
    draft = journal.Draft(kind="policy", body={"schema": _SCHEMA, "four_eyes": asked})
    return journal.append(session, [draft], by=signed_name(by), now=now)[0]


def signed_name(by: str) -> str:
    """The name with which someone signs; ``RecordError`` if it is empty."""
    name = " ".join(by.split())
    if not name:
        raise RecordError("unsigned", "请写明经办人姓名", remedy=Remedy("sign"))
    return name


def same_person(one: str, other: str) -> bool:
    """Whether two names are equal except for width, case and spaces.

    >>> same_person("张三", " 张 三"), same_person("张三", "李四")
    (True, False)
    """

    def folded(name: str) -> str:
        return "".join(unicodedata.normalize("NFKC", name).casefold().split())

    return folded(one) == folded(other)


def _of_fact(rules: Published, case: Case, so_far: Sequence[Determination], ruling: Ruling) -> Json:
    key, found = _key(rules, case, ruling.target)
    text = ruling.value
    value: Any = None
    if text != UNKNOWN:
        value = filed_value(found, text)
    body: Json = {"fact": key, "value": value}
    if found.id == _COMPLETE.id:
        body["list"] = True
    stated = determined(case.facts, [d for d in so_far if "fact" in d.content])
    body["was"] = current_value(stated, body)
    if body["was"] == value:
        raise RecordError(
            "nothing-to-settle",
            "{where}现在就是「{value}」，无须认定",
            where=found.name,
            value=text,
        )
    amended = determined(
        case.facts, [*so_far, Determination(seq=0, digest="", content=body, by="", ground="")]
    )
    rules.catalogue.validate(profile_of(amended, case.as_of))
    return body


#: The completeness of a list is determined like a flag.
_COMPLETE: Final = Fact("complete", "清单是否已报全", "flag")


def _key(rules: Published, case: Case, target: Target) -> tuple[str, Fact]:
    """The key of a target in the facts, and what can be stated of it."""
    catalogue = rules.catalogue
    if target.records:
        kind = catalogue.record_kind(target.records)
        if not target.number:
            return kind.id, _COMPLETE
        found = kind.field(target.name)
        if found is None:
            named = "、".join(f.name for f in kind.fields)
            raise RecordError(
                "no-field",
                "{where}没有字段「{value}」：可用的有{expected}",
                where=kind.name,
                value=target.name,
                expected=named,
            )
        _refuse_unread(rules, f"{kind.id}.{found.id}", found)
        listed = case.facts["records"].get(kind.id, {"items": []})["items"]
        if not 1 <= target.number <= len(listed):
            raise RecordError(
                "no-item",
                "{where}只有{expected}条，没有第{value}条",
                where=kind.name,
                value=target.number,
                expected=len(listed),
            )
        return f"{kind.id}#{target.number - 1}.{found.id}", found
    found = catalogue.fact(target.name)
    _refuse_unread(rules, found.id, found)
    if found.yearly != (target.year is not None):
        if found.yearly:
            raise RecordError(
                "no-year", "{value}分年度填报", value=found.name, remedy=Remedy("give-year")
            )
        raise RecordError(
            "not-yearly", "{value}不分年度", value=found.name, remedy=Remedy("drop-year")
        )
    if target.year is None:
        return found.id, found
    last = case.as_of.year - 1
    years = range(last - 3, last + 2)  # no rule reads any other
    if target.year not in years:
        raise RecordError(
            "year-not-read",
            "{where}不能认定{value}年：填报日期为{as_of}的填报只用{expected}年的数据",
            where=found.name,
            value=target.year,
            as_of=case.as_of,
            expected=f"{years.start}至{years.stop - 1}",
            remedy=Remedy("check-year"),
        )
    return yearly_key(found.id, target.year), found


def _refuse_unread(rules: Published, id: str, fact: Fact) -> None:
    """Refuse a free text, which no rule reads and every entry seals."""
    if id not in rules.shown:
        raise RecordError(
            "no-bearing", "{value}不影响结论，无须认定：请更正原表后重新登记", value=fact.name
        )


def _of_rule(rules: Published, case: Case, so_far: Sequence[Determination], ruling: Ruling) -> Json:
    id, tier = ruling.target.name, ruling.tier
    how = Request((), ruling.procedure, ruling.batch, ruling.province).how(case)
    judge = Judge(rules)
    try:
        found = judge.governing(tier, case.as_of, how)
        if not found.row.encoded:
            basis = found.row.basis
            raise RecordError("unencoded", "适用的文本{value}尚未编入，不能作认定", value=basis)
        facts_only = tuple(d for d in so_far if "fact" in d.content)
        judged = judge.judge(found, Known(case, facts_only), case.as_of)
        root = judge.plain(found.row.ruleset)
    finally:
        judge.close()
    rule = next((r for r in root["rules"] if r["id"] == id), None)
    if rule is None:
        raise RecordError(
            "no-rule",
            "{where}适用的规则集中没有规则「{value}」",
            where=tier,
            value=id,
            remedy=Remedy("list-rules"),
        )
    result = judged.decision.trace.get(id)
    value = _result(ruling.value, isinstance(result, Points))
    if not admissible(rule, judged.decision.trace, value):
        stands = "" if result is None else f"，现为{result_text(result)}"
        raise RecordError(
            "settled-by-figures",
            "规则「{value}」{title}{stands}：不是留待人工认定的事项，不能改判",
            value=id,
            title=rule["title"],
            stands=stands,
            remedy=Remedy("correct-fact"),
        )
    return {"rule": id, "value": value, "was": plain(result)}


def _result(text: str, scored: bool) -> Any:
    if not scored and text in ("符合", "不符合"):
        return int(OUTCOMES[text])
    points = text.removesuffix("分")
    if scored and len(points) <= 20 and points.replace(".", "", 1).isdecimal():
        return [str(Fraction(points)), str(Fraction(points)), 0]
    expected = "得分，如 10分" if scored else "符合 或 不符合"
    raise RecordError("wrong-result", "「{value}」应为{expected}", value=text, expected=expected)
