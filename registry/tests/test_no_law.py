"""The law stands in features: the product's code names no rule, document, day, title or share of it."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from registry.desk.rulebooks import rulebook
from rules.model.catalogue import PREREQUISITE, SUBSTANCE

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path
    for package in ("registry", "rules")
    for path in (ROOT / package).rglob("*.py")
    if not {"tests", "examples"} & set(path.relative_to(ROOT).parts)
)

#: What may stand all the same: module -> texts, with the reason.
DECLARED: dict[str, tuple[str, ...]] = {
    # examples in help and advice: what a rule's id looks like
    "registry/cli/criteria.py": ("63.2", "63.2.研发费用", "63.2.1.3"),
    "registry/cli/demo.py": ("63.2.研发费用",),
    "rules/language/provinces.py": ("63.2",),
    "rules/language/source.py": ("63.2.1",),
    # examples in advice: what a day and a year look like
    "rules/language/applicability.py": ("2026年4月1日",),
    "rules/language/linking.py": ("2026年4月1日",),
    "rules/language/parameters.py": ("2025年",),
    # what the listing of the commands says of titles and holdings
    "registry/cli/__init__.py": ("前置称号", "小巨人"),
    "registry/cli/common.py": ("2026年复核",),
    # a day until which made-up titles last, on which the rows of a round happen to end
    "registry/demo/make_demo.py": ("2025-12-31", "专精特新", "创新型"),
    # the words of the language for the parts of a tier
    "rules/model/catalogue.py": ("前置称号", "实质条件"),
    # how near to a threshold is near
    "registry/desk/screening.py": ("1/20",),
    "registry/screening/funnel.py": ("1/20",),
}  # fmt: skip


@cache
def law() -> re.Pattern[str]:
    """Ids of rules and of their texts, numbers of documents, titles, and the days on which anything begins or ends."""
    rules = rulebook()
    ids = {*rules.rules, *(".".join(id.split(".")[:2]) for id in rules.rules if id[0].isdigit())}
    rows = [*rules.applicability, *rules.fills]
    days = {day for row in rows for day in (row.start, row.end) if day is not None}
    written = [
        form for day in days for form in (day.isoformat(), f"{day.year}年{day.month}月{day.day}日")
    ]
    batches = {row.batch for row in rules.applicability if row.batch}
    roots = {f"{id.split('.')[0]}." for id in ids if "." in id}
    named = [re.escape(text) for text in (*ids, *written, *roots) if not text.isdigit()]
    titles = [re.escape(name) for tier in rules.catalogue.tiers for name in (tier.short, tier.name)]
    titles += [re.escape(name) for name in (SUBSTANCE, PREREQUISITE)]
    exact = "|".join(sorted(named, key=len, reverse=True))
    return re.compile(
        rf"(?<![\d.])(?:{exact})[\w.]*|〔\d{{4}}〕\d+号|{'|'.join((*batches, *titles))}"
    )


def texts(tree: ast.Module) -> Iterator[str]:
    """The texts of a module, but for its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def days(tree: ast.Module) -> Iterator[date]:
    """The days that a module writes as constants."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("date", "datetime.date"):
            parts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            if len(parts) == len(node.args) == 3:
                yield date(*parts)


@cache
def shares() -> set[Fraction]:
    """The shares and rates, between nothing and the whole, with which rules compare."""
    found = {c.value for rule in rulebook().rules.values() for c in rule.constants()}
    return {value for value in found if 0 < value < 1} - {Fraction(1, 100)}  # the unit of percents


def ratios(tree: ast.Module) -> Iterator[Fraction]:
    """The exact numbers that a module writes as constants."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Fraction", "Decimal"):
            parts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            if parts and len(parts) == len(node.args):
                yield Fraction(*map(Fraction, parts))


def law_in(source: str) -> list[str]:
    tree = ast.parse(source)
    found = [m[0] for text in texts(tree) for m in law().finditer(text)]
    found += [day.isoformat() for day in days(tree) if law().search(day.isoformat())]
    return found + [str(ratio) for ratio in ratios(tree) if ratio in shares()]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_module_names_a_rule_a_document_a_title_a_day_or_a_share_of_the_law(path: Path) -> None:
    declared = DECLARED.get(path.relative_to(ROOT).as_posix(), ())
    assert sorted(set(law_in(path.read_text("utf-8")))) == sorted(declared)


@pytest.mark.parametrize(
    "source",
    [
        'X = "63.8.中小企业"',
        'X = f"300.{sector}.中型"',
        "X = date(2026, 4, 1)",
        'X = "自2026年4月1日起"',
        'X = {"2026-03-31"}',
        'X = "工信部联企业〔2011〕300号"',
        'if batch == "2026年复核": pass',
        'if tier == "专精特新中小企业": pass',
        'x.parts.get("实质条件")',
        'LITTLE_GIANT: Final = "专精特新“小巨人”企业"',
        'HELD = f"登记的持股表明与{x}有控制关系，小巨人"',
        'held = [e for e in entries if number(e["share"]) > Fraction(1, 2)]',
        'X = Fraction("0.5")',
        'X = Decimal("0.5")',
    ],
)
def test_law_in_code_is_found(source: str) -> None:
    assert law_in(source)


def test_docstrings_and_examples_of_days_are_no_law() -> None:
    assert not law_in('"""By 工信部企业〔2022〕63号."""\nX = "请写成 2023-06-30 或 2023年6月30日"')
