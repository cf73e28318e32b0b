"""Example files that travel with the program; every enterprise in them is fictitious."""

from pathlib import Path
from typing import Final

#: A county summary of 42 fictitious enterprises; ``make_demo`` writes it.
DEMO_COUNTY: Final = Path(__file__).with_name("demo-county.xlsx")
