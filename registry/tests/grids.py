"""A county's summary as a grid of cells, and what officers do to such a table, by a seed.

Each cell carries whose it is (``firm``) and under what it stands (``heading``), so that rows and columns
may move and it is still known where a figure ought to be. A change that must not alter what is meant
leaves ``free`` as it is; one that alters a cell adds it there.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any, Final, TypeAlias

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from registry.intake.tests.counties import CELLS, CODE, DAY, NAME, code

FIRMS: Final = 4
NUMBER: Final = "序号"
#: A part is read by the year of the whole before it; the two stay side by side.
AFTER: Final = {"其中研发人员（人）": "2022年末从业人员（人）"}
_WIDE: Final = str.maketrans("0123456789.%-", "０１２３４５６７８９．％－")

#: What stands in cells that somebody typed, pasted or dragged wrongly.
NASTY: Final[tuple[Any, ...]] = (
    None, "", " ", "-", "—", "/", "无", "#REF!", "#N/A", "#DIV/0!", "=1/0", "=A1", 0, -1, 1e308, 1e-308, 10**40,
    99999999999.99, 0.1 + 0.2, 41234, 20231301, True, False, "1e5", "1,2,3", "10,00", "1 000", "约100", "100左右",
    "100-200", "100万元", "100元", "1亿元", "100人", "100%", "0.5%", "12‰", "百分之五", "一百", "壹佰万元整", "NaN",
    "inf", "null", "２０", "20\u200b", "\u202e12", "\ufeff", "1\n2", "甲" * 3000, "是", "否", "√", "×", "是/否",
    "2023-02-30", "0000-00-00", "2999年13月45日", "2023年", "6月30日", "2023.6.30", date(1900, 1, 1),
    datetime(9999, 12, 31), "有限公司", "示例", "合计", "同上", '="12"', "'12", "+12", "(12)", "12.", ".5", "1/2",
)  # fmt: skip

Free: TypeAlias = set[tuple[int | None, str]]


@dataclass(eq=False)
class Cell:
    """What is typed into a cell, its number format, and what it belongs to, if to anything."""

    value: Any = None
    format: str = ""
    firm: int | None = None
    heading: str = ""


Grid: TypeAlias = list[list[Cell]]


@dataclass
class Table:
    """Sheets of cells, merged from one cell to another, and what of them may be read otherwise.

    A pair of ``free`` is an enterprise and a heading; None stands for all enterprises.
    """

    sheets: list[Grid]
    merges: list[tuple[Cell, Cell]] = field(default_factory=list)
    free: Free = field(default_factory=set)
    done: list[str] = field(default_factory=list)

    def cells(self) -> Iterator[Cell]:
        """Every cell."""
        return (cell for grid in self.sheets for row in grid for cell in row)

    def places(self) -> dict[tuple[int | None, str], tuple[int, str]]:
        """The row and the column's letter of every cell that belongs to something."""
        return {
            (cell.firm, cell.heading): (number, get_column_letter(index))
            for grid in self.sheets
            for number, row in enumerate(grid, 1)
            for index, cell in enumerate(row, 1)
            if cell.heading
        }


def some_headings(random: Random) -> list[str]:
    """Some headings of a county's summary, in its order."""
    wanted = set(random.sample(sorted(CELLS), random.randint(4, 14)))
    wanted |= {AFTER[heading] for heading in wanted & AFTER.keys()}
    return [heading for heading in CELLS if heading in wanted]


def table(headings: Sequence[str]) -> Table:
    """The summary of some enterprises as a sound one has it."""
    columns = [NUMBER, NAME, CODE, *headings]
    rows: Grid = [
        [Cell("2023年度优质中小企业推荐汇总表")],
        [Cell("填报单位：云溪县工业和信息化局"), Cell(), _day()],
        [Cell(heading, "", None, heading) for heading in columns],
    ]
    for firm in range(FIRMS):
        own = {NUMBER: firm + 1, NAME: f"云溪县第{firm + 1}泵阀有限公司", CODE: code(firm + 1)}
        rows.append([_cell(own, firm, heading) for heading in columns])
    return Table([rows])


