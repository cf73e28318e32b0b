"""Which criteria a page shows: those in force, an earlier publication, or what the program has at hand."""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from fastapi import Depends
from pydantic import BeforeValidator

from registry.desk import documenting
from registry.desk.documenting import Documented
from registry.reports import site
from registry.web import addresses, assets
from registry.web.asked import number, typed
from registry.web.office import At

#: How addresses name the criteria at hand; those in force need no name, a publication has its number.
AT_HAND: Final = "at-hand"
INDEX: Final = "/rules/index.js"
ARCHIVE: Final = "/rules/site.zip"
_PATHS: Final = {
    "home": "/rules",
    "applicability": "/applicability",
    "indicators": "/indicators",
    "changes": "/changes",
}


@dataclass(frozen=True)
class Shown:
    """The criteria that a page shows, as its address names them.

    ``in_force`` is the number of the publication in force.
    """

    made: Documented
    named: str
    in_force: int

    @property
    def told(self) -> str:
        """How these criteria stand, unless they are those in force."""
        number = self.made.publication
        if not number:
            return "这是程序随附的标准（连同本单位自己的），没有发布，不作决定的依据。"
        if number != self.in_force:
            return f"这是登记簿第{number}号发布的标准，现行的是第{self.in_force}号发布的；按它作出的决定仍以它为准。"
        return ""

    def link(self, kind: str, key: str = "", anchor: str = "") -> str:
        """The address of a page of these criteria; empty if there is none."""
        docs = self.made.pages
        match kind:
            case "rule" if key in docs.rules:
                path = addresses.rule(key)
            case "edition" | "comparison":
                path = addresses.edition(key)
            case "asset" if key != site.INDEX:
                return assets.address(key)
            case "asset":
                path = INDEX
            case "changes" if not docs.differs:
                path = ""
            case _:
                path = _PATHS.get(kind, "")
        path = path and addresses.asked(path, criteria=self.named)
        return f"{path}#{anchor}" if path and anchor else path


def _named(text: str) -> str:
    named = typed(text)
    return named if named in ("", AT_HAND) else str(number(named))


def shown(at: At, criteria: Annotated[str, BeforeValidator(_named)] = "") -> Shown:
    """The criteria of an address: ``criteria`` is empty, the number of a publication, or ``AT_HAND``."""
    if criteria == AT_HAND:
        made = documenting.since(at.desk, documenting.at_hand())
    elif criteria:
        made = documenting.at(at.desk, int(criteria))
    else:
        made = documenting.on_record(at.desk)
    return Shown(made, criteria, documenting.in_force_at(at.desk))


#: The parameter of a handler that shows criteria.
Criteria: TypeAlias = Annotated[Shown, Depends(shown)]
