"""The rooms of the house: the direction of imports, and the two evaluators' independence of each other."""

import copy
import sys
from pathlib import Path
from typing import Any, Final

import grimp
import pytest
from importlinter import configuration
from importlinter.application.use_cases import read_user_options
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract

from registry.audit import standalone

ROOT: Final = Path(__file__).parents[2]
configuration.configure()
OPTIONS: Final = read_user_options(config_filename=str(ROOT / "pyproject.toml"))
CONTRACTS: Final[dict[str, dict[str, Any]]] = {c["name"]: c for c in OPTIONS.contracts_options}
TYPES: Final = {
    "layers": LayersContract,
    "forbidden": ForbiddenContract,
    "protected": ProtectedContract,
}
#: What may stand at the two roots beside the rooms: errors, front doors, and what intake hands over.
LOOSE: Final = {
    "rules": {"__init__", "decider", "errors"},
    "registry": {"__init__", "__main__", "conftest", "errors", "filings"},
}
#: For each contract an import that it must refuse.
BREACHES: Final = {
    "the application's rooms, from the command line down": (
        "registry.record.journal",
        "registry.reports.layout",
    ),
    "a face parses, calls the desk and shows: it reaches for nothing below": (
        "registry.cli.checks",
        "registry.database.storage",
    ),
    "the rooms of the rules, from the drafter's tools down": (
        "rules.model.facts",
        "rules.language.source",
    ),
    "rules is pure: no application, database, web or command line": (
        "rules.drafting.check",
        "sqlalchemy",
    ),
    "what travels in verify.py needs nothing but what travels": (
        "registry.portable.chain",
        "rules.model.facts",
    ),
    "the reference evaluator has five floors": (
        "rules.portable.figures",
        "rules.portable.evaluation",
    ),
    "the two evaluators share no code": (
        "rules.engine.readings",
        "rules.portable.figures",
    ),
    "only rules.engine.driver imports durable_rules": (
        "rules.decider",
        "durable_rules_engine",
    ),
    "only rules.language.source imports the Gherkin parser": (
        "rules.drafting.steps",
        "gherkin",
    ),
    "only registry.audit.keys imports cryptography": ("registry.audit.bundle", "cryptography"),
    "only registry.reports.dues imports icalendar": ("registry.web.pages.due", "icalendar"),
    "only screening runs on DuckDB and Spark; folders are read by DuckDB": (
        "registry.record.cases",
        "duckdb",
    ),
    "a process that checks and shows the results needs no database": (
        "registry.reports.verdicts",
        "registry.record.wording",
    ),
    "only registry.kit.garbage changes the garbage collector": ("registry.record.journal", "gc"),
    "a library leaves the garbage collector of its host alone": (
        "registry.intake.folders",
        "registry.kit.garbage",
    ),
    "screening is layered": ("registry.screening.snapshot", "registry.screening.funnel"),
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """All imports there are."""
    return grimp.build_graph(
        *OPTIONS.session_options["root_packages"], include_external_packages=True, cache_dir=None
    )


def kept(name: str, graph: grimp.ImportGraph) -> bool:
    options = {key: value for key, value in CONTRACTS[name].items() if key not in ("name", "type")}
    contract = TYPES[CONTRACTS[name]["type"]](name, OPTIONS.session_options, options)
    return contract.check(copy.deepcopy(graph), verbose=False).kept


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_is_kept_and_a_breach_of_it_is_found(
    name: str, graph: grimp.ImportGraph
) -> None:
    assert kept(name, graph)
    broken = copy.deepcopy(graph)
    importer, imported = BREACHES[name]
    assert {importer, imported} <= broken.modules
    broken.add_import(importer=importer, imported=imported)
    assert not kept(name, broken)


def test_a_room_that_is_in_no_contract_is_found(graph: grimp.ImportGraph) -> None:
    extended = copy.deepcopy(graph)
    extended.add_module("registry.further")
    assert not kept("the application's rooms, from the command line down", extended)


@pytest.mark.parametrize("root", LOOSE)
def test_no_module_stands_outside_a_room(root: str) -> None:
    assert {path.stem for path in (ROOT / root).glob("*.py")} == LOOSE[root]


def test_what_travels_in_the_verifier_is_the_two_portable_rooms_and_they_need_only_python(
    graph: grimp.ImportGraph,
) -> None:
    rooms = ("rules.portable", "registry.portable")
    modules = {
        module
        for room in rooms
        for module in graph.find_descendants(room)
        if ".tests" not in module
    }
    assert set(standalone.MODULES) == modules
    needed = set().union(*(graph.find_modules_directly_imported_by(m) for m in modules))
    foreign = {name for name in needed if not name.startswith(tuple(f"{r}." for r in rooms))}
    assert foreign <= sys.stdlib_module_names


def test_the_reference_evaluator_needs_python_alone(graph: grimp.ImportGraph) -> None:
    evaluator = set(CONTRACTS["the two evaluators share no code"]["forbidden_modules"])
    needed = set().union(*(graph.find_modules_directly_imported_by(m) for m in evaluator))
    assert needed - evaluator <= sys.stdlib_module_names


def test_alembic_folder_is_not_a_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
