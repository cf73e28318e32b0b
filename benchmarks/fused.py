"""A ruleset as two loops in C, over the records and over the filings: what a compiler makes of it.

The loops are generated from the statement's expressions, so they do the same work. A filing and its
records are read once; only the sums of its records are kept in between. Their results must equal
those of the statement. Needs numpy and a C compiler (``cc``).
"""

import ctypes
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql import elements, functions, operators

from registry.screening.compiler.elements import DayLiteral, Wide
from registry.screening.compiler.program import Program
from registry.screening.compiler.stages import Stages
from registry.screening.engines import DuckDB, text_of

_EPOCH: Final = date(1970, 1, 1).toordinal()
_NO: Final = "0"
_OPERATORS: Final = {
    operators.add: "+", operators.sub: "-", operators.mul: "*", operators.eq: "==", operators.lt: "<",
    operators.ge: ">=", operators.bitwise_or_op: "|", operators.bitwise_and_op: "&",
    operators.bitwise_rshift_op: ">>", "=": "==", "<>": "!=",
}  # fmt: skip


class Value(NamedTuple):
    """A value in C: whether it is NULL, the value, and whether it needs 128 bits."""

    null: str
    value: str
    wide: bool = False


@dataclass
class Body:
    """The statements of a loop's body, expression by expression."""

    known: dict[str, Value]
    numbers: Iterator[int] = field(default_factory=count)
    lines: list[str] = field(default_factory=list)

    def _named(self, null: str, value: str, wide: bool) -> Value:
        n = next(self.numbers)
        if null not in (_NO, "1"):
            self.lines.append(f"const int n{n} = {null};")
            null = f"n{n}"
        self.lines.append(f"const {_type(wide)} v{n} = {value};")
        return Value(null, f"v{n}", wide)

    def value(self, e: Any) -> Value:
        """The value of an expression; adds its statements."""
        match e:
            case elements.Grouping():
                return self.value(e.element)
            case elements.ColumnClause():
                return Value(_NO, f"{e.name}LL") if e.is_literal else self.known[e.name]
            case elements.BindParameter(value=number):
                assert number is not None
                return Value(_NO, f"{int(number)}LL")
            case elements.Null():
                return Value("1", "0")
            case elements.True_() | elements.False_():
                return Value(_NO, str(int(isinstance(e, elements.True_))))
            case DayLiteral():
                return Value(_NO, str(e.day.toordinal() - _EPOCH))
            case elements.Cast():
                return self.value(e.clause)
            case elements.Case():
                return self._case(list(e.whens), e.else_)
            case elements.AsBoolean():  # a subclass of UnaryExpression
                inner = self.value(e.element)
                return inner if e.operator is operators.is_true else self._not(inner)
            case elements.UnaryExpression() if e.operator is operators.inv:
                return self._not(self.value(e.element))
            case elements.BooleanClauseList():
                return self._joined([self.value(c) for c in e.clauses], e.operator)
            case elements.ExpressionClauseList():
                return self._arithmetic([self.value(c) for c in e.clauses], _OPERATORS[e.operator])
            case elements.BinaryExpression():
                return self._binary(e)
            case Wide():
                parts = [self.value(part) for part in e.parts]
                if e.operation == "cast":
                    return parts[0]._replace(wide=True)
                wide = [p._replace(value=f"((i128){p.value})") for p in parts]
                return self._arithmetic(wide, _OPERATORS.get(e.operation, e.operation))
            case functions.coalesce():
                first, second = (self.value(c) for c in e.clauses)
                return self._named(
                    _both(first.null, second.null),
                    f"{first.null} ? {second.value} : {first.value}",
                    first.wide or second.wide,
                )
        raise NotImplementedError(repr(e))

    def _not(self, inner: Value) -> Value:
        return self._named(inner.null, f"!{inner.value}", False)

    def _binary(self, e: Any) -> Value:
        left, operator = self.value(e.left), e.operator
        if operator in (operators.is_, operators.is_not):
            assert isinstance(e.right, elements.Null)
            sign = "" if operator is operators.is_ else "!"
            return self._named(_NO, f"{sign}{left.null}", False)
        if operator is operators.in_op:
            among: Any = e.right.element if isinstance(e.right, elements.Grouping) else e.right
            equal = " || ".join(f"{left.value} == {int(v)}" for v in among.value)
            return self._named(left.null, f"({equal})", False)
        operator = getattr(operator, "opstring", operator)
        return self._arithmetic([left, self.value(e.right)], _OPERATORS.get(operator, operator))

    def _arithmetic(self, parts: Sequence[Value], operator: str) -> Value:
        compared = operator in ("==", "!=", "<", "<=", ">", ">=")
        wide = any(p.wide for p in parts) and not compared
        return self._named(_either(*parts), f" {operator} ".join(p.value for p in parts), wide)

    def _joined(self, parts: Sequence[Value], operator: Any) -> Value:
        """AND, or OR, of conditions that may be NULL."""
        decides = "!" if operator is operators.and_ else ""
        decided = " || ".join(f"(!{p.null} && {decides}{p.value})" for p in parts)
        if all(p.null == _NO for p in parts):
            sign = " && " if operator is operators.and_ else " || "
            return self._named(_NO, sign.join(p.value for p in parts), False)
        known = self._named(_NO, decided, False)
        unknown = self._named(_NO, f"!{known.value} && ({_either(*parts)})", False)
        value = f"!{known.value} && !{unknown.value}" if decides else known.value
        return self._named(unknown.value, value, False)

    def _case(self, whens: Sequence[Any], rest: Any) -> Value:
        """The first branch whose condition holds; the others are not evaluated."""
        n = next(self.numbers)
        branches, ends = [], []
        for condition, result in whens:
            head = Body(self.known, self.numbers)
            held = head.value(condition)
            branch = Body(self.known, self.numbers)
            branches.append((head.lines, _holds(held), branch, branch.value(result)))
            ends.append(branches[-1][3])
        last = Body(self.known, self.numbers)
        ends.append(last.value(sa.null() if rest is None else rest))
        wide = any(e.wide for e in ends)
        self.lines.append(f"int n{n} = 0; {_type(wide)} v{n} = 0;")
        for lines, test, branch, end in branches:
            self.lines += [*lines, f"if ({test}) {{", *branch.lines]
            self.lines += [f"n{n} = {end.null}; v{n} = {end.value};", "} else {"]
        self.lines += [*last.lines, f"n{n} = {ends[-1].null}; v{n} = {ends[-1].value};"]
        self.lines.append("}" * len(branches))
        return Value(_NO if all(e.null == _NO for e in ends) else f"n{n}", f"v{n}", wide)

    def stages(self, stages: Stages, outputs: Sequence[str]) -> None:
        """Adds everything on which some columns depend, in order."""
        for name in stages._needed(outputs):
            self.known[name] = self.value(stages._made[name])


