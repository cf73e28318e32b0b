"""The application: pages over one registry, for this machine's browsers."""

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.jobs.supervisor import Supervisor
from registry.web import assets, failures
from registry.web.forms import checked
from registry.web.office import Office
from registry.web.pages import ROUTERS
from registry.web.remedies import words
from registry.web.security import Guard


def application(desk: Desk, judging: Judging, supervisor: Supervisor | None = None) -> ASGIApp:
    """The pages over a registry; the caller closes all that is given.

    Without a supervisor, jobs can be asked for and looked at, but wait.
    """
    return Guard(pages(desk, judging, supervisor))


def pages(desk: Desk, judging: Judging, supervisor: Supervisor | None = None) -> FastAPI:
    """All routes, without the guard that stands before them."""
    app = FastAPI(
        title="Tidu",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(checked)],
    )
    app.state.office = Office(desk.faced(words), judging, supervisor)
    app.include_router(assets.router)
    for router in ROUTERS:
        app.include_router(router)
    failures.install(app)
    return app
