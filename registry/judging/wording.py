"""What bears on a verdict, in officers' words: determinations, registered titles and holdings."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from registry.judging.settled import Determination, Registration
from registry.kit.decimals import decimal_text
from rules.explanation.wording import result_text, value_text
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact
from rules.model.ruleset import Outcome, Points
from rules.portable.record import is_holding


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
