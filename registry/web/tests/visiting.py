"""A visitor of the pages: asks the application itself, without a server, and reads what it answers."""

import asyncio
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

import httpx
from starlette.types import ASGIApp

from registry.record import publication
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
    text: str = ""
    unclosed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        if self.headers["content-type"].startswith("text/html"):
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

    async def _ask(self, method: str, path: str, headers: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            return await client.request(method, path, headers=headers)
