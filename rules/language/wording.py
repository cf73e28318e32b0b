"""The clause in words beside its table: quantities, directions and names, as people write them.

Only what is certain is a fault. A wording that cannot be read is accepted: a drafter who is refused
a right clause learns to write for the checker.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from rules.model.catalogue import Catalogue
from rules.model.expressions import leaves
from rules.model.facts import PERIODS
from rules.model.quantities import UNITS, Quantity, mentions, placed
from rules.model.ruleset import Band, Bands, Cases, Indicator, Op, Rule

#: The word of the table for each comparison.
REQUIREMENTS: Final[dict[str, str]] = {">=": "不低于", ">": "高于", "<": "低于", "<=": "不高于"}
_OPPOSITE: Final[dict[str, Op]] = {">=": "<", "<": ">=", ">": "<=", "<=": ">"}

# a comparison before its quantity: 不低于, 未达到, 至少有, 不高于营业收入的
_BELOW: Final = "低于|少于|小于"
_ABOVE: Final = "高于|超过|大于|多于|超出|超|逾"
_REACH: Final = "达到|达|满|足|到"
_NOT: Final = "不得|不应|不能|不可|不宜|不准|未|没有|不|非"
_VERB: Final = "为|是|有|在|约|满|达到|达|持有|拥有|具有|具备|取得|获得|建有|设有|制定|主导"
_BEFORE: Final = re.compile(
    rf"(?:(?P<not>{_NOT})?(?P<word>{_BELOW}|{_ABOVE}|{_REACH})(?P<equal>或者?等于|等于)?"
    r"|(?P<least>至少|最少|最低|起码|≥|>=)|(?P<most>至多|最多|最高|≤|<=)|(?P<sign>[<>]))"
    rf"(?:人民币)?(?:{_VERB})?(?:[^,;。:!?、\d]{{0,16}}的)?\s*\Z"
)
# a comparison after its quantity: 以上, 以下（不含）
_AFTER: Final = re.compile(
    r"\s*(?:\((?P<in>不?含)(?:本数)?\))?(?P<joined>及|或|\(含\))?(?:之)?"
    r"(?P<word>以上|以下|以内|之内)?(?:\((?P<out>不?含)(?:本数)?\))?"
)
_RANGE_AFTER: Final = re.compile(r"\s*(?:至|到|[-~—–])\s*[\d一二两三四五六七八九十百]")
_RANGE_BEFORE: Final = re.compile(r"[\d%元年项人分级名件家次](?:至|到|[-~—–])\s*\Z")
_RANKED: Final = re.compile(r"前\s*\Z")
_ORDINAL: Final = re.compile(r"第\s*\Z")
_BREAK: Final = re.compile(r"[,;。:!?\n]")
_STOP: Final = re.compile(r"[;。!?\n]")
#: Words of a sentence that may turn its requirement around: 不受理低于…的, …除外.
_TURNING: Final = re.compile(r"[不未非除免停禁拒撤消剔否无没]")
#: Words with such a character that turn nothing around.
_STRAIGHT: Final = re.compile(
    r"不(?:得|计|加|给)分|不作平均|不限|未列明|未来|非物质|非遗|非公|无形|无人|消费|消防|免疫|除尘|不动产"
)
_CONDITION: Final = re.compile(r"(?:的|时|者)(?:[,企单公项]|\Z)")
_SCORE: Final = re.compile(r"的?(?:可|计|给|加)?(?:得|计|记)(?P<points>\d+(?:\.\d+)?)分")
_SHARED: Final = re.compile(r"占[^,;。:、]{0,4}\Z")
#: What may stand before and after the name of a figure without making it another figure.
_HEAD: Final = re.compile(
    r"(?:^|[年末且或和与及、并其中业位司的应须为)当同期每各全近后仅])(?:[^,;。:!?、\n]{0,2}年度?|两年|最近|连续)?\Z"
)
_TAIL: Final = re.compile(
    r"(?:总?额|总?数|总量|规模|金额|合计|累计|之和|平均|年均|均|都|增长率|增速|增幅|增长|占比|比重|比例|复合"
    r"|应|须|需|要|必须|应当|每年|各年|分别|连续|当年|年度|两年|[、和与及或]|\([^()]*\)|占[^,;。:、]*|的|率|比|值|\s)*"
)
_GROWTH: Final = re.compile(r"增长|增速|增幅|增加")
_GROWN: Final = re.compile(r"增|同比|提高|上升|下降|翻|倍|比上|较上|复合|之比|再上")
_MEAN: Final = re.compile(r"平均|均值|年均")
_YEARS: Final = re.compile(r"近|前|连续|每|各|均|历|同期")
_PERIOD: Final = re.compile(f"(?:{'|'.join(sorted(PERIODS, key=len, reverse=True))})")
_LAST_PERIOD: Final = re.compile(f"{_PERIOD.pattern}\\Z")
#: A share of something: 占营业收入总额的比重.
_SHARE_OF: Final = re.compile(
    r"占(?P<whole>[^,;。:、占]{3,10}?)(?:总额)?的?(?:比重|比例|比|百分比)[^,;。:]{0,3}\Z"
)
#: Units that people use for one another when they count.
_ALIKE: Final = {"件": "项", "家": "项", "次": "项", "名": "人"}
_NUMERAL: Final = "0-9一二两三四五六七八九十百千"
#: Quantities that a clause may carry besides those of the table, or write in another way.
_COUNTED: Final = re.compile(rf"([{_NUMERAL}]+)(?:个|种|款|条|类|篇|套)(?!百分点)")
#: 四项条件 counts what the text lists, not what the enterprise has.
_LISTED: Final = re.compile(rf"([{_NUMERAL}]+)项(?:基本|具体|实质)?(?:条件|要求|指标|情形|标准)")
_RANKS: Final = re.compile(rf"(?:前|第)([{_NUMERAL}]+)(?:名|位|强)?")
_YEAR_COUNTS: Final = re.compile(rf"([{_NUMERAL}]+)(?:个(?:完整)?(?:会计)?(?:年度|周年)|周年|整年)")
_SHORT_MONEY: Final = re.compile(rf"([{_NUMERAL},.]+)(万|亿)(?!元)")
_DATED: Final = re.compile(r"(?:19|20|21)\d\d年(?:\d{1,2}月(?:\d{1,2}日)?)?")
#: A multiple of a figure, in a clause and in a computed 门槛.
_TIMES: Final = re.compile(rf"([{_NUMERAL}.]+)倍(?!半)")
_FACTOR: Final = re.compile(r"(\d+(?:\.\d+)?)\s*[×*]|[×*]\s*(\d+(?:\.\d+)?)", re.ASCII)
_ORDINALS: Final = re.compile(rf"第[{_NUMERAL}]+(?:项|年|级|次|名|件|家|人)")


@dataclass(frozen=True, kw_only=True)
class Mention:
    """A quantity in a clause: what is required of it there, and about what.

    ``ops`` are the comparisons that the words may mean, none if they cannot be read. ``about`` is the
    text before them in the same breath, ``rest`` the words of the sentence that compare nothing.
    ``conditional`` says that the quantity only picks the enterprises that are then spoken of.
    """

    quantity: Quantity
    ops: frozenset[str]
    said: str
    about: str
    rest: str
    conditional: bool
    points: Fraction | None = None


def alike(quantity: Quantity) -> Quantity:
    """The quantity in the unit that stands for all that count the same.

    >>> alike(Quantity(Fraction(2), "件"))
    Quantity(value=Fraction(2, 1), dimension='项')
    """
    return Quantity(quantity.value, _ALIKE.get(quantity.dimension, quantity.dimension))


def besides(text: str) -> set[Quantity]:
    """Quantities that a clause may be read to carry; the table need not have them.

    >>> sorted(besides("全省前三，至少2个"), key=str) == [Quantity(Fraction(2), "项"), Quantity(Fraction(3), "人")]
    True
    """
    text = unicodedata.normalize("NFKC", text)
    found = {alike(q) for match in _DATED.finditer(text) for q in mentions(match[0])}
    found |= {alike(q) for match in _ORDINALS.finditer(text) for q in mentions(match[0])}
    for pattern, unit in (
        (_COUNTED, "项"),
        (_LISTED, "项"),
        (_RANKS, "名"),
        (_YEAR_COUNTS, "年"),
    ):
        found |= {alike(q) for m in pattern.finditer(text) for q in mentions(f"{m[1]}{unit}")}
    for match in _SHORT_MONEY.finditer(text):
        found |= mentions(f"{match[1]}{match[2]}元")
    return found


def factors(cells: Iterable[str]) -> set[Fraction]:
    """By how much computed 门槛 multiply a figure.

    >>> factors(["1.5×生产总值增速", "3%"])
    {Fraction(3, 2)}
    """
    found = [[*_FACTOR.finditer(unicodedata.normalize("NFKC", cell))] for cell in cells]
    return {Fraction(only[0][1] or only[0][2]) for only in found if len(only) == 1}


def shares(multiples: Iterable[Fraction]) -> set[Quantity]:
    """How clauses write a multiple as a share: 1.1 times as 110%, or as 10% above.

    >>> sorted(q.value for q in shares([Fraction("1.1")]))
    [Fraction(1, 10), Fraction(11, 10)]
    """
    return {Quantity(v, "比例") for f in multiples for v in (f, abs(f - 1))}


def times(text: str) -> set[Fraction]:
    """The multiples that a clause names.

    >>> times("不低于生产总值增速的1.5倍")
    {Fraction(3, 2)}
    """
    text = unicodedata.normalize("NFKC", text)
    return {q.value for m in _TIMES.finditer(text) for q in mentions(f"{m[1]}项")}


def spans(names: Iterable[str]) -> set[Quantity]:
    """The numbers of years over which a table asks for the same figure year by year.

    >>> sorted(q.value for q in spans(["上年度营业收入总额", "上上年度营业收入总额"]))
    [Fraction(1, 1), Fraction(2, 1)]
    """
    years: dict[str, set[int]] = {}
    for name in names:
        if match := _PERIOD.match(name):
            years.setdefault(name[match.end() :], set()).add(PERIODS[match[0]])
    return {
        Quantity(Fraction(n), "年") for found in years.values() for n in range(1, len(found) + 1)
    }


def read(text: str) -> Iterator[Mention]:
    """Every quantity of a clause, as its words require it.

    >>> [(m.said, sorted(m.ops)) for m in read("营业收入不少于100万元，人员50人以下")]
    [('不少于100万元', ['>=']), ('50人以下', ['<', '<='])]
    """
    text = unicodedata.normalize("NFKC", text)
    found = list(placed(text))
    cuts = [
        m.start() for m in _BREAK.finditer(text) if not any(s < m.start() < e for _, s, e in found)
    ]
    for quantity, start, end in found:
        first = max((c + 1 for c in cuts if c < start), default=0)
        last = min((c for c in cuts if c >= end), default=len(text))
        before, after = text[first:start], text[end:last]
        ops, left, right = _required(before, after, quantity.dimension)
        yield Mention(
            quantity=quantity,
            ops=ops,
            said=f"{before[left:]}{text[start:end]}{after[:right]}",
            about=before[:left],
            rest=_rest(text, start, end),
            conditional=bool(_CONDITION.match(after[right:])),
            points=Fraction(scored["points"]) if (scored := _SCORE.match(after[right:])) else None,
        )


def _required(before: str, after: str, dimension: str) -> tuple[frozenset[str], int, int]:
    """The comparisons that the words around a quantity may mean, and where these words begin and end."""
    if _RANGE_AFTER.match(after) or _RANGE_BEFORE.search(before) or _ORDINAL.search(before):
        return frozenset(), len(before), 0
    if dimension == "名" and (ranked := _RANKED.search(before)):
        return frozenset({"<="}), ranked.start(), 0
    trailing = _AFTER.match(after)
    assert trailing is not None
    inclusive = trailing["out"] or trailing["in"]
    ahead = _BEFORE.search(before)
    first = _before(ahead, inclusive) if ahead else None
    second = _after(trailing["word"], inclusive, bool(trailing["joined"]))
    left = ahead.start() if ahead else len(before)
    right = trailing.end() if second or (ahead and inclusive) else 0
    if first is None or second is None:
        return first or second or frozenset(), left, right
    return first & second, left, right


def _before(match: re.Match[str], inclusive: str | None) -> frozenset[str] | None:
    if match["least"] or match["most"]:
        return frozenset({">=" if match["least"] else "<="})
    word = match["word"] or match["sign"]
    denied = bool(match["not"]) if match["word"] else False
    if word in ("足", "到") and not denied:
        return None
    below = word == "<" or word in _BELOW.split("|")
    op = "<" if below else ">=" if word in _REACH.split("|") else ">"
    if match["word"] and match["equal"] and op != ">=":
        op += "="
    if denied:
        op = _OPPOSITE[op]
    elif inclusive == "含" and op in "<>":
        op += "="
    return frozenset({op})


def _after(word: str | None, inclusive: str | None, joined: bool) -> frozenset[str] | None:
    if word is None:
        return None
    if word == "以上":
        return frozenset({">" if inclusive == "不含" else ">="})
    if word == "以下" and inclusive is None and not joined:
        return frozenset({"<=", "<"})  # some texts of classification exclude the number itself
    return frozenset({"<" if inclusive == "不含" else "<="})


def _rest(text: str, start: int, end: int) -> str:
    """The sentence around a quantity, without the words that compare."""
    stops = [m.start() for m in _STOP.finditer(text)]
    first = max((c + 1 for c in stops if c < start), default=0)
    last = min((c for c in stops if c >= end), default=len(text))
    compared = rf"(?:{_NOT})?(?:{_BELOW}|{_ABOVE}|达到|满|足|到)"
    return _STRAIGHT.sub("", re.sub(compared, "", text[first:last]))


@dataclass(frozen=True)
class Row:
    """What a table requires of a figure, or gives points for.

    ``facts`` are the names of the filed facts from which the figure is computed.
    """

    name: str
    op: str
    quantity: Quantity
    facts: frozenset[str] = frozenset()
    points: Fraction | None = None

    def concerns(self, stems: Iterable[str]) -> bool:
        """Whether the figure is called by one of these names."""
        return any(stem in self.name for stem in stems)

    def rests_on(self, stems: Iterable[str]) -> bool:
        """Whether the figure is computed from a fact with one of these names."""
        return any(stem in name for stem in stems for name in self.facts)


#: An ending that clauses leave out, and the length of the shortest name that still tells a figure.
_LEFT_OUT: Final = "总额"
_SHORTEST: Final = 3


class Names:
    """The names by which clauses may call figures: without their years, and shortened.

    >>> Names(["上年度营业收入总额"], Catalogue()).nearest("近两年营业收入应")
    (('营业收入',), (3, 7))
    """

    def __init__(self, indicators: Iterable[str], catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        names = [*indicators, *(fact.name for fact in catalogue.facts)]
        found = set()
        for name in map(_plain, names):
            bare = name
            if match := _PERIOD.match(name):
                bare = name[match.end() :].removeprefix("末")
            found |= {bare, bare.removesuffix(_LEFT_OUT)}
        self.stems = frozenset(s for s in found if len(s) >= _SHORTEST)
        longest_first = sorted(self.stems, key=lambda s: (-len(s), s))
        either = "|".join(map(re.escape, longest_first)) or r"(?!)"
        self._at = re.compile(f"(?=({either}))")

    def nearest(self, text: str) -> tuple[tuple[str, ...], tuple[int, int]]:
        """The names of the figure nearest before the end of a text, longest first, and its place.

        A figure of which another is a share (占…比重) is not what is compared. A longer name of which
        nothing is known (境外营业收入, 研发费用加计扣除额) is no name.
        """
        places = [
            (match.start() + len(match[1]), match.start())
            for match in self._at.finditer(text)
            if not _SHARED.search(text[: match.start()])
        ]
        if not places:
            return (), (0, 0)
        end, start = max(places, key=lambda p: (p[0], -p[1]))
        if not _HEAD.search(text[:start]) or not _TAIL.fullmatch(text[end:]):
            return (), (0, 0)
        name = text[start:end]
        inside = [s for s in self.stems if s in name]
        return tuple(sorted(inside, key=lambda s: (-len(s), s))), (start, end)


def contradictions(
    text: str,
    rule: Rule,
    indicators: Mapping[str, Indicator],
    names: Names,
    used: Callable[[], Iterable[str]],
) -> Iterator[str]:
    """Every certain difference between a clause in words and its table, as a sentence.

    ``names`` are those of all figures that a table could have. ``used`` gives those of this table and
    of what it rests on, with the facts from which they are computed.
    """
    rows = list(_rows(rule, indicators, names.catalogue))
    if not rows:
        return
    several = isinstance(rule.body, Cases) and len(rule.body.cases) > 1
    clause = unicodedata.normalize("NFKC", text)
    for mention in read(text):
        if rule.scored and mention.quantity.dimension == "分":
            continue
        quantity = alike(mention.quantity)
        alikes = [r for r in rows if alike(r.quantity) == quantity]
        if alikes and mention.ops:
            about, place = names.nearest(mention.about)
            said = _misnamed(mention, about, rows, alikes, used, names)
            own = [r for r in alikes if r.concerns(about)] if about else []
            said = said or (own and _otherwise(mention, about, place, own, clause)) or ""
            own = own or [r for r in alikes if r.rests_on(about)] or alikes
            said = said or _scored_otherwise(mention, own) or _turned(mention, own, several)
            if said:
                yield f"条文「{mention.said}」{said}：请使条文与定义表一致"


def _misnamed(
    mention: Mention,
    about: tuple[str, ...],
    rows: list[Row],
    alikes: list[Row],
    used: Callable[[], Iterable[str]],
    names: Names,
) -> str:
    """How the figure that a clause speaks of is certainly not that of the table."""
    share = _SHARE_OF.search(mention.about)
    if share is not None and (whole := share["whole"].removesuffix(_LEFT_OUT)) in names.stems:
        formulas = [r for r in alikes if len(r.facts) > 1]
        fitting = (r.rests_on([whole]) or r.concerns([whole]) for r in formulas)
        if formulas and len(formulas) == len(alikes) and not any(fitting):
            return f"说的是占{share['whole']}的比重，定义表中是{alikes[0].name}"
    if not about or any(r.concerns(about) or r.rests_on(about) for r in alikes):
        return ""
    other = next((r for r in rows if r.concerns(about) or r.rests_on(about)), None)
    if other is not None:
        return f"说的是{about[0]}，定义表中这一门槛属于{alikes[0].name}"
    if any(stem in _plain(name) for name in used() for stem in about):
        return ""
    return f"说的是{about[0]}，定义表中是{alikes[0].name}"


def _turned(mention: Mention, rows: list[Row], several: bool) -> str:
    """How the comparison of a clause is certainly not that of the table."""
    ops = {r.op for r in rows}
    if mention.points is not None:
        ops = {r.op for r in rows if r.points == mention.points} or ops
    elif bool(_TURNING.search(mention.rest)) or (several and mention.conditional):
        ops |= {_OPPOSITE[op] for op in ops}
    if mention.ops & ops:
        return ""
    wanted = "或".join(word for op, word in REQUIREMENTS.items() if op in {r.op for r in rows})
    return f"与定义表的要求「{wanted}」不同"


def _scored_otherwise(mention: Mention, rows: list[Row]) -> str:
    """How a clause gives other points than the table."""
    given = {r.points for r in rows if r.points is not None and r.op in mention.ops}
    if mention.points is None or not given or mention.points in given:
        return ""
    return f"得{mention.points}分，定义表中是{'或'.join(f'{p}分' for p in sorted(given))}"


def _rows(rule: Rule, indicators: Mapping[str, Indicator], catalogue: Catalogue) -> Iterator[Row]:
    for case, line in rule.lines():
        if not isinstance(line.value, Fraction):
            continue
        if line.subject == "points":
            yield Row(_plain(line.name), line.op, Quantity(line.value, "分"), points=case.points)
        elif line.subject == "indicator":
            indicator = _indicator(rule, line.name, indicators)
            if indicator.kind == "number":
                yield _row(catalogue, indicator, line.name, line.op, line.value, case.points)
    if isinstance(rule.body, Bands):
        for name, bands in rule.body.bands:
            indicator = _indicator(rule, name, indicators)
            if indicator.kind == "number":
                for op, value, points in _edges(bands):
                    yield _row(catalogue, indicator, name, op, value, points)


def _edges(bands: tuple[Band, ...]) -> Iterator[tuple[str, Fraction, Fraction]]:
    """What each shared end of bands asks for, and the points on either side of it."""
    points = [band.points for band in bands]
    rising = all(a <= b for a, b in pairwise(points))
    falling = all(a >= b for a, b in pairwise(points))
    if rising == falling:
        return
    for below, above in pairwise(bands):
        assert above.lo is not None
        yield "<" if rising else "<=", above.lo, below.points
        yield ">=" if rising else ">", above.lo, above.points


def _row(
    catalogue: Catalogue,
    indicator: Indicator,
    name: str,
    op: str,
    value: Fraction,
    points: Fraction | None,
) -> Row:
    facts = (leaf[1] for leaf in leaves(indicator.expr) if leaf[0] in ("fact", "year"))
    return Row(
        _plain(name),
        op,
        Quantity(value, UNITS[indicator.unit][0]),
        frozenset(_plain(catalogue.fact(id).name) for id in facts),
        points,
    )


def _indicator(rule: Rule, name: str, indicators: Mapping[str, Indicator]) -> Indicator:
    return indicators[f"{rule.records}.{name}" if rule.records else name]


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name)


def _otherwise(
    mention: Mention, about: tuple[str, ...], place: tuple[int, int], own: list[Row], clause: str
) -> str:
    """How a clause takes a figure otherwise than the table: of another year, grown, or averaged."""
    start, end = place
    tail = mention.about[end:]
    names = [r.name for r in own]
    if _GROWTH.search(tail) and not any(_GROWN.search(n) for n in names):
        return f"说的是{about[0]}的增长，定义表中是{own[0].name}"
    if all(_GROWTH.search(n) for n in names) and not _GROWN.search(clause):
        return f"没有说增长，定义表中是{own[0].name}"
    if _MEAN.search(tail) and not any("均" in n for n in names):
        return f"说的是{about[0]}的平均，定义表中是{own[0].name}"
    if all(_MEAN.search(n) for n in names) and "均" not in clause:
        return f"没有说平均，定义表中是{own[0].name}"
    year = _LAST_PERIOD.search(mention.about[:start])
    years = [m[0] for n in names if (m := _PERIOD.match(n))]
    if year and years and len(years) == len(names):
        if year[0] not in years:
            return f"说的是{year[0]}，定义表中是{own[0].name}"
        missing = [y for y in years if y not in _PERIOD.findall(clause)]
        if missing and not _YEARS.search(mention.rest):
            return f"只说{year[0]}，定义表中还有{missing[0]}"
    return ""


def denials(text: str, rule: Rule, indicators: Mapping[str, Indicator]) -> Iterator[str]:
    """Every 是否项 or choice of a table that its clause certainly states the other way round."""
    if not isinstance(rule.body, Cases):
        return
    clause = unicodedata.normalize("NFKC", text)
    for _, line in rule.lines():
        if line.subject != "indicator":
            continue
        indicator, name = _indicator(rule, line.name, indicators), _plain(line.name)
        if indicator.kind != "flag" or name not in clause:
            continue
        befores = [clause[: m.start()] for m in re.finditer(re.escape(name), clause)]
        denied = [re.search(r"(?:未|不|没有|无|非)\S?\Z", b) is not None for b in befores]
        if line.op == ">=" and all(denied):
            yield f"条文否定「{line.name}」，定义表的要求是“是”：请使条文与定义表一致"
        elif line.op == "<" and not _TURNING.search(clause.replace(name, "")) and "禁" not in name:
            yield f"条文要求「{line.name}」，定义表的要求是“否”：请使条文与定义表一致"
