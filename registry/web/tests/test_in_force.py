"""The criteria in force in a registry are those that pages show, whatever the program has at hand."""

import pytest

from registry.desk import enterprises
from registry.desk.place import Desk
from registry.errors import RegistryError
from registry.tests.support import CODES
from registry.web.tests.visiting import Visitor

#: The name of a tier that only the published pack declares.
SLUG = "model"


def test_tiers_have_the_addresses_that_the_published_criteria_declare(
    visitor: Visitor, successor: Visitor
) -> None:
    assert f'value="{SLUG}"' not in visitor.get("/enterprises").source
    page = successor.get("/enterprises")
    assert f'<option value="{SLUG}">' in page.source
    assert f"/enterprises/{CODES[0]}/{SLUG}" in page.source
    assert successor.get(f"/enterprises?tier={SLUG}&outcome=未决定").status == 200
    assert successor.get(f"/enterprises/{CODES[0]}/{SLUG}").status in (200, 422)
    assert visitor.get(f"/enterprises/{CODES[0]}/{SLUG}").status == 404


def test_the_size_is_told_by_the_published_criteria(
    grown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Desk(grown) as desk:
        told = enterprises.shown(desk, CODES[0])
        assert told.size
        monkeypatch.setattr(enterprises, "in_force", lambda desk: _uncompilable())
        lost = enterprises.shown(desk, CODES[0])
    assert (lost.size, lost.source) == ("", "不能编译")


def _uncompilable() -> None:
    raise RegistryError("published-not-compiled", "不能编译")
