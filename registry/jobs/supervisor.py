"""Keeps one process that does jobs, for as long as a face is served."""

import signal
import threading
from contextlib import suppress
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.context import SpawnProcess
from time import monotonic
from typing import Final
from uuid import uuid4

from registry.desk.place import Desk
from registry.errors import StorageError
from registry.jobs import child
from registry.jobs.store import JobStore, Trouble

# a fresh interpreter shares none of the parent's open databases, engines and threads
_CONTEXT: Final = get_context("spawn")
#: The seconds before a process that died at once is replaced, and the most after it died often.
_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
#: A process that lived this many seconds died for a reason of its own.
_LIVED: Final = 30.0
#: The seconds that a process has to end once it is let go: more than a job has.
_GRACE: Final = 15.0


class Supervisor:
    """Keeps a process at the jobs of a registry and replaces it if it dies, until closed.

    The job of a process that died is interrupted. ``desk.words`` must be known by name in a module.
    """

    def __init__(self, desk: Desk, store: JobStore) -> None:
        self._desk = desk
        self._store = store
        self._process: SpawnProcess | None = None
        self._closing, self._close = _CONTEXT.Pipe(duplex=False)
        self._thread = threading.Thread(target=self._keep, name="jobs", daemon=True)
        self._thread.start()

    @property
    def process(self) -> int | None:
        """The number of the process that does jobs; None if there is none now."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def close(self) -> None:
        """End the process; a job that it has is interrupted."""
        self._close.close()
        self._thread.join()
        self._closing.close()

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep(self) -> None:
        """The life of the thread: one process after another."""
        if hasattr(signal, "pthread_sigmask"):  # a new process is not yet ready for Ctrl-C
            resource_tracker.ensure_running()  # which would undo it
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        pause = 0.0
        while not self._closing.poll(pause):
            began = monotonic()
            self._one()
            lived = monotonic() - began > _LIVED
            pause = _PAUSE if lived else min(2 * pause or _PAUSE, _LONGEST_PAUSE)

    def _one(self) -> None:
        """The life of one process, from its start until it dies or is let go."""
        runner = uuid4().hex
        leash, theirs = _CONTEXT.Pipe()
        given = (self._desk.url, self._desk.words, runner, theirs)
        # not a daemon, for those may have no processes of their own
        process = _CONTEXT.Process(target=child.live, args=given, name="jobs")
        process.start()
        theirs.close()
        self._process = process
        connection.wait([process.sentinel, self._closing])
        ready = leash.poll()
        leash.close()
        if ready:
            process.join(_GRACE)
        if process.exitcode is None:
            process.kill()
            process.join()
        with suppress(StorageError):  # it is silent then, which shows after a while
            self._store.interrupt(runner, Trouble(f"做这项任务的进程意外结束（{_how(process)}）"))
        self._process = None
        process.close()


def _how(process: SpawnProcess) -> str:
    code = process.exitcode
    return f"信号{-code}" if code is not None and code < 0 else f"退出码{code}"
