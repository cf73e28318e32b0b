"""Importing ``/imports``: a file is sent, examined, its headings confirmed, and registered; or taken back.

``/imports/{digest}`` is the page of a file that waits, ``/imports/{number}`` the receipt of an import.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk import examining, headings, importing
from registry.desk.examining import Examination
from registry.desk.place import Desk
from registry.desk.waiting import LARGEST, Waiting, WaitingFiles
from registry.errors import LoadError, RecordError
from registry.jobs import kinds
from registry.jobs.store import Job, JobStore
from registry.web import addresses
from registry.web.asked import Number, Text
from registry.web.forms import Form, Given, New, Perhaps, Sent, recorded
from registry.web.office import At, Office
from registry.web.pages.jobs import Jobs
from registry.web.rendering import page

router = APIRouter()

#: The kinds of issues, and how a page shows them: sign and class.
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "错误": ("✗", "not"),
    "存疑": ("△", "open"),
    "提示": ("？", "soft"),
}
#: The kinds of lines on a page.
_LINES: Final = 100
_FIRMS: Final = 20
#: The names of the fields of a heading: the term itself, what was chosen, what was typed, the unit.
_TERM, _CHOSEN, _OTHER, _UNIT = "term", "chosen", "other", "unit"


# -- sending a file --------------------------------------------------------------------------------


@router.get("/imports")
def imports(request: Request, at: At, form: Perhaps, before: Number = None) -> HTMLResponse:
    """The page on which a file is sent, with the files that wait and the imports."""
    return _imports(request, at, form, before)


@router.post("/imports")
def send(request: Request, at: At, store: Jobs, given: Given) -> Response:
    """Have a file wait, and lead to its page; a large one is examined by a job."""
    files = WaitingFiles(at.desk)

    def act(desk: Desk) -> str:
        sent = next(iter(given.files.get("file", ())), None)
        if sent is None:
            given.faults["file"] = "请选择要登记的文件"
            given.refuse()
            raise AssertionError
        kept = files.keep(sent.file, sent.name)
        try:
            examining.refuse_other_kinds(files, kept.digest)
        except Exception:
            files.drop(kept.digest)
            raise
        if not examining.is_light(kept) and examining.found(desk, files, kept) is None:
            _have_examined(files, store, kept, desk.by)
        return addresses.waiting(kept.digest)

    return recorded(
        request,
        given,
        given.unconcerned,
        act,
        lambda form, status: _imports(request, at, form, None, status),
    )


def _imports(
    request: Request, at: Office, form: Form | None, before: Number, status: int = 200
) -> HTMLResponse:
    lines = importing.imports(at.desk, before=before, limit=_FIRMS + 1)
    return page(
        request,
        "imports.html",
        status=status,
        form=form,
        files=WaitingFiles(at.desk).listed() if before is None else (),
        lines=lines[:_FIRMS],
        before=before,
        following=lines[_FIRMS - 1].id if len(lines) > _FIRMS else None,
        largest=LARGEST,
    )


# -- a file that waits -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Look:
    """Which lines of a file's page are looked at: of one kind or of all, from a place on."""

    kind: str = ""
    start: int = 0


_ALL: Final = _Look()


@router.get("/imports/{number:int}")
def receipt(request: Request, at: At, form: Perhaps, number: int) -> HTMLResponse:
    """The receipt of an import, from which it can be taken back while nothing rests on it."""
    return _receipt(request, at, form, number)


@router.post("/imports/{number:int}")
def undo(request: Request, at: At, given: Given, number: int) -> Response:
    """Take an import back, unless something rests on it."""

    def act(desk: Desk) -> str:
        importing.undo(desk, number, unless_rested_upon=True)
        return addresses.imported(number)

    return recorded(
        request,
        given,
        given.unconcerned,
        act,
        lambda form, status: _receipt(request, at, form, number, status),
    )


@router.get("/imports/headings")
def confirmed(request: Request, form: Perhaps) -> HTMLResponse:
    """The bureau's own mapping of headings."""
    return _confirmed(request, form)


@router.post("/imports/headings")
def forget(request: Request, given: Given) -> Response:
    """Take what was confirmed of a heading back; files are then read without it."""

    def act(_desk: Desk) -> str:
        headings.forget(given.text("term"))
        return "/imports/headings"

    return recorded(
        request,
        given,
        given.unconcerned,
        act,
        lambda form, status: _confirmed(request, form, status),
    )


def _confirmed(request: Request, form: Form | None, status: int = 200) -> HTMLResponse:
    lines = headings.kept()
    return page(request, "headings.html", status=status, form=form, lines=lines)


@router.get("/imports/{digest}")
def waiting(
    request: Request,
    at: At,
    store: Jobs,
    form: New,
    digest: str,
    kind: Text = "",
    start: Number = None,
) -> HTMLResponse:
    """What registering a file would do."""
    return _waiting(request, at, store, form, digest, look=_Look(kind, (start or 1) - 1))


