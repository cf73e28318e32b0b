"""Entries of the journal in officers' words."""

from collections.abc import Iterable, Mapping
from typing import Final

from registry.judging.wording import registered_text, target_text
from registry.record import admissions, journal, register
from rules.model.catalogue import Catalogue
from rules.portable.record import plain_text


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
