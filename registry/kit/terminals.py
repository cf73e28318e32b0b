"""The edge to terminals: whatever a program prints passes here, and nothing in it commands a terminal."""

import codecs
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

from registry.kit.characters import for_screen


class _Stream:
    """A stream of texts that are made harmless on their way; ``registry.kit.screens.Screen`` goes past it by itself."""

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
    """Have standard output and errors written harmlessly, those of ``click.echo`` and ``print`` too."""
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_guarded, kept)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept


def _guarded(stream: TextIO) -> Any:
    if stream is None:  # a program without a console
        return None
    if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name == "ascii":
        stream.reconfigure(encoding="utf-8", errors="replace")  # click would go past us to do so
    return _Stream(stream)
