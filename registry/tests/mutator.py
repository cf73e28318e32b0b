"""Damaged files from sound ones, by a seed: the same seed gives the same file.

``KINDS`` says of each kind of file how a sound one is made, how it is read, and what a refusal is. To
add a kind, add a function that gives its ``Kind``: nothing else knows how many there are.
"""

import io
import json
import random
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Final
from zipfile import ZipFile

from registry.database import storage
from registry.database.backup import restore
from registry.errors import RegistryError
from registry.portable import container, notes, verifier
from registry.portable.notes import Checkpoint, NoteError, VerifierKey
from registry.screening import snapshot
from rules.drafting.check import check
from rules.errors import RulesError

GOLDEN: Final = Path(__file__).parents[1] / "audit" / "tests" / "golden" / "2026-11.zip"

#: What is put in: numbers beyond bounds, signs of the formats, characters that no text may keep.
WORDS: Final = tuple(
    word.encode("utf-8", "surrogatepass")
    for word in (
        "", "0", "-1", "1e999999999", "9" * 5000, "1/0", "NaN", "null", "true", "[" * 2000, "{", "}", "]", '"',
        ",", ":", "|", "||", "\n", "\r", "\t", "\x00", "\x1b[2J", "\x9b", "\u202e", "\ufeff", "\ud800", "甲" * 5000,
        "../", "/etc/passwd", "@id:", "规则:", "背景:", "场景:", "例子:", "假如 ", "那么 ", '"""', "<", ">", "#", "—",
        "万元", "%", "2999-13-45", "0000-00-00", "不低于", "=1+1",
    )
)  # fmt: skip


def mutated(data: bytes, random: random.Random) -> bytes:
    """The data with one to four changes: of bytes, of words, of pieces that are lost or come twice."""
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(data) + 1)
        end = min(len(data), start + random.choice((0, 1, 1, 4, 40, 400)))
        match random.randrange(6):
            case 0:
                new = bytes([random.randrange(256)])
            case 1:
                new = b""
            case 2:
                new = data[start:end] * random.choice((2, 3, 50))
            case 3:
                other = random.randrange(len(data) + 1)
                new = data[other : other + 40]
            case _:
                new = random.choice(WORDS)
        data = data[:start] + new + data[end:]
    return data if random.randrange(20) else data[: random.randrange(len(data) + 1)]


@dataclass(frozen=True)
class Kind:
    """A kind of file: a sound one, how it is damaged, and what reads it.

    ``read`` says in one sentence why it refuses, or nothing if all is right; all that it raises is a
    fault of the program.
    """

    sound: bytes
    read: Callable[[bytes], str]
    damage: Callable[[bytes, random.Random], bytes] = mutated


@dataclass(frozen=True)
class Outcome:
    """What became of a damaged file: the refusal, and the seconds that it took."""

    said: str
    seconds: float


def tried(kind: Kind, seed: int) -> Outcome:
    """Damage the sound file by a seed, and read it; whatever is raised goes on."""
    data = kind.damage(kind.sound, random.Random(seed))
    start = perf_counter()
    return Outcome(kind.read(data), perf_counter() - start)


# -- kinds ---------------------------------------------------------------------------------------


RULE: Final = """\
# language: zh-CN
@tier:示例 @source:示例文件
功能: 示例标准

  @id:示例.研发费用
  规则: 上年度研发费用总额不低于100万元
    依据: 示例第一条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标               | 要求   | 门槛    |
        | 一   | 上年度研发费用总额 | 不低于 | 100万元 |

    场景大纲: 研发费用在门槛上、略低、略高和未填报
      假如 企业填报
        | 上年度研发费用总额 | <研发> |
      那么 结论为“<结论>”

      例子:
        | 研发         | 结论     |
        | 100万元      | 符合     |
        | 99.9999万元  | 不符合   |
        | 100.0001万元 | 符合     |
        |              | 材料不足 |
"""


