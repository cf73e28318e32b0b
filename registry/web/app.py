"""The application: pages over one registry, to be read by this machine's browsers."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.web import assets, failures
from registry.web.office import Office
from registry.web.pages import ROUTERS
from registry.web.security import Guard


def application(desk: Desk, judging: Judging) -> ASGIApp:
    """The pages over a registry; the caller closes both the desk and the judging thread."""
    return Guard(pages(desk, judging))


def pages(desk: Desk, judging: Judging) -> FastAPI:
    """All routes, without the guard that stands before them."""
    app = FastAPI(title="Tidu", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.office = Office(desk, judging)
    app.include_router(assets.router)
    for router in ROUTERS:
        app.include_router(router)
    failures.install(app)
    return app
