"""The effect of number formats: ECMA-376 part 1, 18.8.31, as Excel and WPS write them.

A cell means what it shows. A format may scale (a percent sign, commas after the digits, a point
inserted among them: ``0!.0,"万"``), print words or a unit, pad with zeros, or show nothing. Mere
decoration (colours, currency signs of yuan, blanks, brackets around negative numbers) changes
nothing. A number shown with another sign than its own is unknown.
"""

import operator
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from openpyxl.styles.numbers import BUILTIN_FORMATS

from registry.intake.cells import CellValue, Percent, Shown, decimal
from registry.intake.files.serials import day

_TOKEN: Final = re.compile(
    r"""
    "(?P<quoted>[^"]*)"?
  | [\\!](?P<escaped>.?)
  | (?P<blank>_.?)
  | (?P<fill>\*.?)
  | \[(?P<bracket>[^\]]*)\]?
  | (?P<general>general|g/通用格式)
  | (?P<exponent>e[+-])
  | (?P<date>am/pm|a/p|上午/下午|[ymdhs]+|e+|g+|b{1,4}|aaaa?)
  | (?P<digit>[0\#?])
  | (?P<mark>[.,%;@])
  | (?P<plain>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CONDITION: Final = re.compile(r"(<>|<=|>=|=|<|>)\s*([+-]?[0-9]+(?:\.[0-9]+)?)")
_ELAPSED: Final = re.compile(r"[hms]+", re.IGNORECASE)
#: Decoration around a number, which only says its sign, or that it is yuan.
_DECORATION: Final = re.compile(r"[\s¥￥+()（）_−–－-]+")
_SIGNS: Final = re.compile(r"[-—―─－¥￥\s]+")
_NEGATIVE: Final = "△▲▽▼"
#: Signs that a number is negative, besides a colour.
_MINUS: Final = re.compile(f"[-−–－—(（{_NEGATIVE}]")
#: Words in brackets that are a unit, not a negative number.
_REMARK: Final = re.compile(r"[(（][^()（）]*[^\W\d_][^()（）]*[)）]")
#: The most characters of a code, and powers of ten; beyond these, nothing readable is shown.
_LONGEST: Final = 255
_DAYS: Final = 999_999_999
_WIDE: Final = Context(prec=600)

#: Formats that Chinese editions know by number only; a workbook may omit their definition.
_CHINESE: Final = {
    **dict.fromkeys((27, 36, 50, 52, 57), 'yyyy"年"m"月"'),
    **dict.fromkeys((28, 29, 51, 53, 54, 58), 'm"月"d"日"'),
    30: "m/d/yy",
    31: 'yyyy"年"m"月"d"日"',
    32: 'h"时"mm"分"',
    33: 'h"时"mm"分"ss"秒"',
    **dict.fromkeys((34, 55), '上午/下午h"时"mm"分"'),
    **dict.fromkeys((35, 56), '上午/下午h"时"mm"分"ss"秒"'),
}
#: Default format codes by number; $ is the local currency sign.
BUILTIN: Final = {
    **{number: code.replace("$", "¥") for number, code in BUILTIN_FORMATS.items()},
    **_CHINESE,
}


class _Part(NamedTuple):
    """A piece of a section: a placeholder or sign, or a ``literal`` printed as it is."""

    kind: str
    text: str


class _Section:
    """One of a format's alternatives: the appearance of the numbers for which it is chosen."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self.colour = next((p.text for p in parts if p.kind == "colour"), "")
        parts = [p for p in parts if p.kind != "colour"]
        kinds = [part.kind for part in parts]
        self.condition = next((p.text for p in parts if p.kind == "condition"), "")
        #: Whether it is only for negative numbers, and whether it may show another sign than theirs.
        self.negative = self.misleads = False
        self.empty = not parts
        self.texts = "text" in kinds
        #: The words printed before and after a text; None if texts are not shown.
        self.around: tuple[str, str] | None = None
        if self.texts:
            at = kinds.index("text")
            self.around = _literals(parts[:at]).strip(), _literals(parts[at + 1 :]).strip()
        self.elapsed = "elapsed" in kinds
        self.date = self.elapsed or "date" in kinds
        places = [n for n, kind in enumerate(kinds) if kind in ("digit", "general")]
        first, last = (places[0], places[-1]) if places else (len(parts), len(parts) - 1)
        core = parts[first : last + 1]
        point = next((n for n, p in enumerate(core) if p.kind == "."), len(core))
        self._whole = [p for p in core[:point] if p.kind in ("digit", "literal")]
        self._decimals = [p.text for p in core[point:] if p.kind == "digit"]
        self._bare = any(p.kind in ("general", "exponent") or p.text == "/" for p in core)
        self._before, self._after = _literals(parts[:first]), _literals(parts[last + 1 :])
        self._digits = bool(places)
        self._percents = kinds.count("%")
        self._commas = _scaling_commas(kinds, first, first + point)
        whole = [p.kind for p in core[:point]]
        grouped = "," in whole and "digit" in whole[whole.index(",") :]
        self._grouped = grouped and not self._bare
        self._set_apart = "" if self._bare else _literals(self._whole)
        self._shift = _behind_the_point(self._whole) if self._set_apart == "." else 0

    def cell(self, value: int | float) -> CellValue:
        """The number as its cell means it: itself, a ratio, or what is shown."""
        number = decimal(value)
        if not number.is_finite() or not -_LONGEST < number.adjusted() < _LONGEST:
            return value
        digits = self._shown(abs(number)) if self._digits else ""
        text = f"{self._before}{digits}{self._after}".strip()
        before, after = (_words(part, number < 0) for part in (self._before, self._after))
        if not number and not _SIGNS.sub("", text) and text:
            return value  # accountants write zero as a dash
        if not text.strip("."):
            return Shown(value, "", "")
        figures = any(c.isdigit() for c in self._before + self._after)
        if not self._digits:
            return Shown(value, text, text, figures)
        if self.misleads and number:
            return Shown(value, text if self.negative or number > 0 else f"-{text}", "")
        if self._percents == 1 and (before, after, self._scale) == ("", "%", 2):
            return Percent(value)
        padded = digits.startswith("0") and digits[1:2].isdigit()
        if not (before or after or self._scale or padded or self._between):
            return value
        exact = digits if self._between else self._exact(abs(number))
        if padded:
            exact = exact.zfill(
                len(exact.partition(".")[2]) + len(digits.partition(".")[0]) + ("." in exact)
            )
        minus = "-" if number < 0 else ""
        otherwise = bool(self._commas or self._shift or self._between) or figures
        text = text if self.negative else minus + text
        return Shown(value, text, f"{minus}{before}{exact}{after}", otherwise)

    @property
    def says(self) -> str:
        """The words beside the digits that are not decoration."""
        return _DECORATION.sub("", self._before + self._after)

    @property
    def transparent(self) -> bool:
        """Whether every number is shown by its own digits, without words beside them."""
        zeros = sum(part.text == "0" for part in self._whole)
        numeric = self._digits and not self.date and (self._bare or zeros == 1)
        plain = not self.says and not self._scale and not self._set_apart
        return numeric and plain and not self.misleads

    @property
    def signed(self) -> bool:
        """Whether something printed beside the digits shows that a number is negative."""
        around = (_REMARK.sub("", text) for text in (self._before, self._after))
        return any(map(_MINUS.search, around))

    @property
    def _scale(self) -> int:
        """The power of ten between the cell's number and the number shown."""
        return 2 * self._percents - 3 * self._commas - self._shift

    @property
    def _between(self) -> bool:
        """Whether something is printed between the digits, as in a telephone number."""
        return bool(self._set_apart) and not self._shift

    def _exact(self, number: Decimal) -> str:
        return format(_WIDE.scaleb(number, self._scale).normalize(_WIDE), "f")

    def _shown(self, number: Decimal) -> str:
        """The digits as shown, rounded and padded according to the section."""
        if self._bare:
            return self._exact(number)
        scaled = _WIDE.scaleb(number, self._scale + self._shift)
        step = Decimal(1).scaleb(-len(self._decimals))
        whole, _, part = format(scaled.quantize(step, ROUND_HALF_UP, _WIDE), "f").partition(".")
        while part.endswith("0") and self._decimals[len(part) - 1] != "0":
            part = part[:-1]
        laid = self._laid(whole)
        return f"{laid}.{part}" if self._decimals else laid

    def _laid(self, whole: str) -> str:
        """The digits of the whole part in their placeholders, from the right."""
        left = list("" if whole == "0" else whole)
        laid: list[str] = []
        for part in reversed(self._whole):
            if part.kind == "literal":
                laid.append(part.text)
            elif left:
                laid.append(left.pop())
            elif part.text == "0":
                laid.append("0")
        found = "".join(left) + "".join(reversed(laid))
        return f"{int(found):,}" if self._grouped and found.isdigit() else found


class Format:
    """A number format: up to four sections, for positive numbers, negative ones, zero and text."""

    def __init__(self, code: str) -> None:
        sections = [_Section(parts) for parts in _sections(code)]
        last = sections[-1] if len(sections) > 3 or sections[-1].texts else None
        self._around = last.around if last else ("", "")
        numbers = [s for s in sections[:3] if not s.texts]
        usual = [("",), (">=0", ""), (">0", "<0", "")][len(numbers) - 1] if numbers else ()
        self._numbers = [(s.condition or u, s) for u, s in zip(usual, numbers, strict=True)]
        if any(s.condition for s in numbers[:2]):
            return
        for section in numbers[:1]:
            section.misleads = section.signed and not section.says
        for section in numbers[1:2]:
            section.negative = True
            section.misleads = not section.signed and section.colour in ("", numbers[0].colour)

    @property
    def speaks(self) -> bool:
        """Whether the format changes the meaning of texts."""
        return self._around != ("", "")

    def text(self, text: str) -> CellValue:
        """The meaning of a text in a cell of this format.

        >>> Format('0;0;0;@"元"').text("320")
        '320元'
        """
        if self._around is None:
            return Shown(text, "", "")
        before, after = self._around
        return f"{before}{text}{after}"

    @property
    def transparent(self) -> bool:
        """Whether every number means just what it is."""
        if len(self._numbers) == 1 and self._numbers[0][1].empty:
            return True
        return all(
            s.transparent or (n == 2 and not test and type(s.cell(0)) is int)
            for n, (test, s) in enumerate(self._numbers)
        )

    def cell(self, value: int | float, since_1904: bool = False) -> CellValue:
        """The meaning of a number in a cell of this format.

        >>> Format("0.0%").cell(0.8), Format('0.0"%"').cell(0.8).typed
        (Percent(value=0.8), '0.8%')
        >>> Format('0!.0,"万"').cell(100000000).text
        '10000.0万'
        """
        number = decimal(value)
        # without a section for it, the number is shown as it is, or as ####
        section = next((s for test, s in self._numbers if _holds(test, number)), None)
        if section is None or not section.date:
            return section.cell(value) if section else value
        if section.elapsed and abs(value) < _DAYS:
            return timedelta(days=value)
        return day(value, since_1904) or value


@lru_cache(maxsize=1024)
def number_format(code: str) -> Format | None:
    """The format of a code; None if its cells mean just what they contain.

    >>> number_format("#,##0.00_);[Red](#,##0.00)") is None
    True
    """
    if not code or len(code) > _LONGEST:
        return None
    found = Format(code)
    return None if found.transparent and not found.speaks else found


def _sections(code: str) -> Iterator[list[_Part]]:
    """The parts of each section of a format code."""
    parts: list[_Part] = []
    for match in _TOKEN.finditer(code):
        if match["mark"] == ";":
            yield parts
            parts = []
        else:
            parts.extend(_parts(match))
    yield parts


def _parts(match: re.Match[str]) -> Iterator[_Part]:
    kind, text = match.lastgroup or "", match[match.lastgroup or 0]
    if kind == "bracket":
        yield from _bracketed(text)
    elif kind == "mark":
        yield _Part("text" if text == "@" else text, text)
    elif kind in ("quoted", "escaped", "plain", "blank"):
        yield _Part("literal", " " if kind == "blank" else text)
    elif kind != "fill":
        yield _Part(kind, text)


def _bracketed(text: str) -> Iterator[_Part]:
    """A condition, a currency sign, a count of hours, or a colour; skips numerals and languages."""
    if condition := _CONDITION.fullmatch(text):
        yield _Part("condition", condition[1] + condition[2])
    elif text.startswith("$"):
        yield _Part("literal", text[1:].partition("-")[0])
        if text.upper() in ("$-F800", "$-F400"):  # the system's long form of a day or time
            yield _Part("date", text)
    elif _ELAPSED.fullmatch(text):
        yield _Part("elapsed", text)
    elif "num" not in text.lower():  # [DBNum1], [NatNum3]
        yield _Part("colour", text.lower())


def _literals(parts: Sequence[_Part]) -> str:
    return "".join(p.text for p in parts if p.kind in ("literal", "%"))


def _words(text: str, negative: bool) -> str:
    """The words beside a number, without decoration and signs that it is negative."""
    bare = _DECORATION.sub("", text)
    return bare.strip(_NEGATIVE) if negative else bare


def _scaling_commas(kinds: Sequence[str], first: int, point: int) -> int:
    """The number of commas that divide by a thousand: those after the last digit.

    The last digit of the whole part counts, or that of all digits.
    """
    found = 0
    for n, kind in enumerate(kinds):
        if kind == "," and n > first:
            rest = kinds[n:point] if n < point else kinds[n:]
            found += "digit" not in rest
    return found


def _behind_the_point(whole: Sequence[_Part]) -> int:
    """The number of placeholders after a point that is merely printed."""
    at = next(n for n, part in enumerate(whole) if part.text == ".")
    return sum(part.kind == "digit" for part in whole[at:])


_COMPARED: Final = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


def _holds(condition: str, number: Decimal) -> bool:
    if not condition:
        return True
    match = _CONDITION.fullmatch(condition)
    assert match is not None
    return not number.is_nan() and bool(_COMPARED[match[1]](number, Decimal(match[2])))
