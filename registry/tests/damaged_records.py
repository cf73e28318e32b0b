"""Features, bundles, checkpoints, backups and manifests, and how each is damaged."""

import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from random import Random
from typing import Final
from zipfile import ZipFile

from registry.database import storage
from registry.database.backup import restore
from registry.errors import RegistryError
from registry.kit import resources
from registry.portable import container, notes, verifier
from registry.portable.notes import Checkpoint, NoteError, VerifierKey
from registry.screening import snapshot
from registry.screening.schema import schema_of
from registry.tests.mutator import Answer, Damaged, Kind, mutated, respelled, same, told_where
from rules.drafting.check import check
from rules.errors import RulesError
from rules.tests.packaged import catalogue

SCHEMA: Final = schema_of(catalogue())
GOLDEN: Final = Path(__file__).parents[1] / "audit" / "tests" / "golden" / "2026-11.zip"

#: What a sentence about a bundle names: a file, the manifest, a decision, an entry, or the bundle itself.
_PLACE: Final = "文件|清单|号决定|号申报|号办理|记录|证据包|检查点"

#: Bytes of a packaged file that is checked in a fraction of a second.
_SMALL: Final = 12_500

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


def relined(data: bytes, random: Random) -> bytes:
    """The data with a line that is lost, comes twice or elsewhere; or damaged like any."""
    lines = data.split(b"\n")
    for _ in range(random.randint(1, 2)):
        at, to = random.randrange(len(lines)), random.randrange(len(lines))
        line = lines[at] if random.randrange(3) == 0 else lines.pop(at)
        if random.randrange(2) or not lines:
            lines.insert(to, line)
    told = b"\n".join(lines)
    match random.randrange(8):
        case 0:
            return mutated(told, random)
        case 1 | 2 | 3:
            return respelled(told, random)
        case 4 | 5 | 6:
            return respelled(data, random)
    return told


def _damaged(data: bytes, random: Random) -> bytes:
    """A text that is damaged as one or in its bytes."""
    return (respelled if random.randrange(4) else mutated)(data, random)


def _packaged() -> list[bytes]:
    """The smaller packaged files that stand by themselves: scores, ladders and tables of every kind."""
    found = []
    for path in sorted(resources.features().rglob("*.feature")):
        if path.stat().st_size < _SMALL:
            found.append(path.read_bytes())
    return found


@contextmanager
def feature(folder: Path) -> Iterator[Kind]:
    """A feature file by itself, checked like a drafter's: what is refused has file and line."""
    file = folder / "draft.feature"
    material = [RULE.encode(), *_packaged()]

    def read(data: bytes) -> Answer:
        file.write_bytes(data)
        try:
            problems = check(folder, base=resources.features())[1]
        except RulesError as error:
            return Answer(str(error))
        return Answer("\n".join(map(str, problems)))

    def damaged(random: Random) -> Damaged:
        at = random.randrange(2 * len(material))
        data = relined(material[at % len(material) if at >= len(material) else 0], random)
        return Damaged(data, partial(told_where, r"draft\.feature(:|第)[0-9]+"))

    yield Kind(material[0], read, damaged)


@contextmanager
def bundle(folder: Path) -> Iterator[Kind]:
    """A bundle; half of the damage is in one of its members, packed as it should be."""
    sound = GOLDEN.read_bytes()

    def read(data: bytes) -> Answer:
        found = verifier.verify_bundle(data)
        if found.problems:
            # sentences are Chinese: the name of an error of the language is a fault
            assert not any("Error" in problem for problem in found.problems), found.problems
            return Answer("\n".join(found.problems))
        return Answer(content=(container.unpack(data), found.verdicts, found.cases))

    right = read(sound).content

    def damaged(random: Random) -> Damaged:
        if random.randrange(2):
            return Damaged(mutated(sound, random), partial(same, right, _PLACE), "bytes")
        files = container.unpack(sound)
        name = random.choice([n for n in sorted(files) if n.endswith((".json", ".jsonl", ".txt"))])
        spoilt = container.pack({**files, name: _damaged(files[name], random)})
        return Damaged(spoilt, partial(same, right, _PLACE), name)

    yield Kind(sound, read, damaged)


@contextmanager
def checkpoint(folder: Path) -> Iterator[Kind]:
    """A signed checkpoint."""
    with ZipFile(io.BytesIO(GOLDEN.read_bytes())) as archive:
        sound = archive.read("checkpoint.txt")
        key = VerifierKey.parse(json.loads(archive.read("manifest.json"))["key"])

    def read(data: bytes) -> Answer:
        try:
            return Answer(content=Checkpoint.parse(notes.open_note(data, key)))
        except NoteError as error:
            return Answer(str(error))

    right = read(sound).content
    yield Kind(
        sound, read, lambda r: Damaged(_damaged(sound, r), partial(same, right, "签名|检查点"))
    )


@contextmanager
def backup(folder: Path) -> Iterator[Kind]:
    """A backup of a registry that was used, damaged anywhere in its bytes."""
    made = folder / "sound.db"
    _registry(made, 60)
    file, target, empty = folder / "damaged.db", folder / "target.db", folder / "empty.db"
    _registry(empty, 1)

    def read(data: bytes) -> Answer:
        file.write_bytes(data)
        for old in folder.glob("target.db*"):
            old.unlink()
        shutil.copy(empty, target)
        engine = storage.create_engine(f"sqlite:///{target}")
        try:
            restore(engine, file)
            with engine.connect() as connection:
                rows = connection.exec_driver_sql("SELECT * FROM import ORDER BY id").fetchall()
                return Answer(content=list(map(tuple, rows)))
        except RegistryError as error:
            return Answer(str(error))
        finally:
            engine.dispose()

    sound = made.read_bytes()
    right = read(sound).content

    def damaged(random: Random) -> Damaged:
        return Damaged(mutated(sound, random), partial(same, right, "damaged"))

    yield Kind(sound, read, damaged)


def _registry(path: Path, loads: int) -> None:
    """Make a registry with so many loads but one, all in one file."""
    engine = storage.create_engine(f"sqlite:///{path}")
    storage.upgrade(engine)
    with engine.begin() as connection:
        for number in range(1, loads):
            connection.exec_driver_sql(
                "INSERT INTO import (file, digest, as_of, loaded_at, new, changed, unchanged, refused)"
                f" VALUES ('表{number}.xlsx', '{number:064}', '2023-06-30',"
                " '2026-01-01 00:00:00.000000', 1, 0, 0, 0)"
            )
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def manifest(folder: Path) -> Iterator[Kind]:
    """The manifest of a snapshot."""
    place = folder / "snapshot"
    snapshot.write(place, catalogue(), (), date(2023, 6, 30), (0, ""))
    file = place / "manifest.json"
    sound = file.read_bytes()

    def read(data: bytes) -> Answer:
        file.write_bytes(data)
        try:
            return Answer(content=snapshot.manifest(place, SCHEMA))
        except RegistryError as error:
            return Answer(str(error))

    right = read(sound).content
    yield Kind(
        sound, read, lambda r: Damaged(_damaged(sound, r), partial(same, right, "说明文件|快照"))
    )
