"""Several processes write at once, and some are killed: one chain, nothing lost, nothing twice."""

import os
import signal
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from registry.audit.verify import verify
from registry.database import storage
from registry.filings import Submission
from registry.judging.case import Request
from registry.record import cases, decisions, journal
from registry.tests.history import History, bare, code
from registry.tests.processes import ended, forked

WRITERS = 8
KILLED = 3
FILINGS = range(100, 140)
REQUEST = Request(tiers=("创新型中小企业",))


class _Live(History):
    """A registry written to by the clock."""

    def now(self) -> datetime:
        return _now()


def _now() -> datetime:
    return datetime.now(UTC)


def _ids(told: History) -> list[int]:
    with storage.session(told.engine) as session:
        return cases.newest(session, [code(n) for n in FILINGS])


def _decide(told: History, decider: decisions.DecisionRecorder, chance: Random, file: Path) -> None:
    """Decide what is current, in one order and another, and write down what was yielded."""
    engine = storage.create_engine(told.engine.url)
    decider.engine = engine
    with file.open("a") as lines:
        for _ in range(3):
            ids = _ids(replace(told, engine=engine))
            chance.shuffle(ids)
            for line in decider.decide(ids[:25], REQUEST):
                if line.seq is not None:
                    lines.write(f"{line.seq} {line.uscc}\n")
                    lines.flush()
                else:
                    assert "已被更正" in line.reason


def _correct(told: History, chance: Random) -> None:
    """Load corrections of some filings, and take one of them back."""
    own = _Live(storage.create_engine(told.engine.url))
    for turn in range(4):
        time.sleep(chance.uniform(0.05, 0.3))
        numbers = chance.sample(FILINGS, 5)
        report = own.load(*(_corrected(n, turn) for n in numbers))
        if turn == 2:
            own.undo(report.import_id)


def _corrected(number: int, turn: int) -> Submission:
    return bare(number, **{"rd_expense@2022": f"{turn + 1}000000"})


@pytest.mark.parametrize("seed", [1])
def test_writers_at_once_make_one_chain(
    history: History, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "_CHUNK", 3)
    chance = Random(seed)
    history.load(*(bare(n) for n in FILINGS))
    decider = decisions.DecisionRecorder(history.engine, by="丙", now=_now)
    list(decider.decide(_ids(history)[:1], REQUEST))  # makes the engine
    history.engine.dispose()

    begun = time.monotonic()
    files = [tmp_path / f"{n}.txt" for n in range(WRITERS)]
    writers = [
        forked(lambda n=n: _decide(history, decider, Random(f"{seed}/{n}"), files[n]))  # type: ignore[misc]
        for n in range(WRITERS)
    ]
    importer = forked(lambda: _correct(history, Random(f"{seed}/importer")))
    for writer in writers[:KILLED]:
        time.sleep(chance.uniform(0.05, 0.4))
        os.kill(writer, signal.SIGKILL)
    assert [ended(w) for w in writers[KILLED:]] == [0] * (WRITERS - KILLED)
    assert ended(importer) == 0
    for writer in writers[:KILLED]:
        assert ended(writer) in (0, -signal.SIGKILL)
    assert time.monotonic() - begun < 60

    yielded = [line.split() for file in files for line in file.read_text().splitlines()]
    assert len(yielded) > 100
    with storage.session(history.engine) as session:
        entries = list(journal.entries(session))
        report = verify(session, history.checkpoints)
    assert report.sound, report.to_json()
    assert [e.seq for e in entries] == list(range(1, len(entries) + 1))
    assert [e.previous for e in entries[1:]] == [e.digest for e in entries[:-1]]
    made = {e.seq: e.content["case"]["uscc"] for e in entries if e.kind == "decision"}
    assert all(made[int(seq)] == uscc for seq, uscc in yielded), "what was yielded is stored"
    filed = set(map(code, FILINGS))
    versions = Counter(
        e.filing_id for e in entries if e.kind == "decision" and made[e.seq] in filed
    )
    assert set(versions.values()) == {1}, "no version is decided twice"
