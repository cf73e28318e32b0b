"""Compiled programs kept between runs, as plain JSON that is checked before it is used.

The application decides where to keep the texts and passes in a ``Store``. A text is stored under
the digest of its ruleset and of the compiling modules, so no other version of either can pick it
up. A program that is damaged, of another shape or outside the safe subset is compiled anew. A
carefully forged text can make the engine answer wrongly, but then the reference evaluator disagrees
and there is no verdict (see ``rules.decider``).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, get_args, get_origin, get_type_hints

from rules.engine.compiler import compiled, scopes
from rules.engine.network import MAX_PROPERTIES, check
from rules.engine.program import (
    Banded,
    Best,
    Climbed,
    CodeStep,
    Compared,
    FigureStep,
    FiledStep,
    Program,
    Programs,
    Ranked,
    Step,
    Summed,
)
from rules.errors import RulesetError
from rules.model.ruleset import Ruleset
from rules.portable.canonical import digest, sha256


class Store(Protocol):
    """Keeps texts between runs; losing one, or all, does no harm."""

    def read(self, name: str) -> str | None:
        """The text of that name; None if there is none."""

    def write(self, name: str, text: str) -> None:
        """Keep a text under a name, if possible."""


def recall(ruleset: Ruleset, store: Store) -> Programs | None:
    """The programs of a ruleset as an earlier run stored them; None if they must be compiled."""
    text = store.read(_name(ruleset))
    seal, _, body = (text or "").partition("\n")
    if seal != sha256(body):
        return None
    with suppress(
        ArithmeticError, LookupError, TypeError, ValueError, RulesetError, RecursionError
    ):
        programs: Programs = _reader(Mapping[str, Program])(json.loads(body))
        if tuple(programs) == scopes(ruleset):
            _refuse_unsafe(programs)
            return programs
    return None


def compile_and_keep(ruleset: Ruleset, store: Store) -> Programs:
    """Compile the programs of a ruleset and keep them in the store."""
    programs = compiled(ruleset)
    body = json.dumps(_plain(programs), ensure_ascii=False, separators=(",", ":"))
    store.write(_name(ruleset), f"{sha256(body)}\n{body}")
    return programs


def _name(ruleset: Ruleset) -> str:
    return digest([ruleset.digest, _compiler()])


@cache
def _compiler() -> str:
    """The digest of the modules that make and run programs."""
    here = Path(__file__).parent
    modules = sorted(file for room in (here, here.parent / "model") for file in room.glob("*.py"))
    return digest([[file.name, sha256(file.read_text("utf-8"))] for file in modules])


def _refuse_unsafe(programs: Programs) -> None:
    """Raise ``RulesetError`` if a program would give the C code input that is not safe."""
    networks = [n for p in programs.values() for stage in p.stages for n in stage.networks]
    if any(len(network.inputs) > MAX_PROPERTIES for network in networks):
        raise RulesetError("too-many-inputs", "一件事实的属性太多")
    for text in {network.text for network in networks}:
        check(text)


# from values to plain JSON and back, by the types of the fields

_STEPS: Final = {
    step.__name__: step
    for step in (Banded, Best, Climbed, CodeStep, Compared, FigureStep, FiledStep, Ranked, Summed)
}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        of_kind = [type(value).__name__] if type(value).__name__ in _STEPS else []
        return [*of_kind, *(_plain(getattr(value, f.name)) for f in fields(value))]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Fraction) else value


_Reader: TypeAlias = Callable[[Any], Any]


@cache
def _reader(kind: Any) -> _Reader:
    """A function that reads a plain value as this type; raises if the value has another shape."""
    if kind is Step:
        return _step
    if isinstance(kind, type) and is_dataclass(kind):
        types, names = get_type_hints(kind), [f.name for f in fields(kind)]
        return _row(
            lambda *values: kind(**dict(zip(names, values, strict=True))),
            [types[name] for name in names],
        )
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple and inner[-1] is Ellipsis:
        return _all(inner[0])
    if origin is tuple:
        return _row(lambda *values: values, inner)
    return _table(inner[1]) if origin is Mapping else _scalar(inner or (kind,))


def _row(make: Callable[..., Any], kinds: Sequence[Any]) -> _Reader:
    each = [_reader(kind) for kind in kinds]
    return lambda plain: make(*(read(one) for read, one in zip(each, _a(list, plain), strict=True)))


def _all(kind: Any) -> _Reader:
    each = _reader(kind)
    return lambda plain: tuple(map(each, _a(list, plain)))


def _table(kind: Any) -> _Reader:
    each = _reader(kind)
    return lambda plain: {key: each(one) for key, one in _a(dict, plain).items()}


def _scalar(kinds: Sequence[Any]) -> _Reader:
    def read(plain: Any) -> Any:
        value = Fraction(plain) if Fraction in kinds and type(plain) is str else plain
        if type(value) not in kinds:
            raise TypeError(plain)
        return value

    return read


def _step(plain: Any) -> Step:
    kind, *values = _a(list, plain)
    step: Step = _reader(_STEPS[kind])(values)
    return step


def _a(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(value)
    return value
