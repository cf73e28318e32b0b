"""Forms that record: who may send one, that it records once, and that it rests on what was seen.

Every form holds a token made when the program starts, since any page in the same browser can reach
this machine; the number of the journal's last entry when the page was made; and a key of its own.
What is sent without them is refused. A form that is amiss, or whose page is out of date, is shown
again with all that was typed. The second sending of one form leads where the first one led.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from pathlib import PurePosixPath
from secrets import token_urlsafe
from threading import Lock
from typing import Annotated, Any, BinaryIO, Final, TypeAlias, TypeVar, cast

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from registry.desk import auditing, evidence
from registry.desk.auditing import EntryLine
from registry.desk.place import Desk, Seen
from registry.desk.typed import day
from registry.errors import MovedOnError, RegistryError, StorageError
from registry.kit.characters import legible, wrong
from registry.kit.jsontext import json_text
from registry.web.remedies import Advice, advice
from rules.errors import RulesError
from rules.portable.errors import DescribedError

_T = TypeVar("_T")

#: The most bytes that a form may send, with its files: several times any workbook of a county.
LARGEST: Final = 128 << 20
#: The hidden fields of every form.
TOKEN, HEAD, KEY = "token", "head", "key"
#: How many sendings are remembered.
_REMEMBERED: Final = 10_000
#: The most letters of a file's name, and of a key, that are kept.
_NAME, _KEY = 200, 64
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_STRANGE: Final = "本页不是由正在运行的程序给出的，没有登记：请重新打开本页再办"


@dataclass(frozen=True)
class Upload:
    """A file that was sent: what its owner calls it, which is never used as a path, and its bytes."""

    name: str
    file: BinaryIO
    size: int


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form as a page shows it: its hidden fields, what was typed, and what is wrong with it.

    ``faults`` stand beside their fields, ``said`` above all of them. ``since`` are the entries that
    concern the act and came after the page was made; ``rehearsed`` is what would be recorded.
    """

    token: str
    head: int
    key: str
    typed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    advice: Advice | None = None
    since: tuple[EntryLine, ...] = ()
    rehearsed: Any = None

    def value(self, name: str, default: object = "") -> str:
        """What was typed into a field, else the default."""
        found = self.typed.get(name)
        return found[0] if found else str(default)

    def waiting(self, name: str) -> list[tuple[str, str]]:
        """The files of a field that have been sent already: what is sent again of each, and its name."""
        return [(text, text.partition(" ")[2]) for text in self.typed.get(waits(name), ())]

    def chosen(self, name: str, value: object) -> bool:
        """Whether a value of a field was chosen."""
        return str(value) in self.typed.get(name, ())


class Counter:
    """Where forms are handed out and in; one for each run of the program."""

    def __init__(self) -> None:
        self.token: Final = token_urlsafe(32)
        self._places: OrderedDict[str, Future[str]] = OrderedDict()
        self._lock = Lock()

    def form(self, desk: Desk, **more: Any) -> Form:
        """A new form. Ask for it before anything that the page shows is read."""
        return Form(token=self.token, head=desk.head(), key=token_urlsafe(16), **more)

    def once(self, key: str, act: Callable[[], str]) -> str:
        """Where an act leads. While or after it is done, the same key leads there without doing it.

        An act that fails may be tried again.
        """
        with self._lock:
            place = self._places.get(key)
            mine = place is None
            if place is None:
                place = self._places[key] = Future()
                if len(self._places) > _REMEMBERED:
                    self._places.popitem(last=False)
        if not mine:
            return place.result()
        try:
            place.set_result(act())
        except BaseException as error:
            with self._lock:
                self._places.pop(key, None)
            place.set_exception(error)
            raise
        return place.result()


class RehearsedError(Exception):
    """Not recorded yet: the form is to show first what would be recorded."""

    def __init__(self, rehearsed: Any) -> None:
        super().__init__(rehearsed)
        self.rehearsed: Final = rehearsed


