"""The life of the process that does jobs, one after another, until whoever began it has gone."""

import _thread
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import Connection
from time import monotonic
from types import FrameType
from typing import Final

from registry.desk.place import Desk
from registry.jobs import kinds
from registry.jobs.store import Job, JobStore, Progress, Trouble
from registry.kit.garbage import collect_seldom
from registry.kit.progress import Done
from rules.portable.errors import Words

#: The seconds between two looks for the next job.
_LOOK: Final = 0.5
#: The seconds between two reports of how far a job is.
_TELL: Final = 1.0
#: The seconds that a job has to leave everything in order.
_GRACE: Final = 10.0
#: A rate is measured over this many seconds.
_RECENT: Final = 10.0
#: The seconds after which jobs that are kept no longer are removed.
_CLEARING: Final = 3600.0

#: Why a job ends that nobody asked to stop.
_SERVICE_ENDED: Final = Trouble("服务已结束，这项任务没有做完")


class Stopped(BaseException):
    """The job is to end here; no part of the work may take it for an error."""


class Meter:
    """Counts how much of the present stage is done, in the thread that works; any thread may look."""

    def __init__(self) -> None:
        self._at = Progress()
        self._passed: deque[tuple[float, int]] = deque(maxlen=int(_RECENT / _TELL))

    @contextmanager
    def watch(self, stage: str, total: int | None = None) -> Iterator[Done]:
        """A stage; an outer stage goes on after those within it."""
        outer, self._at = self._at, Progress(stage, 0, total)

        def done(number: int) -> None:
            self._at = Progress(stage, number, total)

        try:
            yield done
        finally:
            self._at = outer if outer.stage else self._at

    def look(self) -> Progress:
        """How far it is, at the rate since some looks ago."""
        at, moment = self._at, monotonic()
        if self._passed and self._passed[-1][1] > at.done:
            self._passed.clear()  # another stage
        self._passed.append((moment, at.done))
        since, before = self._passed[0]
        taken = moment - since
        return replace(at, rate=round((at.done - before) * 60 / taken) if taken > 0 else None)


@dataclass
class _Watcher:
    """Reports one job from a thread beside it, and has it end when it should."""

    store: JobStore
    job: Job
    runner: str
    leash: Connection
    meter: Meter = field(default_factory=Meter)
    over: threading.Event = field(default_factory=threading.Event)
    stopping: bool = False

    def run(self) -> None:
        while self._goes_on() and not _let_go(self.leash, 0):
            if self.over.wait(_TELL):
                return
        self.stopping = True
        _interrupt()
        if not self.over.wait(_GRACE):
            os._exit(1)  # it hears nothing; whatever it had begun to write is undone

    def _goes_on(self) -> bool:
        with suppress(Exception):  # a store that cannot be reached now may be later
            return self.store.report(self.job.id, self.runner, self.meter.look())
        return True


def live(url: str | None, words: Words, runner: str, leash: Connection) -> None:
    """Do the jobs of a registry until the other end of ``leash`` is closed; says there once it begins."""
    collect_seldom()
    present: list[_Watcher] = []

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        # one from the keyboard is for whoever began this process
        if any(watcher.stopping and not watcher.over.is_set() for watcher in present):
            raise Stopped

    signal.signal(signal.SIGINT, interrupted)
    if hasattr(signal, "pthread_sigmask"):  # as the supervisor left it
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    with suppress(OSError):  # it is gone already
        leash.send_bytes(b"ready")
    cleared = float("-inf")
    with Desk(url, words=words) as desk, JobStore(desk) as store:
        while not _let_go(leash, _LOOK):
            if monotonic() - cleared > _CLEARING:
                store.clear()
                cleared = monotonic()
            while (job := store.take(runner)) is not None:
                present[:] = [_Watcher(store, job, runner, leash)]
                _do(desk, present[0])
                if _let_go(leash, 0):
                    return


def _do(desk: Desk, watcher: _Watcher) -> None:
    """Do one job, and write what came of it."""
    store, job, runner = watcher.store, watcher.job, watcher.runner
    try:
        threading.Thread(target=watcher.run, name="watching", daemon=True).start()
        try:
            with replace(desk, by=job.by, watch=watcher.meter.watch) as own:
                kind = kinds.kind(job.kind)
                note = partial(store.note, job.id, runner)
                work = kinds.Work(own, kind.read(job.arguments), job.notes, note)
                result = kind.done(work)
        finally:
            watcher.over.set()
    except Stopped:
        watcher.over.set()
        store.interrupt(runner, _SERVICE_ENDED)
    except Exception as error:
        store.fail(job.id, runner, Trouble.of(error))
    else:
        store.report(job.id, runner, watcher.meter.look())
        store.finish(job.id, runner, result, work.files)


def _let_go(leash: Connection, seconds: float) -> bool:
    """Whether the other end of a pipe is closed, or is so within some seconds; nothing is ever sent."""
    try:
        return leash.poll(seconds)
    except OSError:
        return True


def _interrupt() -> None:
    """Have the signal handler run in the main thread, whatever that waits for."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:  # Windows
        _thread.interrupt_main()
