"""The page of checkpoints: by whom each was signed, and whether it still fits the journal."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copy

import pytest

from registry.desk import auditing
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.tests.support import CODES, Clock, load, submission
from registry.web.app import application
from registry.web.tests.visiting import Visitor


@dataclass
class Bureau:
    """A registry of one enterprise, with a key and two checkpoints."""

    file: Path
    visitor: Visitor
    notes: list[str]

    def alter(self, statement: str) -> None:
        """Change the file as somebody would who has it."""
        with sqlite3.connect(self.file) as connection:
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type='trigger'"
            ):
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute(statement)
        connection.close()


@pytest.fixture
def bureau(
    migrated: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bureau]:
    monkeypatch.setenv("TIDU_AUDIT_KEY", str(tmp_path / "key.pem"))
    file = Path(copy(migrated["sqlite"], tmp_path / "tidu.db"))
    auditing.new_key("example.cn/bureau")
    with Desk(f"sqlite:///{file}", by="李四", clock=Clock()) as desk:
        notes = []
        desk.in_force()
        for code in CODES[:2]:
            load(desk.database, desk.clock, submission(code))
            notes.append(auditing.checkpoint(desk).note)
        with Judging(desk) as judging:
            yield Bureau(file, Visitor(application(desk, judging)), notes)


def test_without_any_it_says_what_they_are_for(visitor: Visitor) -> None:
    page = visitor.get("/checkpoints")
    assert "还没有签过检查点" in page.words
    assert "/checkpoints" in visitor.get("/journal").links


def test_each_is_told_with_its_signer_its_entry_and_its_note(bureau: Bureau) -> None:
    page = bureau.visitor.get("/checkpoints")
    assert page.words.count("签名相符 ") + page.words.count("签名相符”") == 3
    assert page.words.count("记录的摘要相符") == 2
    assert "✗" not in page.words
    assert "example.cn/bureau" in page.words
    hrefs = [href for href in page.links if href.endswith("/note")]
    assert [bureau.visitor.raw(href).text for href in hrefs] == bureau.notes[::-1]
    assert {bureau.visitor.get(href).status for href in page.links if href[0] == "/"} == {200}
    assert bureau.visitor.get("/checkpoints/99/note").status == 404


def test_without_the_key_the_signature_is_not_checked(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIDU_AUDIT_KEY", str(tmp_path / "elsewhere.pem"))
    page = bureau.visitor.get("/checkpoints")
    assert page.words.count("签名没有核对") == 3
    assert "签名相符" not in page.words
    auditing.new_key("example.cn/other")
    assert bureau.visitor.get("/checkpoints").words.count("签名不符") == 2
    (tmp_path / "elsewhere.pem.pub").write_text("x")
    assert "已损坏" in bureau.visitor.get("/checkpoints").words


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM checkpoint WHERE size = 2", "已不在登记库中"),
        ("UPDATE checkpoint SET note = replace(note, 'time', 'tine')", "不是签发的那一份"),
        ("UPDATE checkpoint SET note = '无'", "检查点不完整"),
        ("UPDATE checkpoint SET size = 3 WHERE size = 2", "登记的是3条"),
        ("UPDATE journal SET program = 'x' WHERE seq = 2", "不能核对"),
    ],
)
def test_what_does_not_fit_is_told(bureau: Bureau, statement: str, said: str) -> None:
    bureau.alter(statement)
    page = bureau.visitor.get("/checkpoints")
    assert page.status == 200
    assert said in page.words
    assert "✗" in page.words
