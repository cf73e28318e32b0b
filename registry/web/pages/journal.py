"""The record ``/journal``: its entries, newest first, and each with what proves it."""

import json

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from registry.desk import auditing, deciding, evidence
from registry.desk.auditing import EntryView
from registry.portable.chain import KINDS
from registry.web.addresses import Addresses
from registry.web.asked import Number, Text
from registry.web.office import At
from registry.web.pages import duties
from registry.web.pages.determine import correction
from registry.web.rendering import page

router = APIRouter()


@router.get("/journal")
def entries(request: Request, at: At, kind: Text = "", before: Number = None) -> HTMLResponse:
    """A page of entries, of one kind or of all."""
    found = auditing.leafed(at.desk, kind=kind, before=before)
    return page(
        request, "journal.html", found=found, kind=kind, before=before, kinds=[*KINDS.values()]
    )


@router.get("/journal/{seq}")
def entry(request: Request, at: At, seq: int) -> HTMLResponse:
    """One entry, with the recipe by which anybody can verify it."""
    found = auditing.entry(at.desk, seq)
    body = json.dumps(json.loads(found.body), ensure_ascii=False, indent=2)
    waits = found.line.kind == KINDS["determination"] and seq in {
        line.seq for line in auditing.unconfirmed(at.desk)
    }
    files = [(digest, evidence.is_kept(digest)) for digest in found.evidence]
    return page(
        request,
        "entry.html",
        found=found,
        body=body,
        decided=found.line.kind == KINDS["decision"],
        published=found.line.kind == KINDS["publication"],
        title=found.line.kind == KINDS["title"],
        place=_place(at.to, found),
        complaint=KINDS["complaint"],
        waits=waits,
        correction=correction(at.to, found) if found.determined else "",
        revocable=bool(found.determined) and deciding.is_revocable(at.desk, seq),
        files=files,
        continued=duties.actions(found),
    )


def _place(to: Addresses, found: EntryView) -> str:
    """Where the course of an entry's case stands, or its round; empty for other entries."""
    if found.line.kind in (KINDS["application"], KINDS["step"]):
        return f"{to.case(found.uscc, found.tier)}#course"
    if found.line.kind == KINDS["round"]:
        return "/rounds"
    return ""
