"""The administrative regions, and which of them a filed place means.

They stand in ``features/maps/regions.csv``, with codes of GB/T 2260 (``features/maps/README.md``
says from which edition). That file states which region is below which; this is never read from a
code: cities with independent planning status are below the state, counties of a municipality have
no city, 兵团 is a branch of its own.
"""

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from registry.kit import resources

#: The levels of regions, highest first; the second one acts as a province.
LEVELS: Final = ("省级", "计划单列市", "地级", "县级")
_CITY, _COUNTY = LEVELS[2:]
#: What is left of a name without its kind of region, but for one that is too short without it.
_KIND: Final = re.compile(
    "(?:特别行政区|自治区|自治州|自治县|自治旗|地区|林区|矿区|新区|省|市|州|区|县|盟|旗)$"
)
_PEOPLES: Final = re.compile(
    "(?:[壮回藏苗侗土白傣彝黎瑶畲满羌怒水佤]族|维吾尔|蒙古族?|布依族|土家族|朝鲜族|景颇族|傈僳族|哈尼族|纳西族"
    "|普米族|布朗族|独龙族|拉祜族|仡佬族|仫佬族|毛南族|撒拉族|保安族|东乡族|裕固族|塔吉克|锡伯|达斡尔族"
    "|鄂温克族|鄂伦春|哈萨克族?|柯尔克孜|各族)+$"
)
_SHORTEST: Final = 2
#: The kinds of what is smaller than any region.
_SMALLER: Final = re.compile("(?:镇|乡|村|街道|社区)$")
_NO_NAMES: Final = re.compile(
    "^(?:市辖区|县(?=.)|(?:省|自治区)直辖县级行政(?:区划|单位)|中国|中华人民共和国)"
)
#: The most regions of one name that are named.
_SHOWN: Final = 3


@dataclass(frozen=True, kw_only=True)
class Region:
    """A region; ``parent`` is the code of the one above it, empty below the state.

    ``around`` is the province in which it lies without being below it; ``former`` are names that it
    bore.
    """

    code: str
    name: str
    level: str
    parent: str
    around: str
    former: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """The codes of the regions that a place means, as far down as it is clear; others are empty.

    ``doubt`` says what could not be found, or what it may mean; empty if nothing is open.
    """

    province: str = ""
    city: str = ""
    county: str = ""
    doubt: str = ""


@cache
def regions() -> dict[str, Region]:
    """All regions by code."""
    with (resources.features() / "maps" / "regions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return {
        code: Region(
            code=code, name=name, level=level, parent=parent, around=around,
            former=tuple(filter(None, former.split("、"))),
        )
        for code, name, level, parent, around, former, _ in rows
    }  # fmt: skip


def above(code: str) -> tuple[Region, ...]:
    """A region and all above it, the lowest first.

    >>> [region.name for region in above("440305")], [region.name for region in above("110105")]
    (['南山区', '深圳市'], ['朝阳区', '北京市'])
    """
    found = []
    while code:
        found.append(regions()[code])
        code = found[-1].parent
    return tuple(found)


def full_name(code: str) -> str:
    """The name of a region with all above it.

    >>> full_name("220104")
    '吉林省长春市朝阳区'
    """
    return "".join(region.name for region in reversed(above(code)))


def column(code: str) -> str:
    """Which part of a ``Place`` has the code of a region.

    >>> column("440300"), column("440100"), column("440305")
    ('province', 'city', 'county')
    """
    return {_CITY: "city", _COUNTY: "county"}.get(regions()[code].level, "province")


