"""Indicator formulas: constructors for a small closed set of nodes.

``rules.engine.readings`` evaluates them.

A formula consists of nested tuples, so one definition serves the evaluators, the explanation, the
mutants and any other compiler, and it is part of the ruleset's JSON. The nodes are:

=====================================  =========================================================
``fact(id)``, ``year(id, offset)``     a filed fact; a yearly figure of year T + offset
``field(id)``                          a field of the record at hand
``const(text)``                        an exact constant
``add(…)``, ``sub(a, b)``, ``mul(a, b)``, ``div(a, b)``   arithmetic; flags count as 1 and 0
``least(a, b)``, ``most(a, b)``        the smaller, and the larger, of two
``count(list, rule, total)``           how many records satisfy a rule; a filed total settles it
``total(list, field, rule, filed)``    the sum of a field over these records; likewise
``bounded(a, lowers, uppers)``         a, no lower / higher than the others
``days(a, b)``, ``years(a, b)``, ``calendar_years(a, b)``   time from date a to date b
``year_number(a)``                     the calendar year of a date
``as_of()``, ``new_year(n)``, ``day(text)``   the filing date; 1 January of its year + n; a day
``parameter(name, offset)``            what is set for the case's place and sector, for T + offset
``lookup(map, a)``                     the code in a data map for the longest prefix of a text
``else_found(a, b)``                   a; if a cannot be computed, the person's finding b
``else_known(a, b)``                   a; if a is unknown, b if that is known
=====================================  =========================================================

Every value is an interval: an unknown figure may be anything that its catalogue entry allows. A
division by a known figure that is not above zero cannot be computed; only a person can settle it.
Such a part has no value and limits nothing: ``mul`` with zero is zero, and ``least``, ``most`` and
``bounded`` are known as far as the others tell. Nothing is computed with an impossible figure.
"""

from collections.abc import Iterator
from functools import lru_cache

from rules.model.ruleset import Expr


def fact(id: str) -> Expr:
    """A filed fact."""
    return ("fact", id)


def year(id: str, offset: int = 0) -> Expr:
    """A yearly figure of fiscal year T + ``offset``."""
    return ("year", id, offset)


def field(id: str) -> Expr:
    """A field of the record at hand."""
    return ("field", id)


def const(text: str) -> Expr:
    """An exact constant."""
    return ("const", text)


def add(*parts: Expr) -> Expr:
    """The sum; flags count as 1 and 0."""
    return ("add", *parts)


def sub(a: Expr, b: Expr) -> Expr:
    """The difference a - b."""
    return ("sub", a, b)


def mul(a: Expr, b: Expr) -> Expr:
    """The product a * b; zero if either is zero, whatever the other is."""
    return ("mul", a, b)


def div(a: Expr, b: Expr) -> Expr:
    """The ratio a / b; it cannot be computed if b is known and not above zero."""
    return ("div", a, b)


def least(a: Expr, b: Expr) -> Expr:
    """The smaller of two."""
    return ("least", a, b)


def most(a: Expr, b: Expr) -> Expr:
    """The larger of two."""
    return ("most", a, b)


def count(records: str, rule: str, total: str | None = None) -> Expr:
    """The number of records that satisfy a rule, or the filed ``total`` if none are itemised."""
    return ("count", records, rule, total)


def total(records: str, field: str, rule: str, filed: str | None = None) -> Expr:
    """The sum of a field over the records that satisfy a rule; else the ``filed`` total."""
    return ("total", records, field, rule, filed)


def bounded(a: Expr, lowers: tuple[Expr, ...] = (), uppers: tuple[Expr, ...] = ()) -> Expr:
    """``a``; if unknown, at least each of ``lowers`` and at most each of ``uppers``."""
    return ("bounded", a, lowers, uppers)


def days(a: Expr, b: Expr) -> Expr:
    """Days from date a to date b; negative if b is earlier."""
    return ("days", a, b)


def years(a: Expr, b: Expr) -> Expr:
    """Exact years from date a to date b: full years, plus the current year's share by days."""
    return ("years", a, b)