class AmissError(Exception):
    """Fields that are amiss, with what is wrong with each."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(*faults.values())
        self.faults: Final = faults


def waits(name: str) -> str:
    """The hidden field of the files of a field that have been sent already."""
    return f"{name}-waits"


@dataclass
class Sent:
    """A form that was sent. Its fields are read one by one; ``refuse`` reports all faults at once."""

    head: int
    key: str
    typed: dict[str, tuple[str, ...]]
    files: Mapping[str, tuple[Upload, ...]]
    faults: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, needed: str = "") -> str:
        """What was typed into a field, without blanks around it; ``needed`` is said if it is empty."""
        value = self.typed.get(name, ("",))[0].strip()
        if said := wrong(value) or ("" if value else needed):
            self.faults.setdefault(name, said)
            return ""
        return value

    def read(self, name: str, reader: Callable[[str], _T], needed: str = "") -> _T | None:
        """What a field says; a ``ValueError`` of the reader is a fault. None if it is empty or amiss."""
        value = " ".join(self.text(name, needed).split())
        if not value:
            return None
        try:
            return reader(value)
        except ValueError as error:
            self.faults.setdefault(name, str(error))
            return None

    def day(self, name: str, needed: str = "") -> date | None:
        """The day that a field says."""
        return self.read(name, day, needed)

    def held(
        self, desk: Desk, name: str, needed: str = "", *, several: bool = True
    ) -> tuple[str, ...]:
        """The digests of the files of a field: those sent now, and those that wait from before.

        They wait beside the registry, so that nobody has to choose them again if the form is shown
        again. Unless there may be ``several``, the last one counts.
        """
        found, waiting = dict[str, str](), evidence.attached(desk)
        try:
            for written in self.typed.get(waits(name), ()):
                digest = written.partition(" ")[0]
                found[digest] = waiting.get(digest).name
            for upload in self.files.get(name, ()):
                kept = waiting.keep(upload.file, upload.name)
                found[kept.digest] = kept.name
        except RegistryError as error:
            self.faults.setdefault(name, str(error))
        found = found if several else dict([*found.items()][-1:])
        self.typed[waits(name)] = tuple(f"{digest} {known}" for digest, known in found.items())
        if not found and needed:
            self.faults.setdefault(name, needed)
        return tuple(found)

    def digest(self, but: str) -> str:
        """The digest of all that was typed, ``but`` for a field: only what was seen is recorded."""
        typed = {name: values for name, values in sorted(self.typed.items()) if name != but}
        return sha256(json_text(typed).encode()).hexdigest()

    def release(self, desk: Desk) -> None:
        """Let the files wait no longer, now that the form is recorded."""
        for name, written in self.typed.items():
            if name.endswith(waits("")):
                for text in written:
                    evidence.attached(desk).drop(text.partition(" ")[0])

    def about(self, uscc: str) -> Seen:
        """What the sender saw of one enterprise: what is recorded of it later makes the act out of date."""
        return Seen(self.head, (uscc,))

    @property
    def unconcerned(self) -> Seen:
        """What the sender saw, for an act that nothing in the journal makes out of date."""
        return Seen(self.head, (), ())

    def refuse(self) -> None:
        """Raise ``AmissError`` if any field that was read is amiss."""
        if self.faults:
            raise AmissError(self.faults)


async def checked(request: Request) -> AsyncIterator[Sent | None]:
    """What an unsafe request sends; refuses one that no form of this program can have sent.

    Every route depends on it, so that none can forget to ask.
    """
    if request.method in _SAFE:
        yield None
        return
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal()):
        raise HTTPException(HTTPStatus.LENGTH_REQUIRED)
    if int(length[:20]) > LARGEST:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    async with request.form() as given:
        typed: dict[str, list[str]] = {}
        files: dict[str, list[Upload]] = {}
        for name, value in given.multi_items():
            if not isinstance(value, UploadFile):
                typed.setdefault(name, []).append(value.replace("\r\n", "\n"))
            elif value.filename:  # a browser sends an empty one where no file was chosen
                files.setdefault(name, []).append(_upload(value))
        counter: Counter = request.app.state.office.counter
        token, head, key = (typed.pop(name, [""])[0] for name in (TOKEN, HEAD, KEY))
        known = compare_digest(token.encode(), counter.token.encode())
        if not (known and head.isascii() and head.isdecimal() and 0 < len(key) <= _KEY):
            raise HTTPException(HTTPStatus.FORBIDDEN, _STRANGE)
        yield Sent(
            head=int(head[:18]),
            key=f"{request.url.path} {key}",
            typed={name: tuple(values) for name, values in typed.items()},
            files={name: tuple(values) for name, values in files.items()},
        )


def _upload(sent: UploadFile) -> Upload:
    name = PurePosixPath(str(sent.filename).replace("\\", "/")).name
    return Upload(legible(name)[:_NAME] or "文件", sent.file, sent.size or 0)


class UnsignedError(Exception):
    """The program was started without the name under which acts are recorded."""


def _new(request: Request) -> Form:
    office = request.app.state.office
    _refuse_unsigned(office.desk)
    return cast(Counter, office.counter).form(office.desk)


def _perhaps(request: Request) -> Form | None:
    try:
        return _new(request)
    except UnsignedError:
        return None


def _sent(request: Request, found: Annotated[Sent | None, Depends(checked)]) -> Sent:
    assert found is not None, "only unsafe routes read forms"
    _refuse_unsigned(request.app.state.office.desk)
    return found


def _refuse_unsigned(desk: Desk) -> None:
    if not desk.by.strip():
        raise UnsignedError


#: A new form for a page, made before the page reads anything else.
New: TypeAlias = Annotated[Form, Depends(_new)]
#: The same for a page that is read without a name too; None if there is none to record under.
Perhaps: TypeAlias = Annotated[Form | None, Depends(_perhaps)]
#: The form that a request sends.
Given: TypeAlias = Annotated[Sent, Depends(_sent)]


def recorded(
    request: Request,
    given: Sent,
    seen: Seen,
    act: Callable[[Desk], str],
    again: Callable[[Form, int], HTMLResponse],
    fields: Mapping[str, str] | None = None,
) -> Response:
    """Do an act once and lead to its result, or show the form again with what is to be done about it.

    ``act`` gets a desk that refuses to record if what was ``seen`` is out of date, and gives the
    address of the result; ``again`` shows the form with a status. ``fields`` are the fields to which the errors of some slugs belong.
    """
    office = request.app.state.office
    desk, counter = office.desk, office.counter
    try:
        place = counter.once(given.key, lambda: act(desk.after(seen)))
    except AmissError as error:
        status, told = HTTPStatus.UNPROCESSABLE_ENTITY, {"faults": error.faults}
    except RehearsedError as found:
        status, told = HTTPStatus.OK, {"rehearsed": found.rehearsed}
    except MovedOnError:
        status, told = HTTPStatus.CONFLICT, {}
    except (RegistryError, RulesError) as error:
        status, told = _status(error), _told(error, fields or {})
    else:
        given.release(desk)
        return RedirectResponse(place, HTTPStatus.SEE_OTHER)
    form = counter.form(desk, typed=given.typed, since=tuple(auditing.since(desk, seen)), **told)
    return again(form, status)


def _status(error: DescribedError) -> HTTPStatus:
    if isinstance(error, StorageError):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.UNPROCESSABLE_ENTITY


def _told(error: DescribedError, fields: Mapping[str, str]) -> dict[str, Any]:
    """What a form says of an error: beside the field to which it belongs, or above all of them."""
    if (name := fields.get(error.slug)) is not None:
        return {"faults": {name: str(error)}, "said": error.details}
    return {"said": (*error.details, str(error)), "advice": advice(error.remedy)}
