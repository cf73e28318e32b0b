"""Criteria compiled from their folders; this needs no registry."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import rules
from registry.kit import resources

if TYPE_CHECKING:
    from rules.language.rulebook import Rulebook


def rulebook(folder: Path | None = None) -> "Rulebook":
    """The packaged criteria with a bureau's own, or those of another folder; compiled once."""
    return _compiled(*resources.criteria(folder))


@cache
def _compiled(folder: Path, own: Path | None) -> "Rulebook":
    return rules.load(folder, own, base=resources.features())
