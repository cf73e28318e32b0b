"""Asking for long work: a form that puts a job into the queue and leads to its page."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from registry.desk.place import Desk
from registry.jobs.kinds import Kind
from registry.jobs.store import Job, JobStore
from registry.web import addresses
from registry.web.forms import Form, Sent, recorded

#: The most earlier jobs that a page lists, and among how many they are looked for.
_SHOWN, _LOOKED = 10, 200


def asked(
    request: Request,
    store: JobStore,
    given: Sent,
    kind: Kind[Any, Any],
    arguments: Callable[[], Any],
    again: Callable[[Form, int], HTMLResponse],
) -> Response:
    """Put a job of this kind into the queue, once; ``arguments`` reads them from the form."""

    def act(desk: Desk) -> str:
        read = arguments()
        given.refuse()
        return addresses.job(store.ask(kind.name, kind.written(read), by=desk.by))

    return recorded(request, given, given.unconcerned, act, again)


def earlier(store: JobStore, *kinds: Kind[Any, Any]) -> list[Job]:
    """The newest jobs of these kinds, newest first."""
    names = {kind.name for kind in kinds}
    return [job for job in store.jobs(limit=_LOOKED) if job.kind in names][:_SHOWN]


def draft(given: Sent, name: str) -> str:
    """The folder of a draft that a field names; empty if it is empty or no folder."""
    path = given.text(name)
    if path and not Path(path).is_dir():
        given.faults.setdefault(name, f"本机没有文件夹「{path}」：请写标准目录的完整路径")
        return ""
    return path


def parts(text: str) -> tuple[str, ...]:
    """What a field lists, separated by blanks, commas or 、.

    >>> parts("杭州、宁波，温州")
    ('杭州', '宁波', '温州')
    """
    for mark in "、，,;；":
        text = text.replace(mark, " ")
    return tuple(dict.fromkeys(text.split()))


def tier(given: Sent, known: Iterable[str]) -> tuple[str, ...]:
    """The title that a field chooses, of those that are declared; none if it chooses none."""
    chosen = given.text("tier")
    if chosen and chosen not in known:
        given.faults.setdefault("tier", f"没有名为「{chosen}」的层级：请从中选择")
        return ()
    return (chosen,) if chosen else ()
