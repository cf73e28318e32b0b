"""The packaged criteria, compiled once for all tests of a process."""

from functools import cache
from pathlib import Path

from rules.language.rulebook import Rulebook, load
from rules.model.catalogue import Catalogue

FEATURES = Path(__file__).parents[2] / "features"


@cache
def rulebook() -> Rulebook:
    return load(FEATURES)


def catalogue() -> Catalogue:
    return rulebook().catalogue


#: The titles of the packaged tiers, lowest first.
TITLES = ("创新型中小企业", "专精特新中小企业", "专精特新“小巨人”企业")
