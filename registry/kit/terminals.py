"""The gate to terminals: all output passes here, so that none of it can control a terminal."""

import codecs
import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

from registry.kit.characters import for_screen


class _Stream:
    """A stream that makes texts harmless; ``registry.kit.screens.Screen`` bypasses it."""

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file: Final = stream

    def write(self, text: str) -> int:
        """Write a text."""
        return self.rich_proxied_file.write(for_screen(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


@contextmanager
def guarded() -> Iterator[None]:
    """Make all standard output and error harmless, including ``click.echo`` and ``print``."""
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_guarded, kept)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept


def _guarded(stream: TextIO) -> Any:
    if stream is None:  # a program without a console
        return None
    if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
        if _chinese(stream.encoding):
            stream.reconfigure(errors=_SUBSTITUTE)
        else:  # no terminal for this program; were it ASCII, click would bypass us to do the same
            stream.reconfigure(encoding="utf-8", errors="replace")
    return _Stream(stream)


def _chinese(encoding: str) -> bool:
    """Whether Chinese can be written in an encoding."""
    try:
        return bool(_CHINESE.encode(encoding))
    except UnicodeEncodeError:
        return False


def _substituted(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding lacks: a like sign, or an escape that JSON knows."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_LIKE.get(c) or json.dumps(c)[1:-1] for c in lacking), error.end


#: Signs of this program that GBK lacks, which no two of its own stand for.
_LIKE: Final = {"✓": "√", "✗": "×", "†": "※", "‡": "◆"}
_CHINESE: Final = "中文〔〕"
_SUBSTITUTE: Final = "registry.substitute"
codecs.register_error(_SUBSTITUTE, _substituted)
