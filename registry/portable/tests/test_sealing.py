"""Commitments: what is digested hides the text, and only the right text opens it."""

import pytest

from registry.portable.sealing import (
    SEALED,
    SealError,
    commitment,
    committed,
    filed,
    new_salt,
    opened_facts,
    openings,
    salt_of,
    seal,
    sealed_facts,
)
from registry.record.publication import packaged_catalogue
from rules.portable.canonical import canonical_json, digest
from rules.tests.packaged import rulebook

SALT = "00112233445566778899aabbccddeeff"
FACTS = {
    "values": {"industry_code": "C3511"},
    "records": {
        "ip": {
            "complete": True,
            "items": [{"kind": "发明专利", "number": "ZL1"}, {"kind": "商标"}],
        },
        "financing": {"complete": None, "items": [{"investor": "某基金", "amount": "1"}]},
    },
    "sources": {"ip#0": "知识产权!B3"},
}


def test_sealed_facts_hide_the_texts_and_open_with_them() -> None:
    sealed = sealed_facts(FACTS, SALT, {})
    text = canonical_json(sealed)
    assert "ZL1" not in text
    assert "某基金" not in text
    assert "C3511" in text  # the industry decides, it is not sealed
    opened = openings(FACTS, SALT, {})
    assert set(opened) == {"ip#0.number", "financing#0.investor"}
    assert opened_facts(sealed, opened, {}) == FACTS
    assert opened_facts(sealed, {}, {}) == sealed
    assert FACTS["records"]["ip"]["items"][0]["number"] == "ZL1"  # type: ignore[index]


@pytest.mark.parametrize("wrong", [["0" * 32, "ZL1"], [salt_of(SALT, "ip#0.number"), "ZL2"]])
def test_another_text_or_salt_does_not_open(wrong: list[str]) -> None:
    with pytest.raises(SealError):
        opened_facts(sealed_facts(FACTS, SALT, {}), {"ip#0.number": wrong}, {})


DECLARED = {
    "values": {"motto": "精益求精", "motto@2022": "更上层楼", "industry_code": "C3511"},
    "records": {"green": {"complete": None, "items": [{"site": "东湖厂区", "level": "省级"}]}},
    "sources": {},
}


def test_what_is_not_to_be_shown_is_sealed_and_named() -> None:
    body = committed(DECLARED, SALT, {"industry_code", "green.level"})
    assert body["sealed"] == ["green.site", "motto"]
    sealed = sealed_facts(DECLARED, SALT, body)
    assert body["facts"] == digest(sealed)
    text = canonical_json(sealed)
    assert not [word for word in ("精益", "更上", "东湖") if word in text]
    assert "省级" in text
    opened = openings(DECLARED, SALT, body)
    assert set(opened) == {"motto", "motto@2022", "green#0.site"}
    assert opened_facts(sealed, opened, body) == DECLARED
    assert set(committed(FACTS, SALT, filed(FACTS))) == {"facts"}


def test_the_salt_of_one_place_opens_no_other() -> None:
    salts = {salt_of(SALT, place) for place in ("by", "ground", "ip#0.number", "ip#1.number")}
    assert len(salts) == 4
    assert SALT not in salts
    assert seal(SALT, "by", "张三") == commitment(salt_of(SALT, "by"), "张三")
    assert seal(SALT, "by", "张三") != seal(SALT, "ground", "张三")
    assert new_salt() != new_salt()


def test_every_free_text_of_a_record_is_sealed_and_none_is_read_by_a_ruleset() -> None:
    texts = {
        f"{k.id}.{f.id}" for k in packaged_catalogue().records for f in k.fields if f.kind == "text"
    }
    assert texts == SEALED
    roots = {r.ruleset for r in rulebook().applicability if r.encoded}
    assert not SEALED & {f for root in roots for f in rulebook().ruleset(root).fields}
