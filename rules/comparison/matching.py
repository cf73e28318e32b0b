"""Matches the requirements of two texts one by one, and words their differences.

Nothing is matched by similar wording. Two comparisons match, in this order, if they

1. stand in rules of the same id and name the same indicator;
2. name the same indicator;
3. read the same formula for another year;
4. count records of the same list by rules that are counterparts.

A requirement without a match is in one text only. Rules over records are counterparts if they have
the same id, the same last part of the id, or ask about the same fields.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rules.comparison.requirements import ARITHMETIC, conditions
from rules.comparison.rows import Requirement, RequirementChange, Row, ScoreItem, ScoreRow
from rules.explanation.wording import plain
from rules.model.expressions import leaves
from rules.model.ruleset import Indicator, Line, Ruleset


def match(
    old: Sequence[Requirement],
    new: Sequence[Requirement],
    twins: dict[str, str],
    rulesets: tuple[Ruleset, Ruleset],
) -> tuple[Row, ...]:
    """Match requirements, surest first; rows follow the new text, then come those that are gone."""
    left, right = list(old), list(new)
    partner: dict[int, Requirement] = {}

    def pair(key: Callable[[Requirement], Hashable], *, period: bool = False) -> None:
        for after in list(right):
            wanted = key(after)
            candidates = [r for r in left if wanted is not None and key(r) == wanted]
            if period and any(r.name == after.name for r in (*old, *left)):
                continue
            if candidates:
                best = max(candidates, key=lambda r: _closeness(r, after))
                rivals = [r for r in right if key(r) == wanted]
                if max(rivals, key=lambda r: _closeness(best, r)) is not after:
                    continue  # another is closer to it and is paired first
                partner[id(after)] = best
                left.remove(best)
                right.remove(after)

    def settle(key: Callable[[Requirement], Hashable], *, period: bool = False) -> None:
        while True:
            number = len(partner)
            pair(key, period=period)
            if len(partner) == number:
                return

    settle(lambda r: (r.rule.id, r.case, r.name, r.line.op))
    settle(lambda r: (r.rule.id, r.name))
    settle(lambda r: (r.name, r.indicator.records if r.indicator else ""))
    settle(lambda r: _without_years(r.indicator), period=True)
    settle(lambda r: _counted(r.indicator, twins))
    rows = [_row(partner.get(id(after)), after, rulesets, old) for after in new]
    return (*rows, *(_row(gone, None, rulesets, old) for gone in left))


def _closeness(one: Requirement, other: Requirement) -> tuple[bool, bool, bool, bool]:
    return (
        one.rule.id == other.rule.id,
        (one.line.op, one.line.value) == (other.line.op, other.line.value),
        bool(set(one.alternatives) & set(other.alternatives)),
        bool(one.alternatives) == bool(other.alternatives),
    )


def _without_years(indicator: Indicator | None) -> Hashable:
    """A formula of yearly figures without its years; None for any other formula."""
    if indicator is None or not any(leaf[0] == "year" for leaf in leaves(indicator.expr)):
        return None

    def strip(part: Any) -> Any:
        if isinstance(part, tuple):
            return part[:2] if part[:1] == ("year",) else tuple(map(strip, part))
        return part

    return strip(indicator.expr)  # type: ignore[no-any-return]


def _counted(indicator: Indicator | None, twins: dict[str, str]) -> tuple[str, str, str] | None:
    """The list and the (new text's) rule by which an indicator counts or adds up records."""
    if indicator is None:
        return None
    first = leaves(indicator.expr)[:1]
    if not first or first[0][0] not in ("count", "total") or indicator.expr[0] in ARITHMETIC:
        return None
    node, records, rule = str(first[0][0]), str(first[0][1]), str(first[0][-2])
    return node, records, twins.get(rule, rule)


def _row(
    before: Requirement | None,
    after: Requirement | None,
    rulesets: tuple[Ruleset, Ruleset],
    old: Sequence[Requirement],
) -> Row:
    if after is None:
        return Row(RequirementChange.REMOVED, before, None)
    if before is None:
        mine = _without_years(after.indicator)
        others = [r.name for r in old if mine is not None and _without_years(r.indicator) == mine]
        years = (f"增加考察年度（原为{others[0]}）",) if others else ()
        return Row(RequirementChange.ADDED, None, after, years)
    details = tuple(_details(before, after, rulesets))
    return Row(
        RequirementChange.CHANGED if details else RequirementChange.SAME, before, after, details
    )


def _details(
    before: Requirement, after: Requirement, rulesets: tuple[Ruleset, Ruleset]
) -> Iterator[str]:
    """The changes of a requirement, in words."""
    counted = _counted(before.indicator, {}), _counted(after.indicator, {})
    if counted[0] and counted[1]:
        rules = (s.rule(c[2]) for s, c in zip(rulesets, counted, strict=True) if c)
        if len({conditions(s, r) for s, r in zip(rulesets, rules, strict=True)}) > 1:
            yield "计入的范围不同，见释义"
    elif before.name != after.name:
        yield "考察期间不同"
    elif before.indicator and after.indicator and before.indicator.expr != after.indicator.expr:
        alike = _threshold(before.indicator) == _threshold(after.indicator)
        yield "算法不同" if alike else f"由「{before.text}」改为「{after.text}」"
    if before.line.subject == after.line.subject == "unmet":
        pairs = zip(rulesets, (before, after), strict=True)
        old, new = (conditions(ruleset, side.rule) for ruleset, side in pairs)
        if old != new:
            yield f"不得符合的条件由「{old}」改为「{new}」"
    asked = [(r.line.op, r.line.value) for r in (before, after)]
    if asked[0] != asked[1] and _threshold(before.indicator) == _threshold(after.indicator):
        yield _harder(before.line, after.line)
    if bool(before.alternatives) != bool(after.alternatives):
        yield f"由{_briefly(before)}改为{_briefly(after)}"
    elif set(before.alternatives) != set(after.alternatives):
        yield f"可择一的其他情形：{_others(before)} → {_others(after)}"


def _threshold(indicator: Indicator | None) -> Hashable:
    """The day or computed figure with which an indicator is compared, if it is."""
    return (indicator.day, indicator.against) if indicator else ()


def _others(requirement: Requirement) -> str:
    return "、".join(a for a in requirement.alternatives if a != requirement.case)


def _briefly(requirement: Requirement) -> str:
    return f"{len(requirement.alternatives)}种情形之一" if requirement.alternatives else "必备"


def _harder(before: Line, after: Line) -> str:
    up, down = (">=", ">"), ("<=", "<")  # the stricter one last
    old, new = before.value, after.value
    if isinstance(old, Fraction) and isinstance(new, Fraction):
        for ops, sign in ((up, 1), (down, -1)):
            if before.op in ops and after.op in ops:
                strict = (new - old) * sign or ops.index(after.op) - ops.index(before.op)
                what = "门槛" if ops is up else "上限"
                moved = (
                    f"{what}{'提高' if new > old else '降低'}" if new != old else "是否含本数不同"
                )
                return f"{moved}（{'从严' if strict > 0 else '从宽'}）"
    if isinstance(old, tuple) and isinstance(new, tuple):
        lost, gained = [c for c in old if c not in new], [c for c in new if c not in old]
        words = ("不再含", "、".join(lost)), ("增加", "、".join(gained))
        return f"范围{'，'.join(f'{word}{codes}' for word, codes in words if codes)}"
    return "要求不同"


def noting_scores(row: Row, items: tuple[list[ScoreItem], list[ScoreItem]]) -> Row:
    """Note on a requirement in one text only that it is a scored item of the other."""
    only, others = (row.after, items[0]) if row.before is None else (row.before, items[1])
    if only is None or (row.before and row.after):
        return row
    scored = [i for i in others if only.name in i.rule.indicator_names()]
    word = "原为" if row.before is None else "改为"
    notes = tuple(f"{word}计分项「{i.rule.id}」，满分{plain(i.full)}分" for i in scored)
    return replace(row, details=(*row.details, *notes))


def match_scores(old: list[ScoreItem], new: list[ScoreItem]) -> tuple[ScoreRow, ...]:
    """Match scored items by rule, else by their indicators; items that are gone come last."""
    left, rows = list(old), []
    for after in new:
        same = [b for b in left if b.rule.id == after.rule.id] or [
            b for b in left if set(b.rule.indicator_names()) == set(after.rule.indicator_names())
        ]
        if not same:
            rows.append(ScoreRow(RequirementChange.ADDED, None, after))
            continue
        before = same[0]
        left.remove(before)
        details = []
        if before.full != after.full:
            details.append(f"满分{plain(before.full)}分改为{plain(after.full)}分")
        if before.group != after.group:
            details.append(f"由{before.group}改列{after.group}")
        if before.bands != after.bands:
            gone = [b for b in before.bands if b not in after.bands]
            come = [b for b in after.bands if b not in before.bands]
            details.append(f"{'；'.join(gone) or '无'} → {'；'.join(come) or '无'}")
        change = RequirementChange.CHANGED if details else RequirementChange.SAME
        rows.append(ScoreRow(change, before, after, tuple(details)))
    return (*rows, *(ScoreRow(RequirementChange.REMOVED, b, None) for b in left))