def _type(wide: bool) -> str:
    return "i128" if wide else "i64"


def _holds(condition: Value) -> str:
    return condition.value if condition.null == _NO else f"!{condition.null} && {condition.value}"


def _both(*nulls: str) -> str:
    return _NO if _NO in nulls else " && ".join(nulls)


def _either(*parts: Value) -> str:
    return " || ".join(dict.fromkeys(p.null for p in parts if p.null != _NO)) or _NO


# -- loops ---------------------------------------------------------------------------------------


@dataclass
class Loop:
    """A loop over the rows of a table: the columns that it reads, and the numbers that it makes."""

    select: sa.Select[Any]
    columns: list[str]
    made: list[str]
    body: list[str]
    types: list[str] = field(default_factory=list)

    def source(self, name: str) -> str:
        """The function in C."""
        given = [
            f"const {kind} *restrict c{n} = in[{n}]; const unsigned char *restrict u{n} = null[{n}];"
            for n, kind in enumerate(self.types)
        ]
        head = f"void {name}(void **in, unsigned char **null, i64 **out, i64 from, i64 to) {{"
        return "\n".join([head, *given, "for (i64 k = from; k < to; k++) {", *self.body, "}}"])


def _columns(names: Sequence[str]) -> dict[str, Value]:
    return {name: Value(f"u{n}[k]", f"((i64)c{n}[k])") for n, name in enumerate(names)}


def _loops(program: Program, outputs: Sequence[str]) -> tuple[list[Loop], Loop]:
    """The loops over the lists, and the loop over the filings, which receives their sums."""
    table, lists = program.schema.filing, program.lists
    read = program.stages.read(outputs)
    found = []
    for records, asked in lists._asked.items():
        wanted = {n: e.clause for n, e in asked.items() if n in read}
        if not wanted:
            continue
        stages, source = lists._stages[records], program.schema.table(records)
        named = stages.named(wanted.values())
        names = ["filing_id", *sorted({*stages.read(named)} - {"filing_id"})]
        body = Body(_columns(names))
        body.stages(stages, named)
        for n, aggregate in enumerate(wanted.values()):
            body.lines.append(f"out[{n}][c0[k]] += {_added(body, aggregate)};")
        query = sa.select(*(source.c[n] for n in names)).order_by(source.c.filing_id)
        found.append(Loop(query, names, list(wanted), body.lines))
    summed = [n for loop in found for n in loop.made]
    looked_up = [n for n in lists._looked_up if n in read]
    plain = [c.name for c in table.c if c.name in read and not isinstance(c.type, sa.Text)]
    joined, more = lists.joined(table, {*plain, *looked_up}, None, "")
    query = sa.select(*(table.c[n] for n in plain), *(c.label(n) for n, c in more.items()))
    texts = [c.name for c in table.c if c.name in read and isinstance(c.type, sa.Text)]
    absent = [sa.case((table.c[n].is_(None), None), else_=0).label(n) for n in texts]
    names = [*plain, *more, *texts]
    body = Body(_columns([*names, *summed]))
    body.stages(program.stages, outputs)
    for n, output in enumerate(outputs):
        body.lines.append(f"out[{n}][k] = {body.known[output].value};")
    query = query.add_columns(*absent).select_from(joined).order_by(table.c.filing_id)
    return found, Loop(query, names, list(outputs), body.lines)


