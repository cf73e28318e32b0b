"""Bundles: exported decisions that a stranger can verify and decide again.

A bundle holds the selected decisions and everything on which they rest: facts, determinations,
rulesets and applicability tables, the feature files from which these were compiled, a proof that
each entry is in the journal under one signed checkpoint, a page to read, and the verifier.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlmodel import Session

from registry.audit import checkpoints, standalone
from registry.audit.evidence import Covering, Evidence, Selection, gather
from registry.audit.keys import SigningKey
from registry.errors import RecordError
from registry.judging.wording import determined_text, registered_text, target_text
from registry.portable.chain import KINDS
from registry.portable.clock import china_text
from registry.portable.container import LARGEST, pack
from registry.portable.contents import file_digest
from registry.portable.courses import course_lines
from registry.portable.notes import Checkpoint
from registry.portable.sealing import INFORMANT, openings, salt_of, sealed_facts
from registry.portable.verifier import SCHEMA, json_text, manifest_text
from registry.record import journal
from registry.record.applications import Reader
from registry.record.wording import entry_text
from registry.reports import pages
from rules.model.catalogue import Catalogue
from rules.portable.canonical import canonical_json
from rules.portable.errors import Remedy
from rules.portable.record import Body, Json, plain_text

_MASKED: Final = "（已遮盖）"


def export(
    session: Session,
    selection: Selection,
    key: SigningKey,
    *,
    now: datetime,
    masked: bool = False,
    since: Sequence[Checkpoint] = (),
    covering: Covering | None = None,
) -> bytes:
    """The bytes of a bundle under the checkpoint ``covering``.

    Without one, it signs a checkpoint, for which it needs a writing transaction. ``masked`` leaves out names and all other sealed texts. ``since`` are checkpoints that the
    receiver holds; the bundle proves consistency with each. Raises ``RecordError`` if nothing is
    selected.
    """
    covering = covering or checkpoints.covering(session, key, now=now)
    found = gather(session, selection, key, covering)
    files = dict(_files(found, masked, since))
    files["index.html"] = _index(session, found, selection, key, masked, files).encode()
    manifest = _manifest(found, selection, key, masked, files)
    files["manifest.json"] = json_text(manifest).encode()
    files["manifest.note"] = key.sign_note(manifest_text(files["manifest.json"])).encode()
    if sum(map(len, files.values())) > _MOST:
        raise RecordError(
            "too-many-selected",
            "所选的决定过多，超过一个证据包所能容纳的{expected}MB",
            expected=LARGEST >> 20,
            remedy=Remedy("split-bundle"),
        )
    return pack(files)


#: The most bytes of all members; their names and the zip's own fields need the rest.
_MOST: Final = LARGEST * 9 // 10


def _files(
    found: Evidence, masked: bool, since: Sequence[Checkpoint]
) -> Iterator[tuple[str, bytes]]:
    """The members of a bundle, except the page and the manifest."""
    yield "checkpoint.txt", found.note.encode()
    yield "entries.jsonl", _lines(_entry(found, entry, masked) for entry in found.entries)
    yield "verify.py", standalone.script().encode()
    yield from found.documents.items()
    if found.headers:
        yield "headers.jsonl", _lines(found.headers)
    if since:
        earlier = (point for point in since if point.size <= found.point.size)
        proofs = {str(point.size): found.consistency(point) for point in earlier}
        yield "consistency.json", json_text(proofs).encode()


def _entry(found: Evidence, entry: journal.Entry, masked: bool) -> Json:
    shown = {} if masked else {p: t for p, t in entry.texts.items() if p != INFORMANT}
    texts = {p: [salt_of(entry.salt, p), t] for p, t in shown.items()}
    plain: Json = {
        "header": entry.header(),
        "body": entry.body,
        "texts": texts,
        "proof": found.proof(entry.seq),
    }
    if entry.kind == "decision":
        facts = found.facts[entry.filing_id or 0]
        plain["facts"] = sealed_facts(facts, entry.salt, entry.content)
        plain["open"] = {} if masked else openings(facts, entry.salt, entry.content)
    return plain


def _manifest(
    found: Evidence,
    selection: Selection,
    key: SigningKey,
    masked: bool,
    files: Mapping[str, bytes],
) -> Json:
    """The manifest: the bundle's statements about itself."""
    applications = sum(e.kind == "application" for e in found.steps)
    return {
        "schema": SCHEMA,
        "key": str(key.verifier_key),
        "selection": selection.to_json(),
        "masked": masked,
        "ends": [found.proof(h["seq"]) for h in (*found.headers[:1], *found.headers[-1:])],
        "counts": {
            "decisions": len(found.decisions),
            "determinations": sum(e.kind == "determination" for e in found.settled),
            "entries": len(found.entries),
            **({"applications": applications} if applications else {}),
        },
        "evidence": sorted(
            {
                d
                for e in found.entries
                if e.kind != "decision"
                for d in e.content.get("evidence", ())
            }
        ),
        "files": {name: file_digest(data) for name, data in files.items()},
    }


