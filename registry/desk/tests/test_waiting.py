"""Files that wait: under their digest, for a day, and whatever their names say, nowhere else."""

import errno
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.desk import waiting
from registry.desk.place import Desk
from registry.desk.waiting import WAIT, WaitingFiles
from registry.errors import RecordError, RegistryError, StorageError

START = datetime(2026, 6, 1, 8, tzinfo=UTC)
DATA = b"a,b\n1,2\n"


class _Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def hand() -> _Hand:
    return _Hand()


@pytest.fixture(params=["sqlite", "postgresql"])
def files(
    request: pytest.FixtureRequest,
    fresh: Callable[..., sa.Engine],
    hand: _Hand,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[WaitingFiles]:
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    url = fresh(request.param).url.render_as_string(hide_password=False)
    with Desk(url, clock=hand) as desk:
        yield WaitingFiles(desk)


def inside(files: WaitingFiles) -> set[str]:
    return {p.relative_to(files.folder).as_posix() for p in files.folder.rglob("*") if p.is_file()}


def test_a_file_waits_under_its_digest_and_is_read_under_its_name(files: WaitingFiles) -> None:
    kept = files.keep(BytesIO(DATA), "县/汇总表.csv")
    digest = sha256(DATA).hexdigest()
    assert (kept.digest, kept.name, kept.size, kept.since) == (digest, "汇总表.csv", 8, START)
    assert inside(files) == {f"{digest[:2]}/{digest}/{name}" for name in ("content", "about.json")}
    with files.opened(digest) as path:
        assert (path.name, path.read_bytes()) == ("汇总表.csv", DATA)
    assert not path.exists()
    assert files.get(digest) == kept
    assert files.listed() == [kept]


def test_the_same_file_waits_once_under_its_last_name_from_its_first_day(
    files: WaitingFiles, hand: _Hand
) -> None:
    first = files.keep(BytesIO(DATA), "甲.csv")
    files.change(first.digest, as_of=date(2023, 6, 30), job=7)
    hand.at += timedelta(hours=5)
    again = files.keep(BytesIO(DATA), "乙.csv")
    assert (again.name, again.since, again.as_of, again.job) == (
        "乙.csv", START, date(2023, 6, 30), 7,
    )  # fmt: skip
    assert len(files.listed()) == 1


def test_after_a_day_it_is_gone_with_all_that_was_found_out(
    files: WaitingFiles, hand: _Hand
) -> None:
    kept = files.keep(BytesIO(DATA), "甲.csv")
    files.beside(kept.digest, "found.json").write_text("{}")
    hand.at += WAIT
    assert files.listed() == []
    with pytest.raises(RecordError, match="请重新上传"):
        files.get(kept.digest)
    files.clear()
    assert inside(files) == set()
    with pytest.raises(RecordError), files.opened(kept.digest):
        pass


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..", "", "a\\..\\b.xlsx", "con\0.csv", "长" * 300 + ".xlsx"]
)  # fmt: skip
def test_no_name_leads_elsewhere(files: WaitingFiles, name: str) -> None:
    kept = files.keep(BytesIO(DATA), name)
    with files.opened(kept.digest) as path:
        assert path.parent.parent == files.folder
        assert path.read_bytes() == DATA
    assert len(path.name.encode()) <= 255
    assert all(name.endswith(("content", "about.json")) for name in inside(files))


@pytest.mark.parametrize("digest", ["", "../x", "a" * 63, "A" * 64, "g" * 64])
def test_what_is_no_digest_has_no_file(files: WaitingFiles, digest: str) -> None:
    with pytest.raises(RecordError):
        files.get(digest)
    files.drop(digest)


def test_what_is_empty_or_too_large_is_refused_and_leaves_nothing(
    files: WaitingFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RegistryError, match=r"甲\.csv：文件是空的"):
        files.keep(BytesIO(b""), "甲.csv")
    monkeypatch.setattr(waiting, "LARGEST", 4)
    with pytest.raises(RegistryError, match=r"甲\.csv：超过"):
        files.keep(BytesIO(DATA), "甲.csv")
    assert inside(files) == set()


def test_where_nothing_can_be_written_a_sentence_says_so(
    files: WaitingFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.folder.write_text("a file of that name")
    with pytest.raises(StorageError, match="不能写入"):
        files.keep(BytesIO(DATA), "甲.csv")
    files.folder.unlink()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(waiting, "_copied", full)
    with pytest.raises(StorageError, match="磁盘空间不足"):
        files.keep(BytesIO(DATA), "甲.csv")


def test_the_oldest_go_where_too_much_waits(
    files: WaitingFiles, hand: _Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LARGEST_SUM", 20)
    for number in range(4):
        files.keep(BytesIO(b"%d" % number * 8), f"{number}.csv")
        hand.at += timedelta(minutes=1)
    assert [one.name for one in files.listed()] == ["3.csv", "2.csv"]


def test_a_file_that_is_let_go_waits_no_longer(files: WaitingFiles) -> None:
    kept = files.keep(BytesIO(DATA), "甲.csv")
    files.drop(kept.digest)
    assert files.listed() == []
    assert inside(files) == set()
