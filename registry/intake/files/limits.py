"""The largest tables: beyond these bounds a table is refused in a sentence, not tried.

The bounds exceed everything that counties send; a refusal never takes hundreds of megabytes.
"""

from typing import Final

#: Rows and columns of a sheet: the bounds of the format itself (ECMA-376 part 1, 18.3.1.73).
ROWS: Final = 1_048_576
COLUMNS: Final = 16_384
#: Sheets of a workbook; each must at least be opened.
SHEETS: Final = 255

#: Bytes of a zip archive's directory, which is read as a whole; an entry takes about 100.
DIRECTORY: Final = 1 << 20
#: Bytes of one unpacked part; 20,000 enterprises take about 50 million.
UNPACKED: Final = 512 << 20
#: Bytes of the parts that describe the others: the workbook, its relationships, its styles.
UNPACKED_SMALL: Final = 32 << 20
#: The ratio of a part's unpacked to its packed size. Sheets have about 20, empty rows with a format
#: 100; deflate can reach 1,032. Small parts are not tested.
RATIO: Final = 250
RATIO_FROM: Final = 16 << 20

#: Entries of an archive of tables, folders within folders, and its unpacked bytes.
ENTRIES: Final = 1_000
FOLDERS: Final = 4
ARCHIVE: Final = 1 << 30

#: Shared texts of a workbook, and their characters; all are held in memory.
STRINGS: Final = 1_000_000
STRING_CHARACTERS: Final = 32_000_000
#: Characters in one row of a sheet; the first rows are held to find the heading.
ROW_CHARACTERS: Final = 500_000
#: Characters of a cell: what Excel takes.
CELL: Final = 32_767
#: Number formats and cell formats of a workbook; Excel keeps 65,490.
FORMATS: Final = 65_536
MERGES: Final = 100_000

#: Bytes of a single tag with its attributes, and the depth of nested tags.
TAG: Final = 1 << 20
DEPTH: Final = 64

#: Characters of one line of CSV.
LINE: Final = 1 << 20
#: Digits of a number; a binary float has 17, an exact decimal of any use fewer than this.
DIGITS: Final = 40

#: Rows of one table that are held at once with their enterprises.
HELD_ROWS: Final = 100_000
#: Bytes of a Parquet file's footer, and of one column of a row group, unpacked.
PARQUET_FOOTER: Final = 4 << 20
PARQUET_COLUMN: Final = 128 << 20
#: Rows per byte of the file, beyond those of a sheet; distinct codes take two bytes or more.
PARQUET_ROWS: Final = 10
#: The resources for reading one, in its reader's own terms.
PARQUET_MEMORY: Final = "160MB"