def _lines(rows: Iterable[Body]) -> bytes:
    return "".join(f"{canonical_json(row)}\n" for row in rows).encode()


# -- the page ----------------------------------------------------------------------------------------

_STYLES: Final = {"符合": "met", "不符合": "not", "材料不足": "open", "待人工认定": "open"}


def _index(
    session: Session,
    found: Evidence,
    selection: Selection,
    key: SigningKey,
    masked: bool,
    files: Mapping[str, bytes],
) -> str:
    """The page to read."""
    titles: dict[str, dict[str, str]] = {}
    for name, data in found.documents.items():
        if name.startswith("rulesets/"):
            rules = json.loads(data)["rules"]
            titles[name[9:-5]] = {r["id"]: r["title"] for r in rules}
    numbers = {e.digest: e.seq for e in found.settled}
    days = [d.isoformat() if d else "" for d in (selection.first, selection.last)]
    return pages.page(
        "bundle.html",
        origin=found.point.origin,
        size=found.point.size,
        key=str(key.verifier_key),
        script=file_digest(files["verify.py"]),
        masked=masked,
        tier=selection.tier,
        period=f"{days[0] and f'自{days[0]}'}{days[1] and f'至{days[1]}'}",
        checkpoint=found.note,
        decisions=[_shown_decision(e, titles, numbers, masked) for e in found.decisions],
        determinations=[
            _shown_determination(e, found.catalogue, masked)
            for e in found.settled
            if e.kind == "determination"
        ],
        register=[
            _shown_registration(e, masked) for e in found.settled if e.kind in ("title", "holding")
        ],
        courses=_courses(session, found),
        held=[_shown_duty(e, found, masked) for e in found.held],
    )


def _courses(session: Session, found: Evidence) -> list[list[str]]:
    """The applications of a bundle, each with its steps as lines."""
    wanted = {e.digest for e in found.steps if e.kind == "application"}
    lags = {e.digest: e.content["lag"] for e in found.steps if "lag" in e.content}
    codes = sorted({str(e.subject) for e in found.steps if e.kind == "application"})
    return (
        [
            course_lines(one, lags.get(one.entry.body["round"], 0))
            for courses in Reader(session).of(codes).values()
            for one in courses
            if one.entry.digest in wanted
        ]
        if wanted
        else []
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


def _shown_duty(entry: journal.Entry, found: Evidence, masked: bool) -> Json:
    numbers = {e.digest: e.seq for e in found.held}
    silent = replace(entry, disclosures=canonical_json({"salt": "", "texts": {}}))
    return {
        "seq": entry.seq,
        "kind": KINDS[entry.kind],
        "text": entry_text(silent if masked else entry, numbers, found.catalogue),
        "by": _MASKED if masked else entry.by,
    }


def _shown_determination(entry: journal.Entry, catalogue: Catalogue, masked: bool) -> Json:
    body = entry.content
    return {
        "seq": entry.seq,
        "target": target_text(body, catalogue),
        "was": determined_text(body, body["was"], catalogue),
        "value": determined_text(body, body["value"], catalogue),
        "ground": _MASKED if masked else entry.texts["ground"],
        "evidence": body["evidence"],
        "by": _MASKED if masked else entry.by,
    }
