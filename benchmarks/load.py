"""A county summary of many enterprises: reading and storing it, beside a bare pass over its cells.

Run ``python -m benchmarks.load``. Every measurement runs in its own process, in turns, so that
peaks of memory are comparable. Only the ratios within one run count.
"""

import argparse
import multiprocessing
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from openpyxl import Workbook, load_workbook

from registry.database.storage import connect, session
from registry.demo.make_demo import BASE, CASES, HEADINGS
from registry.intake.reader import read
from registry.kit.uscc import check_digit
from registry.record.loading import load
from registry.record.publication import packaged_catalogue

NOW: Final = datetime(2023, 7, 1, tzinfo=UTC)

#: Seconds taken, peak memory in MB, and the part of it that the work added.
Measure = tuple[float, float, float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the workbook, measure in turns, print the ratios first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000, help="enterprises in the workbook")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each step gets")
    given = parser.parse_args(arguments)
    steps: dict[str, Callable[[Path], float]] = {
        "bare openpyxl iteration": bare,
        "reading": reading,
        "storing what was read": storing,
    }
    taken: dict[str, list[Measure]] = {name: [] for name in steps}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "county.xlsx"
        write(path, given.rows)
        print(f"{given.rows} rows, {path.stat().st_size / 1e6:.1f} MB")
        for _ in range(given.rounds):
            for name, step in steps.items():
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    taken[name].append(pool.apply(measure, (step, path)))
    first = [seconds for seconds, _, _ in taken["bare openpyxl iteration"]]
    for name, measures in taken.items():
        seconds = [m[0] for m in measures]
        ratio = median(b / a for a, b in zip(first, seconds, strict=True))
        peak, grown = max(m[1] for m in measures), max(m[2] for m in measures)
        rate = given.rows / median(seconds)
        print(
            f"  {name:26} {ratio:5.2f} x the bare iteration, peak {peak:.0f} MB (+{grown:.0f}), "
            f"{rate:.0f} rows/s here and now"
        )


def write(path: Path, rows: int) -> None:
    """A summary like the example's, with more enterprises and varied amounts."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("汇总表")
    sheet.append(["2023年度优质中小企业推荐汇总表（合成数据）"])
    sheet.append(["填报单位：示范县工业和信息化局（虚构）", None, "填报日期：2023年6月30日"])
    sheet.append(list(HEADINGS.values()))
    for number in range(1, rows + 1):
        body = f"91990000MA{number:07d}"
        cells = {
            **BASE,
            **CASES[number % len(CASES)],
            "no": number,
            "name": f"合成{number}号（虚构）有限公司",
            "uscc": body + check_digit(body),
        }
        cells["assets"] = 20_000 + number / 100
        sheet.append([cells[key] for key in HEADINGS])
    book.save(path)


def measure(step: Callable[[Path], float], path: Path) -> Measure:
    """Run a step in this fresh process."""
    before = _peak()
    seconds = step(path)
    after = _peak()
    return seconds, after, after - before


def bare(path: Path) -> float:
    """Touch every cell and keep nothing."""
    start = perf_counter()
    book = load_workbook(path, read_only=True, data_only=True)
    for sheet in book:
        for row in sheet.iter_rows(values_only=True):
            for _ in row:
                pass
    return perf_counter() - start


def reading(path: Path) -> float:
    """Read the filings."""
    start = perf_counter()
    found = read(path, packaged_catalogue())
    taken = perf_counter() - start
    assert found.submissions
    assert not found.refused
    return taken


def storing(path: Path) -> float:
    """Store the filings in a fresh SQLite database; peak memory includes reading them."""
    found = read(path, packaged_catalogue())
    engine = connect(f"sqlite:///{path.with_name('load.db')}")
    start = perf_counter()
    with session(engine, write=True) as opened:
        report = load(opened, found, now=NOW, as_of=date(2023, 6, 30))
    taken = perf_counter() - start
    engine.dispose()
    for file in path.parent.glob("load.db*"):
        file.unlink()
    assert len(report.new) == len(found.submissions)
    return taken


def _peak() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


if __name__ == "__main__":
    main()
