"""Work on which processes are lost."""

import os
import signal
import time
from collections.abc import Sequence

from registry.judging.case import Known, Request
from registry.kit.uscc import check_digit
from registry.record import journal, replay
from registry.record.decisions import DecidingWorker, Judged
from registry.record.replay import Replayed


def code(number: int) -> str:
    body = f"91350100M{number:08d}"
    return body + check_digit(body)


#: The enterprise whose case they are lost on.
BAD = code(4)


class Killed(DecidingWorker):
    """Dies on one case."""

    def __call__(self, asked: tuple[Known, Request]) -> list[Judged]:
        if asked[0].case.uscc == BAD:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(asked)


class Hung(DecidingWorker):
    """Never comes back from one case."""

    def __call__(self, asked: tuple[Known, Request]) -> list[Judged]:
        if asked[0].case.uscc == BAD:
            time.sleep(1000)
        return super().__call__(asked)


#: The entry they are lost on.
FIFTH = 5


class KilledReplaying(replay.ReplayingWorker):
    """Dies on the fifth entry."""

    def __call__(self, entries: Sequence[journal.Entry]) -> list[Replayed]:
        if any(entry.seq == FIFTH for entry in entries):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(entries)
