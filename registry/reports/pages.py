"""HTML pages from the packaged templates; they open offline and print well."""

from functools import cache
from typing import TYPE_CHECKING, Any

from registry.kit.characters import legible
from registry.portable.clock import china_text
from registry.reports.signs import sign, style

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment(*packages: str) -> "Environment":
    """The templates of these packages and the shared ones, with the words that all of them use.

    A missing value is an error, and every value is escaped.
    """
    from jinja2 import (  # most reports are text
        ChoiceLoader,
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    made = Environment(
        loader=ChoiceLoader(
            [PackageLoader(package, "templates") for package in (*packages, "registry.reports")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"sign": sign, "style": style, "moment": china_text}
    return made


def page(template: str, **values: Any) -> str:
    """The text of a page; the values are escaped and made legible."""
    return legible(environment().get_template(template).render(**values))