def _added(body: Body, aggregate: Any) -> str:
    """What a record adds to a sum or a count."""
    if not list(aggregate.clauses):
        return "1"
    [part] = aggregate.clauses
    if isinstance(part, elements.ColumnClause) and part.name == "*":
        return "1"
    value = body.value(part)
    if aggregate.name == "count":
        return f"!{value.null}"
    return f"{value.null} ? 0 : {value.value}"


class Kernel:
    """The compiled loops of a program over columns in memory; filings are numbered from 0."""

    def __init__(
        self, program: Program, outputs: Sequence[str], database: DuckDB, folder: Path
    ) -> None:
        """Read all columns into memory, and compile in a folder."""
        self.outputs = outputs
        self.records, self.filings = _loops(program, outputs)
        self._columns = []
        summed = [n for loop in self.records for n in loop.made]
        for loop in (*self.records, self.filings):
            found = database.connection.execute(text_of(loop.select)).fetchnumpy()
            columns = [_array(found[name]) for name in loop.columns]
            loop.types = [_CTYPES[a.dtype.name] for a, _ in columns]
            self._columns.append(columns)
        self.count = len(self._columns[-1][0][0])
        self.sums = {name: np.zeros(self.count, np.int64) for name in summed}
        none = np.zeros(self.count, np.uint8)
        self._columns[-1] += [(column, none) for column in self.sums.values()]
        self.filings.types += ["i64"] * len(summed)
        names = [f"records{n}" for n in range(len(self.records))]
        loops = dict(zip([*names, "filings"], (*self.records, self.filings), strict=True))
        self._functions = _compiled(folder / program.ruleset.root, loops)

    def run(self, threads: int = 1) -> dict[str, Any]:
        """The outputs of all filings in order; each thread takes a range of filings."""
        made = {name: np.zeros(self.count, np.int64) for name in self.outputs}
        for column in self.sums.values():
            column[:] = 0
        edges = [self.count * n // threads for n in range(threads + 1)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda ends: self._part(made, *ends), pairwise(edges)))
        return made

    def _part(self, made: dict[str, Any], first: int, last: int) -> None:
        *functions, whole = self._functions
        for loop, function, columns in zip(self.records, functions, self._columns, strict=False):
            ends = np.searchsorted(columns[0][0], [first, last])
            _call(function, columns, [self.sums[n] for n in loop.made], *map(int, ends))
        _call(whole, self._columns[-1], list(made.values()), first, last)


_CTYPES: Final = {
    "int8": "signed char", "int16": "short", "int32": "int", "int64": "i64", "uint8": "unsigned char",
}  # fmt: skip


def _array(column: Any) -> tuple[Any, Any]:
    """The values of a column (days as numbers), and where it has none."""
    values, mask = column, np.zeros(len(column), np.uint8)
    if isinstance(column, np.ma.MaskedArray):
        values, mask = column.filled(0), np.ma.getmaskarray(column).astype(np.uint8)
    if values.dtype.kind == "M":
        values = values.astype("datetime64[D]").astype(np.int32)
    return np.ascontiguousarray(values), mask


def _compiled(place: Path, loops: dict[str, Loop]) -> list[Any]:
    source, library = Path(f"{place}.c"), Path(f"{place}.so")
    head = ["typedef long long i64;", "typedef __int128 i128;"]
    text = "\n".join([*head, *(loop.source(name) for name, loop in loops.items())])
    source.write_text(text, encoding="utf-8")
    flags = ["-O3", "-march=native", "-shared", "-fPIC", "-w"]
    subprocess.run(["cc", *flags, "-o", str(library), str(source)], check=True)
    loaded = ctypes.CDLL(str(library))
    return [getattr(loaded, name) for name in loops]


def _call(function: Any, columns: Sequence[Any], out: Sequence[Any], first: int, last: int) -> None:
    def pointers(arrays: Sequence[Any]) -> Any:
        return (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))

    values, nulls = pointers([v for v, _ in columns]), pointers([u for _, u in columns])
    long = ctypes.c_longlong
    function(values, nulls, pointers(out), long(first), long(last))
