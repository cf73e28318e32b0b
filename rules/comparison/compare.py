"""Two rulesets side by side: what each asks of an enterprise, matched requirement by requirement.

Nothing is matched by resemblance of words. In this order, two comparisons are taken for the same one:
where they stand in the rule of the same id and name the same indicator; where they name the same
indicator; where they read the same formula of another year; where they count records of the same list
by rules that are each other's counterparts. What is not matched is in one text only. Rules over records
are counterparts if they have the same id, the same last part of the id, or ask about the same fields.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from typing import Any, Final

from rules.explanation.wording import plain, quantity
from rules.model.expressions import asked, leaves, sought
from rules.model.facts import fact, period_name, record_kind
from rules.model.ruleset import (
    Attested,
    Band,
    Bands,
    Case,
    Cases,
    Expr,
    Indicator,
    Ladder,
    Line,
    Note,
    Rule,
    Ruleset,
    Total,
)


class Change(Enum):
    """What became of a requirement."""

    CHANGED = "改变"
    ADDED = "新增"
    REMOVED = "取消"
    SAME = "未变"


@dataclass(frozen=True)
class Requirement:
    """One comparison of a rule; ``indicator`` is None where it is of a score or of a whole rule.

    ``alternatives`` are the names of the cases of which one is enough, where it stands in one of
    several; ``case`` is its own.
    """

    rule: Rule
    line: Line
    indicator: Indicator | None
    name: str
    case: str = ""
    alternatives: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The comparison with its threshold: 不低于1000万元."""
        return self.line.text or "符合"

    @property
    def role(self) -> str:
        """Whether it must hold, or is one way among several."""
        if not self.alternatives:
            return "必备"
        return f"{len(self.alternatives)}种情形之一「{self.case}」"

    def to_json(self) -> dict[str, Any]:
        """The requirement as plain JSON values."""
        return {
            "rule": self.rule.id,
            "title": self.rule.title,
            "citation": self.rule.citation,
            "indicator": self.name,
            "requirement": self.text,
            "role": self.role,
            "alternatives": list(self.alternatives),
        }


@dataclass(frozen=True)
class Row:
    """One requirement in both texts, or in one of them; ``details`` say what differs."""

    change: Change
    before: Requirement | None
    after: Requirement | None
    details: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What is compared; both names where they differ."""
        names = dict.fromkeys(r.name for r in (self.before, self.after) if r)
        return " → ".join(names)

    def to_json(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        return {
            "change": self.change.value,
            "indicator": self.name,
            "before": self.before and self.before.to_json(),
            "after": self.after and self.after.to_json(),
            "details": list(self.details),
        }


@dataclass(frozen=True)
class ScoreItem:
    """An item that earns points: its table in words, the score it counts to, its group and most points."""

    rule: Rule
    total: str
    group: str
    full: Fraction
    bands: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The item as plain JSON values."""
        return {
            "rule": self.rule.id,
            "title": self.rule.title,
            "citation": self.rule.citation,
            "group": self.group,
            "full": plain(self.full),
            "bands": list(self.bands),
        }


@dataclass(frozen=True)
class ScoreRow:
    """One scored item in both texts, or in one of them."""

    change: Change
    before: ScoreItem | None
    after: ScoreItem | None
    details: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        return {
            "change": self.change.value,
            "before": self.before and self.before.to_json(),
            "after": self.after and self.after.to_json(),
            "details": list(self.details),
        }


@dataclass(frozen=True)
class Definition:
    """A term: what a record must satisfy to count, or how an indicator is computed.

    ``before`` and ``after`` say it in words (empty where the text does not have it); ``rows`` are the
    conditions of a rule over records that differ, and ``rules`` its ids in either text.
    """

    change: Change
    name: str
    before: str
    after: str
    citation: str
    rows: tuple[Row, ...] = ()
    rules: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The definition as plain JSON values."""
        return {
            "change": self.change.value,
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "citation": self.citation,
            "rows": [r.to_json() for r in self.rows],
        }


@dataclass(frozen=True)
class Reading:
    """An interpretation note with the rules it belongs to; ``side`` is 前, 后 or 前后."""

    side: str
    note: Note
    rules: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The note as plain JSON values."""
        return {
            "side": self.side,
            "confidence": self.note.confidence,
            "text": self.note.text,
            "rules": list(self.rules),
        }


