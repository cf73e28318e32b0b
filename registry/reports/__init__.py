"""Reports: verdicts, explained decisions, comparisons and impact; as text, page or workbook."""
