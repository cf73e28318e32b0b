"""Bundles: decisions handed out so that a stranger can verify them and decide them again.

A bundle holds the decisions asked for and everything that they rest on: facts, determinations,
rulesets and applicability tables, the feature files these were compiled from, a proof for each entry
that it stands in the journal under one signed checkpoint, a page to read, and the verifier.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.audit import checkpoints, standalone
from registry.audit.keys import SigningKey
from registry.database.versions import chunks
from registry.errors import RecordError
from registry.portable.clock import china_text, midnight, moment_text
from registry.portable.container import LARGEST, pack
from registry.portable.merkle import Tree
from registry.portable.notes import Checkpoint
from registry.portable.sealing import openings, salt_of, sealed_facts
from registry.portable.verifier import (
    EARLIEST,
    LATEST,
    SCHEMA,
    file_digest,
    json_text,
    manifest_text,
)
from registry.record import cases, journal, publication
from registry.record.wording import determined_text, registered_text, target_text
from registry.reports import pages
from rules.portable.canonical import canonical_json
from rules.portable.record import Json, plain_text

_MASKED: Final = "（已遮盖）"
#: Days of a selection are those of the law's own clock.


@dataclass(frozen=True)
class Selection:
    """Which decisions: by ``numbers``, or all of a tier (empty: every tier) recorded in a period.

    ``first`` and ``last`` are days of recording in China, both included.
    """

    numbers: tuple[int, ...] = ()
    tier: str = ""
    first: date | None = None
    last: date | None = None

    def to_json(self) -> Json:
        """The selection as the manifest states it; moments are UTC, ``until`` is not included."""
        if self.numbers:
            return {"numbers": sorted(set(self.numbers))}
        return {
            "tier": self.tier,
            "from": moment_text(midnight(self.first)) if self.first else EARLIEST,
            "until": moment_text(midnight(self.last + timedelta(days=1))) if self.last else LATEST,
        }


def export(
    session: Session,
    selection: Selection,
    key: SigningKey,
    *,
    now: datetime,
    masked: bool = False,
    since: Sequence[Checkpoint] = (),
) -> bytes:
    """The bytes of a bundle; needs a writing transaction, since it signs a checkpoint.

    ``masked`` leaves out names and what else is sealed; ``since`` are checkpoints that the receiver
    holds, to which consistency is proved. Raises ``RecordError`` where nothing is selected.
    """
    asked = selection.to_json()
    note = checkpoints.write(session, key, now=now)
    point = checkpoints.read(note, key.verifier_key)
    tree = checkpoints.tree(session, point.size)
    decisions = list(_selected(session, asked))
    if not decisions:
        raise RecordError("所选范围内没有决定：请用 tidu audit log 查看编号和日期")
    published, documents = _publications(session, decisions)
    rest = [*_determinations(session, decisions), *_register(session, decisions)]
    entries = sorted({e.seq: e for e in (*decisions, *rest, *published)}.values(), key=_seq)
    plain = [_entry(session, e, tree, point.size, masked) for e in entries]
    files: dict[str, bytes] = {
        "checkpoint.txt": note.encode(),
        "entries.jsonl": _lines(plain),
        "verify.py": standalone.script().encode(),
        **documents,
    }
    ends: list[list[str]] = []
    if "numbers" not in asked:
        heads = _skeleton(session, asked, point.size)
        files["headers.jsonl"] = _lines(heads)
        ends = [_proof(tree, h["seq"], point.size) for h in (heads[0], heads[-1])]
    if since:
        proofs = {
            str(c.size): [n.hex() for n in tree.consistency(c.size, point.size)]
            for c in since
            if c.size <= point.size
        }
        files["consistency.json"] = json_text(proofs).encode()
    files["index.html"] = _index(
        decisions, rest, plain, documents, selection, key, note, masked,
        file_digest(files["verify.py"]), point,
    ).encode()  # fmt: skip
    manifest = {
        "schema": SCHEMA,
        "key": str(key.verifier_key),
        "selection": asked,
        "masked": masked,
        "ends": ends,
        "counts": {
            "decisions": len(decisions),
            "determinations": sum(e.kind == "determination" for e in rest),
            "entries": len(entries),
        },
        "evidence": sorted({d for e in rest for d in e.content.get("evidence", ())}),
        "files": {name: file_digest(data) for name, data in files.items()},
    }
    files["manifest.json"] = json_text(manifest).encode()
    files["manifest.note"] = key.sign_note(manifest_text(files["manifest.json"])).encode()
    if sum(map(len, files.values())) > _MOST:
        raise RecordError(
            f"所选的决定过多，超过一个证据包所能容纳的{LARGEST >> 20}MB："
            "请用 --tier、--from 和 --to 或写明编号，分成几个证据包"
        )
    return pack(files)


#: Members of a bundle; their names and dates take some of it too.
_MOST: Final = LARGEST * 9 // 10


def _selected(session: Session, asked: Json) -> Iterator[journal.Entry]:
    if "numbers" in asked:
        for number in asked["numbers"]:
            found = journal.entry(session, number)
            if found.kind != "decision":
                raise RecordError(f"第{number}号记录不是决定：用 tidu audit log 查看")
            yield found
        return
    for entry in journal.entries(session, kinds=["decision"], tier=asked["tier"]):
        if asked["from"] <= moment_text(entry.recorded_at) < asked["until"]:
            yield entry


def _determinations(session: Session, decisions: Iterable[journal.Entry]) -> list[journal.Entry]:
    """The determinations that decisions rest on, earlier ones of the same targets, confirmations."""
    wanted = {d for entry in decisions for d in entry.content["determinations"]}
    filings = sorted(
        {e.filing_id for e in decisions if e.filing_id and e.content["determinations"]}
    )
    kinds = ("determination", "confirmation")
    found = list(journal.entries(session, kinds=kinds, filing_ids=filings)) if filings else []
    last = {(e.filing_id, e.content.get("fact")): e.seq for e in found if e.digest in wanted}
    held = {
        e.digest
        for e in found
        if e.digest in wanted
        or ("fact" in e.content and e.seq < last.get((e.filing_id, e.content["fact"]), 0))
    }
    return [e for e in found if e.digest in held or e.content.get("determination") in held]


def _register(session: Session, decisions: Iterable[journal.Entry]) -> Iterator[journal.Entry]:
    """The registered titles and holdings that decisions rest on."""
    wanted = {d for e in decisions for d in e.content.get("register", ())}
    for part in chunks(sorted(wanted)):
        for number in journal.numbers(session, part).values():
            yield journal.entry(session, number)


def _publications(
    session: Session, decisions: Iterable[journal.Entry]
) -> tuple[list[journal.Entry], dict[str, bytes]]:
    """The publications that held for decisions; rulesets, tables and feature files as members."""
    published = list(journal.entries(session, kinds=["publication"]))
    last = {max(p.seq for p in published if p.seq < e.seq) for e in decisions}
    found = [p for p in published if p.seq in last]
    files = {
        f"rulesets/{d}.json": publication.document(session, d, "ruleset").encode()
        for d in {e.content["ruleset"] for e in decisions}
    }
    for entry in found:
        body = entry.content
        table = body["applicability"]
        text = publication.document(session, table, "applicability")
        files[f"applicability/{table}.json"] = text.encode()
        for path, name in body["sources"].items():
            text = publication.document(session, name, "source")
            files[f"features/{entry.seq}/{path}"] = text.encode()
    return found, files


def _entry(session: Session, entry: journal.Entry, tree: Tree, size: int, masked: bool) -> Json:
    texts = {} if masked else {p: [salt_of(entry.salt, p), t] for p, t in entry.texts.items()}
    plain: Json = {
        "header": entry.header(),
        "body": entry.body,
        "texts": texts,
        "proof": _proof(tree, entry.seq, size),
    }
    if entry.kind == "decision":
        facts = cases.case(session, entry.filing_id or 0).facts
        plain["facts"] = sealed_facts(facts, entry.salt)
        plain["open"] = {} if masked else openings(facts, entry.salt)
    return plain


def _skeleton(session: Session, asked: Json, size: int) -> list[Json]:
    """The headers of all entries of a period, and one beyond it at each end where there is one."""
    table = journal.JOURNAL
    start = datetime.fromisoformat(asked["from"])
    end = datetime.fromisoformat(asked["until"])
    before = session.scalar(sa.select(sa.func.max(table.c.seq)).where(table.c.recorded_at < start))
    beyond = sa.select(sa.func.min(table.c.seq)).where(table.c.recorded_at >= end)
    after = session.scalar(beyond.where(table.c.seq <= size))
    found = journal.entries(session, first=before or 1, last=after or size)
    return [entry.header() for entry in found]


def _proof(tree: Tree, seq: int, size: int) -> list[str]:
    return [node.hex() for node in tree.inclusion(seq - 1, size)]


def _lines(rows: Iterable[Json]) -> bytes:
    return "".join(f"{canonical_json(row)}\n" for row in rows).encode()


def _seq(entry: journal.Entry) -> int:
    return entry.seq


# -- the page ----------------------------------------------------------------------------------------

_STYLES: Final = {"符合": "met", "不符合": "not", "材料不足": "open", "待人工认定": "open"}


def _index(
    decisions: Sequence[journal.Entry],
    rest: Sequence[journal.Entry],
    plain: Sequence[Json],
    documents: dict[str, bytes],
    selection: Selection,
    key: SigningKey,
    note: str,
    masked: bool,
    script: str,
    point: Checkpoint,
) -> str:
    titles: dict[str, dict[str, str]] = {}
    for name, data in documents.items():
        if name.startswith("rulesets/"):
            rules = json.loads(data)["rules"]
            titles[name[9:-5]] = {r["id"]: r["title"] for r in rules}
    numbers = {e.digest: e.seq for e in rest}
    days = [d.isoformat() if d else "" for d in (selection.first, selection.last)]
    return pages.page(
        "bundle.html",
        origin=point.origin,
        size=point.size,
        key=str(key.verifier_key),
        script=script,
        masked=masked,
        tier=selection.tier,
        period=f"{days[0] and f'自{days[0]}'}{days[1] and f'至{days[1]}'}",
        checkpoint=note,
        decisions=[_shown_decision(e, titles, numbers, masked) for e in decisions],
        determinations=[_shown_determination(e, masked) for e in rest if e.kind == "determination"],
        register=[_shown_registration(e, masked) for e in rest if e.kind in ("title", "holding")],
    )


def _shown_decision(
    entry: journal.Entry, titles: dict[str, dict[str, str]], numbers: dict[str, int], masked: bool
) -> Json:
    body = entry.content
    named = titles[body["ruleset"]]
    results = [
        {
            "id": id,
            "title": named[id],
            "result": plain_text(r),
            "style": _STYLES.get(plain_text(r), ""),
        }
        for id, r in body["results"].items()
    ]
    verdict = plain_text(body["verdict"])
    return {
        **{k: body["case"][k] for k in ("name", "uscc", "tier", "procedure", "as_of")},
        "seq": entry.seq,
        "verdict": verdict,
        "style": _STYLES.get(verdict, ""),
        "determinations": "、".join(f"第{numbers[d]}号" for d in body["determinations"]),
        "register": "、".join(f"第{numbers[d]}号" for d in body.get("register", ())),
        "by": _MASKED if masked else entry.by,
        "recorded_at": china_text(entry.recorded_at),
        "reason": body["applicability"]["reason"],
        "ruleset": body["ruleset"],
        "results": results,
    }


def _shown_registration(entry: journal.Entry, masked: bool) -> Json:
    body = entry.content
    return {
        "seq": entry.seq,
        "uscc": body["uscc"],
        "text": registered_text(body),
        "evidence": body["evidence"],
        "by": _MASKED if masked else entry.by,
    }


def _shown_determination(entry: journal.Entry, masked: bool) -> Json:
    body = entry.content
    return {
        "seq": entry.seq,
        "target": target_text(body),
        "was": determined_text(body, body["was"]),
        "value": determined_text(body, body["value"]),
        "ground": _MASKED if masked else entry.texts["ground"],
        "evidence": body["evidence"],
        "by": _MASKED if masked else entry.by,
    }
