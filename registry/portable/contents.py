"""What a bundle holds, as far as it has been read and proved: its files, entries and texts.

The checks of each family of entries are modules of their own (``decisions``, ``courses``). They
look up here, and note here which entries and files they rested on.
"""

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from registry.portable.chain import KINDS, header_text
from registry.portable.clock import china_day
from registry.portable.findings import UnsoundError
from rules.portable import duties
from rules.portable.applications import Recorded
from rules.portable.canonical import canonical_json, sha256
from rules.portable.record import plain_text

#: The kinds of entries that a period selects, and that have a name of their own in messages.
NAMED: Final = ("decision", "application", "step", *duties.KINDS)
#: The texts that a bundle carries, by kind, in words.
_TEXTS: Final = {
    "ruleset": "规则集（标准、门槛）",
    "applicability": "适用表",
    "workflows": "办理程序",
    "calendar": "工作日历",
    "clocks": "计时表",
}
#: The folders of texts whose kind is not their name.
_FOLDERS: Final = {"ruleset": "rulesets"}

Json = dict[str, Any]


class Contents:
    """The files of a bundle, and what was read and proved of them.

    ``lines`` are its entries by number, ``heads`` the skeleton of a period, and ``published`` the
    publications in it. ``wanted`` are the entries that were selected,
    and ``rechecks`` applications on which selected ones rest. ``proved`` are the bodies of
    entries that are in the journal, and ``numbers`` their numbers by digest. ``used`` are the entries, and ``needed`` the files, on
    which something that holds rests; ``sourced`` the publications of which the feature files do.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.lines: dict[int, Json] = {}
        self.heads: list[Json] = []
        self.published: list[int] = []
        self.proved: dict[int, Json] = {}
        self.numbers: dict[str, int] = {}
        self.publications: list[int] = []
        self.calendars: list[int] = []
        self.confirmations: dict[str, list[int]] = {}
        self.of_target: dict[str, list[int]] = {}
        self.decided: dict[tuple[str, str], list[int]] = {}
        self.closings: dict[str, list[int]] = {}
        self.documents: dict[str, Json] = {}
        self.wanted: set[int] = set()
        self.rechecks: set[int] = set()
        self.used: set[int] = set()
        self.sourced: set[int] = set()
        self.needed: set[str] = set()

    def index(self) -> None:
        """Note publications, and other entries by what they are about."""
        for seq, body in self.proved.items():
            match self.kind(seq):
                case "publication":
                    self.publications.append(seq)
                    self.calendars.append(seq)
                case "calendar":
                    self.calendars.append(seq)
                case "confirmation":
                    self.confirmations.setdefault(body["determination"], []).append(seq)
                case "decision":
                    case = body["case"]
                    self.decided.setdefault((case["uscc"], case["tier"]), []).append(seq)
                case "round" if "round" in body:
                    self.closings.setdefault(body["round"], []).append(seq)
                case "determination":
                    self.of_target.setdefault(target(body), []).append(seq)

    def kind(self, seq: int) -> str:
        """The kind of an entry."""
        return str(self.lines[seq]["header"]["kind"])

    def name(self, seq: int) -> str:
        """An entry's name in messages."""
        kind = self.kind(seq)
        return f"第{seq}号{KINDS[kind] if kind in NAMED else '记录'}"

    def recorded(self, seq: int) -> Recorded:
        """A proved entry in the form that is followed."""
        moment = datetime.fromisoformat(self.lines[seq]["header"]["recorded_at"])
        return Recorded(seq, self.digest(seq), china_day(moment), self.proved[seq])

    def digest(self, seq: int) -> str:
        """The digest by which other entries name an entry."""
        return sha256(header_text(self.lines[seq]["header"]))

    def of_kind(self, *kinds: str) -> Iterator[int]:
        """The numbers of the proved entries of these kinds, in order."""
        return (seq for seq in self.proved if self.kind(seq) in kinds)

    def cancels(self, seq: int) -> bool:
        """Whether a proved entry cancels a title."""
        return self.kind(seq) == "title" and self.proved[seq]["action"] == "cancel"

    def number(self, name: str | None, *kinds: str) -> int:
        """The number of the proved entry with this digest and one of these kinds; 0 if none."""
        found = self.numbers.get(name or "", 0)
        return found if found and self.kind(found) in kinds else 0

    def publication(self, seq: int, act: str) -> int:
        """The number of the publication in force at entry ``seq``; ``act`` says what was done then."""
        last = last_before(seq, self.publications)
        if not last or last < last_before(seq, self.published):
            raise UnsoundError(f"{act}时有效的发布记录不在包内，或已被改动")
        return last

    def document(self, kind: str, name: str) -> Json:
        """The text with this digest as its name."""
        path = member(kind, name)
        if path not in self.documents:
            what = _TEXTS[kind]
            if path not in self.files:
                raise UnsoundError(f"所用的{what}不在包内")
            if file_digest(self.files[path]) != name:
                raise UnsoundError(f"所用的{what}已被改动，不是作出决定时的那一份")
            self.documents[path] = canonical(self.files[path].decode(), what)
        self.needed.add(path)
        return self.documents[path]

    def sources(self, seq: int) -> None:
        """Check that the feature files are those that a publication names."""
        self.used.add(seq)
        if seq in self.sourced:
            return
        for path, name in self.proved[seq]["sources"].items():
            file = f"features/{seq}/{path}"
            if file not in self.files or file_digest(self.files[file]) != name:
                raise UnsoundError(f"标准原文 {path} 不在包内，或不是第{seq}号记录发布的那一份")
            self.needed.add(file)
        self.sourced.add(seq)


def member(kind: str, name: str) -> str:
    """The name of a text in a bundle.

    >>> member("ruleset", "ab12"), member("calendar", "ab12")
    ('rulesets/ab12.json', 'calendar/ab12.json')
    """
    return f"{_FOLDERS.get(kind, kind)}/{name}.json"


def file_digest(data: bytes) -> str:
    """The manifest's name for the content of a file: its SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def canonical(text: str, name: str) -> Json:
    """A canonical JSON text."""
    found: Json = json.loads(text)
    if canonical_json(found) != text:
        raise UnsoundError(f"{name}不是规范写法，已被改动")
    return found


def shown(result: Any) -> str:
    """A result in words."""
    try:
        return plain_text(result)
    except ValueError:
        raise UnsoundError("结果不合格式") from None


def target(determined: Json) -> str:
    """The filing and the target of a determination."""
    return canonical_json([determined["case"], determined.get("rule"), determined.get("fact")])


def last_before(seq: int, ascending: Sequence[int]) -> int:
    """The last of these numbers before ``seq``; 0 if there is none.

    >>> last_before(7, [2, 5, 7]), last_before(2, [2, 5, 7])
    (5, 0)
    """
    place = bisect_left(ascending, seq)
    return ascending[place - 1] if place else 0