@lru_cache(maxsize=1 << 14)
def place_of(province: str, city: str = "", county: str = "") -> Place:
    """The regions that a filed place means.

    Kinds of regions and levels may be left out, former names are known, and one text may hold
    several levels.

    >>> place_of("广东省深圳市", "", "南山区") == place_of("深圳", "深圳市", "南山")
    True
    >>> place_of("湖北", "襄樊").city, place_of("辽宁省", "朝阳市", "").city
    ('420600', '211300')
    >>> place_of("", "", "朝阳区").doubt
    '「朝阳区」同名的有2处（北京市朝阳区、吉林省长春市朝阳区）'
    """
    text = _NO_NAMES.sub("", _plain(province + city + county))
    found = list(_meant("", text))
    if not found:
        return Place(doubt=f"「{text}」不在行政区划中" if text else "")
    rest = min((m.rest for m in found), key=len)
    codes = _clearest({m.code for m in found if len(m.rest) == len(rest)})
    if len(codes) > 1:
        named = "、".join(map(full_name, sorted(codes)[:_SHOWN]))
        more = "等" if len(codes) > _SHOWN else ""
        doubt = f"「{text}」同名的有{len(codes)}处（{named}{more}）"
        return _place(_common(codes), doubt)
    [code] = codes
    # streets and towns are below what is listed
    open_ended = regions()[code].level == _COUNTY or not _has_counties(code)
    return _place(code, f"「{full_name(code)}」中没有「{rest}」" if rest and not open_ended else "")


def named(place: Place) -> dict[str, str]:
    """The names of the regions of a place by level; nothing if anything is open."""
    codes = {"province": place.province, "city": place.city, "county": place.county}
    return {} if place.doubt else {key: regions()[c].name for key, c in codes.items() if c}


@dataclass(frozen=True)
class _Meant:
    """A region that a text may mean, and what is left of the text."""

    code: str
    rest: str


def _meant(within: str, text: str) -> Iterator[_Meant]:
    """The regions below one that a text may mean; their kinds and levels may be left out."""
    for length in range(len(text), _SHORTEST - 1, -1):
        for code in _named().get(text[:length], ()):
            if code == within or (within and within not in _around(code)):
                continue
            if _SMALLER.match(text, length):  # 城关镇 is not 城关区
                continue
            for rest in _rests(code, text[length:]):
                yield _Meant(code, rest)
                if rest:
                    yield from _meant(code, rest)


def _rests(code: str, text: str) -> Iterator[str]:
    """A text, without words that name nothing, and also without the region's name once more."""
    while True:
        yield text
        shorter = _NO_NAMES.sub("", text).removeprefix(regions()[code].name)
        if shorter == text:
            return
        text = shorter


def _clearest(codes: set[str]) -> set[str]:
    """The highest of several regions with one name, leaving out those below another of them."""
    top = {c for c in codes if not codes & (_around(c) - {c})}
    level = min((LEVELS.index(regions()[c].level) for c in top), default=0)
    highest = {c for c in top if LEVELS.index(regions()[c].level) == level}
    return highest if len(highest) == 1 else top


def _common(codes: set[str]) -> str:
    """The lowest region above all of these; empty if there is none."""
    shared = [[r.code for r in above(code)][1:] for code in codes]
    return next((c for c in shared[0] if all(c in others for others in shared)), "")


def _place(code: str, doubt: str) -> Place:
    """The codes of a region and those above it, by level."""
    levels = {region.level: region.code for region in above(code)}
    top = above(code)[-1].code if code else ""
    return Place(
        province=top, city=levels.get(_CITY, ""), county=levels.get(_COUNTY, ""), doubt=doubt
    )


@cache
def _has_counties(code: str) -> bool:
    return any(region.parent == code for region in regions().values())


@cache
def _around(code: str) -> frozenset[str]:
    """A region, all above it, and the provinces in which it lies."""
    found = set[str]()
    for region in above(code):
        found |= {region.code, region.around}
    return frozenset(found - {""})


@cache
def _named() -> dict[str, list[str]]:
    """The codes of the regions by each of their names."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for region in regions().values():
        for name in dict.fromkeys(_names((region.name, *region.former))):
            found[_plain(name)].append(region.code)
    return dict(found)


def _names(full: Sequence[str]) -> Iterator[str]:
    """Names as they are written: whole, without the kind of region, without the people's name."""
    for name in full:
        yield name
        stem = _KIND.sub("", name)
        short = _PEOPLES.sub("", stem)
        for left in (stem, short):
            if len(left) >= _SHORTEST:
                yield left
        if short != stem and len(short) >= 1:
            yield short + name[-1]
        if name.endswith("生产建设兵团"):
            yield from ("兵团", "新疆兵团")


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
