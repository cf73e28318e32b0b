"""The filings of a snapshot that the engine has decided again without a difference.

They are kept beside the snapshot, under a name that depends on the program, the database, the files
of the snapshot and the ruleset. The filings listed there need not be decided again.
"""

import json
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import registry
import rules
from registry.kit.files import PRIVATE_FOLDER, written_whole

_FOLDER: Final = "agreed"


class Agreed:
    """The filings known to agree; there are none without a folder, as when no snapshot is kept."""

    def __init__(self, snapshot: Path | None = None, release: str = "") -> None:
        """``release`` names the database and its version."""
        self._folder = snapshot and snapshot / _FOLDER
        files = sorted(snapshot.glob("*.*")) if snapshot else ()
        stated = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        self._common = [_program() if snapshot else "", release, stated]

    def of(self, ruleset: str) -> set[int]:
        """The filings that agree under the ruleset with this digest."""
        path = self._path(ruleset)
        try:
            kept = json.loads(path.read_text(encoding="ascii")) if path else []
        except (OSError, ValueError):
            return set()
        sound = isinstance(kept, list) and all(type(number) is int for number in kept)
        return set(kept) if sound else set()

    def add(self, ruleset: str, filings: set[int]) -> None:
        """Keep more filings; if the folder is not writable, they are decided again next time."""
        path = self._path(ruleset)
        if path is None or not filings:
            return
        with suppress(OSError):
            path.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            with written_whole(path, private=True) as fresh:
                fresh.write_text(json.dumps(sorted(self.of(ruleset) | filings)), encoding="ascii")

    def _path(self, ruleset: str) -> Path | None:
        name = sha256(json.dumps([*self._common, ruleset]).encode()).hexdigest()
        return self._folder and self._folder / f"{name}.json"


@cache
def _program() -> str:
    """The digest of the source code that decides and screens."""
    digest = sha256()
    for package in (rules, registry):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
