"""Where feature files are, as the reader who named them finds them."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from registry.kit import resources
from rules.errors import Problem
from rules.language.source import feature_files

#: The name of the packaged criteria in places.
PACKAGED: Final = "features"


@dataclass(frozen=True)
class Positions:
    """Places in compiled criteria, named as a reader finds them.

    The compiled names of files begin at ``base``, those of a bureau's ``own`` with its name; two
    files of the same name would look alike. ``typed`` is the file or folder that the reader named,
    so its files are named in the same way. The packaged ones begin with ``features``.
    """

    base: Path
    own: Path | None = None
    typed: Path | None = None

    def told(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Problems with their places, also those inside the sentences."""
        return tuple(
            replace(p, path=self.path(p.path), message=self._within(p.message)) for p in problems
        )

    def path(self, name: str) -> str:
        """A compiled file name as the reader finds the file."""
        file = self._file(name)
        if self.typed is not None:
            target = self.typed.resolve()
            if file == target:
                return str(self.typed)
            if file.is_relative_to(target):
                return (self.typed / file.relative_to(target)).as_posix()
        packaged = resources.features().resolve()
        if file.is_relative_to(packaged):
            return f"{PACKAGED}/{file.relative_to(packaged).as_posix()}".removesuffix("/.")
        if self.typed is not None and self.typed.is_absolute():
            return str(file)
        return Path(os.path.relpath(file)).as_posix()

    def _file(self, name: str) -> Path:
        if self.own is not None:
            folder = self.own.resolve()
            if name == folder.name or name.startswith(f"{folder.name}/"):
                return folder.parent / name
        return self.base.resolve() / name

    def _within(self, text: str) -> str:
        return self._names.sub(lambda match: self.path(match[0]), text) if self._names else text

    @cached_property
    def _names(self) -> re.Pattern[str] | None:
        """The compiled names of all files, where a line follows."""
        base = self.base.resolve()
        names = [file.relative_to(base).as_posix() for file in feature_files(base)]
        if self.own is not None:
            folder = self.own.resolve()
            names += [f.relative_to(folder.parent).as_posix() for f in feature_files(folder)]
        if not names:
            return None
        either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        return re.compile(rf"(?<![\w./-])(?:{either})(?=:\d)")
