"""Made-up enterprises with realistic figures: many small firms, few large ones, gaps in between.

Strengths seldom come alone: each firm has a standing from which all its figures are drawn, so that
some firms reach each tier. Every other firm is put beside a threshold of the criteria (see
``aims``); the seed alone determines which. The region 990000 in their credit codes belongs to no
place, and every name contains 虚构.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from math import log
from random import Random
from typing import Final, Generic, NamedTuple, TypeVar

from registry.demo.aims import Aim, MadeUpFirm, UnreachableError, Value
from registry.judging import relations
from registry.kit.uscc import check_digit
from registry.record.publication import packaged_catalogue
from rules.model.facts import Fact

_Option = TypeVar("_Option")

_WAN: Final = 1_000_000  # fen
#: Industry codes of GB/T 4754 with their percentage of firms; some fit no sector table.
_INDUSTRIES: Final = {
    "C3985": 9, "C3411": 8, "C3670": 7, "C2929": 7, "C3311": 6, "C2614": 5, "C3521": 5, "C3011": 4,
    "C2110": 3, "C1391": 3, "C3091": 3, "C2770": 2, "I6513": 9, "I6550": 3, "I6420": 2, "M7320": 4,
    "M7452": 2, "F5177": 4, "F5161": 2, "F5299": 2, "E4710": 2, "G5430": 2, "A0190": 1, "L7212": 2,
    "K7020": 1, "N7721": 1, "R8890": 1,
}  # fmt: skip
_PROVINCES: Final = {
    "广东省": 14, "江苏省": 13, "浙江省": 12, "山东省": 10, "北京市": 6, "上海市": 6, "安徽省": 5, "湖北省": 5,
    "湖南省": 5, "河南省": 5, "四川省": 5, "福建省": 4, "河北省": 3, "重庆市": 3, "陕西省": 2, "辽宁省": 2,
}  # fmt: skip
_WORDS: Final = (
    "精密",
    "新材",
    "智能",
    "传感",
    "动力",
    "生物",
    "信息",
    "机电",
    "光学",
    "轻工",
    "仪表",
    "装备",
)
#: The percentage of 是; other flags in a firm's favour are 是 one time in four.
_BAD: Final = 1
_FLAGS: Final = {
    "registered_in_prc": 100, "independent_legal_person": 99, "law_abiding": 98,
    "abnormal_list": _BAD, "dishonesty_list": _BAD, "restricted_product": _BAD,
    "major_accident": _BAD, "tax_violation": _BAD, "safety_accident": _BAD, "data_incident": _BAD,
    "environment_offence": _BAD, "quality_problem": _BAD, "industry_breach": _BAD,
    "management_certificate": 80, "own_brand": 70, "standards": 35, "it_system": 60,
    "field_key_link": 45, "field_six_bases": 40, "field_old_brand": 2, "field_reviewed": 50,
    "well_known": 40, "key_chain_link": 45, "leading_position": 50, "industry_direction": 75,
    "heritage": 2, "geographical_mark": 2, "single_champion": 2, "group_similar": 5, "listed": 6,
}  # fmt: skip
_USUAL: Final = 25
#: From this percentage on, a flag is in a firm's favour.
_SPEAKING: Final = 25
_TOTALS: Final = frozenset([
    "ip_high_value", "ip_self_developed", "ip_class_one", "ip_class_two", "ip_class_one_earning",
    "ip_own_earning", "financing_three_years", "financing_two_years",
])  # fmt: skip


class _Standing(NamedTuple):
    """How far a firm has come. Figures are medians or means for drawing; money is in 万元."""

    #: the remaining doubt in a flag in a firm's favour
    doubt: float
    least_days: int
    revenue: int
    growth: float
    least_focus: float
    rd_share: float
    debt: float
    #: the expected number of its rights
    rights: float
    market_share: float
    score: int
    #: the probability of each title for a holder of the one below
    titles: tuple[float, float, float]
    #: the percentage of persons' findings still to be made
    open: int


#: Each with its percentage of firms, beginning with the ordinary ones.
_STANDINGS: Final = {
    _Standing(1, 400, 4000, 0.08, 0.5, 0.045, 0.5, 2.5, 0.03, 55, (0.5, 0.2, 0.05), 40): 60,
    _Standing(0.4, 1200, 8000, 0.12, 0.75, 0.06, 0.45, 5, 0.08, 68, (0.9, 0.5, 0.1), 20): 28,
    _Standing(0.1, 1800, 25_000, 0.18, 0.9, 0.075, 0.4, 10, 0.25, 82, (0.98, 0.95, 0.4), 6): 12,
}
#: The percentage of cells that a firm leaves blank: most none, some many.
_GAPS: Final = (0, 0, 0, 0, 0, 0, 1, 2, 5, 20)


@cache
def _scalars() -> tuple[Fact, ...]:
    """The facts of the packaged criteria that are filed once; what a bureau declares stays blank."""
    return tuple(f for f in packaged_catalogue().facts if not f.yearly)


@cache
def _flags() -> tuple[str, ...]:
    return tuple(f.id for f in _scalars() if f.kind == "flag")


@cache
def _chances(doubt: float) -> tuple[float, ...]:
    """The probability of 是 for each flag; if favourable, it rises as less doubt remains."""
    likely = (_FLAGS.get(id, _USUAL) for id in _flags())
    return tuple(p / 100 if p < _SPEAKING else 1 - doubt * (1 - p / 100) for p in likely)


class _Drawn(Generic[_Option]):
    """Draws by weight."""

    def __init__(self, weights: dict[_Option, int]) -> None:
        self._options = list(weights)
        self._cumulated = list(accumulate(weights.values()))

    def __call__(self, random: Random) -> _Option:
        return random.choices(self._options, cum_weights=self._cumulated)[0]


_STANDING: Final = _Drawn(_STANDINGS)
_INDUSTRY: Final = _Drawn(_INDUSTRIES)
_PROVINCE: Final = _Drawn(_PROVINCES)


def firms(
    count: int, seed: int, as_of: date, wanted: Sequence[Aim]
) -> Iterator[tuple[str, MadeUpFirm]]:
    """The first ``count`` enterprises with codes, in order of code; every other one aimed."""
    random = Random(seed)
    for number in range(1, count + 1):
        firm = _firm(random, number, as_of)
        if wanted and number % 2:
            _aimed(random, firm, wanted[(number // 2 + seed) % len(wanted)])
        _fit(firm)
        yield code(number), firm


#: The number of distinct codes.
MOST: Final = 99_999_999


def code(number: int) -> str:
    """The credit code of the n-th made-up enterprise: region 990000, valid check digit."""
    body = f"91990000G{number:08d}"
    return body + check_digit(body)


def _firm(random: Random, number: int, as_of: date) -> MadeUpFirm:
    firm = MadeUpFirm(as_of=as_of)
    chance = random.random
    values = firm.values
    standing = _STANDING(random)
    for id, likely in zip(_flags(), _chances(standing.doubt), strict=True):
        values[id] = chance() < likely
    industry = _INDUSTRY(random)
    firm.years = _figures(random, standing)
    founded = as_of - timedelta(int(standing.least_days + 9000 * chance() ** 1.5))
    values |= {
        "industry_code": industry,
        "segment_entry": founded + timedelta(int(400 * chance())),
        "market_share": int(min(_around(random, standing.market_share, 1.2), 0.9) * 1_000_000),
        "international_share": int(min(random.lognormvariate(log(10_000), 1.5), 600_000)),
        "domestic_rank": int(random.lognormvariate(log(8), 1)) + 1,
        "provincial_rank": int(random.lognormvariate(log(4), 1)) + 1,
        "digital_level": int(5 * chance()),
        "local_points": 100 * int(16 * chance()),
        "pre_listed_points": 100 * int(4 * chance()),
        "giant_holding": 0 if chance() < 0.9 else int(1_000_000 * chance()),
        "tech_title_until": as_of + timedelta(int(1400 * chance()) - 350),
    }
    _described(random, firm, number, founded)
    _recorded(random, firm, standing)
    _left_out(random, firm, standing)
    return firm


def _described(random: Random, firm: MadeUpFirm, number: int, founded: date) -> None:
    province = _PROVINCE(random)
    own = province.endswith("市")
    word = random.choice(_WORDS)
    firm.values |= {
        "name": f"{word}{number}号（虚构）有限公司",
        "province": province,
        "city": None if own else f"虚构{random.randrange(1, 10)}市",
        "county": f"虚构{random.randrange(1, 100)}{'区' if own else '县'}",
        "registered_on": founded,
        "registered_capital": random.randrange(50, 5000) * _WAN,
        "leading_product": f"{word}组件",
    }


def _around(random: Random, median: float, spread: float) -> float:
    return random.lognormvariate(log(median), spread)


def _figures(random: Random, standing: _Standing) -> dict[str, list[int]]:
    """The figures of T-2, T-1 and T; revenue is spread over four orders of magnitude."""
    chance, normal = random.random, random.normalvariate
    growth, least = standing.growth, standing.least_focus
    now = min(max(_around(random, standing.revenue, 1.3), 20), 500_000) * _WAN
    before = now / (1 + max(normal(growth, 0.18), -0.6))
    earlier = before / (1 + max(normal(growth, 0.18), -0.6))
    revenue = [int(earlier), int(before), int(now)]
    focus = least + (1 - least) * chance() ** 0.4
    spent = min(_around(random, standing.rd_share, 0.7), 0.6)
    staff = max(int(now / (_around(random, 70, 0.5) * _WAN)), 3)
    assets = now * _around(random, 1.2, 0.4)
    debts = min(max(normal(standing.debt, 0.2), 0.02), 1.3)
    return {
        "revenue": revenue,
        "main_revenue": [int(r * focus) for r in revenue],
        "rd_expense": [int(r * spent * (0.8 + 0.4 * chance())) for r in revenue],
        "net_profit": [int(r * normal(0.06, 0.07)) for r in revenue],
        "total_assets": [int(assets * k) for k in (0.85, 0.92, 1)],
        "total_liabilities": [int(assets * debts)] * 3,
        "staff": [max(int(staff * k), 1) for k in (0.9, 0.95, 1)],
        "rd_staff": [int(staff * min(_around(random, 0.15, 0.7), 0.8))] * 3,
        "development_score": [
            int(100 * min(max(normal(standing.score, 14), 0), 100)) for _ in range(4)
        ],
    }


def _recorded(random: Random, firm: MadeUpFirm, standing: _Standing) -> None:
    """The lists: itemised, or only their totals, as firms choose."""
    chance, lists, complete = random.random, firm.lists, firm.complete
    itemised = chance() < 0.5
    for kind in packaged_catalogue().records:
        lists[kind.id] = []
        complete[kind.id] = True if chance() < 0.9 else random.choice((None, False))
    if itemised:
        rights = min(int(random.expovariate(1 / standing.rights)), 30)
        lists["ip"] = [_right(random, firm.as_of, n) for n in range(rights)]
        rounds = 0 if chance() < 0.8 else random.randrange(1, 4)
        lists["financing"] = [_round_of(random, firm.as_of) for _ in range(rounds)]
        lists["brands"] = [
            {
                "name": f"虚构{n}牌",
                **{f: chance() < 0.8 for f in ("has_ip", "registered", "earning")},
            }
            for n in range(random.randrange(3))
        ]
        for id in (*_TOTALS, "own_brand"):  # the lists state it; a total could contradict them
            firm.values[id] = None
    else:
        complete["ip"] = complete["financing"] = complete["brands"] = None
        _totals(random, firm, standing)
    if chance() < 0.08:
        level = random.choice(("国家级", "省级", "省级", "其他"))
        rank, day = random.randrange(1, 8), _day(random, firm.as_of, 6)
        lists["awards"] = [{"level": level, "rank": rank, "date": day, "name": "虚构科技奖"}]
    if chance() < 0.35:
        until = firm.as_of + timedelta(int(1500 * chance()) - 400)
        lists["honours"] = [{"kind": "高新技术企业", "valid_until": until, "accepted": None}]
    if chance() < 0.45:
        level = random.choice(("国家级", "省级", "市级", "市级", "市级以下"))
        lists["institutions"] = [{"level": level, "name": "虚构技术中心"}]
    if chance() < 0.03:
        rank, day = random.randrange(1, 700), _day(random, firm.as_of, 6)
        lists["competitions"] = [{"rank": rank, "date": day, "group": "企业组"}]
    _titled(random, firm, standing)


def _totals(random: Random, firm: MadeUpFirm, standing: _Standing) -> None:
    one = min(int(random.expovariate(1 / standing.rights)), 20)
    some = [random.randint(0, one) for _ in range(3)]
    two = 0 if random.random() < 0.85 else random.randrange(100, 9000) * _WAN
    firm.values |= {
        "ip_class_one": one,
        "ip_high_value": some[0] // 2,
        "ip_self_developed": some[1],
        "ip_class_one_earning": some[2],
        "ip_own_earning": some[2] // 2,
        "ip_class_two": min(int(random.expovariate(0.2)), 40),
        "financing_two_years": two,
        "financing_three_years": two + random.choice((0, 0, 500 * _WAN)),
    }


def _titled(random: Random, firm: MadeUpFirm, standing: _Standing) -> None:
    """Titles as they are won: few holders of a lower one win the next."""
    held = firm.lists["titles"]
    for title, likely in zip(packaged_catalogue().titles, standing.titles, strict=True):
        if random.random() >= likely:
            return
        start = firm.as_of - timedelta(int(1250 * random.random()))
        until = start + timedelta(3 * 365)
        held.append(
            {"kind": title, "valid_from": start, "valid_until": until, "held": until >= firm.as_of}
        )


def _right(random: Random, as_of: date, number: int) -> dict[str, Value | None]:
    chance = random.random
    kind = random.choice(
        (
            "发明专利",
            "发明专利",
            "实用新型专利",
            "软件著作权",
            "外观设计专利",
            "商标",
            "集成电路布图设计专有权",
        )
    )
    granted = _day(random, as_of, 14)
    bought = chance() < 0.12
    return {
        "kind": kind,
        "number": f"ZL99{random.randrange(10**9):09d}.{number}",
        "in_force": chance() < 0.96,
        "related": chance() < 0.85,
        "acquisition": "受让取得" if bought else "原始取得",
        "grant_date": granted,
        "transfer_date": granted + timedelta(int((as_of - granted).days * chance()))
        if bought
        else None,
        "holder_rank": 1 if chance() < 0.85 else random.randrange(2, 6),
        "earning": chance() < 0.7,
        "foreign_family": chance() < 0.04,
        "foreign_income": chance() < 0.04,
        "pledged": chance() < 0.08,
        "pledge": None,
        "national_award": chance() < 0.005,
    }


def _round_of(random: Random, as_of: date) -> dict[str, Value | None]:
    return {
        "date": _day(random, as_of, 5),
        "amount": random.randrange(100, 9000) * _WAN,
        "investor": f"虚构{random.randrange(1000)}号投资基金",
        "qualified": random.random() < 0.85,
        "new_shareholder": random.random() < 0.9,
        "share_given": int(450_000 * random.random()),
    }


def _day(random: Random, as_of: date, years: int) -> date:
    return as_of - timedelta(int(365 * years * random.random()) + 1)


def _left_out(random: Random, firm: MadeUpFirm, standing: _Standing) -> None:
    """Leave cells blank; many of the persons' findings are still to be made."""
    share = random.choice(_GAPS)
    for item in _scalars():
        gaps = share + (standing.open if item.origin == "认定" else 0)
        if gaps and 100 * random.random() < gaps:
            firm.values[item.id] = None


