import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from registry.audit import bundle, checkpoints
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.tests.county import County, build
from registry.conftest import Once
from registry.database import storage
from registry.portable import ed25519, notes, verifier
from registry.portable.container import unpack
from registry.portable.notes import Checkpoint


@dataclass
class Bureau:
    """A county's registry with its key, and checkpoints of it that others hold, by size."""

    county: County
    key: SigningKey
    held: dict[int, bytes]

    @property
    def public(self) -> str:
        return str(self.key.verifier_key)

    def export(self, selection: Selection, *, masked: bool = False) -> bytes:
        since = [self.point(note) for note in self.held.values()]
        with self.county.writing() as session:
            return bundle.export(
                session, selection, self.key, now=self.county.now(), masked=masked, since=since
            )

    def checkpoint(self) -> bytes:
        with self.county.writing() as session:
            return checkpoints.write(session, self.key, now=self.county.now()).encode()

    def point(self, note: bytes) -> Checkpoint:
        return checkpoints.read(note, self.key.verifier_key)


@pytest.fixture(scope="session")
def bureau(tmp_path_factory: pytest.TempPathFactory, once: Once) -> Bureau:
    """The county's registry of this process: one is built for all, and copied."""

    name = "示范市中小企业局"

    def built(folder: Path) -> tuple[Path, datetime, dict[int, bytes]]:
        county = County(storage.connect(f"sqlite:///{folder / 'tidu.db'}"), folder)
        made = Bureau(county, SigningKey.create(folder / "key", name), {})

        def hold() -> None:
            note = made.checkpoint()
            made.held[made.point(note).size] = note

        build(county, hold)
        county.close()
        return folder, county.clock, made.held

    given, clock, held = once("county", built)
    folder = tmp_path_factory.mktemp("county")
    shutil.copytree(given, folder, dirs_exist_ok=True)
    county = County(storage.connect(f"sqlite:///{folder / 'tidu.db'}"), folder)
    county.clock = clock
    return Bureau(county, SigningKey.load(folder / "key", name), held)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    """The key of someone else who calls himself the bureau."""
    return SigningKey.create(tmp_path_factory.mktemp("stranger") / "key", "示范市中小企业局")


@pytest.fixture(scope="session")
def july(bureau: Bureau) -> bytes:
    """The decisions of two days in which determinations were made, four-eyed and of a rule."""
    return bureau.export(Selection((), "", date(2023, 7, 10), date(2023, 7, 12)))


@dataclass(frozen=True)
class Audit:
    """What the verifier said, and its exit code."""

    code: int
    text: str
    errors: str


@pytest.fixture
def audit(july: bytes, tmp_path: Path) -> Callable[..., Audit]:
    """The file verify.py of a bundle, run by a bare Python in a folder of its own."""
    folder = tmp_path / "auditor"
    folder.mkdir()
    (folder / "verify.py").write_bytes(unpack(july)["verify.py"])

    def run(
        data: bytes | None, *given: str, against: Any = (), bare: bool = True, **env: str
    ) -> Audit:
        if data is not None:
            (folder / "bundle.zip").write_bytes(data)
        for number, note in enumerate(against):
            (folder / f"{number}.txt").write_bytes(note)
            given += ("--against", f"{number}.txt")
        command = [sys.executable, *(["-I", "-S"] if bare else ["-S"]), "verify.py", "bundle.zip"]
        done = subprocess.run([*command, *given], cwd=folder, env=env, capture_output=True)
        said = Audit(done.returncode, done.stdout.decode(), done.stderr.decode())
        _for_auditors(said)
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        return said

    return run


def _for_auditors(said: Audit) -> None:
    """A traceback, or the name of an error alone, is for programmers."""
    assert not re.search(r"Traceback|\wError\b", said.text + said.errors), said


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Audit]:
    """What verify.py says, its modules run here: they are the same verbatim, and start at once."""
    monkeypatch.chdir(tmp_path)

    def run(data: bytes, *given: str, against: Iterable[bytes] = ()) -> Audit:
        Path("bundle.zip").write_bytes(data)
        for number, note in enumerate(against):
            Path(f"{number}.txt").write_bytes(note)
            given += ("--against", f"{number}.txt")
        with redirect_stdout(StringIO()) as text, redirect_stderr(StringIO()) as errors:
            code = verifier.main(["bundle.zip", *given])
        said = Audit(code, text.getvalue(), errors.getvalue())
        _for_auditors(said)
        return said

    return run


_verified = cache(ed25519.verify)


@pytest.fixture(autouse=True)
def _signatures_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature stays what it is, in however many forgeries it stands."""
    monkeypatch.setattr(notes, "verify", _verified)
