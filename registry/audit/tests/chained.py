"""What the owner of a database can do to its journal: change an entry, and chain all that follows anew."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from registry.portable.chain import GENESIS, header_text
from registry.record import journal
from rules.portable.canonical import canonical_json, digest, sha256

Json = dict[str, Any]


def chained_anew(
    rows: Sequence[sa.RowMapping], seq: int, change: Callable[[Json], object], *, by: str = ""
) -> Iterator[Json]:
    """The rows of a journal with one body changed, or made by another, so that every digest agrees."""
    names: dict[str, str] = {}
    previous = GENESIS
    for row in rows:
        body = row["body"]
        for old, new in names.items():
            body = body.replace(old, new)
        plain = json.loads(body)
        if row["kind"] == "announcement":
            plain["announced"] = digest([names[name] for name in _announced(rows, row)])
        if row["seq"] == seq:
            change(plain)
        entry = journal.Entry(**{**row, "body": canonical_json(plain), "previous": previous})
        if by and row["seq"] == seq:
            opened = {"salt": entry.salt, "texts": {**entry.texts, "by": by}}
            entry = replace(entry, disclosures=canonical_json(opened))
        previous = names[row["digest"]] = sha256(header_text(entry.header()))
        yield {**vars(entry), "digest": previous}


def _announced(rows: Sequence[sa.RowMapping], announcement: sa.RowMapping) -> list[str]:
    """The applications that an announcement closes."""
    steps = [json.loads(row["body"]) for row in rows if row["kind"] == "step"]
    name = announcement["digest"]
    return [step["application"] for step in steps if step.get("announcement") == name]
