"""A recorded decision told to its readers: the enterprise, the officer, the auditor.

Each is told the same through one layout of sections, written as text or as one HTML file.
"""

from registry.reports.layout import Report, html, text
from registry.reports.letter import letter
from registry.reports.readers import READERS, report

__all__ = ["READERS", "Report", "html", "letter", "report", "text"]
