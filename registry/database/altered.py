"""The errors that reading altered data may raise: they are findings, not faults of the program."""

from typing import Final

from sqlalchemy import exc

from registry.errors import AlteredError
from rules.errors import FactsError
from rules.portable.record import RecordError as DeterminationError
from rules.portable.reference import EvaluationError

UNREADABLE: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    exc.DataError,
    AlteredError,
    DeterminationError,
    EvaluationError,
    FactsError,
)
