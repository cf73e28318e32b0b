"""The figures behind a decision: each filed value with its name and source, or what is lacking."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from rules.engine.readings import Evaluator
from rules.explanation.wording import NOT_FILED, gap_text, quantity, value_text
from rules.model.expressions import asked, leaves, parameters, sought
from rules.model.facts import Profile, period_name, yearly_key
from rules.model.ruleset import Cases, Expr, Gap, Indicator, Outcome, Rule, Ruleset, Trace

_OPEN: Final = (Outcome.MISSING, Outcome.PENDING)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One filed value that a comparison read; ``source`` is its sheet and cell, or a record.

    For an open record, ``record`` names it, ``fields`` are those it lacks, and ``name`` joins both.
    ``key`` is the key of a value or a list in the profile, ``item`` that of a record, such as ``ip#0``. ``asked`` are the facts it is about, as
    keys of ``rules.model.expressions.asked``.
    """

    name: str
    value: str
    source: str = ""
    gap: Gap = Gap.NONE
    record: str = ""
    fields: tuple[str, ...] = ()
    key: str = ""
    asked: tuple[str, ...] = ()
    broken: bool = False
    item: str = ""

    @classmethod
    def lacking(
        cls,
        record: str,
        fields: tuple[str, ...],
        source: str,
        gap: Gap,
        asked: tuple[str, ...] = (),
        item: str = "",
    ) -> "Figure":
        """The fields an open record lacks: 「梯度称号第2条（专精特新中小企业）：填报时持有 未填报」."""
        name = f"{record}：{'、'.join(fields)}"
        return cls(
            name=name,
            value=gap_text(gap),
            source=source,
            gap=gap,
            record=record,
            fields=fields,
            asked=asked,
            item=item,
        )