@dataclass(frozen=True)
class Comparison:
    """Everything two rulesets ask for, side by side.

    ``facts_added`` and ``facts_removed`` name what only one of them asks an enterprise to file.
    """

    before: Ruleset
    after: Ruleset
    rows: tuple[Row, ...]
    scores: tuple[ScoreRow, ...]
    definitions: tuple[Definition, ...]
    readings: tuple[Reading, ...]
    facts_added: tuple[str, ...]
    facts_removed: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether the rulesets are the same to the byte."""
        return self.before.digest == self.after.digest

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain JSON values."""
        return {
            "tier": self.after.tier,
            "before": _side_json(self.before),
            "after": _side_json(self.after),
            "identical": self.identical,
            "requirements": [r.to_json() for r in self.rows],
            "scores": [s.to_json() for s in self.scores],
            "definitions": [d.to_json() for d in self.definitions],
            "notes": [n.to_json() for n in self.readings],
            "facts_added": list(self.facts_added),
            "facts_removed": list(self.facts_removed),
        }


def _side_json(ruleset: Ruleset) -> dict[str, str]:
    return {"root": ruleset.root, "source": ruleset.source, "digest": ruleset.digest}


def compare(before: Ruleset, after: Ruleset) -> Comparison:
    """Set two rulesets side by side."""
    same = _unchanged(before, after)
    old, new = _requirements(before, before.root, same), _requirements(after, after.root, same)
    twins = _counterparts(before, after)
    items = _items(before), _items(after)
    rows = _rows(old, new, twins, (before, after))
    rows = tuple(_noting_scores(row, items) for row in rows)
    scores = _score_rows(*items)
    definitions = (*_record_definitions(before, after, twins), *_formulas(before, after))
    kept = [row for row in rows if row.change in (Change.CHANGED, Change.ADDED)]
    touched = {r.rule.id for row in kept for r in (row.before, row.after) if r}
    touched |= {s.after.rule.id for s in scores if s.change is not Change.SAME and s.after}
    touched |= {id for d in definitions if d.change is Change.CHANGED for id in d.rules}
    old_facts, new_facts = asked_for(before), asked_for(after)
    return Comparison(
        before,
        after,
        rows,
        scores,
        definitions,
        tuple(_readings(before, after, touched)),
        tuple(name for id, name in new_facts.items() if id not in old_facts),
        tuple(name for id, name in old_facts.items() if id not in new_facts),
    )


def asked_for(ruleset: Ruleset) -> dict[str, str]:
    """What a ruleset reads of a filing: Chinese names by key.

    Facts and record fields (``ip.holder_rank``), and yearly figures by their year from T
    (``rd_expense-1``); a list itself is read if records of it are counted.

    """
    return {
        key: name
        for indicator in ruleset.indicators.values()
        for leaf in sought(indicator.expr)
        for key, name in zip(asked(leaf, indicator.records), _names(leaf, indicator), strict=True)
    }


def _names(leaf: Expr, indicator: Indicator) -> tuple[str, ...]:
    match leaf:
        case ("year", id, offset):
            return (period_name(fact(id), offset),)
        case ("field", id):
            kind = record_kind(indicator.records)
            field = kind.field(id)
            return (f"{kind.name}的{field.name if field else id}",)
        case ("count" | "total", records, *_, total):
            listed = f"{record_kind(records).name}清单"
            return (listed, fact(total).name) if total else (listed,)
    return (fact(leaf[1]).name,)


# -- what a ruleset asks for ---------------------------------------------------------------------


def _unchanged(before: Ruleset, after: Ruleset) -> frozenset[str]:
    """The rules, not over records, that have the same id and the same closure in both.

    Only those whose cases are for different kinds of enterprise stay whole (the size of an SME by
    sector); the others are looked into, so that each requirement has its row.
    """

    def closed(ruleset: Ruleset, id: str) -> Any:
        rule = ruleset.rule(id)
        return rule.title, rule.body, {r: closed(ruleset, r) for r in rule.rule_references()}

    ids = {r.id for r in before.rules} & {r.id for r in after.rules}
    return frozenset(
        id
        for id in ids
        if _by_kind(after, after.rule(id)) and closed(before, id) == closed(after, id)
    )


