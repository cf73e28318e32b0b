"""What a fact, a list of records and a filing are; feature files declare the facts and lists.

Money is in yuan, ratios are plain numbers (0.10 is 10%), dates are ISO texts. ``origin`` says who
states a fact: the enterprise files it (填报), or a reviewer finds it (认定).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Final, Literal, TypeAlias

from rules.errors import FactsError

Kind: TypeAlias = Literal["number", "flag", "code", "date", "text"]
Origin: TypeAlias = Literal["填报", "认定"]
Scalar: TypeAlias = str | bool

#: Units of countable things, whose numbers are whole.
COUNTED: Final = ("人", "项", "级", "名", "件", "家", "次")


@dataclass(frozen=True)
class Fact:
    """Something that can be filed or found.

    ``unit`` is the unit in forms (values are kept in the unit's base). ``yearly`` facts are kept
    per fiscal year. A ``rating`` is kept per calendar year, because it is known before that year's
    accounts are. ``minimum`` and ``maximum`` bound the possible values, in base units. A yearly
    figure below its minimum is kept as filed, but nothing can be computed with it. ``part_of`` is
    the id of the fact that bounds it from above, in the same year if both are yearly. ``share_with``
    is a title, if the fact is the largest share held between the enterprise and a holder of that
    title; registered holdings can prove it. ``evidence``
    and ``note`` are for people: what proves a value, and how to fill it in. An enterprise cannot
    change a ``fixed`` fact, such as the day of its registration.
    """

    id: str
    name: str
    kind: Kind
    unit: str = ""
    yearly: bool = False
    origin: Origin = "填报"
    minimum: Fraction | None = None
    maximum: Fraction | None = None
    codes: tuple[str, ...] = ()
    note: str = ""
    rating: bool = False
    part_of: str = ""
    share_with: str = ""
    evidence: str = ""
    fixed: bool = False

    def __hash__(self) -> int:
        """Hashes only the id: a fact is looked up for every value that is checked."""
        return hash(self.id)

    def obvious(self, value: Scalar) -> bool:
        """Whether a value is clearly valid, in the form that evaluators read; most are."""
        if self.kind == "flag":
            return value is True or value is False
        if not isinstance(value, str):
            return False
        match self.kind:
            case "number":
                return self._form is not None and self._form.fullmatch(value) is not None
            case "date":
                return _is_day(value)
            case "code":
                return value in self.codes
        return True

    @property
    def signed(self) -> bool:
        """Whether accounts may show a figure below its minimum, such as negative revenue.

        Such a figure is kept.
        """
        return self.yearly and not self.rating and self.minimum is not None

    def unusable(self, value: Scalar) -> bool:
        """Whether a value is kept as filed although nothing can be computed with it.

        >>> revenue = Fact("revenue", "营业收入总额", "number", yearly=True, minimum=Fraction(0))
        >>> revenue.unusable("-5"), revenue.unusable("5")
        (True, False)
        """
        text = str(value)  # most figures have no sign and need no parsing
        return text[:1] == "-" and self.signed and exact(text) < (self.minimum or 0)

    @cached_property
    def _form(self) -> re.Pattern[str] | None:
        """The pattern of clearly valid numbers; None if each value must be checked."""
        digits = "[0-9]{1,18}"
        decimals = "" if self.unit in COUNTED else rf"(\.{digits})?"
        forms: dict[object, str] = {(None, None): f"-?{digits}", (0, None): digits, (0, 1): "0"}
        form = forms.get((self.minimum, self.maximum))
        return re.compile(form + decimals) if form else None


@dataclass(frozen=True)
class RecordKind:
    """A list of records that an enterprise files, such as its intellectual property."""

    id: str
    name: str
    fields: tuple[Fact, ...]

    def field(self, name: str) -> Fact | None:
        """The field with that id or Chinese name."""
        return self._fields.get(name)

    @cached_property
    def _fields(self) -> Mapping[str, Fact]:
        return {name: f for f in reversed(self.fields) for name in (f.id, f.name)}


#: How feature files name the year of a yearly fact: prefix -> years after T, where T is the last
#: complete fiscal year before the filing date (annex 4). Only a rating has a 本年度, the filing's year.
PERIODS: Final[dict[str, int]] = {
    "本年度": 1,
    "上年度": 0,
    "上上年度": -1,
    "再上年度": -2,
    "前四年度": -3,
}

#: The years of a filed date; anniversaries of a later one could not be computed.
YEARS: Final = range(1900, 2200)
#: The one form in which evaluators read numbers and dates.
#: Amounts have up to fifteen digits; Python reads more, such as 1e9999999999, useless for computing.
LONGEST_NUMBER: Final = 80
_SHIFTED: Final = re.compile(r"[eE][+-]?[0-9_]{3}")
_FORMS: Final = {
    "number": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}

#: What is known of the enterprise itself: not filed as facts, but criteria may ask for it.
IDENTITY: Final = (
    Fact("province", "省份", "text"),
    Fact("city", "城市", "text"),
    Fact("county", "区县", "text"),
    Fact("registered_on", "注册时间", "date", fixed=True),
)


def period_name(fact: Fact, offset: int) -> str:
    """The name of a yearly figure in feature files.

    >>> period_name(Fact("revenue", "营业收入总额", "number", yearly=True), -1)
    '上上年度营业收入总额'
    """
    return next(p for p, o in PERIODS.items() if o == offset) + fact.name


@dataclass(frozen=True)
class RecordList:
    """The records of one kind; ``complete`` says whether the list is 已报全 (None: not stated)."""

    items: tuple[Mapping[str, Scalar], ...] = ()
    complete: bool | None = None


_NOT_FILED: Final = RecordList()


@dataclass(frozen=True)
class Profile:
    """The facts of one filing as of one day: everything that a decision may read.

    ``values`` is keyed by fact id, yearly facts by ``id@year`` (``rd_expense@2022``). Numbers are
    exact decimal texts in base units, flags are bools, dates ISO texts. An absent key is unknown.
    ``sources`` says where a value was filed, under the same key, or ``ip#0`` for a record.
    """

    as_of: date
    values: Mapping[str, Scalar] = field(default_factory=dict)
    records: Mapping[str, RecordList] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def fiscal_year(self) -> int:
        """T, the last complete fiscal year before ``as_of``."""
        return self.as_of.year - 1

    def listed(self, records: str) -> RecordList:
        """The records of a list; none, and not complete, if nothing was filed."""
        return self.records.get(records, _NOT_FILED)

    def to_json(self) -> dict[str, object]:
        """The profile as plain JSON values, in the form that decisions store."""
        return {
            "as_of": self.as_of.isoformat(),
            "values": dict(sorted(self.values.items())),
            "records": {
                name: {"complete": r.complete, "items": [dict(sorted(i.items())) for i in r.items]}
                for name, r in sorted(self.records.items())
            },
            "sources": dict(sorted(self.sources.items())),
        }


@lru_cache(maxsize=1 << 10)  # returns the same text each time, with its hash computed
def yearly_key(fact_id: str, year: int) -> str:
    """The key of a yearly fact in ``Profile.values``."""
    return f"{fact_id}@{year}"


def check_value(fact: Fact, value: Scalar) -> str | None:
    """Why ``value`` cannot be a value of ``fact`` (one Chinese phrase), or None if it can."""
    if fact.obvious(value):
        return None
    if fact.kind == "flag":
        return "应为 是 或 否"
    if not isinstance(value, str):
        return "应为文字"
    if fact.kind == "code":
        return f"应为{'、'.join(fact.codes)}之一"
    return check_day(value) if fact.kind == "date" else _check_number(fact, value)


@lru_cache(maxsize=1 << 12)
def _check_number(fact: Fact, value: str) -> str | None:
    try:
        number = exact(value)
    except ValueError:
        return "应为数字"
    if fact.unit in COUNTED and number.denominator != 1:
        return "应为整数"
    if fact.minimum is not None and number < fact.minimum and not fact.signed:
        return f"不应小于{fact.minimum}"
    if fact.maximum is not None and number > fact.maximum:
        return "不应超过100%" if fact.unit == "%" else f"不应大于{fact.maximum}"
    return None


def exact(text: str, longest: int = LONGEST_NUMBER) -> Fraction:
    """The number that a text states; ``ValueError`` for one that could exhaust memory.

    >>> exact("2.50")
    Fraction(5, 2)
    """
    if len(text) > longest or _SHIFTED.search(text):
        raise ValueError("a number beyond all bounds")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise ValueError(f"{text} is no number") from None


def check_day(value: str) -> str | None:
    """Why a profile cannot state ``value`` as a day (one Chinese phrase), or None if it can."""
    try:
        year = date.fromisoformat(value).year
    except ValueError:
        return "应为日期"
    return None if year in YEARS else f"年份应在{YEARS.start}至{YEARS.stop - 1}之间"


@lru_cache(maxsize=1 << 14)
def _is_day(value: str) -> bool:
    return _FORMS["date"].fullmatch(value) is not None and check_day(value) is None


def check_profile(
    profile: Profile,
    fact_of: Callable[[str], Fact | None],
    fields_of: Callable[[str], Callable[[str], Fact | None]],
    list_name: Callable[[str], str],
) -> None:
    """Raise ``FactsError`` for the first value that its fact cannot have; facts of None pass."""
    for key, value in profile.values.items():
        found = fact_of(key.partition("@")[0])
        if found is not None and not found.obvious(value):
            _refuse(found, key, value)
    for records, filed in profile.records.items():
        field_of = fields_of(records)
        for number, item in enumerate(filed.items, 1):
            for id, value in item.items():
                found = field_of(id)
                if found is not None and not found.obvious(value):
                    _refuse(found, f"{list_name(records)}第{number}条", value)


def _refuse(fact: Fact, where: str, value: Scalar) -> None:
    form = _FORMS.get(fact.kind)
    wrong = check_value(fact, value)
    if not wrong and form and not form.fullmatch(str(value)):
        wrong = "写法不规范：数字应为十进制，日期应为 2023-06-30 的形式"
    if wrong:
        raise FactsError(
            "unfit-value",
            "{where}：{name}「{value}」{wrong}",
            where=where,
            name=fact.name,
            value=value,
            wrong=wrong,
        )
