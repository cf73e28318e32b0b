"""63.8, the conditions of every tier, by hand in numpy: the speed of a single-purpose program.

All thresholds are in the code, as they would be in a program for one purpose. An array has the
outcomes of a condition for all filings: 0 not met, 1 a figure is missing, 2 a person must decide, 3
met.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from registry.record.publication import packaged_catalogue
from rules.model.ruleset import Ruleset

#: Facts that must hold, and facts that must not.
GOOD: Final = ("registered_in_prc", "independent_legal_person")
BAD: Final = (
    "abnormal_list", "dishonesty_list", "restricted_product", "major_accident", "tax_violation",
)  # fmt: skip
SIZES: Final = ("staff_t0", "revenue_t0", "total_assets_t0")
COLUMNS: Final = (*GOOD, *BAD, *SIZES, "industry_code", "sector_found")

_M: Final = 10**8  # 100 fen to the yuan, a million yuan
#: The staff, revenue (fen) or assets (fen) below which a sector's enterprise is small or medium.
LIMITS: Final[dict[str, tuple[int | None, int | None, int | None]]] = {
    "农、林、牧、渔业": (None, 200 * _M, None),
    "工业": (1000, 400 * _M, None),
    "建筑业": (None, 800 * _M, 800 * _M),
    "批发业": (200, 400 * _M, None),
    "零售业": (300, 200 * _M, None),
    "交通运输业": (1000, 300 * _M, None),
    "仓储业": (200, 300 * _M, None),
    "邮政业": (1000, 300 * _M, None),
    "住宿业": (300, 100 * _M, None),
    "餐饮业": (300, 100 * _M, None),
    "信息传输业": (2000, 1000 * _M, None),
    "软件和信息技术服务业": (300, 100 * _M, None),
    "房地产开发经营": (None, 2000 * _M, 100 * _M),
    "物业管理": (1000, 50 * _M, None),
    "租赁和商务服务业": (300, None, 1200 * _M),
    "其他未列明行业": (300, None, None),
}


def verdicts(connection: Any, filing: Path, ruleset: Ruleset) -> tuple[Any, Any]:
    """The filings and the outcome of 63.8 for each of them; includes reading the columns."""
    names = ", ".join(("filing_id", *COLUMNS))
    found = connection.execute(f"SELECT {names} FROM read_parquet('{filing}')").fetchnumpy()
    conditions = [_compared(found[name], 1, below=False) for name in GOOD]
    conditions += [_compared(found[name], 1, below=True) for name in BAD]
    conditions.append(_size(found, ruleset))
    return found["filing_id"], np.minimum.reduce(conditions)


def _compared(column: Any, limit: int, *, below: bool) -> Any:
    values, unknown = parts(column)
    held = values < limit if below else values >= limit
    return np.where(unknown, np.int8(1), np.where(held, np.int8(3), np.int8(0)))


def parts(column: Any) -> tuple[Any, Any]:
    """The values of a column, and where it has none."""
    if isinstance(column, np.ma.MaskedArray):
        return column.data, np.ma.getmaskarray(column)
    return column, np.zeros(len(column), dtype=bool)


def _size(found: dict[str, Any], ruleset: Ruleset) -> Any:
    numbers, coded = sectors_of(found, ruleset)
    # if the sector is unknown, it may be any of them
    possible = np.zeros(len(numbers), dtype=np.int8)
    size = np.zeros(len(numbers), dtype=np.int8)
    for n, limits in enumerate(LIMITS.values()):
        tests = [
            _compared(found[name], limit, below=True)
            for name, limit in zip(SIZES, limits, strict=True)
            if limit is not None
        ]
        small = np.maximum.reduce(tests)
        size[numbers == n] = small[numbers == n]
        possible = np.maximum(possible, np.where(small == 1, np.int8(2), np.minimum(small, 1)))
    unmapped = np.where(possible == 2, np.int8(1), np.where(possible == 1, np.int8(2), np.int8(0)))
    open_ = np.where(coded, unmapped, np.minimum(possible, 1))
    return np.where(numbers < 0, open_, size)


def sectors_of(found: dict[str, Any], ruleset: Ruleset) -> tuple[Any, Any]:
    """The index of each filing's sector, -1 if unknown; and whether it states a code."""
    sectors = list(LIMITS)
    texts, unknown = parts(found["industry_code"])
    each, places = np.unique(np.where(unknown, "", texts).astype("U16"), return_inverse=True)
    table = ruleset.maps["gbt4754"]
    of_text = []
    for text in map(str, each):
        keys = [text[:length] for length in range(len(text), 0, -1) if text[:length] in table]
        of_text.append(sectors.index(table[keys[0]]) if keys else -1)
    numbers = np.array(of_text, dtype=np.int8)[places]
    stated, absent = parts(found["sector_found"])
    codes = packaged_catalogue().fact("sector_found").codes
    persons = np.array([sectors.index(c) for c in codes], dtype=np.int8)
    own = persons[np.where(absent, 0, stated).astype(np.intp)]
    by_person = (numbers < 0) & ~unknown & ~absent
    return np.where(by_person, own, numbers), ~unknown
