"""A file is written whole, or what stood there before still does."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from registry.conftest import Run
from registry.demo import DEMO_COUNTY
from registry.kit.files import folder_written_whole, written_whole


def test_a_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / f"{'表' * 83}.csv"  # as long as names may be
    path.write_text("旧", encoding="utf-8")
    path.chmod(0o640)
    with written_whole(path) as fresh:
        fresh.write_text("新", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "旧"
    assert path.read_text(encoding="utf-8") == "新"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_protected_from_writing_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "标准.feature"
    path.write_text("旧", encoding="utf-8")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="标准"), written_whole(path) as fresh:
        fresh.write_text("新", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "旧"


@pytest.mark.parametrize("target", ["要紧的文件", "没有的文件"])
def test_no_link_is_followed_to_write_to(tmp_path: Path, target: str) -> None:
    victim, link = tmp_path / "要紧的文件", tmp_path / "表.csv"
    victim.write_text("旧", encoding="utf-8")
    link.symlink_to(tmp_path / target)
    for new in (False, True):
        with pytest.raises(OSError, match=r"levels|exists"), written_whole(link, new=new) as fresh:
            fresh.write_text("新", encoding="utf-8")
    assert victim.read_text(encoding="utf-8") == "旧"
    assert sorted(tmp_path.iterdir()) == sorted([victim, link])


@pytest.mark.parametrize("private", [False, True])
def test_private_files_are_their_owners_alone_whatever_the_system_hands_out(
    tmp_path: Path, private: bool
) -> None:
    path, before = tmp_path / "包.zip", os.umask(0)
    try:
        with written_whole(path, private=private, new=True) as fresh:
            assert fresh.parent.stat().st_mode & 0o777 == 0o700
            fresh.write_bytes(b"1")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == (0o600 if private else 0o666)


WRITER = """
import sys
from pathlib import Path
from registry.kit.files import written_whole
with written_whole(Path(sys.argv[1]), new=len(sys.argv) > 3) as fresh:
    with fresh.open("w") as file:
        for number in range(2000):
            file.write(sys.argv[2] * 50)
            if not number:
                print(flush=True)
                sys.stdin.readline()
