"""Files that are written whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Where to write a file: beside ``path``, whose place it takes at the end.

    On any error, also an interrupt, what stood there before still does. An error of the system names
    the file that was asked for.
    """
    final = path.resolve()  # of a link, what it points to
    fresh = final.with_name(f".{final.name}.new")
    try:
        yield fresh
        fresh.replace(final)
    except OSError as error:
        if error.filename in (None, str(fresh)):  # a full disk names none
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