@router.get("/imports/{digest}/book")
def book(at: At, digest: str) -> Response:
    """The officer's workbook with its cells marked, or the list of issues."""
    files = WaitingFiles(at.desk)
    kept = files.get(digest)
    examined = examining.found(at.desk, files, kept)
    if examined is None or not examined.book:
        raise HTTPException(404)
    name = quote(examined.book, safe="")
    return Response(
        examining.book(files, kept, examined),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


@router.post("/imports/{digest}")
def act_on(request: Request, at: At, store: Jobs, given: Given, digest: str) -> Response:
    """Do what a button of the file's page says, and lead on."""
    files = WaitingFiles(at.desk)

    def act(desk: Desk) -> str:
        kept = files.get(digest)
        match given.text("act"):
            case "drop":
                files.drop(digest)
                return "/imports"
            case "day":
                day = given.day("day")
                given.refuse()
                _examined_anew(desk, files, store, files.change(digest, as_of=day))
            case "examine":
                _have_examined(files, store, kept, desk.by)
            case "headings":
                headings.keep(desk, _meant(given))
                _examined_anew(desk, files, store, kept)
            case "register" | "partial" as wanted:
                return _register(desk, files, store, given, kept, partial=wanted == "partial")
            case _:
                raise HTTPException(400)
        return addresses.waiting(digest)

    return recorded(
        request,
        given,
        given.unconcerned,
        act,
        lambda form, status: _waiting(request, at, store, form, digest, status=status),
    )


def _meant(given: Sent) -> dict[str, tuple[str, str]]:
    """What the terms on the page mean; those left open stay so."""
    found: dict[str, tuple[str, str]] = {}
    numbers = (name.partition(".")[2] for name in given.typed if name.startswith(f"{_TERM}."))
    for number in sorted(numbers):
        name = given.text(f"{_OTHER}.{number}") or given.text(f"{_CHOSEN}.{number}")
        if name:
            found[given.text(f"{_TERM}.{number}")] = name, given.text(f"{_UNIT}.{number}")
    if not found:
        given.faults["headings"] = "请至少选定一个表头的填报项"
    given.refuse()
    return found


def _examined_anew(desk: Desk, files: WaitingFiles, store: JobStore, kept: Waiting) -> None:
    """Have a large file examined again; a small one is so when its page is shown."""
    if not examining.is_light(kept):
        _have_examined(files, store, kept, desk.by)
    elif kept.job is not None:
        files.change(kept.digest, as_of=kept.as_of)


def _have_examined(files: WaitingFiles, store: JobStore, kept: Waiting, by: str) -> None:
    wanted = kinds.Examining(kept.digest, kept.name, kept.as_of)
    number = store.ask(kinds.EXAMINE.name, kinds.EXAMINE.written(wanted), by=by)
    files.change(kept.digest, as_of=kept.as_of, job=number)


def _register(
    desk: Desk, files: WaitingFiles, store: JobStore, given: Sent, kept: Waiting, *, partial: bool
) -> str:
    """Ask for the job that registers what the page showed; the page of that job."""
    examined = examining.found(desk, files, kept)
    if examined is None or examined.key != given.text("examined"):
        raise LoadError(
            "examined-anew",
            "打开本页以后，登记簿、填报日期或表头对照有了变化：请看过下面的结果再登记",
        )
    if not examined.good or not (partial or examined.faultless):
        raise LoadError(
            "nothing-faultless", "有错误，不能全部登记：请改正后重新上传，或只登记无误的"
        )
    wanted = kinds.Importing(kept.digest, kept.name, kept.as_of, partial)
    number = store.ask(kinds.IMPORT.name, kinds.IMPORT.written(wanted), by=desk.by)
    files.change(kept.digest, as_of=kept.as_of, job=number)
    return addresses.job(number)


def _waiting(
    request: Request,
    at: Office,
    store: JobStore,
    form: Form,
    digest: str,
    *,
    look: _Look = _ALL,
    status: int = 200,
) -> HTMLResponse:
    files = WaitingFiles(at.desk)
    kept = files.get(digest)
    job = _job(store, kept)
    examined = examining.found(at.desk, files, kept)
    if examined is None and not (job and job.is_open) and examining.is_light(kept):
        examined = examining.examine(at.desk, files, kept)
    shown = examined.of(look.kind) if examined else ()
    return page(
        request,
        "import.html",
        status=status,
        form=form,
        file=kept,
        job=job,
        registering=job is not None and job.kind == kinds.IMPORT.name,
        examined=examined,
        before=importing.of_digest(at.desk, digest),
        kinds=KINDS,
        kind=look.kind,
        lines=shown[look.start : look.start + _LINES],
        start=look.start + 1,
        count=len(shown),
        step=_LINES,
        **_choices(at.desk, examined),
    )


def _choices(desk: Desk, examined: Examination | None) -> dict[str, Any]:
    """What a page that asks for the meaning of headings offers."""
    asked = bool(examined and examined.terms)
    return {
        "choices": headings.choices(desk) if asked else (),
        "units": headings.UNITS,
        "ignored": headings.IGNORED,
    }


def _job(store: JobStore, kept: Waiting) -> Job | None:
    """The job about a file; None if it has none, or one that is no longer kept."""
    if kept.job is None:
        return None
    try:
        return store.job(kept.job)
    except RecordError:
        return None


# -- a receipt -------------------------------------------------------------------------------------


def _receipt(
    request: Request, at: Office, form: Form | None, number: int, status: int = 200
) -> HTMLResponse:
    line = importing.one(at.desk, number)
    resting, hindrance = None, ""
    if line.undone_at is None:
        try:
            resting = importing.undo(at.desk, number, dry_run=True)
        except LoadError as error:
            hindrance = str(error)
    firms = importing.stated(at.desk, number, _FIRMS + 1)
    return page(
        request,
        "receipt.html",
        status=status,
        form=form,
        line=line,
        resting=resting,
        hindrance=hindrance,
        firms=firms[:_FIRMS],
        more=len(firms) > _FIRMS,
    )
