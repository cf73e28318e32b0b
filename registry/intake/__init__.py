"""From files to filings: workbooks, CSV and JSON, with sheet and cell in everything amiss."""

from registry.intake.issues_report import write_issues
from registry.intake.reader import NoTableError, read
from registry.intake.template import write_template
from registry.judging.relations import check_sectors, check_totals

__all__ = [
    "NoTableError",
    "check_sectors",
    "check_totals",
    "read",
    "write_issues",
    "write_template",
]