def relined(data: bytes, random: random.Random) -> bytes:
    """The data with a line that is lost, comes twice or elsewhere; or damaged like any."""
    lines = data.split(b"\n")
    for _ in range(random.randint(1, 2)):
        at, to = random.randrange(len(lines)), random.randrange(len(lines))
        line = lines[at] if random.randrange(3) == 0 else lines.pop(at)
        if random.randrange(2) or not lines:
            lines.insert(to, line)
    told = b"\n".join(lines)
    return told if random.randrange(2) else mutated(told, random)


@contextmanager
def feature(folder: Path) -> Iterator[Kind]:
    """A feature file by itself, checked like a drafter's: what is refused has file and line."""
    file = folder / "draft.feature"

    def read(data: bytes) -> str:
        file.write_bytes(data)
        try:
            problems = check(folder)[1]
        except RulesError as error:
            return str(error)
        return "\n".join(map(str, problems))

    yield Kind(RULE.encode(), read, relined)


@contextmanager
def bundle(folder: Path) -> Iterator[Kind]:
    """A bundle; half of the damage is in one of its members, packed as it should be."""

    def damage(data: bytes, random: random.Random) -> bytes:
        if random.randrange(2):
            return mutated(data, random)
        files = container.unpack(data)
        name = random.choice([n for n in sorted(files) if n.endswith((".json", ".jsonl", ".txt"))])
        return container.pack({**files, name: mutated(files[name], random)})

    def read(data: bytes) -> str:
        return "\n".join(verifier.verify_bundle(data).problems)

    yield Kind(GOLDEN.read_bytes(), read, damage)


@contextmanager
def checkpoint(folder: Path) -> Iterator[Kind]:
    """A signed checkpoint."""
    with ZipFile(io.BytesIO(GOLDEN.read_bytes())) as archive:
        sound = archive.read("checkpoint.txt")
        key = VerifierKey.parse(json.loads(archive.read("manifest.json"))["key"])

    def read(data: bytes) -> str:
        try:
            Checkpoint.parse(notes.open_note(data, key))
        except NoteError as error:
            return str(error)
        return ""

    yield Kind(sound, read)


@contextmanager
def backup(folder: Path) -> Iterator[Kind]:
    """A backup of a registry that was used, damaged as a file or in a cell."""
    made = folder / "sound.db"
    engine = storage.create_engine(f"sqlite:///{made}")
    storage.upgrade(engine)
    with engine.begin() as connection:
        for number in range(1, 60):
            connection.exec_driver_sql(
                "INSERT INTO import (file, digest, as_of, loaded_at, new, changed, unchanged, refused)"
                f" VALUES ('表{number}.xlsx', '{number:064}', '2023-06-30',"
                " '2026-01-01 00:00:00.000000', 1, 0, 0, 0)"
            )
    engine.dispose()
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    file, target = folder / "damaged.db", folder / "target.db"
    empty = folder / "empty.db"
    engine = storage.create_engine(f"sqlite:///{empty}")
    storage.upgrade(engine)
    engine.dispose()
    with closing(sqlite3.connect(empty)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")

    def read(data: bytes) -> str:
        file.write_bytes(data)
        for old in folder.glob("target.db*"):
            old.unlink()
        shutil.copy(empty, target)
        engine = storage.create_engine(f"sqlite:///{target}")
        try:
            restore(engine, file)
        except RegistryError as error:
            return str(error)
        finally:
            engine.dispose()
        return ""

    yield Kind(made.read_bytes(), read)


@contextmanager
def manifest(folder: Path) -> Iterator[Kind]:
    """The manifest of a snapshot."""
    place = folder / "snapshot"
    list(snapshot.write(place, (), date(2023, 6, 30), (0, "")))
    file = place / "manifest.json"

    def read(data: bytes) -> str:
        file.write_bytes(data)
        try:
            snapshot.manifest(place)
        except RegistryError as error:
            return str(error)
        return ""

    yield Kind(file.read_bytes(), read)


KINDS: Final = {made.__name__: made for made in (feature, bundle, checkpoint, backup, manifest)}


def peak() -> int:
    """The most memory that this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