class Figures:
    """The figures that the rules of a ruleset read in one profile, which gave this trace."""

    def __init__(self, ruleset: Ruleset, profile: Profile, trace: Trace) -> None:
        self.ruleset = ruleset
        self.profile = profile
        self.trace = trace
        self.evaluator = Evaluator(ruleset, profile, self.outcomes)

    def outcomes(self, records: str, rule: str) -> list[Outcome]:
        """The outcome of a rule for each record of a list."""
        items = self.profile.listed(records).items
        found = [self.trace[f"{records}#{i}:{rule}"] for i in range(len(items))]
        return [o for o in found if isinstance(o, Outcome)]

    # the figures of an indicator

    def keys_below(self, id: str) -> Iterator[str]:
        """The keys of what a rule and the rules below it read."""
        rules, names = [id], dict[str, Rule]()
        for name in rules:  # which grows
            rule = self.ruleset.rule(name)
            rules += [r for r in rule.rule_references() if r not in rules]
            names |= dict.fromkeys(rule.indicator_names(), rule)
        for name, rule in names.items():
            yield from self.keys(self.ruleset.indicator(rule, name))

    def keys(self, indicator: Indicator) -> Iterator[str]:
        """The keys of what an indicator rests on, as its figures have them; no words are made."""
        expr, records = indicator.expr, indicator.records
        for leaf in (*self.used(expr, records), *self.contradicting(expr, records)):
            match leaf:
                case ("fact", id):
                    yield id
                case ("year", id, offset):
                    yield yearly_key(id, self.profile.fiscal_year + offset)
                case ("count" | "total", listed, *_, total):
                    filed = self.profile.listed(listed)
                    yield from (f"{listed}#{i}" for i in range(len(filed.items)))
                    if not filed.items and not filed.complete and total is not None:
                        yield total
                    elif not filed.items or not filed.complete:
                        yield listed

    def of(self, indicator: Indicator) -> tuple[Figure, ...]:
        """The figures that an indicator rests on, and the filed substitutes that contradict it."""
        found: list[Figure] = []
        for leaf in self.used(indicator.expr, indicator.records):
            found += self.leaf(leaf)
        for node in parameters(indicator.expr):
            found += self.parameter(node)
        return tuple(dict.fromkeys((*found, *self.unused(indicator.expr, indicator.records))))

    def used(self, expr: Expr, records: str) -> list[Expr]:
        """The leaves on which the value depends; a finding, bound or substitute only if needed."""
        match expr:
            case ("else_found" | "bounded", a, *_):
                if self.known(a, records):
                    return leaves(a)
            case ("else_known", a, b):
                reading = self.evaluator.read(a, records)
                if reading.gap and not reading.broken and self.known(b, records):
                    return self.used(b, records)
                return self.used(a, records)
        wanted = sought(expr)
        return [x for x in leaves(expr) if x in wanted or self.known(x, records)]

    def known(self, expr: Expr, records: str) -> bool:
        """Whether a formula has a known value."""
        return self.evaluator.read(expr, records).gap is Gap.NONE

    def unused(self, expr: Expr, records: str) -> Iterator[Figure]:
        """The filed substitutes that were not used and contradict the value that was."""
        for leaf in self.contradicting(expr, records):
            taken = self.evaluator.read(expr, records).code
            for figure in self.leaf(leaf):
                yield replace(figure, value=f"{figure.value}（与{taken}不一致，没有采用）")

    def contradicting(self, expr: Expr, records: str) -> Iterator[Expr]:
        """The substitutes that were not used and contradict the value that was."""
        match expr:
            case ("else_known", a, b):
                taken, other = (self.evaluator.read(x, records).code for x in (a, b))
                if taken is not None and other is not None and taken != other:
                    yield b
                yield from self.contradicting(a, records)

    def leaf(self, leaf: Expr) -> Iterator[Figure]:
        """The figures of a leaf: the filed value, or the records of a list."""
        match leaf:
            case ("fact", id):
                yield self.figure(leaf, id, self.ruleset.facts[id].name)
            case ("year", id, offset):
                fact, year = self.ruleset.facts[id], self.profile.fiscal_year + offset
                name = f"{year}年{fact.name}（{period_name(fact, offset).removesuffix(fact.name)}）"
                yield self.figure(leaf, yearly_key(id, year), name)
            case ("count", records, rule, total):
                yield from self.listed(records, rule, total)
            case ("total", records, field, rule, total):
                yield from self.listed(records, rule, total, field)

    def parameter(self, node: Expr) -> Iterator[Figure]:
        """The value of a parameter with its basis, or the facts that would choose it."""
        _, name, offset = node
        found, year = self.ruleset.parameters[name], self.profile.fiscal_year + offset
        texts = {key: self.profile.values.get(key) for key in found.keys}
        known = {key: None if text is None else str(text) for key, text in texts.items()}
        possible = [row for row in found.of_year(year) if row.fits(known) is not False]
        if possible and possible[0].fits(known):
            value = quantity(possible[0].value, found.unit)
            yield Figure(name=f"{year}年{name}", value=value, source=possible[0].basis)
        for key in dict.fromkeys(key for row in possible[:1] for key in row.keys):
            if known[key] is None:
                yield self.figure(("fact", key), key, self.ruleset.facts[key].name)

    def listed(
        self, records: str, rule: str, total: str | None, field: str = ""
    ) -> Iterator[Figure]:
        """The records grouped by a rule's outcome, with the fields that open ones lack.

        ``field`` is the field that is added up, if any.
        """
        filed = self.profile.listed(records)
        name, source = self.ruleset.lists[records].name, self.profile.sources.get(records, "")
        if not filed.items and not filed.complete:
            if total is not None:
                yield self.figure(("fact", total), total, self.ruleset.facts[total].name)
            else:
                yield Figure(
                    name=f"{name}清单",
                    value=NOT_FILED,
                    source=source,
                    gap=Gap.MISSING,
                    key=records,
                    asked=(records,),
                )
            return
        for i, outcome in enumerate(self.outcomes(records, rule)):
            yield from self.record(records, i, rule, outcome, field)
        if not filed.items:
            yield Figure(name=f"{name}清单", value="无（已报全）", source=source, key=records)
        elif not filed.complete:
            complete, asked = f"{name}清单是否已报全", (records,)
            yield Figure(
                name=complete,
                value=NOT_FILED,
                source=source,
                gap=Gap.MISSING,
                key=records,
                asked=asked,
            )

    def record(
        self, records: str, i: int, rule: str, outcome: Outcome, field: str
    ) -> Iterator[Figure]:
        """One record: its outcome under a rule, and the fields that it lacks for it."""
        kind, item = self.ruleset.lists[records], self.profile.records[records].items[i]
        name, record = f"{kind.name}第{i + 1}条", f"{records}#{i}"
        source = self.profile.sources.get(record, name)
        lacking = dict.fromkeys(self.lacking(record, rule)) if outcome in _OPEN else {}
        if field and item.get(field) is None and outcome is not Outcome.NOT_MET:
            lacking[field] = None
        if not lacking or outcome is Outcome.MET:
            gap = Gap(outcome) if outcome in _OPEN else Gap.NONE
            yield Figure(
                name=f"{name}：{self.ruleset.rule(rule).title}",
                value=outcome.text,
                source=source,
                gap=gap,
                item=record,
            )
        codes = (f for f in kind.fields if f.kind in ("code", "text") and f.id in item)
        called = (value_text(f, item[f.id]) for f in codes)
        label = next((f"{name}（{text}）" for text in called), name)
        for gap, origin in ((Gap.MISSING, "填报"), (Gap.PENDING, "认定")):
            found = [f for f in kind.fields if f.id in lacking and f.origin == origin]
            if found:
                asked = tuple(f"{records}.{f.id}" for f in found)
                names = tuple(f.name for f in found)
                yield Figure.lacking(label, names, source, gap, asked, record)

    def lacking(self, record: str, id: str) -> Iterator[str]:
        """The unfiled fields that the open comparisons of a record, such as ``titles#1``, read."""
        records, _, number = record.partition("#")
        item, rule = self.profile.records[records].items[int(number)], self.ruleset.rule(id)
        for case in rule.body.cases if isinstance(rule.body, Cases) else ():
            key = f"{record}:{id}/{case.name}"
            if self.trace[key] not in _OPEN:
                continue
            for n, line in enumerate(case.lines, 1):
                if self.trace[f"{key}/{n}"] not in _OPEN:
                    continue
                if line.subject in ("rule", "unmet") and self.ruleset.rule(line.name).records:
                    yield from self.lacking(record, line.name)
                elif line.subject == "indicator":
                    read = leaves(self.ruleset.indicator(rule, line.name).expr)
                    yield from (x[1] for x in read if x[0] == "field" and item.get(x[1]) is None)

    def figure(self, leaf: Expr, key: str, name: str) -> Figure:
        """The filed value of a fact, or that it is lacking."""
        fact = self.ruleset.facts[leaf[1]]
        value, source = self.profile.values.get(key), self.profile.sources.get(key, "")
        if value is None:
            gap = Gap.MISSING if fact.origin == "填报" else Gap.PENDING
            return Figure(
                name=name, value=gap_text(gap), source=source, gap=gap, key=key, asked=asked(leaf)
            )
        return Figure(name=name, value=value_text(fact, value), source=source, key=key)
