"""Made-up enterprises: the example workbook, and as many as a benchmark asks for."""

from datetime import date
from pathlib import Path
from typing import Final

#: A county summary of 42 fictitious enterprises; ``make_demo`` writes it.
DEMO_COUNTY: Final = Path(__file__).with_name("demo-county.xlsx")
#: When made-up enterprises file, unless another day is asked for.
DAY: Final = date(2026, 6, 30)
