"""Free texts that a bureau's own pack declares are sealed like those of the packaged criteria."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.audit import bundle
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.verify import verify
from registry.database import storage
from registry.errors import RecordError
from registry.portable.container import unpack
from registry.portable.verifier import verify_bundle
from registry.record import journal
from registry.record.determinations import Target
from registry.record.replay import Replayer
from registry.tests import packs
from registry.tests.history import History, bare
from rules.model.facts import RecordList

TEXTS = ("示范园区", "甲项目")
ASKED = {"tiers": (packs.TIER,), "batch": packs.ROUND}


@pytest.fixture
def told(database: sa.Engine, tmp_path: Path) -> History:
    """An enterprise that filed every declared fact, decided with a determination and again."""
    found = History(database)
    found.publish_pack(packs.written(tmp_path / "own"))
    found.load(packs.green(bare(1)))
    found.decide(1, **ASKED)
    found.determine(1, Target("绿色评价"), "60分")
    found.decide(1, **ASKED)
    return found


def exported(told: History, folder: Path, *, masked: bool) -> tuple[bytes, str]:
    key = SigningKey.create(folder / f"key{masked}", "示范市中小企业局")
    with storage.session(told.engine, write=True) as session:
        now = datetime(2040, 1, 1, tzinfo=UTC)
        return bundle.export(session, Selection(), key, now=now, masked=masked), str(
            key.verifier_key
        )


def test_a_masked_bundle_shows_no_declared_text_and_verifies(told: History, tmp_path: Path) -> None:
    for masked in (True, False):
        data, key = exported(told, tmp_path, masked=masked)
        files = unpack(data)
        shown = b"".join(files.values()).decode()
        assert [text in shown for text in TEXTS] == [not masked] * 2
        assert "乙类" in shown  # one of the declared choices
        assert (verify_bundle(data, key=key).problems, len(verify_bundle(data).verdicts)) == ([], 2)
        (tmp_path / "verify.py").write_bytes(files["verify.py"])
        (tmp_path / "bundle.zip").write_bytes(data)
        command = [sys.executable, "-I", "-S", "verify.py", "bundle.zip", "--key", key]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, env={})
        assert (done.returncode, done.stderr) == (0, b"")
        assert "完整、未被改动" in done.stdout.decode()


def test_what_is_sealed_stands_in_the_entries_and_is_taken_again(told: History) -> None:
    with storage.session(told.engine) as session:
        entries = [*journal.entries(session, kinds=["decision", "determination"])]
        assert {tuple(e.content["sealed"]) for e in entries} == {("park", "projects.name")}
        assert not [text for e in entries for text in TEXTS if text in e.body]
        replayer = Replayer(session)
        decided = [e for e in entries if e.kind == "decision"]
        assert [r.difference for r in replayer.replay_all(decided)] == [None, None]
        replayer.close()
        assert verify(session, replay=True).sound


@pytest.mark.parametrize(
    "target", [Target("园区名称"), Target("项目名称", records="绿色项目", number=1)]
)
def test_a_free_text_is_not_determined(told: History, target: Target) -> None:
    with pytest.raises(RecordError, match="不影响结论"):
        told.determine(1, target, "别的")


def test_nothing_declared_is_filed_and_nothing_more_is_named(database: sa.Engine) -> None:
    told = History(database)
    told.publish()
    named = RecordList(({"kind": "发明专利", "number": "ZL1"},), complete=True)
    told.load(replace(bare(1), records={"ip": named}))
    told.decide(1)
    with storage.session(told.engine) as session:
        decided = [*journal.entries(session, kinds=["decision"])]
    assert decided
    assert not any("sealed" in e.content for e in decided)