def _day() -> Cell:
    return Cell(f"填报日期：{DAY.year}年{DAY.month}月{DAY.day}日", heading="填报日期")


def _cell(own: dict[str, Any], firm: int, heading: str) -> Cell:
    value = own.get(heading, CELLS.get(heading))
    if heading not in own and "万元" in heading:
        value = value * (10 + firm) / 10
    shown = "yyyy-mm-dd" if isinstance(value, datetime) else ""
    return Cell(value, shown, firm, heading)


# -- rendered ------------------------------------------------------------------------------------


def workbook(given: Table) -> bytes:
    """The table as Excel keeps it."""
    book = Workbook()
    book.remove(book.active)
    for number, grid in enumerate(given.sheets):
        sheet = book.create_sheet("汇总表" if number == 0 else f"汇总表{number + 1}")
        where = {}
        for r, row in enumerate(grid, 1):
            for c, one in enumerate(row, 1):
                where[id(one)] = r, c
                if one.value is not None:
                    made = sheet.cell(r, c, _writable(one.value))
                    made.number_format = one.format or made.number_format
        for first, last in given.merges:
            if id(first) in where and id(last) in where:
                (top, left), (bottom, right) = where[id(first)], where[id(last)]
                if (
                    top <= bottom
                    and left <= right
                    and not _overlaps(sheet, top, left, bottom, right)
                ):
                    sheet.merge_cells(None, top, left, bottom, right)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _overlaps(sheet: Any, top: int, left: int, bottom: int, right: int) -> bool:
    return any(
        top <= m.max_row and m.min_row <= bottom and left <= m.max_col and m.min_col <= right
        for m in sheet.merged_cells.ranges
    )


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return "".join(c for c in value if c >= " " or c in "\n\t")
    return value


def text(value: Any) -> str:
    """A cell as CSV has it."""
    if isinstance(value, (date, datetime)):
        return value.strftime("%Y-%m-%d")
    return "" if value is None else str(value)


def csv_text(given: Table, random: Random, delimiter: str = ",") -> str:
    """The table as CSV, with or without quotes that nobody needs."""
    out = io.StringIO()
    quoting = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    end = random.choice(("\r\n", "\n"))
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([text(c.value) for c in row] for grid in given.sheets for row in grid)
    return out.getvalue()


# -- what must not alter the meaning -------------------------------------------------------------

Change: TypeAlias = Callable[[Table, Random], None]


def head(grid: Grid) -> int:
    """The index of the row that has the headings."""
    titled = [sum(bool(c.heading) and c.firm is None for c in row) for row in grid]
    return titled.index(max(titled))


def _body(grid: Grid) -> list[list[Cell]]:
    return [row for row in grid if any(c.firm is not None for c in row)]


def _columns(grid: Grid) -> list[list[int]]:
    """The indices of columns; those that must stay side by side are together."""
    found: list[list[int]] = []
    for index, cell in enumerate(grid[head(grid)]):
        if cell.heading in AFTER:
            found[-1].append(index)
        else:
            found.append([index])
    return found


def columns_shuffled(given: Table, random: Random) -> None:
    for grid in given.sheets:
        first = head(grid)
        width = len(grid[first])
        order = _columns(grid)
        random.shuffle(order)
        for row in grid[first:]:
            row += [Cell() for _ in range(width - len(row))]
            row[:width] = [row[i] for group in order for i in group]


def rows_shuffled(given: Table, random: Random) -> None:
    for grid in given.sheets:
        at = [n for n, row in enumerate(grid) if any(c.firm is not None for c in row)]
        rows = [grid[n] for n in at]
        random.shuffle(rows)
        for n, row in zip(at, rows, strict=True):
            grid[n] = row


def _inserted(given: Table, random: Random, row: Sequence[Any], *, below: int = 0) -> None:
    """Insert a row somewhere, at least so many rows below the heading."""
    grid = random.choice(given.sheets)
    grid.insert(random.randint(head(grid) + below, len(grid)), [Cell(value) for value in row])


