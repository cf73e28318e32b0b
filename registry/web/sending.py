"""Files that pages make: written whole before anything is sent, and then sent in parts."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi.responses import StreamingResponse

from registry.kit.files import working_folder

#: The kinds of files by their endings.
_KINDS: Final = {
    ".ics": "text/calendar; charset=utf-8",
    ".json": "application/json",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_PART: Final = 1 << 20


def made(name: str, write: Callable[[Path], object]) -> StreamingResponse:
    """The file that ``write`` makes, to be kept under that name; its errors are those of the page."""
    with ExitStack() as stack:
        path = stack.enter_context(working_folder()) / name
        write(path)
        kept = stack.pop_all()
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Length": str(path.stat().st_size),
    }
    return StreamingResponse(_parts(path, kept), media_type=_KINDS[path.suffix], headers=headers)


def _parts(path: Path, kept: ExitStack) -> Iterator[bytes]:
    with kept, path.open("rb") as file:
        while part := file.read(_PART):
            yield part
