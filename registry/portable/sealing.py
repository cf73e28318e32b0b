"""Salted commitments to personal data, so that a copy can hide it and still be verified.

Digests cover the commitment, never the text, because a name or a patent number is easily guessed
from a bare hash. Every journal entry has one random salt, from which each place in the entry
derives its own. Disclosing a text means handing over the text with its own salt. Standard library
only.
"""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from rules.portable.canonical import digest, sha256
from rules.portable.errors import DescribedError

Json: TypeAlias = dict[str, Any]
#: place -> [salt of the place, text]
Openings: TypeAlias = dict[str, list[str]]

#: Fields of records that name persons or property; no criterion may read them.
SEALED: Final = frozenset(
    {"ip.number", "financing.investor", "awards.name", "institutions.name", "brands.name"}
)


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


def sealed_facts(facts: Mapping[str, Any], salt: str) -> Json:
    """Facts with the texts of ``SEALED`` fields replaced by commitments."""
    return _replaced(facts, {p: {"sealed": seal(salt, p, t)} for p, t in places(facts)})


def openings(facts: Mapping[str, Any], salt: str) -> Openings:
    """The openings of all sealed texts of these facts."""
    return {place: [salt_of(salt, place), text] for place, text in places(facts)}


def opened_facts(facts: Mapping[str, Any], opened: Mapping[str, list[str]]) -> Json:
    """Sealed facts with the disclosed texts back in place; the others stay sealed.

    Raises ``SealError`` for a text that does not match its commitment.
    """
    texts: dict[str, Any] = {}
    for place, found in places(facts):
        if place in opened:
            salt, text = opened[place]
            if found != {"sealed": commitment(salt, text)}:
                raise wrong_opening(place)
            texts[place] = text
    return _replaced(facts, texts)


def places(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every place in facts that must be sealed, with its value."""
    for name, listed in facts["records"].items():
        for number, item in enumerate(listed["items"]):
            for field, text in item.items():
                if f"{name}.{field}" in SEALED:
                    yield f"{name}#{number}.{field}", text


def _replaced(facts: Mapping[str, Any], texts: Mapping[str, Any]) -> Json:
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
    return {**facts, "records": records}
