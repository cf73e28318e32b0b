"""What is remembered is its owner's alone, bounded, and no loss: nothing here stops work."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from registry.judging.judge import Judge
from registry.kit import cache, settings
from registry.kit.cache import Cache
from rules.engine import remembered
from rules.model.facts import Profile
from rules.tests import packaged


def test_a_text_comes_back_and_is_its_owners_alone(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "上级" / "tidu")
    assert kept.read("名") is None
    kept.write("名", "文")
    kept.write("名", "新文")
    assert kept.read("名") == "新文"
    assert kept.folder.stat().st_mode & 0o777 == 0o700
    assert (kept.folder / "名").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in kept.folder.iterdir()] == ["名"]


def _linked(file: Path) -> None:
    file.rename(file.with_name("真"))
    file.symlink_to(file.with_name("真"))


def _folder_linked(file: Path) -> None:
    file.parent.rename(file.parent.with_name("真"))
    file.parent.symlink_to(file.parent.with_name("真"))


def _fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.chmod(0o620),
        lambda file: file.chmod(0o644),
        lambda file: file.parent.chmod(0o770),
        lambda file: file.parent.chmod(0o755),
        lambda file: file.write_bytes(b"\xff"),
        lambda file: file.write_bytes(b"0" * (cache.LARGEST + 1)),
        _linked,
        _folder_linked,
        _fifo,
    ],
)
def test_what_others_may_have_written_or_is_no_text_is_not_there(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    kept = Cache(tmp_path / "tidu")
    kept.write("名", "文")
    change(kept.folder / "名")
    assert kept.read("名") is None


def test_what_belongs_to_another_user_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Cache(tmp_path / "tidu")
    kept.write("名", "文")
    monkeypatch.setattr(os, "getuid", lambda: kept.folder.stat().st_uid + 1)
    assert kept.read("名") is None
    kept.write("又", "文")
    assert not (kept.folder / "又").exists()


def test_of_too_many_and_too_large_the_oldest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MOST", 4)
    monkeypatch.setattr(cache, "LARGEST", 50)
    monkeypatch.setattr(cache, "LARGEST_SUM", 100)
    kept = Cache(tmp_path / "tidu")

    def names() -> list[str]:
        return sorted(file.name for file in kept.folder.iterdir())

    for number in range(6):
        kept.write(str(number), "0")
        os.utime(kept.folder / str(number), (number, number))
    assert names() == ["2", "3", "4", "5"]
    kept.write("6", "0" * 51)
    assert names() == ["2", "3", "4", "5"]
    kept.write("7", "0" * 50)
    os.utime(kept.folder / "7", (7, 7))
    kept.write("8", "0" * 50)
    assert names() == ["7", "8"]


def test_where_nothing_can_be_written_nothing_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "文件").write_text("")
    kept = Cache(tmp_path / "文件" / "tidu")
    kept.write("名", "文")
    assert kept.read("名") is None

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "written_whole", full)
    Cache(tmp_path / "tidu").write("名", "文")


def test_many_write_and_read_the_same_at_once(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "tidu")
    texts = [letter * 100_000 for letter in "甲乙丙丁"]

    def written(text: str) -> bool:
        kept.write("名", text)
        return kept.read("名") in texts

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(written, texts * 4))
    assert [file.name for file in kept.folder.iterdir()] == ["名"]


def test_the_place_is_the_one_set_else_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_CACHE", str(tmp_path / "此"))
    assert settings.cache() == tmp_path / "此"
    monkeypatch.delenv("TIDU_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "彼"))
    assert settings.cache() == tmp_path / "彼" / "tidu"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings.cache() == tmp_path / ".cache" / "tidu"


def test_no_ruleset_is_compiled_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDU_CACHE", str(tmp_path / "tidu"))
    rules, profile = packaged.rulebook(), Profile(date(2023, 6, 30))
    first = Judge(rules).decide("63.1", profile)
    monkeypatch.setattr(remembered, "compiled", None)
    assert Judge(rules).decide("63.1", profile) == first
