"""The closed language of formulas, in which feature files say how an indicator is computed.

A formula is read into the nodes of ``rules.model.expressions``; nothing in it is ever executed.
``docs/language.md`` lists its signs and functions.
"""

from rules.language.formulas.declared import Declared
from rules.language.formulas.meaning import (
    Formula,
    FormulaError,
    Names,
    check_unit,
    filed_names,
)
from rules.language.formulas.parser import parse_formula
from rules.language.formulas.tokens import FUNCTIONS, check_name
from rules.language.formulas.words import written

__all__ = [
    "FUNCTIONS",
    "Declared",
    "Formula",
    "FormulaError",
    "Names",
    "check_name",
    "check_unit",
    "filed_names",
    "parse_formula",
    "written",
]