def calendar_years(a: Expr, b: Expr) -> Expr:
    """The calendar year of b minus that of a."""
    return ("calendar_years", a, b)


def year_number(a: Expr) -> Expr:
    """The calendar year of a date."""
    return ("year_number", a)


def as_of() -> Expr:
    """The filing date."""
    return ("as_of",)


def new_year(offset: int) -> Expr:
    """1 January of the filing date's year + ``offset``; ``new_year(0)`` follows the end of T."""
    return ("new_year", offset)


def day(text: str) -> Expr:
    """A fixed day, such as 2020-01-01."""
    return ("day", text)


def parameter(name: str, offset: int = 0) -> Expr:
    """A figure set for the case's place and sector in year T + ``offset``."""
    return ("parameter", name, offset)


def lookup(map: str, a: Expr) -> Expr:
    """The code in a data map for the longest prefix of a text."""
    return ("lookup", map, a)


def else_found(a: Expr, finding: Expr) -> Expr:
    """``a``; if it cannot be computed, a person's finding."""
    return ("else_found", a, finding)


def else_known(a: Expr, b: Expr) -> Expr:
    """``a``; if unknown, ``b`` if that is known. A value that cannot be computed stays so."""
    return ("else_known", a, b)


def leaves(expr: Expr) -> list[Expr]:
    """The facts, figures, fields and lists that a formula reads, in order, without repeats."""
    return list(_leaves(expr))


@lru_cache(maxsize=1 << 12)
def _leaves(expr: Expr) -> tuple[Expr, ...]:
    if expr[0] in ("fact", "year", "field", "count", "total"):
        return (expr,)
    inner = (part for part in expr[1:] if isinstance(part, tuple) and part)
    parts = (p for part in inner for p in ((part,) if isinstance(part[0], str) else part))
    return tuple(dict.fromkeys(leaf for part in parts for leaf in _leaves(part)))


def parameters(expr: Expr) -> list[Expr]:
    """The parameters that a formula reads, in order, without repeats.

    >>> parameters(mul(const("3/2"), parameter("增速")))
    [('parameter', '增速', 0)]
    """
    if expr[0] == "parameter":
        return [expr]
    inner = (part for part in expr[1:] if isinstance(part, tuple) and part)
    parts = (p for part in inner for p in ((part,) if isinstance(part[0], str) else part))
    return list(dict.fromkeys(found for part in parts for found in parameters(part)))


def sought(expr: Expr) -> list[Expr]:
    """The same, without facts that only bound a value: nobody needs to file them for it.

    >>> sought(bounded(fact("ip_own_earning"), (), (fact("ip_class_one"),)))
    [('fact', 'ip_own_earning')]
    """
    return list(_sought(expr))


@lru_cache(maxsize=1 << 12)
def _sought(expr: Expr) -> tuple[Expr, ...]:
    bounds = set(_bounds(expr))
    return tuple(leaf for leaf in _leaves(expr) if leaf not in bounds)


def _bounds(expr: Expr) -> Iterator[Expr]:
    if expr[0] == "bounded":
        yield from (bound for ends in expr[2:] for bound in ends if bound[0] == "fact")
    for part in expr[1:]:
        if isinstance(part, tuple) and part and isinstance(part[0], str):
            yield from _bounds(part)


def asked(leaf: Expr, records: str = "") -> tuple[str, ...]:
    """The keys that an enterprise must file for a leaf; the year of a figure is relative to T.

    A counted list gives its own key and that of the total that may replace it.

    >>> asked(("year", "rd_expense", -1)), asked(("field", "earning"), "ip")
    (('rd_expense-1',), ('ip.earning',))
    """
    match leaf:
        case ("year", id, offset):
            return (f"{id}{offset:+d}",)
        case ("field", id):
            return (f"{records}.{id}",)
        case ("count" | "total", listed, *_, total):
            return (listed, total) if total is not None else (listed,)
    return (leaf[1],)
