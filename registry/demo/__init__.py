"""Made-up enterprises: the example workbook, and any number for benchmarks."""

from datetime import date
from pathlib import Path
from typing import Final

#: A county summary of 42 fictitious enterprises; ``make_demo`` writes it.
DEMO_COUNTY: Final = Path(__file__).with_name("demo-county.xlsx")
#: The default filing day of made-up enterprises.
DAY: Final = date(2026, 6, 30)
