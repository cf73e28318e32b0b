"""Serves the pages to this machine until it is stopped."""

import socket
from contextlib import closing, suppress
from dataclasses import replace
from threading import Thread
from time import sleep
from typing import Final

import uvicorn

from registry.desk import documenting, evidence
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.desk.waiting import WaitingFiles
from registry.jobs.store import JobStore
from registry.jobs.supervisor import Supervisor
from registry.web.app import application
from registry.web.remedies import words
from rules.portable.errors import DescribedError

_HOST = "127.0.0.1"
#: The seconds that a page waits for a writer before it says that the registry is busy.
PATIENCE: Final = 5
#: The seconds after which files that have waited for too long are removed.
_CLEARING = 3600


def listening(port: int) -> socket.socket:
    """A socket on this machine's own address; ``OSError`` if the port is taken. 0 takes any."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((_HOST, port))
    except BaseException:
        opened.close()
        raise
    return opened


def address(opened: socket.socket) -> str:
    """Where a browser finds the pages."""
    return f"http://{_HOST}:{opened.getsockname()[1]}/"


def serve(desk: Desk, opened: socket.socket) -> None:
    """Answer browsers and do jobs until an interrupt; the criteria are compiled meanwhile."""
    with (
        closing(opened),
        replace(desk, patience=PATIENCE) as desk,
        Judging(desk) as judging,
        JobStore(desk) as store,
        Supervisor(desk.faced(words), store) as supervisor,
    ):
        Thread(target=_warm, args=[desk], name="warming", daemon=True).start()
        Thread(target=_clear, args=[desk], name="clearing", daemon=True).start()
        config = uvicorn.Config(
            application(desk, judging, supervisor),
            access_log=False,
            lifespan="off",
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            ws="none",
        )
        uvicorn.Server(config).run(sockets=[opened])


def _warm(desk: Desk) -> None:
    """Make the pages on criteria before somebody waits for them; what fails is reported when it is asked for."""
    with suppress(DescribedError):
        documenting.on_record(desk)


def _clear(desk: Desk) -> None:
    """Remove files that have waited for too long, at once and every hour."""
    places = WaitingFiles(desk), evidence.attached(desk)
    while True:
        for files in places:
            with suppress(OSError):
                files.clear()
        sleep(_CLEARING)