def _by_kind(ruleset: Ruleset, rule: Rule) -> bool:
    """Whether every case of a rule asks first which kind of enterprise it is."""
    if rule.records or not isinstance(rule.body, Cases) or len(rule.body.cases) == 1:
        return False
    return all(
        any(
            line.subject == "indicator" and ruleset.indicator(rule, line.name).kind == "code"
            for line in case.lines
        )
        for case in rule.body.cases
    )


def _requirements(
    ruleset: Ruleset,
    root: str,
    whole: frozenset[str] = frozenset(),
    apart: frozenset[str] = frozenset(),
) -> list[Requirement]:
    """Every comparison below a rule that decides, not those that earn points, in order.

    Rules in ``whole`` count as one requirement each; those in ``apart`` are left out.
    """
    found: dict[tuple[str, str, Line], Requirement] = {}
    records = ruleset.rule(root).records

    def visit(id: str, case: str, alternatives: tuple[str, ...]) -> None:
        rule = ruleset.rule(id)
        if rule.records != records or not isinstance(rule.body, Cases):
            return
        for own in rule.body.cases:
            several = len(rule.body.cases) > 1
            among = tuple(c.name for c in rule.body.cases) if several else alternatives
            name = own.name if several else case
            for line in own.lines:
                take(rule, own, line, name, among)

    def take(rule: Rule, own: Case, line: Line, case: str, alternatives: tuple[str, ...]) -> None:
        key = rule.id, own.name, line
        if line.subject == "indicator":
            indicator = ruleset.indicator(rule, line.name)
            found.setdefault(key, Requirement(rule, line, indicator, line.name, case, alternatives))
        elif line.subject == "points":
            id, _, group = line.name.partition("/")
            name = f"{group}得分" if group else id.rpartition(".")[2]
            found.setdefault(key, Requirement(rule, line, None, name, case, alternatives))
        elif line.name in whole:
            below = ruleset.rule(line.name)
            found.setdefault(key, Requirement(below, line, None, below.title, case, alternatives))
        elif line.name not in apart:
            visit(line.name, case, alternatives)

    visit(root, "", ())
    return list(found.values())


def _items(ruleset: Ruleset) -> list[ScoreItem]:
    totals = [r for r in ruleset.rules if isinstance(r.body, Total)]
    return [
        ScoreItem(rule, total.id, item.group, item.full, tuple(_bands(ruleset, rule)))
        for total in totals
        if isinstance(total.body, Total)
        for item in total.body.items
        for rule in [ruleset.rule(item.rule)]
    ]


def _bands(ruleset: Ruleset, rule: Rule) -> Iterator[str]:
    """The table of a scored rule, a line of it each, best first."""
    match rule.body:
        case Bands(bands):
            for name, rows in bands:
                unit = ruleset.indicator(rule, name).unit
                for band in sorted(rows, key=lambda b: -b.points):
                    if band.points:
                        yield f"{name}{_range(band, unit)}：{plain(band.points)}分"
        case Ladder(rungs):
            for rung in rungs:
                asked = "，且".join(f"{x.name}{x.text}" for x in rung.lines)
                yield f"{asked}：{plain(rung.points or Fraction(0))}分"
        case Attested(indicator, lo, hi):
            yield f"{indicator}：{plain(lo)}～{plain(hi)}分"
        case Cases() | Total():
            yield rule.title


def _range(band: Band, unit: str) -> str:
    if band.hi is None:
        return f"不低于{quantity(band.lo or Fraction(0), unit)}"
    if band.lo is None:
        return f"不高于{quantity(band.hi, unit)}"
    return f"{quantity(band.lo, unit)}～{quantity(band.hi, unit)}"


# -- matching ------------------------------------------------------------------------------------


def _rows(
    old: Sequence[Requirement],
    new: Sequence[Requirement],
    twins: dict[str, str],
    rulesets: tuple[Ruleset, Ruleset],
) -> tuple[Row, ...]:
    """Match requirements, surest first; rows in the order of the new text, then what is gone."""
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
                    continue  # another one is closer to it and is paired first
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
    """A formula of yearly figures without its years; None of any other."""
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
    if not first or first[0][0] not in ("count", "total") or indicator.expr[0] in _ARITHMETIC:
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
        return Row(Change.REMOVED, before, None)
    if before is None:
        mine = _without_years(after.indicator)
        others = [r.name for r in old if mine is not None and _without_years(r.indicator) == mine]
        years = (f"增加考察年度（原为{others[0]}）",) if others else ()
        return Row(Change.ADDED, None, after, years)
    details = tuple(_details(before, after, rulesets))
    return Row(Change.CHANGED if details else Change.SAME, before, after, details)


