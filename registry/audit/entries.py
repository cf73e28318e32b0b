"""What each entry of the journal says: checked by itself, and noted for the checks of the tables.

What is wrong with an entry goes to the report, and what the entry says of other tables to ``Told``.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.audit.report import VerificationReport
from registry.database.altered import UNREADABLE
from registry.database.models import NO_DECISION, Document, Enterprise
from registry.database.versions import FILING, table_of
from registry.kit import uscc
from registry.portable import bodies
from registry.portable.chain import KINDS, header_text
from registry.portable.clock import moment_text
from registry.portable.sealing import seal, sealed_facts
from registry.record import calendars, journal, receipts
from registry.record.determinations import same_person
from rules.portable.calendar import Calendar
from rules.portable.canonical import canonical_json, digest, sha256
from rules.portable.figures import number
from rules.portable.record import Body, RecordError, refuse_other_before

_ENTERPRISE: Final = table_of(Enterprise)
_DOCUMENT: Final = table_of(Document)
_JOURNAL: Final = journal.JOURNAL
#: The texts that stand in bodies as commitments, and must be kept beside them.
_DISCLOSED: Final = {"ground": "理由", "informant": "举报人"}
#: The kinds that may name nobody: the program publishes by itself, and whoever loads need not sign.
_UNSIGNED: Final = ("publication", "intake", "undo", "checkpoint")
#: Made once, because making a statement takes as long as running it.
_FILED: Final = (
    sa.select(FILING.c.facts, FILING.c.as_of, _ENTERPRISE.c.uscc)
    .join_from(FILING, _ENTERPRISE)
    .where(FILING.c.id == sa.bindparam("id"))
)


@dataclass
class Told:
    """What the journal says about the other tables."""

    documents: dict[str, str] = field(default_factory=dict)
    applicability: str = ""
    calendar: str = ""
    four_eyes: bool = False
    settled: dict[str, tuple[int, str]] = field(default_factory=dict)
    ruled: dict[tuple[str, str, str], list[Any]] = field(default_factory=dict)
    closed: dict[int, str] = field(default_factory=dict)
    last_filing: int = 0
    filings: int = 0
    restated: int = 0
    imports: dict[int, dict[str, Any]] = field(default_factory=dict)
    undone: dict[int, str] = field(default_factory=dict)
    decided: set[int] = field(default_factory=set)
    withdrawn: set[int] = field(default_factory=set)
    titles: dict[tuple[str, str, str], str] = field(default_factory=dict)
    admitted: set[str] = field(default_factory=set)
    rounds: dict[str, Body] = field(default_factory=dict)
    closed_rounds: set[str] = field(default_factory=set)
    announcement: "_Announcement | None" = None
    kept: dict[int, str] = field(default_factory=dict)
    signed: dict[int, str] = field(default_factory=dict)


@dataclass
class _Announcement:
    """An announcement while its titles and steps follow."""

    entry: journal.Entry
    titles: dict[str, str] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)

    def take(self, step: Body) -> bool:
        """Note a step; False if it does not belong here, or its title is not one of these."""
        self.listed.append(step["application"])
        return (step["announcement"], step["title"]) == (
            self.entry.digest,
            self.titles.get(step["uscc"]),
        )

    @property
    def complete(self) -> bool:
        """Whether the steps are those of the list that was announced."""
        return bool(digest(self.listed) == self.entry.content["announced"])


@dataclass(frozen=True)
class Reader:
    """Takes the journal entry by entry; every kind of entry has a method of its own."""

    session: Session
    report: VerificationReport
    told: Told

    def take(self, entry: journal.Entry) -> bool:
        """Check one entry by itself and note what it says; False if it cannot be read."""
        where = f"第{entry.seq}号记录"
        try:
            body = entry.content
            if sha256(header_text(entry.header())) != entry.digest:
                self.report.integrity.append(f"{where}的内容与其摘要不符")
            if canonical_json(body) != entry.body or entry.kind not in KINDS:
                self.report.integrity.append(f"{where}不是规范写法")
            if entry.filing_id is not None and entry.kind not in journal.ON_FILINGS:
                self.report.integrity.append(f"{where}不应指向填报")
            registered = body if entry.kind in journal.NAMING else {}
            if (entry.subject, entry.holder) != (
                registered.get("uscc"),
                registered.get("holder") or None,
            ):
                self.report.integrity.append(f"{where}所指的企业与其内容不符")
            if amiss := bodies.amiss(entry.kind, body):
                self.report.integrity.append(f"{where}的内容不合格式（{amiss}）")
            if bodies.tier_of(entry.kind, body) not in (None, entry.tier):
                self._other_tier(entry)
            self._undisturbed(entry, body)
            self._disclosures(entry, body)
            _TAKERS[entry.kind](self, entry, body)
        except UNREADABLE:
            self.report.integrity.append(f"{where}已被改动，无法读取")
            return False
        return True

    def _disclosures(self, entry: journal.Entry, body: Body) -> None:
        texts = dict(entry.texts)
        required = texts if entry.kind not in _UNSIGNED else texts.keys() - {"by"}
        if any(type(texts[place]) is not str or not texts[place].strip() for place in required):
            self.report.integrity.append(f"第{entry.seq}号记录的姓名或理由是空的，不可能登记")
        texts.pop("by")
        stored = json.loads(entry.disclosures)
        if canonical_json(stored) != entry.disclosures or set(stored) != {"salt", "texts"}:
            self.report.integrity.append(f"第{entry.seq}号记录的披露内容不是规范写法")
        for place, text in texts.items():
            if body.get(place) != seal(entry.salt, place, text):
                self.report.integrity.append(f"第{entry.seq}号记录披露的文字与其承诺不符")
        for place, word in _DISCLOSED.items():
            if place in body and place not in texts:
                self.report.integrity.append(f"第{entry.seq}号记录的{word}缺失")

    def _other_tier(self, entry: journal.Entry) -> None:
        self.report.integrity.append(f"第{entry.seq}号{KINDS[entry.kind]}的层级与其内容不符")

    def _undisturbed(self, entry: journal.Entry, body: Body) -> None:
        """Note that something came between an announcement and the titles and steps of its list."""
        pending = self.told.announcement
        if pending is None:
            return
        follows = entry.kind == "title" or (entry.kind == "step" and "announcement" in body)
        if not follows or entry.recorded_at != pending.entry.recorded_at:
            self._incomplete(pending)
            self.told.announcement = None

    def _incomplete(self, pending: "_Announcement") -> None:
        self.report.completeness.append(f"第{pending.entry.seq}号公告之后的办理少于其名单")

    def _publication(self, entry: journal.Entry, body: Body) -> None:
        self.told.documents |= dict.fromkeys(body["rulesets"].values(), "ruleset")
        self.told.documents |= dict.fromkeys(body["sources"].values(), "source")
        self.told.documents[body["applicability"]] = "applicability"
        self.told.documents |= {
            body[kind]: kind for kind in ("workflows", "clocks", "calendar") if kind in body
        }
        self.told.applicability = body["applicability"]
        table = _text(self.session, body["applicability"])
        rows = json.loads(table)["rows"] if table else ()  # what is lost is told with the documents
        if table and body["rulesets"] != {r["ruleset"]: r["digest"] for r in rows if r["digest"]}:
            self.report.integrity.append(f"第{entry.seq}号发布所列的规则集不是其适用表的")
        former, named = (
            _years(self.session, name) for name in (self.told.calendar, body.get("calendar", ""))
        )
        if former is not None and named is not None and former.keys() - named.keys():
            self.report.integrity.append(f"第{entry.seq}号发布的工作日历少了此前已有的年份")
        self.told.calendar = body.get("calendar", "")

    def _receipt(self, entry: journal.Entry, body: Body) -> None:
        filings, stored = body["filings"], body["import"]
        if filings["count"]:
            first, last = filings["first"], filings["last"]
            if first <= self.told.last_filing:
                self.report.completeness.append(f"第{entry.seq}号记录与前面的登记重叠")
            if receipts.filings_json(self.session, self.told.last_filing + 1, last) != filings:
                self.report.integrity.append(
                    f"第{entry.seq}号登记的填报（编号{first}至{last}，共{filings['count']}份）已被改动、增加或删去"
                )
            self.told.last_filing = last
            self.told.filings += filings["count"]
        if stored is None:
            imports = body["imports"]
            self.told.closed |= dict(body["closed"])
            self.told.undone |= {i["id"]: i["undone_at"] for i in imports if i["undone_at"]}
        else:
            imports = [{**stored, "restated": body["restated"]}] if entry.kind == "intake" else []
            moment = moment_text(entry.recorded_at)
            self.told.closed |= dict.fromkeys(body["closed"], moment)
            if entry.kind == "undo":
                self.told.undone[stored["id"]] = moment
        for stated in imports:
            self.told.imports[stated["id"]] = {
                k: v for k, v in stated.items() if k not in ("restated", "undone_at")
            }
            self.told.restated += stated["restated"]["count"]
            if receipts.restated_json(self.session, stated["id"]) != stated["restated"]:
                self.report.integrity.append(f"导入{stated['id']}中未变填报的清单已被改动")

    def _filing(self, entry: journal.Entry, body: Body) -> None:
        """Note an entry about one filing, which must match that filing."""
        row = self.session.execute(_FILED, {"id": entry.filing_id}).one_or_none()
        where = f"第{entry.seq}号{KINDS[entry.kind]}"
        if row is None:
            self.report.integrity.append(f"{where}所依据的填报已不在登记库中")
            return
        if journal.filed_case(body["case"]) != (row.uscc, row.as_of.isoformat()):
            self.report.integrity.append(f"{where}指向了另一份填报")
        if digest(sealed_facts(json.loads(row.facts), entry.salt, body)) != body["facts"]:
            self.report.integrity.append(f"{where}所依据的填报已被改动")
        id = entry.filing_id
        assert id is not None
        if id > self.told.last_filing or id in self.told.closed or id in self.told.withdrawn:
            self.report.integrity.append(f"{where}所依据的填报当时不是现行的")
        if entry.kind == "decision":
            self.told.decided.add(id)
            if body["applicability"]["digest"] != self.told.applicability:
                self.report.integrity.append(f"{where}不是按当时发布的标准作出的")
        elif entry.kind == "withdrawal":
            self.told.withdrawn.add(id)
        else:
            matter = id, str(body.get("rule") or body["fact"])
            if body.get("revokes") and self.told.settled.get(body["revokes"]) != matter:
                self.report.integrity.append(f"{where}所撤回的不是同一事项的认定")
            case = (*journal.filed_case(body["case"]), matter[1])
            earlier = self.told.ruled.setdefault(case, [])
            try:
                refuse_other_before(json.loads(row.facts), body, earlier)
            except RecordError as error:
                self.report.integrity.append(f"{where}{error}")
            earlier.append(body["value"])
            self.told.settled[entry.digest] = matter
            if body["four_eyes"] is not self.told.four_eyes:
                self.report.integrity.append(f"{where}的复核要求与当时的规定不符")

    def _confirmation(self, entry: journal.Entry, body: Body) -> None:
        query = sa.select(_JOURNAL).where(
            NO_DECISION,
            _JOURNAL.c.digest == body["determination"],
            _JOURNAL.c.kind == "determination",
            _JOURNAL.c.seq < entry.seq,
        )
        found = self.session.execute(query).mappings().first()
        if found is None or found["filing_id"] != entry.filing_id:
            self.report.integrity.append(f"第{entry.seq}号确认没有对应的人工认定")
        elif same_person(entry.by, journal.Entry(**found).by):
            self.report.integrity.append(f"第{entry.seq}号确认与所确认的认定出自同一人")
        elif entry.tier != found["tier"]:
            self._other_tier(entry)

    def _policy(self, entry: journal.Entry, body: Body) -> None:
        """Note a rule of procedure, which must change the one before."""
        if body["four_eyes"] is self.told.four_eyes:
            self.report.integrity.append(f"第{entry.seq}号管理规定与当时的规定相同，不可能登记")
        self.told.four_eyes = body["four_eyes"]

    def _title(self, entry: journal.Entry, body: Body) -> None:
        """Note an entry about a title; one that strikes it out must name the last entry on it."""
        title = body["uscc"], body["kind"], body["valid_from"]
        self._code(entry, body["uscc"])
        if body["action"] == "strike":
            if self.told.titles.pop(title, "") != body["strikes"]:
                self.report.integrity.append(f"第{entry.seq}号划销的不是这项称号现行的登记")
        else:
            self.told.titles[title] = entry.digest
        if self.told.announcement is not None:
            self.told.announcement.titles[body["uscc"]] = entry.digest

    def _holding(self, entry: journal.Entry, body: Body) -> None:
        """Note an entry about a holding of another, whose share is at most 100 %."""
        self._code(entry, body["uscc"])
        if body["holder"]:
            self._code(entry, body["holder"])
        named = body["holder"] or body["holder_name"]
        if not named or named == body["uscc"] or not 0 < number(body["share"]) <= 1:
            self.report.integrity.append(f"第{entry.seq}号持股登记的内容不合格式")

    def _code(self, entry: journal.Entry, code: str) -> None:
        """Note a credit code that nobody could have registered then."""
        if wrong := uscc.fault(code, self.told.admitted):
            where = f"第{entry.seq}号{KINDS[entry.kind]}"
            self.report.integrity.append(f"{where}的统一社会信用代码不可能登记：{wrong}")

    def _checkpoint(self, entry: journal.Entry, body: Body) -> None:
        """Note checkpoints that an entry records as signed; each is smaller and recorded only once."""
        for size, name in body["signed"]:
            if not 0 < size < entry.seq or size in self.told.signed:
                self.report.integrity.append(
                    f"第{entry.seq}号记录所签发的检查点（{size}条记录）不可能"
                )
            self.told.signed[size] = name

    def _admission(self, entry: journal.Entry, body: Body) -> None:
        """Note an entry about a credit code, whose check digit must be wrong; it changes what was before."""
        code, admits = body["uscc"], body["action"] == "admit"
        if not uscc.is_early(code) or (code in self.told.admitted) is admits:
            self.report.integrity.append(f"第{entry.seq}号认可代码的内容不合格式")
        (self.told.admitted.add if admits else self.told.admitted.discard)(code)

    def _calendar(self, entry: journal.Entry, body: Body) -> None:
        """Note an entry about a year, whose calendar must be the one before with only that year stated."""
        self.told.documents[body["calendar"]] = "calendar"
        former, named = (
            _years(self.session, name) for name in (self.told.calendar, body["calendar"])
        )
        wrong = False
        if former is not None and named is not None:  # what is lost is told with the documents
            Calendar.of(named)  # fails if it is none
            wrong |= not calendars.follows(former, named, body["year"])
        if wrong:
            self.report.integrity.append(f"第{entry.seq}号放假安排与其前的工作日历接不上")
        self.told.calendar = body["calendar"]

    def _round(self, entry: journal.Entry, body: Body) -> None:
        """Note a round, which is opened once under its name and closed at most once."""
        named = body.get("round")
        if named is None:
            if body["closes"] is not None and body["closes"] < body["opens"]:
                self.report.integrity.append(f"第{entry.seq}号轮次的受理时间终止早于开始")
            if body["name"] in {one["name"] for one in self.told.rounds.values()}:
                self.report.integrity.append(f"第{entry.seq}号轮次的名称已有别的轮次使用")
            self.told.rounds[entry.digest] = body
            return
        opened = self.told.rounds.get(named)
        if opened is None or named in self.told.closed_rounds:
            self.report.integrity.append(f"第{entry.seq}号所结束的轮次没有开启，或已经结束")
        elif (entry.tier, body["batch"]) != (opened["tier"], opened["batch"]):
            self.report.integrity.append(f"第{entry.seq}号结束轮次的层级或批次与所结束的轮次不符")
        self.told.closed_rounds.add(named)

    def _announcement(self, entry: journal.Entry, body: Body) -> None:
        """Note an announcement; its titles and steps follow in one go."""
        self.told.announcement = _Announcement(entry)
        if not body["count"]:
            self.report.integrity.append(f"第{entry.seq}号公告的名单是空的")

    def _followed(self, entry: journal.Entry, body: Body) -> None:
        """Note an application or a step; where each led is followed enterprise by enterprise later."""
        self.report.applications += entry.kind == "application"
        self.report.steps += entry.kind == "step"
        if "announcement" not in body:
            return
        pending = self.told.announcement
        if pending is None or not pending.take(body) or entry.tier != pending.entry.tier:
            self.report.integrity.append(f"第{entry.seq}号办理所属的公告或称号与记录不符")
            return
        if len(pending.listed) == pending.entry.content["count"]:
            if not pending.complete:
                self.report.integrity.append(f"第{pending.entry.seq}号公告的名单与其后的办理不符")
            self.told.announcement = None

    def _duty(self, entry: journal.Entry, body: Body) -> None:
        """Note what a person entered about a duty; whether it could be is followed later."""
        self.report.duties += 1
        self._code(entry, body["uscc"])


def _years(session: Session, name: str) -> dict[str, Any] | None:
    """The years of a calendar; None if its text is lost or altered, {} for no calendar."""
    text = _text(session, name) if name else '{"years":{}}'
    if text is None:
        return None
    found: dict[str, Any] = json.loads(text)["years"]
    return found


def _text(session: Session, name: str) -> str | None:
    """The published text with that digest; None if it is lost or altered."""
    text = session.scalar(sa.select(_DOCUMENT.c.text).where(_DOCUMENT.c.digest == name))
    return text if text is not None and sha256(text) == name else None


#: What takes the entries of each kind.
_TAKERS: Final = {
    "publication": Reader._publication,
    "intake": Reader._receipt,
    "undo": Reader._receipt,
    "policy": Reader._policy,
    "determination": Reader._filing,
    "confirmation": Reader._confirmation,
    "decision": Reader._filing,
    "withdrawal": Reader._filing,
    "title": Reader._title,
    "holding": Reader._holding,
    "checkpoint": Reader._checkpoint,
    "admission": Reader._admission,
    "calendar": Reader._calendar,
    "round": Reader._round,
    "application": Reader._followed,
    "step": Reader._followed,
    "announcement": Reader._announcement,
    "update": Reader._duty,
    "change": Reader._duty,
    "complaint": Reader._duty,
    "consequence": Reader._duty,
}
