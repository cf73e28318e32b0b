"""Whether the figures of one filing can be true together: one table of relations for all files.

A 错误 holds the filing back. A 提示 is shown, and the figure stands: a firm may really be so unusual,
but most often a unit, a digit or a year is wrong, and a verdict on it would be silently wrong.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from registry.filings import IDENTITY, Issue, Severity, Submission
from registry.kit import names, uscc
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact, Scalar, yearly_key
from rules.model.quantities import show

#: Other sides of relations that are no facts: the filing's day, the code, the name, the sector
#: read.
_DAY, _CODE, _NAME, _READ = "填报日期", "信用代码", "企业名称", "划型所依据的行业"


@dataclass(frozen=True, kw_only=True)
class RelationCheck:
    """One relation that holds in every sound filing.

    ``fact`` and ``other`` are facts (yearly ones in the same year), fields of the same record
    (``titles.valid_from``), or identity; ``other`` may also be the filing's day or the code.
    ``fact`` may be up to ``times`` as large as ``other``, or ``times`` years later if it is a day
    (1: no later). ``when`` is a flag of the record; without the flag the relation does not matter.
    ``said`` replaces the relation's own words.
    """

    fact: str
    relation: str
    other: str
    cause: str
    severity: Severity = "提示"
    times: int = 1
    when: str = ""
    said: str = ""

    @property
    def listing(self) -> str:
        """The list of records that the relation is about; empty if it is about facts."""
        return self.fact.rpartition(".")[0]

    @property
    def field(self) -> str:
        """The id of the fact, or of the field of a record."""
        return self.fact.rpartition(".")[2]


_BOTH: Final = "部分不应大于总数，请核对两个数"
_UNIT: Final = "请核对金额单位：可能把元填在万元的列中，或多填、少填了几位"
_YEAR: Final = "请核对年份"
_SPAN: Final = "请核对称号的起止日期"
_NO_MORE, _NO_LESS, _WITHIN, _STEADY = "不大于", "不小于", "相差不到", "各年相差不到"
_NOT_AFTER, _NOT_BEFORE, _FITS = "不晚于", "不早于", "相符"
_OWN: Final = "是企业自己的"

#: Every check besides those of parts and wholes, which a catalogue declares.
CHECKS: Final[tuple[RelationCheck, ...]] = (
    # amounts that are unlikely beside each other
    RelationCheck(fact="rd_expense", relation=_NO_MORE, other="revenue", cause=_UNIT),
    RelationCheck(fact="net_profit", relation=_NO_MORE, other="revenue", cause=_UNIT),
    RelationCheck(fact="total_liabilities", relation=_NO_MORE, other="total_assets", cause="资不抵债的属实则不必更改；" + _UNIT),
    RelationCheck(fact="financing_three_years", relation=_NO_MORE, other="total_assets", cause=_UNIT, times=10),
    RelationCheck(fact="total_assets", relation=_WITHIN, other="revenue", cause=_UNIT, times=1000),
    RelationCheck(fact="total_liabilities", relation=_WITHIN, other="total_assets", cause=_UNIT, times=1000),
    RelationCheck(fact="revenue", relation=_NO_MORE, other="staff", cause=_UNIT, times=10**8, said="{name}按从业人员计，人均超过1亿元"),
    RelationCheck(fact="revenue", relation=_NO_LESS, other="staff", cause=_UNIT, times=1000, said="{name}按从业人员计，人均不到1000元"),
    *(
        RelationCheck(fact=name, relation=_STEADY, other=name, cause=_UNIT, times=1000)
        for name in ("revenue", "main_revenue", "rd_expense", "total_assets", "total_liabilities")
    ),
    RelationCheck(fact="staff", relation=_STEADY, other="staff", cause="请核对人数，可能填错了列或多填了几位", times=1000),
    # days in the future, or too far from the others
    RelationCheck(fact="segment_entry", relation=_NOT_AFTER, other=_DAY, cause=_YEAR),
    RelationCheck(fact="segment_entry", relation=_NOT_BEFORE, other=_DAY, cause=_YEAR, times=-80),
    RelationCheck(fact="segment_entry", relation=_NOT_BEFORE, other="registered_on", cause="请核对两个日期，可能填错了列或年份"),
    RelationCheck(fact="registered_on", relation=_NOT_AFTER, other=_DAY, cause=_YEAR),
    RelationCheck(fact="tech_title_until", relation=_NOT_AFTER, other=_DAY, cause=_YEAR, times=10),
    RelationCheck(fact="ip.grant_date", relation=_NOT_AFTER, other=_DAY, cause=_YEAR),
    RelationCheck(fact="ip.transfer_date", relation=_NOT_AFTER, other=_DAY, cause=_YEAR),
    RelationCheck(fact="financing.date", relation=_NOT_AFTER, other=_DAY, cause=_YEAR),
    RelationCheck(fact="awards.date", relation=_NOT_AFTER, other=_DAY, cause=_YEAR),
    RelationCheck(fact="competitions.date", relation=_NOT_AFTER, other=_DAY, cause=_YEAR),
    RelationCheck(fact="honours.valid_until", relation=_NOT_AFTER, other=_DAY, cause=_YEAR, times=10),
    RelationCheck(fact="titles.valid_until", relation=_NOT_AFTER, other=_DAY, cause=_YEAR, times=10),
    RelationCheck(
        fact="titles.valid_until", relation=_NOT_BEFORE, other="valid_from", cause=_SPAN, severity="错误",
        said="称号有效期至{value}早于有效期始",
    ),
    RelationCheck(
        fact="titles.valid_from", relation=_NOT_AFTER, other=_DAY, cause=_SPAN, severity="错误", when="held",
        said="称号有效期始晚于填报日期{against}，却填报为持有",
    ),
    # a name from sample forms and trials
    RelationCheck(
        fact=_NAME, relation=_OWN, other="", cause="请核对，改为营业执照上的企业全称",
        said="企业名称像是示例或测试用的，不像企业的真实名称",
    ),
    # facts that the credit code implies about its holder
    RelationCheck(fact="independent_legal_person", relation=_FITS, other=_CODE, cause="请核对代码和营业执照上的类型"),
    # facts that the rules read together
    RelationCheck(fact="sector", relation=_FITS, other=_READ, cause="请核对行业代码和划型行业"),
    RelationCheck(fact="sector_found", relation=_FITS, other=_READ, cause="请核对行业代码和划型行业"),
)  # fmt: skip

_IDENTITY: Final = {f.id: f for f in IDENTITY}
_OF_CODE: Final = next(c for c in CHECKS if c.other == _CODE)
_OF_NAME: Final = next(c for c in CHECKS if c.fact == _NAME)
#: The facts that state, or may state, the sector of an enterprise.
SECTOR_FACTS: Final = ("industry_code", *(c.fact for c in CHECKS if c.other == _READ))


def parts(catalogue: Catalogue) -> Mapping[str, str]:
    """Part -> whole, by id; yearly figures are compared in the same year."""
    return {f.id: f.part_of for f in catalogue.facts if f.part_of}


class _Relations:
    """The checks that concern a catalogue: those of its parts and wholes come first."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        whole = (
            RelationCheck(fact=f, relation=_NO_MORE, other=w, cause=_BOTH, severity="错误")
            for f, w in parts(catalogue).items()
        )
        checks = (*whole, *(c for c in CHECKS if self._declared(c)))
        self.series = {c.fact: c for c in checks if c.relation == _STEADY}
        apart = (_STEADY, _FITS, _OWN)
        self.of_facts = [c for c in checks if not c.listing and c.relation not in apart]
        listings = {c.listing for c in checks} - {""}
        self.of_records = {name: [c for c in checks if c.listing == name] for name in listings}
        self._yearly = frozenset(f.id for f in catalogue.facts if f.yearly)
        # the rows of a table share their keys
        self.compared = lru_cache(maxsize=256)(self._compared)
        self.in_years = lru_cache(maxsize=256)(self._in_years)

    def _declared(self, item: RelationCheck) -> bool:
        """Whether both sides of a relation are declared, or are no facts."""
        sides = (item.fact, _beside(item, item.other))
        return all(s in (_DAY, _CODE, _NAME, _READ, "") or self.found(s) for s in sides)

    def _compared(
        self, keys: tuple[str, ...], last: int
    ) -> tuple[tuple[str, RelationCheck, str], ...]:
        """The checks that apply to these keys, each with the keys of its two sides."""
        found = []
        for key in keys:
            name, at, year = key.partition("@")
            for item in self.of_facts:
                other = item.other
                if item.fact != name:
                    continue
                if other in self._yearly:
                    other = f"{other}{at}{year}" if at else yearly_key(other, last)
                if other == _DAY or other in keys or other in _IDENTITY:
                    found.append((key, item, other))
        return tuple(found)

    def _in_years(self, keys: tuple[str, ...]) -> tuple[tuple[RelationCheck, tuple[str, ...]], ...]:
        """The figures that are filed for more than one year, each with its keys."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for key in keys:
            name, at, _ = key.partition("@")
            if at and name in self.series:
                found[name].append(key)
        return tuple((self.series[name], tuple(own)) for name, own in found.items() if len(own) > 1)

    def issue(
        self,
        submission: Submission,
        item: RelationCheck,
        key: str,
        value: Scalar,
        whole: str,
        against: str,
    ) -> Issue:
        """A broken relation in words, at the cell that is likely wrong."""
        sheet, _, cell = submission.sources.get(key, submission.where).rpartition("!")
        said = (item.said or _WORDS[item.relation](item, value, against)).format(
            name=self._name(item.fact, key),
            value=value,
            other=self._name(_beside(item, whole), whole),
            against=self.shown(_beside(item, item.other), against),
        )
        shown = self.shown(item.fact, str(value))
        doubt = item.severity == "提示"
        about = (key,) if item.listing or item.other == _DAY else (key, whole)
        code = submission.uscc
        return Issue(item.severity, sheet, cell, shown, said, item.cause, code, doubt, about)

    def found(self, name: str) -> Fact | None:
        """The fact named by one side of a relation, if it is one."""
        listing, _, field = name.rpartition(".")
        if listing:
            kind = self.catalogue.lists.get(listing)
            return kind.field(field) if kind else None
        if name == _DAY:
            return None
        return _IDENTITY.get(name) or self.catalogue.get(name.partition("@")[0])

    def _name(self, name: str, key: str) -> str:
        """One side of a relation in words, with its year if it has one."""
        item, year = self.found(name), key.partition("@")[2]
        if item is None:
            return name.rpartition(".")[2]
        return f"{year}年{item.name}" if year else item.name

    def shown(self, name: str, value: str) -> str:
        """A value of one side of a relation, as people write it."""
        item = self.found(name)
        if item is None or item.kind != "number":
            return value
        return show(Fraction(value), item.unit or "项", digits=6)


_relations: Final = lru_cache(maxsize=8)(_Relations)


def check(submission: Submission, catalogue: Catalogue) -> Iterator[Issue]:
    """An issue for everything in a filing that is impossible or unlikely."""
    relations = _relations(catalogue)
    odd = dict(_odd_years(submission, relations))
    for key, other in odd.items():
        item, values = relations.series[key.partition("@")[0]], submission.values
        yield relations.issue(submission, item, key, values[key], other, str(values[other]))
    yield from _check_facts(submission, relations, odd)
    yield from _check_records(submission, relations)
    yield from _check_code(submission)
    yield from _check_name(submission)


def _check_facts(
    submission: Submission, relations: _Relations, odd: Container[str]
) -> Iterator[Issue]:
    """Relations between facts; figures in ``odd`` already have a 提示 and get no second one."""
    values, day = submission.values, submission.as_of
    year = day.year - 1 if day else 0
    for key, item, whole in relations.compared(tuple(values), year):
        against = _against(submission, item, values.get(whole))
        if against is None or not _broken(item, values[key], against):
            continue
        if item.severity == "错误" or not (key in odd or whole in odd):
            yield relations.issue(submission, item, key, values[key], whole, against)
    registered = submission.identity.get("registered_on")
    if registered and day and registered > day.isoformat():
        item = next(c for c in relations.of_facts if c.fact == "registered_on")
        yield relations.issue(submission, item, item.fact, registered, _DAY, day.isoformat())


def _against(submission: Submission, item: RelationCheck, filed: Scalar | None) -> str | None:
    """The value of the other side of a relation; None if it is not known."""
    if item.other == _DAY:
        return _shifted(submission.as_of, item.times) if submission.as_of else None
    if filed is None and item.other in _IDENTITY:
        return submission.identity.get(item.other)
    return None if filed is None else str(filed)


@lru_cache(maxsize=256)
def _shifted(day: date, years: int) -> str:
    """A day moved by ``years``, as text; 1, the default, leaves the day as it is."""
    moved = day.year + (years if abs(years) > 1 else 0)
    return f"{moved:04d}{day.isoformat()[4:]}"


@lru_cache(maxsize=1024)  # a figure stands in several relations
def _number(text: str) -> Decimal:
    return Decimal(text)


def _broken(item: RelationCheck, value: Scalar, against: str) -> bool:
    """Whether a relation does not hold."""
    if item.relation == _NOT_AFTER:
        return str(value) > against
    if item.relation == _NOT_BEFORE:
        return str(value) < against
    one, other = _number(str(value)), _number(against)
    if other < 0:  # such a total is never computed with, and another check reports it
        return False
    if item.relation == _NO_MORE:
        return one > other * item.times and (item.times == 1 or other > 0)
    if item.relation == _NO_LESS:  # zero is no slip
        return 0 < one < other * item.times
    return one > 0 < other and (one >= other * item.times or other >= one * item.times)


def _odd_years(submission: Submission, relations: _Relations) -> Iterator[tuple[str, str]]:
    """Yearly values of a figure too far from its other years, each with one for comparison."""
    for item, keys in relations.in_years(tuple(submission.values)):
        numbers = [(key, _number(str(submission.values[key]))) for key in keys]
        filed = {key: number for key, number in numbers if number > 0}
        if filed and max(filed.values()) >= min(filed.values()) * item.times:
            yield _odd_one(filed)


def _odd_one(filed: Mapping[str, Decimal]) -> tuple[str, str]:
    """The year that stands apart (the newer of two), and a neighbouring year for comparison."""

    def spread(left_out: str) -> tuple[Decimal, str]:
        rest = [number for key, number in filed.items() if key != left_out]
        return -max(rest) / min(rest), left_out

    key = max(filed, key=spread)
    before = [other for other in sorted(filed) if other < key]
    return key, before[-1] if before else min(other for other in filed if other != key)


def _check_records(submission: Submission, relations: _Relations) -> Iterator[Issue]:
    for name, filed in submission.records.items():
        for number, record in enumerate(filed.items):
            for item in relations.of_records.get(name, ()):
                value = record.get(item.field)
                against = _against(submission, item, record.get(item.other))
                if value is None or against is None or not _broken(item, value, against):
                    continue
                if not item.when or record.get(item.when):
                    key, other = f"{name}#{number}", item.other
                    yield relations.issue(submission, item, key, value, other, against)


def _check_code(submission: Submission) -> Iterator[Issue]:
    """Facts that the code contradicts: 个体工商户 are no legal persons, other bodies no enterprises."""
    legal, said = "independent_legal_person", ""
    if body := uscc.authority(submission.uscc):
        said = f"信用代码以{submission.uscc[0]}开头，是{body}，不是企业"
    elif uscc.is_individual(submission.uscc) and submission.values.get(legal) is True:
        said = "信用代码以92开头，是个体工商户，不是独立法人，与填报的“独立法人：是”矛盾"
    if said:
        sheet, _, cell = submission.sources.get(legal, submission.where).rpartition("!")
        about = (legal,) if uscc.is_individual(submission.uscc) else ()
        shown = submission.uscc
        yield Issue(_OF_CODE.severity, sheet, cell, shown, said, _OF_CODE.cause, shown, True, about)


def check_sectors(submission: Submission, read: str, catalogue: Catalogue) -> Iterator[Issue]:
    """A 提示 for each filed sector other than ``read``, by which the rules determine the size."""
    code = submission.values.get("industry_code")
    for item in CHECKS:
        filed = submission.values.get(item.fact)
        if item.other != _READ or filed is None or filed == read:
            continue
        beside = f"，行业代码填报为{code}" if code else ""
        said = f"{catalogue.fact(item.fact).name}填报为“{filed}”{beside}，{_READ}是“{read}”"
        sheet, _, cell = submission.sources.get(item.fact, submission.where).rpartition("!")
        about, shown = (item.fact, "industry_code"), str(filed)
        yield Issue(
            item.severity, sheet, cell, shown, said, item.cause, submission.uscc, True, about
        )


def _check_name(submission: Submission) -> Iterator[Issue]:
    """A 提示 for a name that no enterprise has, because the owner of the figures is then in doubt."""
    if submission.name and names.is_placeholder(submission.name):
        item, name, code = _OF_NAME, submission.name, submission.uscc
        sheet, _, cell = submission.where.rpartition("!")
        yield Issue(item.severity, sheet, cell, name, item.said, item.cause, code, True)


def check_totals(
    submission: Submission,
    counts: Mapping[str, tuple[Fraction, Fraction | None]],
    catalogue: Catalogue,
) -> list[Issue]:
    """A 错误 for every filed total that its own itemised records contradict.

    ``counts`` gives, per fact id (``ip_class_one``, ``financing_three_years`` …), the least and the
    greatest total that the records allow, in base units; None means no upper bound (a list that is
    not 已报全). Totals without counts, and counts without totals, are ignored.
    """
    found, shown_as = [], _relations(catalogue).shown
    for item in catalogue.facts:
        filed = submission.values.get(item.id)
        if filed is None or item.id not in counts:
            continue
        low, high = counts[item.id]
        if isinstance(filed, bool):  # one record suffices for 是
            total, low = Fraction(filed), min(low, Fraction(1))
        else:
            total = Fraction(filed)
        if low > total:
            said = f"清单中符合的有{shown_as(item.id, str(low))}，多于{item.name}{shown_as(item.id, str(total))}"
        elif high is not None and high < total:
            said = f"清单已报全但符合的至多{shown_as(item.id, str(high))}，少于{item.name}{shown_as(item.id, str(total))}"
        else:
            continue
        sheet, _, cell = submission.sources.get(item.id, submission.where).rpartition("!")
        shown, expected = shown_as(item.id, str(total)), "请核对总数和清单，使两者一致"
        found.append(Issue("错误", sheet, cell, shown, said, expected, submission.uscc))
    return found


def _beside(item: RelationCheck, other: str) -> str:
    """The full name of the other side of a relation: in a record, a field of the same record."""
    return f"{item.listing}.{other}" if item.listing and other != _DAY else other


def _no_more(item: RelationCheck, value: Scalar, against: str) -> str:
    if item.times == 1:
        return "{name}大于{other}{against}"
    return f"{{name}}超过{{other}}{{against}}的{item.times}倍"


def _apart(item: RelationCheck, value: Scalar, against: str) -> str:
    one, other = Decimal(str(value)), Decimal(against)
    if one >= other:
        return f"{{name}}是{{other}}{{against}}的约{int(one / other)}倍"
    return f"{{name}}只有{{other}}{{against}}的约{int(other / one)}分之一"


def _after(item: RelationCheck, value: Scalar, against: str) -> str:
    if item.times > 1:
        return f"{{name}}比填报日期晚{item.times}年以上"
    return "{name}晚于{other}{against}"


def _before(item: RelationCheck, value: Scalar, against: str) -> str:
    if item.times < 0:
        return f"{{name}}比填报日期早{-item.times}年以上"
    return "{name}早于{other}{against}"


_WORDS: Final[dict[str, Callable[[RelationCheck, Scalar, str], str]]] = {
    _NO_MORE: _no_more,
    _WITHIN: _apart,
    _STEADY: _apart,
    _NOT_AFTER: _after,
    _NOT_BEFORE: _before,
}
