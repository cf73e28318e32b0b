"""Synthetic filings around the thresholds of all tiers, always the same ones.

Every fact is known. Amounts are multiples of 0.01 yuan; ratios are on, just below and just above
each threshold. The variant ``itemised`` lists five records of intellectual property, financing
rounds and brands; the variant ``totals`` states totals instead, like a county summary.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from registry.record.publication import packaged_catalogue
from rules.model.facts import Profile, RecordList, Scalar

AS_OF: Final = date(2023, 6, 30)
YEAR: Final = AS_OF.year - 1

_IP_KINDS: Final = (
    "发明专利",
    "发明专利",
    "国防专利",
    "软件著作权",
    "实用新型专利",
    "外观设计专利",
    "商标",
)
_INDUSTRIES: Final = ("C3985", "C3411", "I6513", "F5161", "E4710", "M7320")
_EPSILON: Final = Decimal("0.0000001")


def profiles(*, itemised: bool, seed: int = 63) -> Iterator[Profile]:
    """Endless filings; the same seed gives the same ones."""
    random = Random(seed)
    while True:
        yield _profile(random, itemised=itemised)


def _near(random: Random, thresholds: Sequence[str], top: str) -> Decimal:
    """A value on, just beside or anywhere between thresholds."""
    ends = [Decimal(0), *map(Decimal, thresholds), Decimal(top)]
    place = random.randrange(1, len(ends))
    match random.randrange(4):
        case 0:
            return ends[place]
        case 1:
            return ends[place] - _EPSILON
        case 2:
            return ends[place] + _EPSILON
    return Decimal(random.randint(int(ends[place - 1] * 1000), int(ends[place] * 1000))) / 1000


def _text(value: Decimal | int) -> str:
    # amounts stay whole fen: Decimal arithmetic above is exact, this only drops an exponent
    return f"{Decimal(value):f}"


def _day(random: Random, first: date, last: date) -> str:
    day = first + timedelta(random.randrange((last - first).days))
    return (day + timedelta((day.month, day.day) == (2, 29))).isoformat()


def _profile(random: Random, *, itemised: bool) -> Profile:
    values: dict[str, Scalar] = {}
    million = Decimal(1_000_000)
    revenue = million * random.choice((8, 10, 20, 50, 80, 100, 200, 400, 500))
    main, growth = [revenue * _near(random, ("0.6", "0.7", "0.8"), "1")], []
    for _ in range(2):  # backwards, from round figures so that the growth rates are finite decimals
        growth.append(_near(random, ("0.04", "0.06", "0.08", "0.10"), "0.3"))
    base = revenue * Decimal("0.6")
    main = [base, base * (1 + growth[0]), base * (1 + growth[0]) * (1 + growth[1])]
    staff = random.choice((20, 40, 100, 200, 300, 1000))
    assets = revenue * random.choice((1, 2))
    rd_share = _near(random, ("0.03", "0.04", "0.06", "0.08", "0.10"), "0.2")
    yearly: dict[str, Sequence[Decimal | int]] = {
        "revenue": [revenue * Decimal("0.8"), revenue * Decimal("0.9"), revenue],
        "main_revenue": main,
        "rd_expense": [
            revenue * rd_share * k for k in (Decimal("0.8"), Decimal("0.9"), Decimal(1))
        ],
        "net_profit": [revenue * (_near(random, ("0.02", "0.04", "0.06", "0.08"), "0.15"))] * 3,
        "total_assets": [assets] * 3,
        "total_liabilities": [assets * _near(random, ("0.5", "0.6", "0.7"), "1.1")] * 3,
        "staff": [staff] * 3,
        "rd_staff": [staff * random.choice((1, 5, 10, 15, 20, 50)) // 100] * 3,
    }
    for name, figures in yearly.items():
        for year, figure in zip((YEAR - 2, YEAR - 1, YEAR), figures, strict=True):
            values[f"{name}@{year}"] = _text(figure)
    for fact in packaged_catalogue().facts:
        if fact.kind == "flag":
            values[fact.id] = random.random() < 0.4
    for fact_id in ("abnormal_list", "dishonesty_list", "restricted_product", "major_accident"):
        values[fact_id] = random.random() < 0.02
    values |= {
        "tax_violation": False,
        "registered_in_prc": True,
        "independent_legal_person": True,
        "industry_code": random.choice(_INDUSTRIES),
        "sector": "工业",
        "sector_found": "工业",
        "segment_entry": _day(random, date(2010, 1, 1), date(2022, 12, 31)),
        "market_share": _text(_near(random, ("0.1",), "0.5")),
        "digital_level": str(random.randrange(5)),
        "local_points": str(random.randrange(16)),
    }
    records = {
        name: RecordList(tuple(_record(random, name) for _ in range(count)), True)
        for name, count in (
            ("awards", random.randrange(3)),
            ("honours", random.randrange(2)),
            ("institutions", random.randrange(3)),
            ("competitions", random.randrange(2)),
            ("titles", random.randrange(1, 3)),
        )
    }
    if itemised:
        del values["own_brand"]  # the listed brands state it, and might contradict it
        for name, count in (("ip", 5), ("financing", 2), ("brands", 2)):
            items = tuple(_record(random, name) for _ in range(count))
            records[name] = RecordList(items, True)
    else:
        class_one = random.randrange(6)
        for name in ("ip_high_value", "ip_self_developed", "ip_class_one_earning"):
            values[name] = str(random.randint(0, class_one))
        values["ip_class_one"] = str(class_one)
        values["ip_class_two"] = str(random.randrange(8))
        two = random.choice((0, 1_000_000, 20_000_000, 60_000_000, 80_000_000))
        values["financing_two_years"] = str(two)
        values["financing_three_years"] = str(two + random.choice((0, 5_000_000)))
    return Profile(AS_OF, values, records)


def _record(random: Random, name: str) -> dict[str, Scalar]:
    record: dict[str, Scalar] = {}
    for field in packaged_catalogue().record_kind(name).fields:
        match field.kind:
            case "flag":
                record[field.id] = random.random() < 0.5
            case "date":
                record[field.id] = _day(random, date(2009, 1, 1), AS_OF)
            case "code":
                record[field.id] = random.choice(field.codes)
            case "text":
                record[field.id] = "示例"
            case "number":
                record[field.id] = str(random.randint(1, 60))
    match name:
        case "ip":
            related = random.random() < 0.8
            record |= {"kind": random.choice(_IP_KINDS), "in_force": True, "related": related}
            for rare in ("foreign_family", "foreign_income", "pledge", "national_award"):
                record[rare] = random.random() < 0.05
        case "financing":
            record["amount"] = str(random.choice((2_000_000, 10_000_000, 30_000_000)))
            record["date"] = _day(random, date(2019, 1, 1), AS_OF)
            record["share_given"] = _text(_near(random, ("0.3",), "0.6"))
        case "awards" | "competitions":
            record["date"] = _day(random, date(2018, 1, 1), AS_OF)
        case "honours" | "titles":
            record["valid_until"] = _day(random, date(2022, 1, 1), date(2026, 1, 1))
    return record