def blank_row(given: Table, random: Random) -> None:
    grid = random.choice(given.sheets)
    grid.insert(random.randint(0, len(grid)), [])


def blank_column(given: Table, random: Random) -> None:
    grid = random.choice(given.sheets)
    at = random.choice([group[0] for group in _columns(grid)])
    for row in grid[head(grid) :]:
        if len(row) >= at:
            row.insert(at, Cell())


def foreign_column(given: Table, random: Random) -> None:
    grid = random.choice(given.sheets)
    at = random.choice([group[0] for group in _columns(grid)])
    heading, value = random.choice([("联系电话", "0571-88001234"), ("联系人", "张三"), ("备注", "无"), ("传真", 88001234)])  # fmt: skip
    for n, row in enumerate(grid[head(grid) :]):
        if len(row) >= at:
            row.insert(
                at, Cell(heading if n == 0 else value if row and row[-1].firm is not None else None)
            )


def total_row(given: Table, random: Random) -> None:
    grid = random.choice(given.sheets)
    word = random.choice(["合计", "总计", "平均", "小计", "合 计", "平均值"])
    model = _body(grid)[0]
    amounts = [Cell(c.value * FIRMS if type(c.value) in (int, float) and c.heading != NUMBER else None) for c in model]  # fmt: skip
    at = next(n for n, c in enumerate(model) if c.heading in (NUMBER, NAME))
    amounts[at].value = word
    grid.append(amounts)


def number_row(given: Table, random: Random) -> None:
    grid = given.sheets[0]
    first = head(grid)
    wrap = random.choice(["{}", "（{}）", "({})"])
    made = [Cell(wrap.format(n)) for n in range(1, len(grid[first]) + 1)]
    grid.insert(first + 1, made)


def example_row(given: Table, random: Random) -> None:
    grid = given.sheets[0]
    row = [Cell() for _ in grid[head(grid)]]
    own = {NUMBER: "例", NAME: "某某有限公司（填报示例）", CODE: "91XXXXXXXXXXXXXXXX"}
    for n, cell in enumerate(grid[head(grid)]):
        row[n].value = own.get(cell.heading)
    grid.insert(head(grid) + 1, row)


def note_row(given: Table, random: Random) -> None:
    said = random.choice(["填表人：张三    联系电话：0571-88001234", "注：金额单位均为万元", "审核人（签字）：", "以上共4家企业", "说明：本表一式两份"])  # fmt: skip
    random.choice(given.sheets).append([Cell(said)])


def prefilled_rows(given: Table, random: Random) -> None:
    grid = given.sheets[-1]
    for number in range(FIRMS + 1, FIRMS + random.randint(2, 6)):
        grid.append([Cell(number if c.heading == NUMBER else None) for c in grid[head(grid)]])


def heading_again(given: Table, random: Random) -> None:
    grid = random.choice(given.sheets)
    first = head(grid)
    again = [Cell(c.value) for c in grid[first]]
    grid.insert(random.randint(first + 2, len(grid)), again)


def _split_unit(heading: str) -> tuple[str, str]:
    for unit in ("万元", "人", "项"):
        for shown in (f"（{unit}）", f"，{unit}）"):
            if heading.endswith(shown):
                return heading.removesuffix(shown) + ("）" if shown[0] == "，" else ""), unit
    return heading, ""


def unit_row(given: Table, random: Random) -> None:
    for grid in given.sheets:
        first = head(grid)
        units = []
        for cell in grid[first]:
            bare, unit = _split_unit(str(cell.value))
            if cell.heading and unit:
                cell.value = bare
            units.append(Cell(unit or None))
        wrap = random.choice(["{}", "（{}）", "单位：{}"])
        for one in units:
            one.value = one.value and wrap.format(one.value)
        grid.insert(first + 1, units)


def year_row(given: Table, random: Random) -> None:
    for grid in given.sheets:
        first = head(grid)
        years = []
        for cell in grid[first]:
            shown = str(cell.value)
            year = (
                shown[:5]
                if shown[:4].isdecimal() and shown[4:5] == "年" and "末" not in shown
                else ""
            )
            if cell.heading and year:
                cell.value = shown[5:]
            years.append(Cell(year or None))
        grid.insert(first + random.randint(0, 1), years)


