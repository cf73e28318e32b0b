"""What is due on a day, read from the projection, beside the same derived anew from the record.

Run ``python -m benchmarks.due``; ``--help`` names the options. Made-up enterprises hold a title of the
same tier, granted in lists of 1,000 on as many days; every other one updated its information. The
counts of the desk and the first 10,000 lines are read for a day on which updates are overdue, and the
projection is made anew.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from time import process_time
from typing import Final

from sqlmodel import Session

from benchmarks.life import MOMENT, TIER, fill
from benchmarks.pages import DATABASES
from registry.database import due
from registry.database.versions import chunks
from registry.desk.place import Desk
from registry.record import dues, duties, register
from registry.record.dues import Asked
from registry.record.duties import Papers
from registry.record.register import Holder, Notice

_GRANTED: Final = date(2022, 9, 1)
_ASKED: Final = date(2023, 6, 1)
_LIST: Final = 1_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill a registry with each number of titles, and print what it took to say what is due."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, nargs="*", default=(10_000, 100_000))
    given = parser.parse_args(arguments)
    heads = ("counts", "lines", "anew", "ratio", "rebuilt")
    print(f"{'titles':>12}" + "".join(f"{head:>14}" for head in heads))
    for count in given.count:
        with (
            DATABASES["sqlite"]() as address,
            Desk(address, by="经办人", clock=lambda: MOMENT) as desk,
        ):
            print(f"{count:12,}" + "".join(f"{figure:>14}" for figure in measured(desk, count)))


def measured(desk: Desk, count: int) -> list[str]:
    """The processor time of each, and how many times as long following anew takes as counting."""
    codes = fill(desk, count)
    for number in range(0, count, _LIST):
        part = codes[number : number + _LIST]
        first = _GRANTED + timedelta(days=number // _LIST % 100)
        with desk.writing() as session:
            register.grant(
                session, [Holder(code) for code in part], TIER, Notice("公告", first),
                first=first, by=desk.by, now=MOMENT,
            )  # fmt: skip
            papers = Papers(day=date(2023, 4, 1))
            duties.update(session, part[::2], 2023, papers, by=desk.by, now=MOMENT)
    asked = Asked(day=_ASKED)
    with desk.reading() as session:
        began = process_time()
        counted = dues.counts(session, asked)
        counts = process_time() - began
        dues.lines(session, asked)
        lines = process_time() - began - counts
        began = process_time()
        anew = _anew(session, codes)
        followed = process_time() - began
    if anew != counted:
        raise SystemExit(f"the counts differ: {counted} and {anew}")
    with desk.writing() as session:
        began = process_time()
        if due.rebuild(session.connection()):
            raise SystemExit("the projection was not what is rebuilt")
        rebuilt = process_time() - began
    return [
        f"{counts * 1000:,.0f} ms", f"{lines * 1000:,.0f} ms", f"{followed * 1000:,.0f} ms",
        f"{followed / counts:,.0f}", f"{count / rebuilt:,.0f}/s",
    ]  # fmt: skip


def _anew(session: Session, codes: Sequence[str]) -> Counter[tuple[str, str, str]]:
    """The same counts, from every entry and the clocks."""
    connection = session.connection()
    timings, found = due.Timings.in_force(connection), Counter[tuple[str, str, str]]()
    for part in chunks(codes):
        for held in due.duties(connection, part).values():
            items = held.items(TIER, timings.of(TIER, ""), _ASKED)
            found.update((TIER, i.matter, i.state) for i in items if i.state in dues.PRESSING)
    return found


if __name__ == "__main__":
    main()
