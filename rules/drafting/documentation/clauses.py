"""The lists of clauses: what each source text says, with the rule for each clause or the reason why it has none.

``clauses.md`` in a folder of criteria is a table 条款, 内容, 处理 in the order of the source. 处理 names
rules in backticks; 未编码： begins the reason why a clause, or a part of it, is no rule.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: The file name of the list in a folder of criteria.
CLAUSES: Final = "clauses.md"
_REASON: Final = "未编码："
_CODE: Final = re.compile(r"`([^`]+)`")
_COLUMNS: Final = 3


@dataclass(frozen=True)
class ListedClause:
    """A clause of the source: its name, what it says, and how the criteria treat it."""

    name: str
    content: str
    treatment: str

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules that express it.

        >>> ListedClause("第一条", "…", "`甲.1`；未编码：其余为程序").rules
        ('甲.1',)
        """
        return tuple(_CODE.findall(self.treatment))

    @property
    def parts(self) -> tuple[str, ...]:
        """The treatment in parts; every second one is the id of a rule.

        >>> ListedClause("第一条", "…", "见`甲.1`").parts
        ('见', '甲.1', '')
        """
        return tuple(_CODE.split(self.treatment))

    @property
    def encoded(self) -> bool:
        """Whether rules or indicators express it, at least in part.

        >>> ListedClause("第一条", "…", "未编码：办理程序").encoded
        False
        """
        return not self.treatment.startswith(_REASON)

    @property
    def whole(self) -> bool:
        """Whether nothing of it is left out."""
        return _REASON not in self.treatment


@dataclass(frozen=True)
class ClauseList:
    """The clauses of one source text in its order, under the heading of the list."""

    title: str
    clauses: tuple[ListedClause, ...]


def read_clauses(folder: Path) -> ClauseList | None:
    """The list of clauses in a folder of criteria; None if it has none."""
    path = folder / CLAUSES
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    title = next((line.lstrip("# ") for line in lines if line.startswith("# ")), "")
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in lines if line[:1] == "|"]
    found = (ListedClause(*row) for row in rows[2:] if len(row) == _COLUMNS)
    return ClauseList(title.rpartition("：")[2], tuple(found))