def heading_marked(given: Table, random: Random) -> None:
    for cell in given.cells():
        if (
            cell.firm is None
            and cell.heading
            and cell.heading != "填报日期"
            and random.randrange(2)
        ):
            shown = str(cell.value)
            mark = random.choice(["*{}", "★{}", "{}（必填）", "{}*", " {} ", "{}\n", "\u200b{}", "{}：", "\ufeff{}", "{}（盖章）"])  # fmt: skip
            if "盖章" in mark and cell.heading != NAME:
                continue
            cell.value = mark.format(shown)


def heading_spelled(given: Table, random: Random) -> None:
    for cell in given.cells():
        if (
            cell.firm is None
            and cell.heading
            and cell.heading != "填报日期"
            and random.randrange(2)
        ):
            shown = str(cell.value)
            bare, unit = _split_unit(shown)
            if unit and not bare.endswith("）"):
                cell.value = bare + random.choice(["({})", "[{}]", "/{}", "（单位：{}）", "【{}】", "\n（{}）", "（ {} ）", "{}"]).format(unit)  # fmt: skip
            else:
                cell.value = shown.replace("（", "(").replace("）", ")")


def _amounts(given: Table) -> list[Cell]:
    return [
        c for c in given.cells()
        if c.firm is not None and c.heading != NUMBER and type(c.value) in (int, float)
    ]  # fmt: skip


def texts_for_numbers(given: Table, random: Random) -> None:
    for cell in _amounts(given):
        if random.randrange(2):
            way = random.choice(["{}", " {} ", "{}\u200b", "{:,}", "\u00a0{}"])
            cell.value = way.format(cell.value)
            cell.format = ""


def wide_digits(given: Table, random: Random) -> None:
    for cell in given.cells():
        given_by_firm = cell.firm is not None and cell.heading not in (NUMBER, NAME)
        typed = type(cell.value) in (int, float) or isinstance(cell.value, str)
        if given_by_firm and typed and random.randrange(2):
            cell.value = str(cell.value).translate(_WIDE)
            cell.format = ""


def units_in_cells(given: Table, random: Random) -> None:
    for cell in _amounts(given):
        unit = _split_unit(cell.heading)[1]
        if unit == "万元" and in_yuan.__name__ in given.done:
            continue
        if unit and random.randrange(2):
            cell.value = f"{cell.value}{random.choice(['', ' '])}{unit}"


def in_yuan(given: Table, random: Random) -> None:
    """The column of an amount in yuan instead of 万元, heading and cells together."""
    if heading_again.__name__ in given.done:  # which says 万元 once more
        return
    columns = sorted({c.heading for c in given.cells() if c.heading.endswith("（万元）")})
    for heading in columns:
        cells = [c for c in given.cells() if c.heading == heading]
        whole = all(c.firm is None or type(c.value) in (int, float) for c in cells)
        if not whole or random.randrange(2) or not all("万元" in str(c.value) for c in cells if c.firm is None):  # fmt: skip
            continue
        for cell in cells:
            if cell.firm is None:
                cell.value = str(cell.value).replace("万元", "元")
            else:
                cell.value = int(Decimal(str(cell.value)) * 10000)


def formats(given: Table, random: Random) -> None:
    for cell in _amounts(given):
        cell.format = random.choice(["General", "0", "#,##0", "#,##0.00", "0.00_ ", "#,##0.00;[Red]-#,##0.00", "_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * \"-\"??_ ;_ @_ ", '0"人"' if "（人）" in cell.heading else "0.0", "@"])  # fmt: skip


