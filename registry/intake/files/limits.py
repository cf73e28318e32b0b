"""How large a table may be: beyond these bounds it is refused in a sentence, not tried.

They are above all that counties send and below what would take hundreds of megabytes to refuse.
"""

from typing import Final

#: Rows and columns of a sheet: the bounds of the format itself (ECMA-376 part 1, 18.3.1.73).
ROWS: Final = 1_048_576
COLUMNS: Final = 16_384
#: Sheets of a workbook; each costs at least one look.
SHEETS: Final = 255

#: Bytes of a zip archive's directory, which is read whole; an entry takes about 100.
DIRECTORY: Final = 1 << 20
#: Bytes of one unpacked part; 20,000 enterprises take about 50 million.
UNPACKED: Final = 512 << 20
#: Bytes of the parts that say what the others mean: the workbook, its relationships, its styles.
UNPACKED_SMALL: Final = 32 << 20
#: How much larger than packed a part may be. Sheets come to about 20, empty rows with a format
#: to 100; deflate can reach 1,032. Small parts are not asked.
RATIO: Final = 250
RATIO_FROM: Final = 16 << 20

#: Shared texts of a workbook and their characters; all are held in memory.
STRINGS: Final = 1_000_000
STRING_CHARACTERS: Final = 32_000_000
#: Characters typed into one row of a sheet; the first rows are held to find the heading.
ROW_CHARACTERS: Final = 500_000
#: Number formats and cell formats of a workbook; Excel keeps 65,490.
FORMATS: Final = 65_536
MERGES: Final = 100_000

#: Bytes of a single tag with its attributes, and how deep tags may be nested.
TAG: Final = 1 << 20
DEPTH: Final = 64

#: Characters of one line of CSV.
LINE: Final = 1 << 20
#: Digits of a number; a binary float has 17, an exact decimal of any use fewer than this.
DIGITS: Final = 40

#: Rows of one table that are held at once with the enterprises they stand among.
HELD_ROWS: Final = 100_000
#: Bytes of what a Parquet file says of itself, and of one column of a group of its rows, unpacked.
PARQUET_FOOTER: Final = 4 << 20
PARQUET_COLUMN: Final = 128 << 20
#: Rows for a byte of the file, beyond those of a sheet; codes that differ take two bytes or more.
PARQUET_ROWS: Final = 10
#: What reading one may take, as its reader understands it.
PARQUET_MEMORY: Final = "160MB"