def _details(
    before: Requirement, after: Requirement, rulesets: tuple[Ruleset, Ruleset]
) -> Iterator[str]:
    """In what a requirement changed, in words."""
    counted = _counted(before.indicator, {}), _counted(after.indicator, {})
    if counted[0] and counted[1]:
        rules = (s.rule(c[2]) for s, c in zip(rulesets, counted, strict=True) if c)
        if len({_conditions(s, r) for s, r in zip(rulesets, rules, strict=True)}) > 1:
            yield "计入的范围不同，见释义"
    elif before.name != after.name:
        yield "考察期间不同"
    elif before.indicator and after.indicator and before.indicator.expr != after.indicator.expr:
        yield "算法不同"
    if (before.line.op, before.line.value) != (after.line.op, after.line.value):
        yield _harder(before.line, after.line)
    if bool(before.alternatives) != bool(after.alternatives):
        yield f"由{_briefly(before)}改为{_briefly(after)}"
    elif set(before.alternatives) != set(after.alternatives):
        yield f"可择一的其他情形：{_others(before)} → {_others(after)}"


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


def _noting_scores(row: Row, items: tuple[list[ScoreItem], list[ScoreItem]]) -> Row:
    """Say where a requirement in one text only is a scored item of the other."""
    only, others = (row.after, items[0]) if row.before is None else (row.before, items[1])
    if only is None or (row.before and row.after):
        return row
    scored = [i for i in others if only.name in i.rule.indicator_names()]
    word = "原为" if row.before is None else "改为"
    notes = tuple(f"{word}计分项「{i.rule.id}」，满分{plain(i.full)}分" for i in scored)
    return replace(row, details=(*row.details, *notes))


# -- scores --------------------------------------------------------------------------------------


def _score_rows(old: list[ScoreItem], new: list[ScoreItem]) -> tuple[ScoreRow, ...]:
    left, rows = list(old), []
    for after in new:
        same = [b for b in left if b.rule.id == after.rule.id] or [
            b for b in left if set(b.rule.indicator_names()) == set(after.rule.indicator_names())
        ]
        if not same:
            rows.append(ScoreRow(Change.ADDED, None, after))
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
        change = Change.CHANGED if details else Change.SAME
        rows.append(ScoreRow(change, before, after, tuple(details)))
    return (*rows, *(ScoreRow(Change.REMOVED, b, None) for b in left))


# -- definitions ---------------------------------------------------------------------------------


def _counterparts(before: Ruleset, after: Ruleset) -> dict[str, str]:
    """Rules over records of the old text and their counterparts in the new one."""
    old = [r for r in before.rules if r.records]
    new = [r for r in after.rules if r.records]
    found: dict[str, str] = {}

    def pair(key: Callable[[Ruleset, Rule], Hashable]) -> None:
        for rule in old:
            taken = set(found.values())
            wanted = key(before, rule)
            same = [r for r in new if r.id not in taken and key(after, r) == wanted]
            rivals = [r for r in old if r.id not in found and key(before, r) == wanted]
            if rule.id not in found and len(same) == len(rivals) == 1:
                found[rule.id] = same[0].id

    pair(lambda _, r: r.id)
    pair(lambda _, r: (r.records, r.id.rpartition(".")[2]))
    pair(lambda _, r: (r.records, frozenset((x.subject, x.name, x.op) for _, x in r.lines())))
    return found


