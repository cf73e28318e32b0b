"""What keeps a page safe: it answers this machine alone, and a browser may load nothing else.

A page on another site can have the same browser ask a server on loopback. A name of its own that
leads here is refused by ``Host``, its scripts by ``Origin``.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The names of this machine to itself.
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
#: Nothing inline, nothing from elsewhere, no frames.
POLICY: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Refuses requests that another site caused, and sets the headers of every answer."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = LOOPBACK) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        app = self._app if not (said := self._refused(scope)) else _answer(said)
        await app(scope, receive, guarded)

    def _refused(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name(f"//{host}") not in self._hosts:
            return "只回答本机浏览器：请按启动时显示的地址打开"
        if (
            origin := headers.get("origin")
        ) is not None and origin != f"{scope['scheme']}://{host}":
            return "其他网站不能读取登记库：请在浏览器中直接打开本页"
        return ""


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _answer(said: str) -> ASGIApp:
    return PlainTextResponse(said, status_code=403)