"""


def writing(path: Path, sign: str, *more: str) -> subprocess.Popen[bytes]:
    """Another run that has begun to write a file, and goes on once it is told."""
    command = [sys.executable, "-c", WRITER, str(path), sign, *more]
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.readline()
    return run


@pytest.mark.parametrize("new", [False, True])
def test_of_two_runs_one_wins_whole(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "表.csv"
    runs = [writing(path, sign, *(["new"] if new else [])) for sign in "甲乙"]
    for run in runs:
        run.communicate(b"\n")
    text = path.read_text(encoding="utf-8")
    assert (len(text), len(set(text))) == (100_000, 1)
    assert list(tmp_path.iterdir()) == [path]
    assert [run.returncode for run in runs].count(0) == (1 if new else 2)


def test_what_a_killed_run_left_is_cleared_by_the_next_and_a_living_ones_is_not(
    tmp_path: Path,
) -> None:
    killed, living = (writing(tmp_path / name, "甲") for name in ("一", "二"))
    killed.kill()
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 2
    with written_whole(tmp_path / "三") as fresh:
        fresh.write_bytes(b"3")
    assert len(list(tmp_path.iterdir())) == 2  # the third, and what is under way
    living.communicate(b"\n")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["三", "二"])


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr
)
def test_after_an_error_all_is_as_before(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "表.csv"
    path.write_text("旧", encoding="utf-8")

    def write() -> None:
        with written_whole(path) as fresh:
            fresh.write_text("半", encoding="utf-8")
            raise error

    with pytest.raises(type(error)) as raised:
        write()
    assert path.read_text(encoding="utf-8") == "旧"
    assert list(tmp_path.iterdir()) == [path]
    if isinstance(raised.value, OSError):
        assert raised.value.filename == str(path)


SCREEN = ("screen", "--ruleset", "63.2.研发费用", "-o")
DIFF = ("rules", "diff", "63.3", "63.3.复核", "-o")
#: What writes a report, over an earlier one if there is one.
REPORTS = (
    ("a.xlsx", *SCREEN),
    ("a.csv", *SCREEN),
    ("a.parquet", *SCREEN),
    ("a.xlsx", "impact", "--to", "2026.2", "-o"),
    ("a.html", "impact", "--to", "2026.2", "-o"),
    ("a.xlsx", "check", "--all", "--tier", "创新型", "--output"),
    ("a.xlsx", "import", str(DEMO_COUNTY), "--report"),
    ("a.html", *DIFF),
)
#: What writes a file that must not exist yet.
OTHERS = (
    ("告知书.html", "explain", "1", "-o"),
    ("包.zip", "audit", "export", "1", "-o"),
    ("检查点", "audit", "checkpoint", "-o"),
    ("verify.py", "audit", "verifier", "-o"),
    ("a.xlsx", "template"),
)

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def _full(source: object, target: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", source)


def test_a_folder_takes_the_place_of_another_whole(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    for name in ("old", "new"):
        with folder_written_whole(place, replaced=True) as fresh:
            (fresh / name).write_text(name)
    assert [p.name for p in place.iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_folder_that_cannot_be_exchanged_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "folder"
    place.mkdir()
    (place / "old").write_text("old")
    renamed = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name == place.name and self.parent != tmp_path and target == place:
            raise OSError(errno.EACCES, "refused", str(target))
        return renamed(self, target)

    def exchange() -> None:
        with folder_written_whole(place, replaced=True) as fresh:
            (fresh / "new").write_text("new")
            monkeypatch.setattr(Path, "rename", rename)

    with pytest.raises(OSError, match="refused"):
        exchange()
    assert [p.name for p in place.iterdir()] == ["old"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@on_sqlite
def test_no_report_is_half_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is written beside first: where that cannot be, the earlier one stays, and it is named."""
    assert run("import", str(DEMO_COUNTY), "--partial").exit_code == 0
    for name, *command in REPORTS:
        path = tmp_path / name
        path.write_text("旧", encoding="utf-8")
        monkeypatch.setattr(os, "replace", _full)
        result = run(*command, name)
        assert result.exit_code == 1, command
        assert f"错误：{name}：" in result.output
        assert path.read_text(encoding="utf-8") == "旧"


@on_sqlite
@pytest.mark.parametrize(("name", "command"), [(n, c) for n, *c in (*REPORTS, *OTHERS)])
def test_a_folder_that_is_not_there_is_told_before_the_work(
    run: Run, name: str, command: list[str]
) -> None:
    """On an empty registry the work itself would be refused for another reason."""
    result = run(*command, f"没有/{name}")
    assert result.exit_code == 1
    assert result.output == f"错误：没有/{name}：没有文件夹 没有，请先建立或换一个位置\n"


@on_sqlite
@pytest.mark.parametrize("command", [SCREEN, DIFF, ("impact", "--to", "2026.2", "-o")])
def test_what_is_no_report_by_its_name_is_not_written_over(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    before = (tmp_path / "tidu.db").read_bytes()
    result = run(*command, "tidu.db")
    assert (result.exit_code, "tidu.db：文件名请以" in result.output) == (1, True)
    assert (tmp_path / "tidu.db").read_bytes() == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_registry_snapshot_evidence_and_keys_are_their_owners_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the system hands out by default; the public key is for all."""
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{tmp_path}/新.db")
    monkeypatch.setenv("TIDU_AUDIT_KEY", str(tmp_path / "钥"))
    before = os.umask(0)
    try:
        for command in (
            f"import {DEMO_COUNTY} --partial", "decide --all --tier 创新型 --by 张",
            "audit key --name 局", "audit export 3 -o 包.zip", "db backup 备份.db",
            "snapshot --as-of 2023-06-30 -o 快照",
        ):  # fmt: skip
            assert run(*command.split()).exit_code == 0, command
    finally:
        os.umask(before)
    (tmp_path / "tidu.db").unlink()  # of the fixture
    for path in tmp_path.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o666 if path.suffix == ".pub" else 0o600
        assert path.stat().st_mode & 0o777 == wanted, path
