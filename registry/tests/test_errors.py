"""Errors are data: each has a kind and fills a pattern, and nothing below a face tells what to type."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
#: Slugs with several wordings -> what they mean in each of them.
MEANINGS: Final = {
    "clock-behind-record": "the clock shows a time before what was recorded last",
    "ended-title": "the title has ended already",
    "ends-before-it-begins": "a period ends before it begins",
    "faulty-list": "a list has lines that are amiss",
    "file-exists": "there is a file of that name",
    "impossible-day": "a day that no document or title can have",
    "mixed-kinds": "two readings are not of one kind",
    "no-document": "the document that shows it is not named",
    "no-filing-by-then": "an enterprise filed nothing by a day",
    "no-ground": "no reason is given",
    "no-number": "the value is not a number",
    "no-such-field": "a list has no field of that name",
    "no-such-file": "there is no file of that name",
    "no-such-folder": "there is no folder of that name",
    "no-such-objection": "there is no such objection that is open",
    "no-such-state": "a workflow has no state of that name",
    "no-workflow": "there is no workflow that handles it",
    "nothing-filed": "the registry holds no filing of those asked for",
    "nothing-recorded": "one of a list is refused, and so is the list",
    "screening-disagrees": "screening and the engine come to different results",
    "too-many-columns": "a row has more columns than any table",
    "too-many-listed": "there are more than can be listed",
    "too-long-row": "a row is longer than any of a table",
    "unencoded": "the text that governs is not among the criteria",
    "unfit-heading-unit": "a unit that the figure cannot have",
    "unfit-requirement": "a comparison that its indicator cannot have",
    "unfit-value": "a value that its fact cannot have",
    "unknown-fact": "there is no fact of that name",
    "unsound-code": "a credit code that is none",
}
#: What may say what to type although it is below the command line -> why.
FACES: Final = {
    "registry/audit/standalone.py": "verify.py is a program of its own: its usage",
    "registry/portable/verifier.py": "verify.py is a program of its own: its options and their results",
}


class Made(NamedTuple):
    """An error as the code makes it, or hands what makes it on."""

    where: str
    slug: ast.expr | None
    pattern: ast.expr | None
    fields: frozenset[str] | None  # None where some are added elsewhere

    @property
    def words(self) -> str:
        return "".join(_words(self.pattern) or ())


@cache
def trees() -> dict[str, ast.Module]:
    """All modules of the product by their paths."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
        for package in ("rules", "registry")
        for path in sorted((ROOT / package).rglob("*.py"))
        if "tests" not in path.parts
    }


def _classes() -> dict[str, ast.ClassDef]:
    """The classes of all errors that are data."""
    nodes = [n for tree in trees().values() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    found: dict[str, ast.ClassDef] = {}
    known = {"DescribedError"}
    while new := [
        n for n in nodes if n.name not in found and {ast.unparse(b) for b in n.bases} & known
    ]:
        found |= {n.name: n for n in new}
        known |= found.keys()
    return found


def _methods(node: ast.AST) -> Iterator[ast.FunctionDef]:
    return (n for n in ast.walk(node) if isinstance(n, ast.FunctionDef))


def _takes_kind(function: ast.FunctionDef) -> bool:
    """Whether it makes an error of the slug and the pattern that it is given."""
    return {"slug", "pattern"} <= {a.arg for a in function.args.args}


@cache
def made() -> list[Made]:
    classes = _classes()
    own = {name for name, c in classes.items() if any(f.name == "__init__" for f in _methods(c))}
    found = []
    for path, tree in trees().items():
        makers = {f.name for f in _methods(tree) if _takes_kind(f)} - {"__init__"}
        inits = {
            id(n)
            for c in ast.walk(tree)
            if isinstance(c, ast.ClassDef) and c.name in own
            for n in ast.walk(c)
        }
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            name = _last(call.func)
            whole = name in classes.keys() - own or (name == "__init__" and id(call) in inits)
            if whole or name in makers:
                slug, pattern = (*_from_slug(call.args), None, None)[:2]
                fields = frozenset(k.arg for k in call.keywords if k.arg)
                known = whole and all(k.arg for k in call.keywords)
                found.append(
                    Made(f"{path}:{call.lineno}", slug, pattern, fields if known else None)
                )
    return found


def _from_slug(given: list[ast.expr]) -> list[ast.expr]:
    """The arguments from the slug on: a constant in kebab-case, or one that is passed on."""
    return next((given[n:] for n, node in enumerate(given) if _is_slug(node)), [])


def _is_slug(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return re.fullmatch("[a-z]+(-[a-z0-9]+)*", str(node.value)) is not None
    return _last(node) == "slug"


def _last(node: ast.expr) -> str:
    """The name, or the last of a dotted one."""
    match node:
        case ast.Name(name) | ast.Attribute(_, name):
            return name
    return ""


def _words(node: ast.expr | None) -> list[str] | None:
    """The written parts of a pattern; None of what is none, as it is made of what somebody stated."""
    match node:
        case ast.Constant(str(text)):
            return [text]
        case ast.BinOp(left, ast.Add(), right) | ast.IfExp(_, left, right):
            one, other = _words(left), _words(right)
            return None if one is None or other is None else [*one, *other]
        case ast.Name() | ast.Attribute():
            return []
    return None


def test_every_error_has_a_slug_and_a_pattern_without_anything_of_the_case() -> None:
    assert len(made()) > 300
    assert not [m.where for m in made() if m.slug is None or _words(m.pattern) is None]


def test_every_field_of_a_pattern_is_given() -> None:
    lacking = {
        m.where: missing
        for m in made()
        if m.fields is not None
        and (missing := {f for _, f, _, _ in Formatter().parse(m.words) if f} - m.fields)
    }
    assert not lacking


def test_a_slug_means_one_thing() -> None:
    wordings = defaultdict(set)
    for error in made():
        if isinstance(error.slug, ast.Constant):
            wordings[error.slug.value].add(error.words)
    several = {slug for slug, texts in wordings.items() if len(texts) > 1}
    assert several == MEANINGS.keys()


def _typed(tree: ast.Module) -> list[int]:
    """The lines of texts that name a command or an option."""
    docstrings = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    texts = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return [
        text.lineno
        for text in texts
        if id(text) not in docstrings and re.search(r"\btidu [a-z]|(?<![\w-])--[a-z]", text.value)
    ]


def test_nothing_below_the_command_line_tells_what_to_type() -> None:
    found = {
        path: lines
        for path, tree in trees().items()
        if not path.startswith("registry/cli/") and (lines := _typed(tree))
    }
    assert found.keys() == FACES.keys(), found