def _record_definitions(
    before: Ruleset, after: Ruleset, twins: dict[str, str]
) -> Iterator[Definition]:
    """Rules over records that differ or that only one text has.

    What they build on has a definition of its own where both texts have it.
    """
    back = {new: old for old, new in twins.items()}
    for rule in after.rules:
        if not rule.records:
            continue
        if rule.id not in back:
            text = _conditions(after, rule)
            yield Definition(Change.ADDED, rule.title, "", text, _cited(rule), rules=(rule.id,))
            continue
        old = before.rule(back[rule.id])
        rows = _rows(
            _requirements(before, old.id, apart=frozenset(twins)),
            _requirements(after, rule.id, apart=frozenset(back)),
            twins,
            (before, after),
        )
        differing = tuple(r for r in rows if r.change is not Change.SAME)
        if differing:
            name = rule.title if old.title == rule.title else f"{old.title} → {rule.title}"
            cited = " → ".join(dict.fromkeys((_cited(old), _cited(rule))))
            texts = _conditions(before, old), _conditions(after, rule)
            ids = old.id, rule.id
            yield Definition(Change.CHANGED, name, *texts, cited, differing, ids)
    for rule in before.rules:
        if rule.records and rule.id not in twins:
            text = _conditions(before, rule)
            yield Definition(Change.REMOVED, rule.title, text, "", _cited(rule), rules=(rule.id,))


def _cited(rule: Rule) -> str:
    return f"{rule.id}，{rule.citation}"


def _conditions(ruleset: Ruleset, rule: Rule) -> str:
    """What a record must satisfy, in one sentence; the rules it builds on are written out."""
    cases = rule.body.cases if isinstance(rule.body, Cases) else ()
    texts = []
    for case in cases:
        parts = []
        for line in case.lines:
            below = ruleset.rule(line.name) if line.subject == "rule" else None
            if below is None:
                parts.append(f"{line.name}{_spaced(line.text)}")
                continue
            text = _conditions(ruleset, below)
            parts.append(f"（{text}）" if "；或" in text else text)
        texts.append("，".join(parts))
    return "；或".join(texts)


def _spaced(text: str) -> str:
    return text.replace(" ", "")


def _formulas(before: Ruleset, after: Ruleset) -> Iterator[Definition]:
    """Computed indicators that differ or that only one text compares."""
    old, new = (
        {k: i for k, i in s.indicators.items() if i.expr[0] in _ARITHMETIC} for s in (before, after)
    )
    for name, indicator in new.items():
        was = old.get(name)
        if was is None or was.expr != indicator.expr:
            change = Change.ADDED if was is None else Change.CHANGED
            texts = formula_text(was.expr) if was else "", formula_text(indicator.expr)
            yield Definition(change, indicator.name, *texts, indicator.clause)
    for name, indicator in old.items():
        if name not in new:
            text = formula_text(indicator.expr)
            yield Definition(Change.REMOVED, indicator.name, text, "", indicator.clause)


_ARITHMETIC: Final = ("add", "sub", "div")
_SIGNS: Final = {"add": "＋", "sub": "－", "div": "÷"}


def formula_text(expr: Expr) -> str:
    """An arithmetic formula in words.

    >>> formula_text(("div", ("year", "rd_expense", 0), ("year", "revenue", 0)))
    '上年度研发费用总额÷上年度营业收入总额'
    """
    match expr:
        case ("year", id, offset):
            return period_name(fact(id), offset)
        case ("fact", id):
            return fact(id).name
        case ("const", text):
            return str(text)
        case ("count", records, _, total) | ("total", records, _, _, total):
            return fact(total).name if total else f"{record_kind(records).name}件数"
        case ("add" | "sub" | "div" as node, *parts):
            return _SIGNS[node].join(
                f"（{formula_text(p)}）" if p[0] in _ARITHMETIC else formula_text(p) for p in parts
            )
        case ("least", a, _) | ("bounded", a, *_):
            return formula_text(a)
    names = [formula_text(leaf) for leaf in leaves(expr) if leaf[0] != "field"]
    return "、".join(names)


# -- notes ---------------------------------------------------------------------------------------


def _readings(before: Ruleset, after: Ruleset, touched: Iterable[str]) -> Iterator[Reading]:
    """The interpretation notes of the rules that changed, and which text each belongs to."""
    wanted = set(touched)
    where: dict[Note, dict[str, set[str]]] = {}
    for side, ruleset in (("前", before), ("后", after)):
        for rule in ruleset.rules:
            for note in rule.notes if rule.id in wanted else ():
                where.setdefault(note, {}).setdefault(side, set()).add(rule.id)
    for note, sides in where.items():
        rules = sorted(set().union(*sides.values()))
        yield Reading("".join(sides), note, tuple(rules))
