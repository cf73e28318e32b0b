"""Long work ``/jobs``: what was asked for, how far it is, and what came of it."""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from registry.desk.place import Desk
from registry.jobs.kinds import KINDS, Kind, kind
from registry.jobs.store import Job, JobStore, Progress
from registry.web import addresses
from registry.web.asked import Number
from registry.web.forms import Form, Given, Sent, recorded
from registry.web.office import At
from registry.web.remedies import advice
from registry.web.rendering import page

router = APIRouter()

_A = TypeVar("_A")

#: The jobs on one page.
_LISTED: Final = 50
#: The status that ends htmx's asking.
_ENOUGH: Final = 286
#: The states of a job -> sign and class; their words stand beside them.
SIGNS: Final[Mapping[str, tuple[str, str]]] = {
    "waiting": ("…", "soft"),
    "running": ("▸", "person"),
    "stopping": ("▪", "open"),
    "done": ("✓", "met"),
    "failed": ("✗", "not"),
    "interrupted": ("！", "open"),
}


def _store(at: At) -> Iterator[JobStore]:
    with JobStore(at.desk) as store:
        yield store


#: The parameter of a handler that needs the jobs.
Jobs: TypeAlias = Annotated[JobStore, Depends(_store)]


@router.get("/jobs")
def jobs(request: Request, store: Jobs, before: Number = None) -> HTMLResponse:
    """The jobs, newest first."""
    found = store.jobs(before=before, limit=_LISTED + 1)
    following = found[_LISTED - 1].id if len(found) > _LISTED else None
    return page(
        request,
        "jobs.html",
        jobs=found[:_LISTED],
        before=before,
        following=following,
        **WORDS,
    )


@router.get("/jobs/{id:int}")
def job(request: Request, at: At, store: Jobs, id: int) -> HTMLResponse:
    """One job."""
    return _job(request, at, store, id, at.counter.form(at.desk))


@router.get("/jobs/{id}/state")
def state(request: Request, at: At, store: Jobs, id: int) -> HTMLResponse:
    """The part of a job's page that changes, for pages that ask for it again and again."""
    found = store.job(id)
    status = HTTPStatus.OK if found.is_open else _ENOUGH
    values = _values(at, found, at.counter.form(at.desk))
    return page(request, "job-state.html", status=status, **values)


@router.post("/jobs/{id}/stop")
def stop(request: Request, at: At, store: Jobs, id: int, given: Given) -> Response:
    """Have a job stopped."""

    def act(_: Desk) -> str:
        store.stop(store.job(id).id)
        return addresses.job(id)

    return _done(request, at, store, id, given, act)


@router.post("/jobs/{id}/again")
def again(request: Request, at: At, store: Jobs, id: int, given: Given) -> Response:
    """Have a job that was interrupted go on, or one that is done be done anew as another job."""

    def act(desk: Desk) -> str:
        found = store.job(id)
        if found.state == "done":
            made = kind(found.kind)
            return _asked(store, desk, made, made.read(found.arguments))
        store.again(id)
        return addresses.job(id)

    return _done(request, at, store, id, given, act)


def _asked(store: JobStore, desk: Desk, what: Kind[_A, Any], arguments: _A) -> str:
    return addresses.job(store.ask(what.name, what.written(arguments), by=desk.by))


def _done(
    request: Request, at: At, store: JobStore, id: int, given: Sent, act: Callable[[Desk], str]
) -> Response:
    return recorded(
        request,
        given,
        given.unconcerned,
        act,
        lambda form, status: _job(request, at, store, id, form, status),
    )


def _job(
    request: Request, at: At, store: JobStore, id: int, form: Form, status: int = 200
) -> HTMLResponse:
    return page(request, "job.html", status=status, **_values(at, store.job(id), form))


@router.get("/jobs/{id}/files/{name}")
def file(store: Jobs, id: int, name: str) -> Response:
    """A file that a job made, to be kept."""
    found = store.file(id, name)
    disposition = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    return Response(
        found.data, media_type=found.media_type, headers={"Content-Disposition": disposition}
    )


def _values(at: At, job: Job, form: Form) -> dict[str, Any]:
    """What a job's page shows; the result only of a kind and release that this one knows."""
    known = KINDS.get(job.kind)
    return {
        "job": job,
        "form": form,
        "repeatable": known is not None and not known.records,
        "arguments": known.read(job.arguments) if known else None,
        "result": known.outcome(job.result) if known and job.result is not None else None,
        "advice": advice(job.trouble.remedy) if job.trouble else None,
        "nobody": at.supervisor is not None and at.supervisor.process is None,
        **WORDS,
    }


def title(job: Job) -> str:
    """What a job does."""
    return KINDS[job.kind].title if job.kind in KINDS else job.kind


def pace(progress: Progress) -> str:
    """How fast a job goes on, and how long it will yet take at that; empty if nobody can tell.

    >>> pace(Progress("检查", 300, 900, 120)), pace(Progress("检查", 3, None, 7))
    ('每秒2项，还需约5分钟', '每分钟7项')
    >>> pace(Progress("检查", 3, 9, 0))
    ''
    """
    if not progress.rate:
        return ""
    said = f"每秒{progress.rate // 60}项" if progress.rate >= 60 else f"每分钟{progress.rate}项"
    if not progress.total or progress.done >= progress.total:
        return said
    minutes = -(-(progress.total - progress.done) // progress.rate)
    if minutes < 2:
        return f"{said}，还需不到2分钟"
    return f"{said}，还需约{minutes}分钟" if minutes < 120 else f"{said}，还需约{minutes // 60}小时"


#: What every page that shows jobs says of them.
WORDS: Final[dict[str, Any]] = {"signs": SIGNS, "title_of": title, "pace": pace}
