"""The direction of imports, and the two evaluators' independence of each other."""

import ast
import sys
from pathlib import Path
from types import ModuleType

import pytest
from importlinter.cli import lint_imports

from registry.portable import ed25519, merkle, notes
from rules.portable import reference

ROOT = Path(__file__).parents[2]


def test_import_contracts_are_kept() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_the_reference_evaluator_imports_the_standard_library_alone() -> None:
    assert {name.partition(".")[0] for name in imports(reference)} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("module", [merkle, ed25519, notes], ids=lambda m: m.__name__)
def test_an_auditor_needs_the_standard_library_alone(module: ModuleType) -> None:
    own = {"registry.portable.merkle", "registry.portable.ed25519", "registry.portable.notes"}
    foreign = imports(module) - own
    assert {name.partition(".")[0] for name in foreign} <= set(sys.stdlib_module_names)


def imports(module: ModuleType) -> set[str]:
    """The full names of the modules that the source of ``module`` imports."""
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    return {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or "."]
        )
    }


def test_alembic_folder_is_not_a_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
