"""Whether the program is well ``/health``, for whoever watches over it: an answer for machines."""

from typing import Any

from fastapi import APIRouter

from registry.web.office import At

router = APIRouter()


@router.get("/health")
def health(at: At) -> dict[str, Any]:
    """The number of the journal's last entry, and whether a process is there to do jobs.

    A registry that cannot be read is an error of this address too.
    """
    supervisor = at.supervisor
    return {"entries": at.desk.head(), "jobs": supervisor is not None and bool(supervisor.process)}
