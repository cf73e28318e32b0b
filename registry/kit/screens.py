"""What a terminal shows: tables that fit it, and lines that break as Chinese does."""

import re
from collections.abc import Iterable, Sequence
from math import isqrt
from typing import Any, Final

from rich import box
from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from registry.kit.characters import for_screen
from rules.model.quantities import UNITS

_UNITS: Final = "|".join(sorted(UNITS, key=len, reverse=True))
#: Pieces that are not broken: a word, a number with its unit, brackets and punctuation.
_PIECE: Final = re.compile(
    rf"[（「〔]*(?:[!-.0-~]*(?:/|[!-.0-~](?:{_UNITS})?)|.)[，。；：、）」〕]*", re.DOTALL
)
#: The least width of wrapped columns while others are kept whole. If there is no room, it is less,
#: as long as columns of single words stay whole.
_ROOMS: Final = (18, 14, 10, 6)
_WORD: Final = 12
#: A longer word is broken if there is no room for it.
_LONGEST_WORD: Final = 24
#: Separates two columns.
_GAP: Final = 2
#: The beginning of a hanging line: blanks, a sign or a number.
_LEAD: Final = re.compile(r"\s*(?:(?:[·✓✗？◇†‡■*－]|[0-9]+\.)\s*)?")


class Wrapped:
    """Chinese text that breaks between any characters, but not between a number and its unit.

    Its own line breaks are kept.
    """

    def __init__(self, text: str) -> None:
        self.lines = [_PIECE.findall(line) for line in text.split("\n")]

    @property
    def cell_len(self) -> int:
        """Its width if no line is broken."""
        return max(sum(map(cell_len, pieces)) for pieces in self.lines)

    @property
    def longest(self) -> int:
        """The width of its widest piece."""
        return max((cell_len(piece) for pieces in self.lines for piece in pieces), default=0)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        for pieces in self.lines:
            line = ""
            for piece in (part for p in pieces for part in _broken(p, width)):
                if line and cell_len(line + piece.rstrip()) > width:
                    yield Text(line.rstrip())
                    line = ""
                line += piece if line else piece.lstrip()
            yield Text(line.rstrip())

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.longest, self.cell_len).with_maximum(options.max_width)


def _broken(piece: str, width: int) -> list[str]:
    """A piece, or its parts if it is wider than a line."""
    return [piece] if cell_len(piece) <= width else chop_cells(piece, width)


def listing(header: Sequence[str], rows: Sequence[Sequence[str | Text]], width: int) -> Table:
    """A table of at most ``width``; texts wrap within their columns, narrow columns last."""
    table = Table(
        box=box.SIMPLE_HEAD,
        header_style="bold",
        show_edge=False,
        pad_edge=False,
        padding=(0, _GAP - 1, 0, 0),
    )
    cells = [[text if isinstance(text, Text) else Wrapped(text) for text in row] for row in rows]
    for name, column in zip(header, fitted(header, cells, width), strict=True):
        table.add_column(Wrapped(name), width=column)
    for row in cells:
        table.add_row(*row)
    return table


def crowded(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether a table of that width would have to break words."""
    cells = [[Wrapped(text) for text in row] for row in rows]
    _, least = _measured(header, cells)
    return sum(least) + _GAP * (len(header) - 1) > width


def fitted(
    header: Sequence[str], rows: Sequence[Sequence["Text | Wrapped"]], width: int
) -> list[int]:
    """The widths of columns: whole if the wrapped ones have room beside them."""
    natural, least = _measured(header, rows)
    total = width - _GAP * (len(natural) - 1)
    for room in _ROOMS:
        floor = [min(n, max(w, room)) for n, w in zip(natural, least, strict=True)]
        whole = _whole(natural, floor, total)
        words = {c for c, n in enumerate(natural) if n <= _WORD}
        if words <= whole and sum(floor) <= total:
            return _shared(natural, floor, total, whole)
    return _shared(natural, least, total, set())


def _whole(natural: Sequence[int], floor: Sequence[int], total: int) -> set[int]:
    """The columns that can stay whole, narrowest first, if the others get what they need."""
    found: set[int] = set()
    for column in sorted(range(len(natural)), key=lambda c: natural[c]):
        tried = found | {column}
        if sum(natural[c] if c in tried else floor[c] for c in range(len(natural))) > total:
            break
        found = tried
    return found


def _shared(natural: Sequence[int], floor: Sequence[int], total: int, whole: set[int]) -> list[int]:
    """The widths of columns, if those not whole share the remaining width."""
    given = [n if c in whole else floor[c] for c, n in enumerate(natural)]
    spare = total - sum(given)
    # the square root, so that one long sentence leaves room for the others
    weights = [0 if c in whole else isqrt(n * _WORD) for c, n in enumerate(natural)]
    if spare < 0:
        weights = given
    every = sum(weights) or 1
    return [
        min(n, max(2, g + spare * w // every))
        for n, g, w in zip(natural, given, weights, strict=True)
    ]


def _measured(
    header: Sequence[str], rows: Sequence[Sequence["Text | Wrapped"]]
) -> tuple[list[int], list[int]]:
    """The full width and the least width of each column."""
    columns = list(zip([Wrapped(name) for name in header], *rows, strict=True))
    natural = [max(cell.cell_len for cell in column) for column in columns]
    longest = [max(_longest(cell) for cell in column) for column in columns]
    return natural, [min(n, w, _LONGEST_WORD) for n, w in zip(natural, longest, strict=True)]


def _longest(cell: "Text | Wrapped") -> int:
    return cell.cell_len if isinstance(cell, Text) else cell.longest


def hanging(line: str) -> Table:
    """A line that continues under its own text if it is too long."""
    found = _LEAD.match(line)
    lead = found[0] if found else ""
    grid = Table.grid()
    grid.add_column(no_wrap=True, width=cell_len(lead))
    grid.add_column()
    grid.add_row(Text(lead), Wrapped(line[len(lead) :]))
    return grid


class Screen(Console):
    """A console that passes its own colours and movements, but none that a text contains.

    With ``soft_wrap``, a line is printed whole; on a terminal, one that is too long hangs.
    """

    def print(self, *objects: Any, **how: Any) -> None:
        """Print like ``Console.print``."""
        whole = how.get("soft_wrap", self.soft_wrap) and self.is_terminal
        if not (whole and len(objects) == 1 and isinstance(objects[0], str)):
            super().print(*objects, **how)
            return
        for line in objects[0].split("\n"):
            fits = cell_len(line) <= self.width
            super().print(line if fits else hanging(line), **how | {"soft_wrap": fits})

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments to be printed, each made legible."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else for_screen(text), style, control)
