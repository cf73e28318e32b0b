"""What a kind of job is, and the work that it is given; what all kinds share is here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter

from registry.desk.place import Desk
from registry.errors import RecordError
from registry.jobs.store import ResultFile
from registry.kit.files import working_folder

#: The media type of a workbook.
WORKBOOK: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: The most enterprises of a list, and of each tier and group, that are kept with a result.
LISTED: Final = 50

_A = TypeVar("_A")
_R = TypeVar("_R")


@dataclass
class Work(Generic[_A]):
    """A job at work: its desk, whose person asked for it, its arguments, and the files that it makes.

    ``notes`` is what it noted when it was at work before; ``write`` keeps what it notes now.
    """

    desk: Desk
    arguments: _A
    notes: str = ""
    write: Callable[[str], None] = lambda _: None
    files: dict[str, ResultFile] = field(default_factory=dict)

    def note(self, notes: str) -> None:
        """Note what will be needed if the job is begun again, in place of what was noted before."""
        self.write(notes)
        self.notes = notes

    def at_first(self, found: Callable[[], int]) -> int:
        """The number that was found when the job was first begun, however often it is begun again."""
        if not self.notes:
            self.note(str(found()))
        return int(self.notes)

    def keep(self, file: ResultFile) -> None:
        """Keep a file with the result, in place of one of the same name."""
        self.files[file.name] = file

    @contextmanager
    def writing(self, name: str, media_type: str = WORKBOOK) -> Iterator[Path]:
        """A path to write a file to, which is kept with the result."""
        with working_folder() as folder:
            path = folder / name
            yield path
            self.keep(ResultFile(name, media_type, path.read_bytes()))


@dataclass(frozen=True)
class Kind(Generic[_A, _R]):
    """A kind of job: its name in addresses, its title, and how it is done.

    Arguments and results are dataclasses of values that JSON can hold. One that ``records`` has
    nothing left to do once it is done; any other may come to something else on another day.
    """

    name: str
    title: str
    arguments: type[_A]
    result: type[_R]
    run: Callable[[Work[_A]], _R]
    records: bool = False

    def written(self, arguments: _A) -> str:
        """Arguments as they are kept."""
        return self._arguments.dump_json(arguments).decode()

    def read(self, arguments: str) -> _A:
        """Arguments as they were kept; ``RecordError`` for those of another release."""
        return _read(self._arguments, arguments)

    def outcome(self, result: str) -> _R:
        """A result as it was kept; ``RecordError`` for that of another release."""
        return _read(self._result, result)

    def done(self, work: Work[_A]) -> str:
        """Do the work; returns the result as it is kept."""
        return self._result.dump_json(self.run(work)).decode()

    @cached_property
    def _arguments(self) -> "TypeAdapter[_A]":
        return TypeAdapter(self.arguments)

    @cached_property
    def _result(self) -> "TypeAdapter[_R]":
        return TypeAdapter(self.result)


def _read(adapter: TypeAdapter[_R], text: str) -> _R:
    try:
        return adapter.validate_json(text)
    except ValueError as error:
        raise RecordError(
            "foreign-job", "这项任务由另一版本的程序留下，不能读取：请重新提出"
        ) from error


def taken(kind: type[_R], source: object, **given: Any) -> _R:
    """A dataclass with what another object has under the same names; ``given`` takes precedence.

    >>> taken(ResultFile, Path("表.csv"), media_type="text/csv", data=b"")
    ResultFile(name='表.csv', media_type='text/csv', data=b'')
    """
    wanted: Any = kind
    names = (one.name for one in fields(wanted) if one.name not in given)
    return kind(**{name: getattr(source, name) for name in names}, **given)
