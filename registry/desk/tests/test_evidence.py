"""Evidence: the digest is recorded, the bytes are kept where the bureau says, and nothing else is."""

from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.desk import evidence
from registry.desk.place import Desk
from registry.errors import RecordError, RegistryError

BYTES = "现场核查".encode()
DIGEST = sha256(BYTES).hexdigest()


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    """A file of evidence."""
    path = tmp_path / "现场核查.pdf"
    path.write_bytes(BYTES)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the bureau keeps evidence."""
    monkeypatch.setenv("TIDU_EVIDENCE", str(tmp_path / "证据"))
    return tmp_path / "证据"


def test_without_a_place_only_the_digest_is_told(proof: Path, tmp_path: Path) -> None:
    assert evidence.taken(proof) == DIGEST
    assert [*tmp_path.iterdir()] == [proof]
    assert not evidence.is_kept(DIGEST)
    with pytest.raises(RecordError, match="这里没有保存"):
        evidence.kept(DIGEST)


def test_bytes_and_name_are_kept_under_the_digest_for_the_owner_alone(
    proof: Path, folder: Path
) -> None:
    assert evidence.taken(proof) == evidence.taken(proof) == DIGEST
    assert evidence.is_kept(DIGEST)
    kept = evidence.kept(DIGEST)
    assert kept == evidence.KeptEvidence("现场核查.pdf", folder / DIGEST[:2] / DIGEST)
    assert kept.path.read_bytes() == BYTES
    assert kept.path.stat().st_mode & 0o077 == 0


def test_a_rehearsal_keeps_nothing(proof: Path, folder: Path) -> None:
    assert evidence.taken(proof, rehearsing=True) == DIGEST
    assert not folder.exists()


@pytest.mark.parametrize("digest", ["", "0" * 64, "../x", f"{DIGEST}.name", DIGEST.upper()])
def test_only_a_digest_leads_to_a_file(proof: Path, folder: Path, digest: str) -> None:
    evidence.taken(proof)
    with pytest.raises(RecordError, match="这里没有保存"):
        evidence.kept(digest)


def test_a_place_that_cannot_be_written_is_told_before_anything_is_recorded(
    proof: Path, folder: Path
) -> None:
    folder.write_text("", "utf-8")
    with pytest.raises(RegistryError, match="没有登记"):
        evidence.taken(proof)


def test_what_was_sent_waits_until_it_is_recorded(
    database: sa.Engine, proof: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_HOME", str(proof.parent))
    with Desk(database.url.render_as_string(hide_password=False)) as desk:
        with proof.open("rb") as stream:
            waiting = evidence.attached(desk).keep(stream, proof.name)
        assert evidence.sent(desk, [waiting.digest]) == (DIGEST,)
        assert evidence.kept(DIGEST).name == proof.name
        with pytest.raises(RecordError, match="重新上传"):
            evidence.sent(desk, ["0" * 64])
