"""The files that pages load, all of them packaged: nothing comes from the internet.

A vendored file has its name and version in its file name, its licence beside it, and its SHA-256
in the manifest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException, Response

import registry.reports
from registry import web

_FOLDERS: Final = tuple(Path(p) / "static" for p in (*web.__path__, *registry.reports.__path__))
_KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
#: Its address contains the digest, so a browser never needs to ask again.
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True)
class Asset:
    """A file that pages load: its bytes, its media type, and its SHA-256."""

    data: bytes
    kind: str
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """All files that pages load, by name."""
    found = (file for folder in _FOLDERS for file in folder.iterdir() if file.suffix in _KINDS)
    return {
        file.name: Asset(data := file.read_bytes(), _KINDS[file.suffix], sha256(data).hexdigest())
        for file in found
    }


def address(name: str) -> str:
    """The address of a file; it changes with the content."""
    return f"/static/{assets()[name].digest[:12]}/{name}"


router = APIRouter()


@router.get("/static/{digest}/{name}")
def asset(digest: str, name: str) -> Response:
    """A packaged file."""
    found = assets().get(name)
    if found is None or not found.digest.startswith(digest):
        raise HTTPException(404)
    return Response(found.data, media_type=found.kind, headers=_FOREVER)


@router.get("/favicon.ico")
def favicon() -> Response:
    """The sign of the page, which every browser asks for."""
    found = assets()["tidu.svg"]
    return Response(found.data, media_type=found.kind, headers={"Cache-Control": "max-age=86400"})