def _aimed(random: Random, firm: MadeUpFirm, aim: Aim) -> None:
    records = aim.indicator.records
    if records:
        firm.lists[records] = [_EXEMPLARY[records](random, firm.as_of)]
        if records in ("ip", "financing"):
            firm.values |= dict.fromkeys(_TOTALS)
    try:
        aim.take(firm)
    except UnreachableError:
        return  # below the least possible value: the firm stays as it was


def _exemplary_right(random: Random, as_of: date) -> dict[str, Value | None]:
    """A right that counts, so that only the aimed field decides."""
    return {
        **_right(random, as_of, 0), "kind": "发明专利", "in_force": True, "related": True,
        "acquisition": "受让取得", "grant_date": date(as_of.year - 5, 3, 1),
        "transfer_date": date(as_of.year - 3, 3, 1), "holder_rank": 1, "earning": True,
    }  # fmt: skip


_EXEMPLARY: Final[dict[str, Callable[[Random, date], dict[str, Value | None]]]] = {
    "ip": _exemplary_right,
    "financing": lambda random, as_of: {
        **_round_of(random, as_of), "date": date(as_of.year - 1, 5, 1), "qualified": True,
        "new_shareholder": True, "share_given": 100_000,
    },
    "awards": lambda random, as_of: {
        "level": "国家级", "rank": 1, "date": date(as_of.year - 1, 5, 1), "name": "虚构科技奖",
    },
    "competitions": lambda random, as_of: {
        "rank": 40, "date": date(2021, 11, 1), "group": "企业组",
    },
    "honours": lambda random, as_of: {
        "kind": "高新技术企业", "valid_until": date(as_of.year + 1, 5, 1), "accepted": None,
    },
    "titles": lambda random, as_of: {
        "kind": packaged_catalogue().titles[random.randrange(3)],
        "valid_from": date(as_of.year - 2, 1, 1),
        "valid_until": date(as_of.year + 1, 1, 1), "held": True,
    },
}  # fmt: skip


def _fit(firm: MadeUpFirm) -> None:
    """Keep every part within its whole: the whole grows, or if aimed at, the part shrinks."""
    pairs = tuple(relations.parts(packaged_catalogue()).items())
    for part, whole in reversed(pairs):  # a part may itself be a whole
        if whole not in firm.fixed:
            _bring_together(firm, part, whole, grow=True)
    for part, whole in pairs:
        _bring_together(firm, part, whole, grow=False)


def _bring_together(firm: MadeUpFirm, part: str, whole: str, *, grow: bool) -> None:
    if part in firm.years:
        small, large = firm.years[part], firm.years[whole]
        for year in range(3):
            if small[year] > large[year]:
                (large if grow else small)[year] = (small if grow else large)[year]
        return
    less, most = firm.values.get(part), firm.values.get(whole)
    if isinstance(less, int) and isinstance(most, int) and less > most:
        firm.values[whole if grow else part] = less if grow else most
