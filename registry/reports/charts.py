"""Charts as coordinates, for templates to draw as SVG; nothing is decided from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, cos, pi, sin
from typing import Final

from registry.reports.scores import ScoreBar

#: The radius of the full points, and of the names around it.
_RADIUS: Final = 100.0
_NAMED: Final = 118.0
_RINGS: Final = (25, 50, 75, 100)
#: The widths of characters in the text of a drawing, and the least reach to a side.
_WIDE, _NARROW, _LEAST = 13.0, 8.0, 200


@dataclass(frozen=True)
class Corner:
    """A corner of a radar: its name and points, where its axis ends, and where its name stands."""

    name: str
    text: str
    end: tuple[float, float]
    label: tuple[float, float]
    anchor: str


@dataclass(frozen=True)
class Radar:
    """A radar around (0, 0): polygons as lists of points, and the corners.

    ``sure`` are the points that are earned, ``possible`` those that may be once the data is whole.
    ``limit`` are the thresholds, empty unless every corner has one.
    """

    rings: tuple[str, ...]
    sure: str
    possible: str
    limit: str
    corners: tuple[Corner, ...]

    @property
    def half(self) -> int:
        """How far the drawing reaches to either side, with the names and points in it."""
        return max(_LEAST, *(ceil(_reach(corner)) for corner in self.corners))

    @property
    def told(self) -> str:
        """The same in words."""
        return "，".join(f"{corner.name}{corner.text}" for corner in self.corners)


def radar(bars: Sequence[ScoreBar]) -> Radar:
    """The radar of scores; the first stands on top, the others follow clockwise."""
    turns = [2 * pi * n / len(bars) for n in range(len(bars))]
    limits = [bar.line for bar in bars if bar.line is not None]
    return Radar(
        rings=tuple(_polygon(turns, [float(share)] * len(bars)) for share in _RINGS),
        sure=_polygon(turns, [bar.lo for bar in bars]),
        possible=_polygon(turns, [bar.hi for bar in bars]),
        limit=_polygon(turns, limits) if len(limits) == len(bars) else "",
        corners=tuple(
            Corner(
                bar.name,
                f"{bar.points}／{bar.full}",
                _point(turn, _RADIUS),
                _point(turn, _NAMED),
                _anchor(turn),
            )
            for turn, bar in zip(turns, bars, strict=True)
        ),
    )


def _reach(corner: Corner) -> float:
    """How far a corner's text reaches to the side, as wide as the widest fonts in use draw it."""
    widest = max(
        sum(_WIDE if ord(c) > 0xFF else _NARROW for c in t) for t in (corner.name, corner.text)
    )
    return abs(corner.label[0]) + (widest / 2 if corner.anchor == "middle" else widest)


def _point(turn: float, length: float) -> tuple[float, float]:
    return round(length * sin(turn), 1), round(-length * cos(turn), 1)


def _polygon(turns: Iterable[float], shares: Iterable[float]) -> str:
    points = (
        _point(turn, _RADIUS * share / 100) for turn, share in zip(turns, shares, strict=True)
    )
    return " ".join(f"{x},{y}" for x, y in points)


def _anchor(turn: float) -> str:
    side = round(sin(turn), 3)
    return "middle" if not side else "start" if side > 0 else "end"
