"""From files to filings: workbooks, CSV and JSON, with sheet and cell in every issue.

``__all__`` is the front door; a name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from registry.intake.issues_report import write_issues
    from registry.intake.reader import NoTableError, read, refuse
    from registry.intake.template import write_template
    from registry.judging.relations import check_sectors, check_totals

__all__ = [
    "NoTableError",
    "check_sectors",
    "check_totals",
    "read",
    "refuse",
    "write_issues",
    "write_template",
]

_ROOMS: Final = {
    "NoTableError": "registry.intake.reader",
    "check_sectors": "registry.judging.relations",
    "check_totals": "registry.judging.relations",
    "read": "registry.intake.reader",
    "refuse": "registry.intake.reader",
    "write_issues": "registry.intake.issues_report",
    "write_template": "registry.intake.template",
}


def __getattr__(name: str) -> Any:
    """Import a name on demand: reading a single cell needs no workbooks."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
