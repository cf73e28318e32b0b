"""What every page works with: the desk of one registry, and the thread that judges for it."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import Depends, Request

from registry.desk.judging import Judging
from registry.desk.place import Desk


@dataclass(frozen=True)
class Office:
    """A desk, which many threads may share, and the one thread that owns the engine."""

    desk: Desk
    judging: Judging


def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


#: The parameter of a handler that needs the registry.
At: TypeAlias = Annotated[Office, Depends(_office)]
