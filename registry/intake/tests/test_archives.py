"""Archives of tables: read like the folder, refused in a sentence before anything is unpacked."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from registry.conftest import Run
from registry.demo.aims import aims
from registry.demo.tables import write_directory
from registry.desk.rulebooks import rulebook
from registry.errors import RegistryError
from registry.intake import directory
from registry.intake.files import archives, limits
from registry.intake.tests.counties import CATALOGUE
from registry.kit.progress import ignored

ENTERPRISES = "uscc,name\n91990000MA0000001B,甲\n"
YEARLY = "uscc,year,revenue\n91990000MA0000001B,2022,1\n"

Pack = Callable[..., Path]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Writes an archive of texts by name."""

    def packed(files: dict[str, str], name: str = "全省.zip") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, text in files.items():
                archive.writestr(entry, text)
        return path

    return packed


def unpacked(path: Path) -> Path:
    into = path.parent / "into"
    into.mkdir(exist_ok=True)
    return directory.unpacked(path, into, CATALOGUE)


def refusal(path: Path) -> str:
    with pytest.raises(RegistryError) as error:
        unpacked(path)
    written = [p for p in (path.parent / "into").rglob("*") if p.is_file()]
    assert written == []  # nothing was unpacked
    return str(error.value)


@pytest.mark.parametrize("prefix", ["", "全省/", "2023/全省/"])
def test_the_tables_are_a_folder_of_the_same_name(pack: Pack, prefix: str) -> None:
    files = {f"{prefix}enterprises.csv": ENTERPRISES, f"{prefix}年度数据.csv": YEARLY}
    beside = {
        "__MACOSX/._enterprises.csv": "x",
        f"{prefix}说明.docx": "x",
        f"{prefix}Thumbs.db": "x",
    }
    folder = unpacked(pack(files | beside))
    assert folder.name == "全省"
    assert sorted(p.name for p in folder.iterdir()) == ["enterprises.csv", "年度数据.csv"]
    assert (folder / "enterprises.csv").read_text("utf-8") == ENTERPRISES


def test_names_packed_by_windows_are_read_in_its_code_page(tmp_path: Path) -> None:
    path = tmp_path / "全省.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x" * len("企业基本情况".encode("gb18030")) + ".csv", ENTERPRISES)
    old = b"x" * 12
    path.write_bytes(path.read_bytes().replace(old, "企业基本情况".encode("gb18030")))
    assert [p.name for p in unpacked(path).iterdir()] == ["企业基本情况.csv"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("../enterprises.csv", "指向压缩包以外"),
        ("全省/../../enterprises.csv", "指向压缩包以外"),
        ("/etc/enterprises.csv", "指向压缩包以外"),
        ("C:\\enterprises.csv", "指向压缩包以外"),
        ("a/b/c/d/enterprises.csv", "文件夹套得太深"),
        ("里面.zip", "压缩包里还有压缩包"),
        ("秘密.csv", "不是表名"),
        ("ENTERPRISES.csv", "有两个同名的文件"),
    ],
)
def test_what_has_no_place_in_an_archive_is_refused(pack: Pack, entry: str, said: str) -> None:
    assert said in refusal(pack({"enterprises.csv": ENTERPRISES, entry: "x"}))


def test_links_and_locked_tables_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "链接.zip"
    link = zipfile.ZipInfo("enterprises.csv")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert refusal(path) == "链接.zip：其中的“enterprises.csv”是链接，不是文件"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("enterprises.csv", ENTERPRISES)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, 1)
    path.write_bytes(data)
    assert "设有密码" in refusal(path)


def test_bombs_are_refused_before_they_are_unpacked(pack: Pack, tmp_path: Path) -> None:
    assert "解开后超过1024兆字节" in refusal(
        pack({"enterprises.csv": "0" * (limits.RATIO_FROM + 1)})
    )
    many = {f"{n}.txt": "" for n in range(limits.ENTRIES + 1)}
    assert "文件太多" in refusal(pack(many | {"enterprises.csv": ENTERPRISES}))
    path = pack({"enterprises.csv": ENTERPRISES})
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x05\x06") + 12, limits.DIRECTORY + 1)
    path.write_bytes(data)
    assert "文件太多" in refusal(path)


def test_what_an_archive_says_of_its_size_is_not_believed(
    pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack({"enterprises.csv": ENTERPRISES * 1000})
    monkeypatch.setattr(limits, "ARCHIVE", 1000)
    monkeypatch.setattr(archives, "_refuse_size", lambda *_: None)
    with pytest.raises(RegistryError, match="解开后超过"):
        unpacked(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "不是 .zip 压缩包"),
        (b"Rar!\x1a\x07", "只能读 .zip 压缩包"),
        (b"PK\x03\x04" + bytes(40), "损坏"),
        (ENTERPRISES.encode(), "这其实是文本文件"),
    ],
    ids=["empty", "rar", "cut", "text"],
)
def test_what_is_no_archive_says_what_it_is(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "全省.zip"
    path.write_bytes(data)
    assert said in refusal(path)


def test_workbooks_are_to_be_registered_one_by_one(pack: Pack) -> None:
    assert "请分别登记各个工作簿" in refusal(pack({"甲县.xlsx": "x", "乙县.xlsx": "x"}))
    assert "没有数据表" in refusal(pack({"说明.txt": "x"}))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    path = pack({}, "甲县.zip")
    path.write_bytes(made.getvalue())
    assert "请把扩展名改为 .xlsx" in refusal(path)


def test_the_command_reads_an_archive_as_it_reads_the_folder(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "全省"
    write_directory(folder, 5, 1, date(2026, 6, 30), aims(rulebook()), ignored)
    path = tmp_path / "打包.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in folder.iterdir():
            archive.write(table, f"全省/{table.name}")
    done = run("import", "打包.zip")
    assert done.exit_code == 0, done.output
    assert "全省：已登记 新增5家" in done.output
    again = run("import", "全省")
    assert "中断前已登记5家" in again.output
    assert (
        run("import", "没有.zip").output == "错误：没有.zip：找不到这个文件，请核对文件名和位置\n"
    )
