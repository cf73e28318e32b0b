"""What is frozen hands out nothing that can be changed."""

import dataclasses
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, get_args, get_origin, get_type_hints

import pytest

import registry
import rules
from registry.judging.published import Published
from registry.kit import resources
from rules.language.rulebook import load

CHANGEABLE = {bytearray, dict, list, set, Counter, OrderedDict, defaultdict, deque}
#: The types that a module names without loading them at its start.
LOADED_LATE = {"Published": Published}
#: Where values remember for themselves what they have worked out; nobody else is given these.
MEMORIES = {
    "Rulebook._cut",
    "Rulebook._slots",
    "Draft._signed",
    "Schema._keys",
    "Grid._known",
    "Timing._alike",
}


def frozen_kinds() -> Iterator[type]:
    """The frozen dataclasses and named tuples of both packages."""
    for package in (rules, registry):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if ".tests" in found.name or found.name.endswith(".__main__"):
                continue
            module = import_module(found.name)
            for kind in vars(module).values():
                if isinstance(kind, type) and kind.__module__ == found.name and frozen(kind):
                    yield kind


def frozen(kind: type) -> bool:
    parameters = getattr(kind, "__dataclass_params__", None)
    named = issubclass(kind, tuple) and hasattr(kind, "_fields")
    return named or (dataclasses.is_dataclass(kind) and bool(parameters and parameters.frozen))


def handed_out(kind: type) -> Iterator[tuple[str, Any]]:
    """The fields of a kind, and what it works out once and keeps, with their types."""
    yield from get_type_hints(kind, localns=LOADED_LATE).items()
    for name, made in vars(kind).items():
        if isinstance(made, cached_property):
            yield name, get_type_hints(made.func)["return"]


def changeable(annotation: Any) -> bool:
    """Whether a type, or a part of it, can be changed; what a function takes and gives is its own."""
    origin = get_origin(annotation)
    if origin is Callable or isinstance(annotation, str | list):
        return False
    parts = get_args(annotation)
    return bool({annotation, origin} & CHANGEABLE) or any(map(changeable, parts))


def test_no_frozen_kind_hands_out_what_can_be_changed() -> None:
    kinds = list(frozen_kinds())
    assert len(kinds) > 100
    found = {
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name, annotation in handed_out(kind)
        if changeable(annotation)
    }
    assert found == MEMORIES


@dataclasses.dataclass(frozen=True)
class Loose:
    """What the test is to find."""

    plain: tuple[int, ...]
    inner: tuple[dict[str, int], ...]
    maybe: list[int] | None

    @cached_property
    def kept(self) -> set[int]:
        return set(self.plain)


@pytest.mark.parametrize("name", ["plain", "inner", "maybe", "kept"])
def test_what_can_be_changed_is_seen_however_deep_it_lies(name: str) -> None:
    assert changeable(dict(handed_out(Loose))[name]) is (name != "plain")


def test_who_changes_the_plain_form_of_a_ruleset_changes_nothing_else() -> None:
    ruleset = load(resources.features()).ruleset("63.3")
    before = ruleset.to_json()
    changed = ruleset.to_json()
    changed["rules"].clear()
    for fact in changed["facts"].values():
        fact.clear()
    assert ruleset.to_json() == before
    assert ruleset.digest == load(resources.features()).ruleset("63.3").digest
