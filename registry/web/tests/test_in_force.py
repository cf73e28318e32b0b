"""The criteria in force in a registry are those that pages show, whatever the program has at hand."""

from hashlib import sha256
from io import BytesIO
from zipfile import ZipFile

import pytest

from registry.desk import enterprises
from registry.desk.place import Desk
from registry.errors import RegistryError
from registry.tests.support import CODES
from registry.web.addresses import rule
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


#: A rule that only the published pack has.
OWN = "示范.年限"


def test_the_rules_shown_are_those_in_force(visitor: Visitor, successor: Visitor) -> None:
    page = successor.get(rule(OWN))
    assert page.status == 200
    assert "随附" not in page.words
    assert visitor.get(rule(OWN)).status == 404
    home = successor.get("/rules").words
    assert "登记簿第3号" in home
    assert "与登记簿第1号发布的标准相比" in home
    assert "与现行的不同，没有发布" in home
    assert "与现行的不同，没有发布" not in visitor.get("/rules").words


def test_an_earlier_publication_is_read_at_an_address_of_its_own(successor: Visitor) -> None:
    page = successor.get("/rules?criteria=1")
    assert "现行的是第3号发布的" in page.words
    inside = [
        href for href in page.links if href.startswith(("/rules/", "/editions", "/applicability"))
    ]
    assert inside
    assert [href for href in inside if "criteria=1" not in href] == []
    assert {successor.get(href).status for href in inside} == {200}
    assert successor.get(f"{rule(OWN)}?criteria=1").status == 404
    assert successor.get(f"{rule(OWN)}?criteria=3").status == 200
    assert "现行的是" not in successor.get("/rules?criteria=3").words


def test_what_is_at_hand_and_not_published_says_so(successor: Visitor) -> None:
    page = successor.get("/rules?criteria=at-hand")
    assert "没有发布，不作决定的依据" in page.words
    assert "少了1个规则集：示范 决定仍按已发布的作出" in page.words
    assert successor.get("/changes?criteria=at-hand").status == 200


def test_what_a_publication_changed_is_told(visitor: Visitor, successor: Visitor) -> None:
    page = successor.get("/changes")
    assert page.status == 200
    assert "新的规则集" in page.words
    assert successor.get("/changes?criteria=1").status == 404
    assert visitor.get("/changes").status == 404


@pytest.mark.parametrize(
    ("criteria", "status", "said"),
    [("2", 404, "第2号记录不是发布"), ("9", 404, "不是发布"), ("甲", 422, "不是编号")],
)
def test_another_entry_has_no_criteria(
    successor: Visitor, criteria: str, status: int, said: str
) -> None:
    page = successor.get(f"/rules?criteria={criteria}")
    assert page.status == status
    assert said in page.words


def test_the_publications_lead_to_their_entries_and_back(successor: Visitor) -> None:
    assert {"/journal/1", "/journal/3"} <= {*successor.get("/rules").links}
    assert "/rules?criteria=3" in successor.get("/journal/3").links


@pytest.mark.parametrize("query", ["", "?criteria=1"])
def test_the_pages_are_downloaded_as_an_archive_with_their_digests(
    successor: Visitor, query: str
) -> None:
    [href] = [link for link in successor.get(f"/rules{query}").links if ".zip" in link]
    answer = successor.raw(href)
    assert answer.headers["content-type"] == "application/zip"
    with ZipFile(BytesIO(answer.content)) as packed:
        assert packed.testzip() is None
        files = {name.partition("/")[2]: packed.read(name) for name in packed.namelist()}
        assert {member.external_attr >> 16 for member in packed.infolist()} == {0o100644}
    sums = dict(line.split("  ")[::-1] for line in files.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: sha256(data).hexdigest() for name, data in files.items()}
    assert OWN.encode() in b"".join(files.values()) or query
    assert successor.raw(href).content == answer.content


def test_a_case_of_then_leads_to_the_rule_of_then(successor: Visitor) -> None:
    def links(query: str) -> list[str]:
        page = successor.get(f"/enterprises/{CODES[0]}/specialised{query}")
        return [href for href in page.links if href.startswith("/rules/63.2")]

    assert links("")
    assert not any("criteria=" in href for href in links(""))
    assert links("?known_at=2023-07-01T16:00:02")
    assert all("criteria=1" in href for href in links("?known_at=2023-07-01T16:00:02"))


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
