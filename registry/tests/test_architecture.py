"""The direction of imports, and the two evaluators' independence of each other."""

import ast
import sys
from pathlib import Path

from importlinter.cli import lint_imports

from rules import reference

ROOT = Path(__file__).parents[2]


def test_import_contracts_are_kept() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_the_reference_evaluator_imports_the_standard_rulebook_alone() -> None:
    tree = ast.parse(Path(reference.__file__).read_text(encoding="utf-8"))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or "."]
        )
    }
    assert imported <= set(sys.stdlib_module_names)


def test_alembic_folder_is_not_a_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
