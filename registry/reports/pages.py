"""HTML pages from the packaged templates; they open offline and print well."""

from functools import cache
from typing import TYPE_CHECKING, Any

from registry.kit.characters import legible

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # most reports are text

    return Environment(
        loader=PackageLoader("registry.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(template: str, **values: Any) -> str:
    """The text of a page; the values are escaped and made legible."""
    return legible(_environment().get_template(template).render(**values))