def dates_otherwise(given: Table, random: Random) -> None:
    for cell in given.cells():
        if isinstance(cell.value, datetime) and random.randrange(3):
            day = cell.value
            if random.randrange(2):
                cell.format = random.choice(['yyyy"年"m"月"d"日"', "yyyy/m/d", "m/d/yy", "[$-804]yyyy-mm-dd;@", "yyyy.mm.dd", "yyyy/m/d h:mm"])  # fmt: skip
            else:
                cell.format = ""
                cell.value = random.choice(["{0.year}年{0.month}月{0.day}日", "{0:%Y-%m-%d}", "{0.year}/{0.month}/{0.day}", "{0.year}.{0.month}.{0.day}", "{0:%Y%m%d}", "{0:%Y-%m-%d} 00:00:00"]).format(day)  # fmt: skip


def percents_otherwise(given: Table, random: Random) -> None:
    for cell in given.cells():
        if cell.value == "12%":
            cell.value, cell.format = random.choice([(0.12, "0%"), (0.12, "0.00%"), ("12.0%", ""), ("12 %", ""), ("１２％", ""), ("12％", "")])  # fmt: skip


def merged_alike(given: Table, random: Random) -> None:
    """Cells below one another that say the same become one."""
    for grid in given.sheets:
        rows = [n for n, row in enumerate(grid) if any(c.firm is not None for c in row)]
        for index, cell in enumerate(grid[head(grid)]):
            if cell.heading in ("所在地（省市县）", "行业代码（GB/T 4754）") and random.randrange(
                2
            ):
                at = random.randrange(len(rows))
                till = random.randrange(at, len(rows))
                if rows[till] - rows[at] != till - at or any(len(grid[r]) <= index for r in rows[at : till + 1]):  # fmt: skip
                    continue
                same = [grid[n][index] for n in rows[at : till + 1]]
                if len({repr(c.value) for c in same}) == 1 and len(same) > 1:
                    given.merges.append((same[0], same[-1]))
                    for other in same[1:]:
                        other.value = None


def two_sheets(given: Table, random: Random) -> None:
    """Half of the enterprises stand on a second sheet with a heading of its own."""
    grid = given.sheets[0]
    first = head(grid)
    rows = [n for n, row in enumerate(grid) if any(c.firm is not None for c in row)]
    cut = random.choice(rows[1:] or rows)
    if len(given.sheets) > 1 or cut == rows[0] or given.merges or any(c.firm is None and c.value for r in grid[first + 1 :] for c in r):  # fmt: skip
        return
    top = [[replace(c) for c in row] for row in grid[:first]]
    top.append([replace(c) for c in grid[first]])
    given.sheets.append(top + grid[cut:])
    del grid[cut:]


def titles_merged(given: Table, random: Random) -> None:
    grid = given.sheets[0]
    first = head(grid)
    if first and grid[0]:
        grid[0] += [Cell() for _ in range(len(grid[first]) - len(grid[0]))]
        given.merges.append((grid[0][0], grid[0][-1]))


def codes_typed(given: Table, random: Random) -> None:
    for cell in given.cells():
        if cell.firm is not None and cell.heading == CODE and isinstance(cell.value, str):
            typed = random.choice(["{}", "{} ", "\u200b{}", "'{}", "\t{}"]).format(cell.value)
            cell.value = random.choice([typed, cell.value.lower()])


NEUTRAL: Final[tuple[Change, ...]] = (
    columns_shuffled, rows_shuffled, blank_row, blank_column, foreign_column, total_row, number_row, example_row,
    note_row, prefilled_rows, heading_again, unit_row, year_row, heading_marked, heading_spelled, texts_for_numbers,
    wide_digits, units_in_cells, in_yuan, formats, dates_otherwise, percents_otherwise, merged_alike, two_sheets,
    titles_merged, codes_typed,
)  # fmt: skip


# -- what alters some cells ----------------------------------------------------------------------


def nasty_cell(given: Table, random: Random) -> None:
    cell = random.choice([c for c in given.cells() if c.firm is not None and c.heading != NUMBER])
    cell.value = random.choice(NASTY)
    cell.format = random.choice(
        ["", cell.format, "0.0%", '0"万"', '0!.0,"万"', "yyyy-mm-dd", ";;;"]
    )
    given.free.add((cell.firm, cell.heading))


