"""Codes of early issue ``/admissions``: those that hold despite a wrong check digit, by a document."""

from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import enterprises, evidence
from registry.desk.enterprises import ADMISSIONS, Notice
from registry.desk.place import Desk
from registry.kit.uscc import tidy
from registry.web import addresses
from registry.web.asked import Text
from registry.web.forms import Form, Given, Perhaps, recorded
from registry.web.office import At, Office
from registry.web.rendering import page

router = APIRouter()

#: The errors of the record -> the field to which each belongs.
_FIELDS: Final = {"no-early-code": "uscc", "admitted-already": "uscc"}


@router.get("/admissions")
def admitted(
    request: Request, at: At, form: Perhaps, uscc: Text = "", action: Text = ""
) -> HTMLResponse:
    """The codes that are admitted, and the form for another; ``uscc`` and ``action`` are filled in."""
    given = {name: (text,) for name, text in (("uscc", uscc), ("action", action)) if text}
    return _shown(request, at, form and replace(form, typed=given))


@router.post("/admissions")
def admit(request: Request, at: At, given: Given) -> Response:
    """Admit a code, or revoke its admission, and lead to the entry."""
    code = tidy(given.text("uscc", "请写明18位信用代码"))

    def act(desk: Desk) -> str:
        action = given.text("action", "请选择认可还是撤回")
        document = given.text("document", "请写明证明代码属实的文件，例如 营业执照")
        dated = given.day("dated", "请写明文件的日期")
        files = given.held(desk, "evidence", "请附证件的扫描件")
        given.refuse()
        assert dated is not None
        notice = Notice(document, dated, evidence.sent(desk, files))
        entry = enterprises.admit(desk, code, notice, revoke=action != "admit")
        return addresses.entry(entry.seq)

    return recorded(
        request,
        given,
        given.about(code),
        act,
        lambda form, status: _shown(request, at, form, status),
        _FIELDS,
    )


def _shown(request: Request, at: Office, form: Form | None, status: int = 200) -> HTMLResponse:
    values: dict[str, Any] = {
        "found": enterprises.admitted(at.desk),
        "actions": [*ADMISSIONS.items()],
    }
    return page(request, "admissions.html", status=status, form=form, **values)
