"""A visitor of the pages: asks the application itself, without a server, and reads what it answers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

import httpx
import sqlalchemy as sa
from starlette.types import ASGIApp

from registry.desk.place import Desk
from registry.record import publication
from registry.tests.support import Clock
from registry.web.addresses import Addresses

#: The address of a case by the packaged criteria.
case: Final = Addresses(publication.to_be_published).case
HERE: Final = "http://127.0.0.1:8765"
#: Elements that have no end.
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "rect"})

#: Elements whose text stands apart from what is before it.
_APART: Final = frozenset({"a", "br", "dd", "dt", "li", "option", "p", "span", "td", "th"})


@dataclass
class Page(HTMLParser):
    """An answer and what its HTML holds; malformed nesting is an error."""

    status: int
    headers: httpx.Headers
    source: str
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    hidden: dict[str, str] = field(default_factory=dict)
    text: str = ""
    unclosed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        if self.headers.get("content-type", "").startswith("text/html"):
            self.feed(self.source)
            self.close()
            assert not self.unclosed, self.unclosed
            assert len(self.ids) == len({*self.ids}), sorted(self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (id := given.get("id")) is not None:
            self.ids.append(id)
        if tag in ("a", "link") and given.get("href") is not None:
            self.links.append(str(given["href"]))
        if tag == "input" and given.get("type") == "hidden":
            self.hidden[str(given["name"])] = str(given["value"])
        assert not any(name.startswith("on") or name == "style" for name in given), given
        if tag in _APART:
            self.text += " "
        if tag not in _VOID:
            self.unclosed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.unclosed, tag
            assert self.unclosed.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def place(self) -> str:
        """Where the answer leads."""
        return self.headers.get("location", "")

    @property
    def words(self) -> str:
        """The text with single blanks."""
        return " ".join(self.text.split())


@dataclass
class Visitor:
    """Asks one application."""

    app: ASGIApp

    def get(self, path: str, method: str = "GET", **headers: str) -> Page:
        """The answer to one request."""
        answer = asyncio.run(self._ask(method, path, headers))
        return Page(answer.status_code, answer.headers, answer.text)

    def raw(self, path: str) -> httpx.Response:
        """The answer as it came."""
        return asyncio.run(self._ask("GET", path, {}))

    def post(self, path: str, typed: Mapping[str, Any], files: Any = None, **headers: str) -> Page:
        """The answer to a form that sends just this; where it leads is not followed."""
        answer = asyncio.run(self._ask("POST", path, headers, data=typed, files=files))
        return Page(answer.status_code, answer.headers, answer.text)

    def send(self, path: str, typed: Mapping[str, Any], files: Any = None) -> Page:
        """The same for the form on the page at that address, with its hidden fields."""
        return self.post(path, {**self.get(path).hidden, **typed}, files)

    async def _ask(
        self, method: str, path: str, headers: dict[str, Any], **sent: Any
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            return await client.request(method, path, headers=headers, **sent)


@dataclass
class Bureau:
    """A registry with two filings, and somebody at it."""

    desk: Desk
    visitor: Visitor
    clock: Clock

    @property
    def entries(self) -> list[tuple[int, str]]:
        """All entries: number and kind."""
        with self.desk.database.connect() as connection:
            rows = connection.execute(sa.text("SELECT seq, kind FROM journal ORDER BY seq"))
            return [(row.seq, row.kind) for row in rows]
