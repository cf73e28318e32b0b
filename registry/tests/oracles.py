"""What a reading of a damaged table may be: the same as before, or told with its place."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from registry.filings import FileReading, Issue, Submission
from registry.intake.tests.counties import CODE, NAME, code
from registry.tests.grids import FIRMS, Free, Table

#: Facts of an enterprise by what they are: identity, a value, a list, or a part of the filing.
Facts = Mapping[tuple[str, str], Any]

_CELL: Final = re.compile(r"([A-Z]*)([0-9]*)")
_SAID_ROWS: Final = re.compile(r"第([0-9、至]+)行")


def facts(found: Submission) -> dict[tuple[str, str], Any]:
    """Everything that a filing says, by kind and key."""
    return {
        ("", "name"): found.name,
        ("", "as_of"): found.as_of,
        **{("identity", key): value for key, value in found.identity.items()},
        **{("values", key): value for key, value in found.values.items()},
        **{("records", key): value for key, value in found.records.items()},
    }


def _without(found: Facts, other: Facts) -> dict[tuple[str, str], Any]:
    return {key: found[key] for key in found.keys() - other.keys()}


def placed(reading: FileReading) -> dict[str, tuple[str, int]]:
    """The column and the row of each value of the first filing that has its place to itself."""
    found = {}
    for key, place in reading.submissions[0].sources.items():
        cell = _CELL.fullmatch(place.rpartition("!")[2])
        if cell and cell[1] and cell[2] and key in reading.submissions[0].values:
            found[key] = cell[1], int(cell[2])
    return found


class Truth:
    """What sound tables say, by enterprise and by heading."""

    def __init__(
        self,
        bare: FileReading,
        whole: FileReading,
        letters: Mapping[str, str],
        single: Mapping[str, FileReading],
    ) -> None:
        """``bare`` has no columns, ``whole`` all, ``single`` one each; ``letters`` are those of ``whole``."""
        self._bare = [facts(s) for s in bare.submissions]
        self._of: dict[str, list[dict[tuple[str, str], Any]]] = {
            heading: [
                _without(facts(s), one) for s, one in zip(r.submissions, self._bare, strict=True)
            ]
            for heading, r in single.items()
        }
        for key, (letter, _) in placed(whole).items():
            own = self._of.setdefault(letters[letter], [{} for _ in whole.submissions])
            for firm, found in enumerate(whole.submissions):
                own[firm]["values", key] = found.values[key]

    def of(self, firm: int, headings: Iterable[str]) -> dict[str, dict[tuple[str, str], Any]]:
        """The facts of an enterprise by the heading that they stand under."""
        bare = self._bare[firm]
        found: dict[str, dict[tuple[str, str], Any]] = {
            NAME: {("", "name"): bare["", "name"]},
            "填报日期": {("", "as_of"): bare["", "as_of"]},
        }
        for heading in headings:
            if heading in self._of:
                found[heading] = self._of[heading][firm]
        return found


def _numbers(said: str) -> set[int]:
    """The numbers of the rows that a sentence names."""
    found: set[int] = set()
    for span in _SAID_ROWS.findall(said):
        for part in span.split("、"):
            first, _, last = part.partition("至")
            if first.isdecimal():
                found |= set(range(int(first), int(last or first) + 1))
    return found


class Told:
    """What the issues of a reading tell of cells."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self._cells: set[tuple[int, str]] = set()
        self._rows: set[int] = set()
        self._columns: set[str] = set()
        self._codes: set[str] = set()
        self._whole = ""
        for issue in issues:
            self._codes |= {issue.uscc} - {""}
            self._add(issue)

    def _add(self, issue: Issue) -> None:
        found = _CELL.fullmatch(issue.cell)
        letter, number = found.groups() if found else ("", "")
        rows = _numbers(issue.message)
        if letter and (rows or "列" in issue.message or not number):
            self._columns.add(letter)
        if letter and number:
            self._cells.add((int(number), letter))
        self._rows |= rows | ({int(number)} if number and not letter else set())
        if not letter and not number:
            self._whole += issue.message

    def row(self, place: tuple[int, str] | None, own: str) -> bool:
        """Whether anything is said of the row or of its enterprise."""
        rows = self._rows | {number for number, _ in self._cells}
        return bool(self._whole) or own in self._codes or (place is not None and place[0] in rows)

    def cell(self, place: tuple[int, str] | None) -> bool:
        """Whether anything is said of the cell, of its column as a whole, or of the whole sheet."""
        if self._whole or place is None:
            return bool(self._whole)
        return place in self._cells or place[0] in self._rows or place[1] in self._columns


def fault(given: Table, reading: FileReading, truth: Truth) -> str:
    """What is wrong with a reading; nothing if each fact is as it was, free to change, or told."""
    places = given.places()
    told = Told(reading.issues)
    headings = {heading for _, heading in places if heading} | {h for _, h in given.free}
    good = {s.uscc: facts(s) for s in reading.submissions}
    held = {s.uscc for s in reading.refused}
    for firm in range(FIRMS):
        if _is_free(given.free, firm, ""):
            continue
        own = code(firm + 1)
        if own not in good:
            at = places.get((firm, CODE))
            if own not in held and not told.row(at, own) and not _is_free(given.free, firm, CODE):
                return f"{own} lost at {at}"
            continue
        wrong = _differing(given.free, firm, good[own], truth.of(firm, headings))
        for heading, said in wrong.items():
            place = places.get((firm, heading))
            if not told.cell(place):
                return f"{own} {heading} at {place}: {said}"
    known = {code(firm + 1) for firm in range(FIRMS)}
    coded = any(heading == CODE or not heading for _, heading in given.free)
    if strangers := good.keys() - known:
        return "" if coded else f"strangers {strangers}"
    return ""


def _is_free(free: Free, firm: int, heading: str) -> bool:
    return (firm, heading) in free or (None, heading) in free


def _differing(free: Free, firm: int, read: Facts, right: Mapping[str, Facts]) -> dict[str, str]:
    """What is said otherwise than it should be, by heading."""
    owners: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for heading, own in right.items():
        for key in own:
            owners[key].add(heading)
    found = {}
    freed = any(own in (None, firm) for own, _ in free)
    for key, headings in owners.items():
        values = [right[heading][key] for heading in headings]
        if (
            len(headings) == 1
            and not _is_free(free, firm, *headings)
            and read.get(key) != values[0]
        ):
            found[next(iter(headings))] = f"{key[1]} is {read.get(key)!r}, not {values[0]!r}"
    further = read.keys() - owners.keys() - {("values", "registered_in_prc")}
    if further and not freed:
        found[""] = f"nobody filed {further}"
    return found
