"""The record in officers' words: entries, determinations, registered titles and holdings."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from registry.database.columns import decimal_text
from registry.judging.settled import Determination, Registration
from registry.record import admissions, journal, register
from rules.explanation.wording import result_text, value_text
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact
from rules.model.ruleset import Outcome, Points
from rules.portable.record import is_holding, plain_text


def entry_text(entry: journal.Entry, numbers: Mapping[str, int], catalogue: Catalogue) -> str:
    """An entry in one phrase; ``numbers`` are those of the entries that it cites by digest."""
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
            where = f"{body['case']['uscc']} {target_text(body, catalogue)}"
            revoked = numbers.get(body.get("revokes", ""))
            done = f"撤回第{revoked}号认定，" if revoked else ""
            return f"{where}：{done}{entry.texts['ground']}"
        case "title" | "holding":
            return f"{body['uscc']} {register.ACTIONS[body['action']]} {registered_text(body)}"
        case "checkpoint":
            return "、".join(f"{size}条记录" for size, _ in body["signed"])
        case "admission":
            action = admissions.ACTIONS[body["action"]]
            return f"{action} {body['uscc']}，依据{body['document']}（{body['dated']}）"
        case "calendar":
            return f"{body['year']}年，依据{body['document']}（{body['dated']}）"
        case "round" if "round" in body:
            return f"结束第{numbers[body['round']]}号轮次：{entry.texts['ground']}"
        case "round":
            return f"{body['name']}（{body['tier']}{body['procedure']}），依据{body['document']}"
        case "application":
            return f"{body['name']}（{body['uscc']}）{body['tier']}{body['procedure']}"
        case "step":
            ground = f"：{entry.texts['ground']}" if "ground" in entry.texts else ""
            return f"{body['uscc']} {body['level']}{body['act']}（{body['day']}）{ground}"
        case "announcement":
            return f"{entry.tier}{body['count']}家，依据{body['document']}（{body['dated']}）"
        case "update" | "change" | "complaint" | "consequence":
            return f"{body['name']}（{body['uscc']}）{_duty(entry, numbers)}"
        case "confirmation":
            return f"第{numbers[body['determination']]}号认定"
    return f"{body['case']['uscc']}：{entry.texts['ground']}"


def _duty(entry: journal.Entry, numbers: Mapping[str, int]) -> str:
    """What an entry about a duty says, after whom it is about."""
    body, ground = entry.content, entry.texts.get("ground", "")
    said = f"：{ground}" if ground else ""
    if "revokes" in body:
        return f"撤回第{numbers[body['revokes']]}号{said}"
    first = f"（第{numbers[body['of']]}号）" if body.get("of") else ""
    match entry.kind:
        case "update":
            return f"{body['year']}年，{body['day']}提交{said}"
        case "change":
            renamed = f"为{body['renamed']}" if body["renamed"] else ""
            reported = f"{body['reported']}报告" if body["reported"] else "尚未报告"
            return f"{body['day']}{body['changed']}{renamed}，{reported}{first}{said}"
        case "complaint" if first:
            return f"{body['day']}答复{first}，{body['outcome']}{said}"
        case "complaint":
            return f"{body['day']}收到{said}"
    drawn = body["consequence"] or "不追究"
    return f"{body['tier']}{body['matter']}{body['subject']}（最迟{body['due']}）：{drawn}{said}"


def cited(entries: Iterable[journal.Entry]) -> list[str]:
    """The digests of the entries whose numbers ``entry_text`` needs."""
    keys = ("revokes", "round", "of")
    found = []
    for entry in entries:
        body = entry.content
        named = ("determination",) if entry.kind == "confirmation" else keys
        found += [body[key] for key in named if body.get(key) and entry.kind in _CITING]
    return found


#: The kinds of entries that cite others which their phrases name.
_CITING: Final = (
    "confirmation", "determination", "round", "update", "change", "complaint", "consequence",
)  # fmt: skip


def target_text(content: Mapping[str, Any], catalogue: Catalogue) -> str:
    """The subject of a determination, as officers name it; what is no longer declared by its id.

    >>> revenue = Catalogue((Fact("revenue", "营业收入总额", "number", "万元", yearly=True),))
    >>> target_text({"fact": "revenue@2022"}, revenue), target_text({"fact": "ip#0.pledge"}, revenue)
    ('2022年营业收入总额', 'ip第1条pledge')
    """
    if "rule" in content:
        return f"规则{content['rule']}"
    name, _, place = content["fact"].partition("#")
    found = _found(content, catalogue)
    if place or content.get("list"):
        listed = catalogue.lists[name].name if name in catalogue.lists else name
        number, _, field = place.partition(".")
        said = f"第{int(number) + 1}条{found.name if found else field}" if place else ""
        return f"{listed}{said or '清单是否已报全'}"
    id, _, year = name.partition("@")
    return f"{year and year + '年'}{found.name if found else id}"


def _found(content: Mapping[str, Any], catalogue: Catalogue) -> Fact | None:
    """The fact or field that a determination is about, if it is declared."""
    name, _, place = content["fact"].partition("#")
    if place:
        kind = catalogue.lists.get(name)
        return kind.field(place.partition(".")[2]) if kind else None
    return catalogue.get(name.partition("@")[0])


def determined_text(content: Mapping[str, Any], value: Any, catalogue: Catalogue) -> str:
    """The value in a determination, former or new, as officers write it."""
    if "rule" in content:
        if value is None:
            return "留待认定"
        return (
            Outcome(value).text
            if isinstance(value, int)
            else result_text(Points(Fraction(value[0]), Fraction(value[1])))
        )
    if value is None:
        return "未知"
    if content.get("list") or isinstance(value, bool):
        return "是" if value else "否"
    found = _found(content, catalogue)
    return value_text(found, value) if found else str(value)


def determination_text(determination: Determination, catalogue: Catalogue) -> str:
    """A determination in one phrase: the former and the new value, the reason, and the person."""
    content = determination.content
    was, value = (determined_text(content, content[k], catalogue) for k in ("was", "value"))
    confirmed = f"，{determination.confirmed_by}确认" if determination.confirmed_by else ""
    return (
        f"{target_text(content, catalogue)}：{was} → {value}，理由：{determination.ground}"
        f"（{determination.by}{confirmed}，证据{len(content['evidence'])}件）"
    )


def registered_text(body: Mapping[str, Any]) -> str:
    """A registration in one phrase: what it states, its days, and its document.

    For a title it names the kind and how it ended; for a holding the holder, share and enterprise.
    """
    if is_holding(body):
        holder, held = (
            " ".join(filter(None, (body[n], body[c])))
            for n, c in (("holder_name", "holder"), ("name", "uscc"))
        )
        share = f"{decimal_text(Decimal(body['share']).scaleb(2))}%"
        until = f"至{body['valid_until']}" if body["valid_until"] else "起"
        return (
            f"{holder}持有{held} {share}，{body['valid_from']}{until}"
            f"，依据{body['document']}（{body['dated']}）"
        )
    ended = body["ended_on"] and f"，{body['ended_on']}终止（{body['reason']}）"
    return (
        f"{body['kind']}，有效期{body['valid_from']}至{body['valid_until']}{ended or ''}"
        f"，依据{body['document']}（{body['dated']}）"
    )


def registration_text(entry: Registration) -> str:
    """A registration that bears on an enterprise; another enterprise's title names its holder."""
    body = entry.content
    whose = "" if entry.own_title or is_holding(body) else f"{body['name']} {body['uscc']} "
    return f"{whose.lstrip()}{registered_text(body)}"


def overruled_text(title: Mapping[str, Any]) -> str:
    """A filed title that the register does not confirm, as it was filed."""
    held = {True: "，填报时持有", False: "，填报时不持有"}.get(title.get("held"), "")  # type: ignore[arg-type]
    days = [title.get(k, "未填") for k in ("valid_from", "valid_until")]
    return f"填报为{title['kind']}，有效期{days[0]}至{days[1]}{held}：与登记簿不符，以登记簿为准"
