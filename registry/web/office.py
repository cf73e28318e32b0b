"""What every page works with: the desk of one registry, and who judges and does jobs for it."""

from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from fastapi import Depends, Request

from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.jobs.supervisor import Supervisor
from registry.web.addresses import Addresses
from registry.web.forms import Counter


@dataclass(frozen=True)
class Office:
    """A desk, which many threads may share, the one thread that owns the engine, and who does jobs.

    Forms are handed out and in at the ``counter``.
    """

    desk: Desk
    judging: Judging
    supervisor: Supervisor | None = None
    counter: Counter = field(default_factory=Counter)

    @property
    def to(self) -> Addresses:
        """The addresses of pages, by the criteria in force when they are first needed."""
        return Addresses(self.desk.to_be_filed)


def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


#: The parameter of a handler that needs the registry.
At: TypeAlias = Annotated[Office, Depends(_office)]
