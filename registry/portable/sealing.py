"""Salted commitments to personal data, so that a copy can hide it and still be verified.

Digests cover the commitment, never the text, because a name or a patent number is easily guessed
from a bare hash. Every journal entry has one random salt, from which each place in the entry
derives its own. Disclosing a text means handing over the text with its own salt. Standard library
only.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, TypeAlias

from rules.portable.canonical import digest, sha256
from rules.portable.errors import DescribedError

Json: TypeAlias = dict[str, Any]
#: place -> [salt of the place, text]
Openings: TypeAlias = dict[str, list[str]]

#: Fields of records that name persons or property; no criterion may read them. They are sealed in
#: every entry; what else is sealed in one, it names itself.
SEALED: Final = frozenset(
    {"ip.number", "financing.investor", "awards.name", "institutions.name", "brands.name"}
)

#: Who complained of an enterprise: sealed on record, and in no copy ever disclosed.
INFORMANT: Final = "informant"


class SealError(DescribedError):
    """A disclosed text does not match the commitment at its place."""


def wrong_opening(place: str) -> SealError:
    """The error of a text that does not match its commitment."""
    return SealError("wrong-opening", "披露的内容「{where}」与其承诺不符，已被改动", where=place)


def new_salt() -> str:
    """A fresh random salt, in hex."""
    return secrets.token_hex(16)


def salt_of(salt: str, place: str) -> str:
    """The salt of one place in an entry; it reveals no other salt."""
    return sha256(f"{salt}/{place}")[:32]


def commitment(salt: str, text: str) -> str:
    """The commitment that replaces a text in the record, given the salt of its place.

    >>> commitment(salt_of("00", "ip#0.number"), "ZL1") == seal("00", "ip#0.number", "ZL1")
    True
    """
    return digest([salt, text])


def seal(salt: str, place: str, text: str) -> str:
    """The commitment to a text in an entry with this salt."""
    return commitment(salt_of(salt, place), text)


def sealed_facts(facts: Mapping[str, Any], salt: str, body: Mapping[str, Any]) -> Json:
    """Facts with the texts that an entry with this body seals replaced by commitments."""
    found = places(facts, body)
    return _replaced(facts, {p: {"sealed": seal(salt, p, t)} for p, t in found})


def filed(facts: Mapping[str, Any]) -> set[str]:
    """What is stated in facts, as ``fact`` or ``list.field``."""
    found = {key.partition("@")[0] for key in facts["values"]}
    for name, listed in facts["records"].items():
        found |= {f"{name}.{field}" for item in listed["items"] for field in item}
    return found


def committed(facts: Mapping[str, Any], salt: str, shown: Collection[str]) -> Json:
    """What the body of an entry states of facts: their digest, and what it seals of them.

    ``shown`` is what may be read, as ``fact`` or ``list.field``. ``sealed`` names what else is filed
    here, beyond ``SEALED``, and is absent if there is nothing.
    """
    found = sorted(filed(facts) - SEALED - {*shown})
    also = {"sealed": found} if found else {}
    return {"facts": digest(sealed_facts(facts, salt, also)), **also}


def openings(facts: Mapping[str, Any], salt: str, body: Mapping[str, Any]) -> Openings:
    """The openings of all texts of these facts that an entry with this body seals."""
    return {place: [salt_of(salt, place), text] for place, text in places(facts, body)}


def opened_facts(
    facts: Mapping[str, Any], opened: Mapping[str, list[str]], body: Mapping[str, Any]
) -> Json:
    """Sealed facts with the disclosed texts back in place; the others stay sealed.

    Raises ``SealError`` for a text that does not match its commitment.
    """
    texts: dict[str, Any] = {}
    for place, found in places(facts, body):
        if place in opened:
            salt, text = opened[place]
            if found != {"sealed": commitment(salt, text)}:
                raise wrong_opening(place)
            texts[place] = text
    return _replaced(facts, texts)


def places(facts: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every place in facts that an entry with this body seals, with its value."""
    sealed = SEALED.union(body.get("sealed", ()))
    for key, text in facts["values"].items():
        if key.partition("@")[0] in sealed:
            yield key, text
    for name, listed in facts["records"].items():
        for number, item in enumerate(listed["items"]):
            for field, text in item.items():
                if f"{name}.{field}" in sealed:
                    yield f"{name}#{number}.{field}", text


def _replaced(facts: Mapping[str, Any], texts: Mapping[str, Any]) -> Json:
    values = {key: texts.get(key, value) for key, value in facts["values"].items()}
    records = {
        name: {
            **listed,
            "items": [
                {f: texts.get(f"{name}#{n}.{f}", value) for f, value in item.items()}
                for n, item in enumerate(listed["items"])
            ],
        }
        for name, listed in facts["records"].items()
    }
    return {**facts, "values": values, "records": records}
