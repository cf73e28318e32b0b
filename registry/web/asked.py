"""What an address may ask, read as the command line reads it; an empty field is no condition."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from fastapi import Depends, HTTPException
from pydantic import BeforeValidator

from registry.desk.checking import RECOGNITION, Request
from registry.desk.place import now
from registry.desk.typed import day, last_instant, province
from registry.kit.characters import wrong
from registry.portable.clock import china_text
from registry.web.office import At

_T = TypeVar("_T")


def _optional(read: Callable[[str], _T]) -> BeforeValidator:
    """Reads a text that may be left out or empty."""

    def value(text: Any) -> _T | None:
        return read(text.strip()) if isinstance(text, str) and text.strip() else None

    return BeforeValidator(value)


def number(text: str) -> int:
    """A number from 1 on; ``ValueError`` with a sentence for any other text."""
    if text.isascii() and text.isdecimal() and 1 <= (found := int(text[:20])) < 2**63:
        return found
    raise ValueError(f"「{text}」不是编号，请写成 1 以上的整数")


def typed(text: Any) -> str:
    """A typed text on one line; ``ValueError`` for what could not be shown."""
    line = " ".join(str(text or "").split())
    if said := wrong(line):
        raise ValueError(said)
    return line


Day: TypeAlias = Annotated[date | None, _optional(day)]
Moment: TypeAlias = Annotated[datetime | None, _optional(lambda text: last_instant(text, now()))]
Province: TypeAlias = Annotated[str | None, _optional(province)]
Number: TypeAlias = Annotated[int | None, _optional(number)]
Text: TypeAlias = Annotated[str, BeforeValidator(typed)]


@dataclass(frozen=True)
class How:
    """How a case is to be judged: as of which day, on what knowledge, and in which procedure.

    ``batch`` and ``province`` choose among the texts; without a province, a case has its own.
    """

    as_of: Day = None
    known_at: Moment = None
    procedure: Text = ""
    batch: Text = ""
    province: Province = None

    @property
    def request(self) -> Request:
        """The question, for all tiers."""
        procedure = self.procedure or RECOGNITION
        return Request((), procedure, self.batch, self.province, self.as_of)

    def of(self, tier: str) -> Request:
        """The question, for one tier."""
        return replace(self.request, tiers=(tier,))

    @property
    def terms(self) -> list[str]:
        """What is asked beside the usual, in words; not what is asked of the past."""
        words = {"as_of": "日期", "procedure": "程序", "batch": "批次", "province": "省份"}
        given = self.query
        return [f"{word} {given[name]}" for name, word in words.items() if name in given]

    @property
    def query(self) -> dict[str, str]:
        """The same in an address; what is usual is left out."""
        given = {
            "as_of": self.as_of.isoformat() if self.as_of else "",
            "known_at": china_text(self.known_at, "microseconds") if self.known_at else "",
            "procedure": "" if self.procedure == RECOGNITION else self.procedure,
            "batch": self.batch,
            "province": self.province or "",
        }
        return {name: value for name, value in given.items() if value}


def _tier(at: At, tier: str) -> str:
    if title := at.to.tiers.get(tier):
        return title
    raise HTTPException(404)


#: How a case is to be judged, from the query of an address.
Asked: TypeAlias = Annotated[How, Depends()]
#: The title of a tier, from a part of an address named ``tier``; an unknown one has no page.
Tier: TypeAlias = Annotated[str, Depends(_tier)]