def cells_swapped(given: Table, random: Random) -> None:
    one, other = random.sample(
        [c for c in given.cells() if c.firm is not None and c.heading != NUMBER], 2
    )
    one.value, other.value = other.value, one.value
    one.format, other.format = other.format, one.format
    given.free |= {(one.firm, one.heading), (other.firm, other.heading)}
    if CODE in (one.heading, other.heading):  # each row is of another enterprise now
        given.free |= {(one.firm, ""), (other.firm, "")}


def heading_changed(given: Table, random: Random) -> None:
    cell = random.choice([c for c in given.cells() if c.firm is None and c.heading])
    shown = str(cell.value)
    cell.value = random.choice([
        None, "", shown.replace("万元", "亿元"), shown.replace("2022", "2019"), "预计" + shown, shown + "增长率",
        shown.replace("人", "户"), shown[: len(shown) // 2], random.choice(sorted(CELLS)), "#REF!", 2022,
    ])  # fmt: skip
    given.free.add((None, cell.heading))
    for part, whole in AFTER.items():
        if whole == cell.heading:
            given.free.add((None, part))


def column_lost(given: Table, random: Random) -> None:
    grid = random.choice(given.sheets)
    at = random.choice(_columns(grid)[1:])[-1]
    for row in grid[head(grid) :]:
        if len(row) > at:
            given.free.add((None, row[at].heading))
            del row[at]


def row_lost(given: Table, random: Random) -> None:
    rows = [(grid, row) for grid in given.sheets for row in _body(grid)]
    grid, row = random.choice(rows)
    given.free |= {(c.firm, "") for c in row if c.firm is not None}
    grid.remove(row)


def row_twice(given: Table, random: Random) -> None:
    grid = random.choice(given.sheets)
    row = random.choice(_body(grid))
    given.free |= {(c.firm, "") for c in row if c.firm is not None}
    grid.append([replace(c) for c in row])


def cells_slipped(given: Table, random: Random) -> None:
    """A cell too many or too few: the rest of the row stands elsewhere."""
    row = random.choice([row for grid in given.sheets for row in _body(grid)])
    at = random.randrange(1, len(row))
    given.free |= {(c.firm, c.heading) for c in row[at:]}
    if random.randrange(2):
        row.insert(at, Cell(random.choice(NASTY)))
    else:
        del row[at]


def merged_anyhow(given: Table, random: Random) -> None:
    grid = random.choice(given.sheets)
    first = head(grid)
    top = random.randrange(first + 1, len(grid))
    bottom = random.randrange(top, min(len(grid), top + 3))
    if not grid[top] or not grid[bottom]:
        return
    left = random.randrange(len(grid[top]))
    right = min(len(grid[bottom]) - 1, left + random.choice((0, 0, 1)))
    for row in grid[top : bottom + 1]:
        given.free |= {(c.firm, c.heading) for c in row[left : right + 1] if c.heading}
        for cell in row[left : right + 1]:
            if cell is not grid[top][left]:
                cell.value = None
    if right >= left:
        given.merges.append((grid[top][left], grid[bottom][right]))


def day_changed(given: Table, random: Random) -> None:
    for cell in given.cells():
        if cell.heading == "填报日期" and cell.firm is None:
            cell.value = random.choice([None, "填报日期：", "填报日期：2023年13月45日", "填报日期：2024年6月30日", "填报日期 6月30日"])  # fmt: skip
    given.free.add((None, "填报日期"))


CHANGING: Final[tuple[Change, ...]] = (
    nasty_cell, nasty_cell, nasty_cell, nasty_cell, cells_swapped, heading_changed, heading_changed, column_lost,
    row_lost, row_twice, cells_slipped, merged_anyhow, day_changed,
)  # fmt: skip


def changed(random: Random, only: Sequence[Change] = (*NEUTRAL, *NEUTRAL, *CHANGING)) -> Table:
    """A table with one to three changes."""
    made = table(some_headings(random))
    for _ in range(random.choice((1, 1, 2, 3))):
        change = random.choice(only)
        change(made, random)
        made.done.append(change.__name__)
    return made
