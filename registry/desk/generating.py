"""Generates enterprises for benchmarks, demonstrations and training."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TextIO

from registry.demo import DAY as DAY
from registry.demo.aims import aims
from registry.demo.firms import MOST as MOST
from registry.demo.tables import write_directory, write_stream
from registry.desk.rulebooks import rulebook
from registry.kit.progress import Watch, unwatched


@dataclass(frozen=True)
class MadeUp:
    """The number of enterprises and the day of their filings; ``seed`` fixes all the rest."""

    count: int
    seed: int
    day: date


def write(firms: MadeUp, to: Path | TextIO, watch: Watch = unwatched) -> None:
    """Write the enterprises to a new folder, one CSV file a table, or to a stream of rows."""
    wanted = aims(rulebook())
    with watch("生成", firms.count) as done:
        if isinstance(to, Path):
            write_directory(to, firms.count, firms.seed, firms.day, wanted, done)
        else:
            write_stream(to, firms.count, firms.seed, firms.day, wanted, done)
