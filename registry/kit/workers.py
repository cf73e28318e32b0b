"""Work in other processes: a process that dies or hangs loses nothing and is replaced.

Every worker has its own pipe and one task at a time, so it is always known which task a process had
when it died. That task is tried once more in a fresh process, and then given up.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from time import monotonic
from typing import Any, Final, Generic, NoReturn, Protocol, TypeVar

from registry.errors import RegistryError
from registry.kit.garbage import collect_seldom
from rules.portable.errors import Remedy

Task = TypeVar("Task")
Answer = TypeVar("Answer")
Key = TypeVar("Key")
_Taken = TypeVar("_Taken", contravariant=True)
_Given = TypeVar("_Given", covariant=True)

#: The most seconds for one task: some thousand times the usual.
PATIENCE: Final = 60.0
#: The most seconds for a process to become ready for its first task.
_STARTING: Final = 120.0
#: The number of small tasks that are handed in together.
PART: Final = 20
#: The most times that a task is tried.
_TRIES: Final = 2

# a fresh interpreter shares none of the parent's open databases, engines and threads
_CONTEXT: Final = get_context("spawn")


@dataclass(frozen=True)
class Lost:
    """The answer to a task on which processes died or hung."""

    reason: str


class Work(Protocol[_Taken, _Given]):
    """Takes tasks and gives their answers; both in order."""

    @property
    def ahead(self) -> int:
        """The number of tasks worth handing in before the first answer is fetched."""

    def submit(self, task: _Taken, /) -> int:
        """Hand in a task; returns its number."""

    def result(self, number: int, /) -> "_Given | Lost":
        """The answer to a task, once; raises whatever the work raised."""

    def close(self) -> None:
        """End the work; unanswered tasks are dropped."""


class InProcess(Generic[Task, Answer]):
    """Work in this process, done when its answer is fetched."""

    def __init__(self, start: Callable[[], Callable[[Task], Answer]]) -> None:
        self._work = start()
        self._tasks: dict[int, Task] = {}
        self._given = 0

    @property
    def ahead(self) -> int:
        """One: each answer is fetched before the next task comes."""
        return 1

    def submit(self, task: Task) -> int:
        """Keep a task for later."""
        self._given += 1
        self._tasks[self._given] = task
        return self._given

    def result(self, number: int) -> Answer | Lost:
        """Do the task now."""
        return self._work(self._tasks.pop(number))

    def close(self) -> None:
        """Release what the work holds."""
        _release(self._work)


@dataclass
class _Worker:
    process: Any
    pipe: connection.Connection
    started: threading.Thread
    until: float
    ready: bool = False
    task: int | None = None
    answered: int = 0


@dataclass
class Pool(Generic[Task, Answer]):
    """Work in several processes, each of which begins with ``start``, which must be picklable.

    A background thread feeds the processes, so none is idle while the caller is busy between
    ``submit`` and ``result``.
    """

    start: Callable[[], Callable[[Task], Answer]]
    jobs: int
    patience: float = PATIENCE
    _tasks: dict[int, Task] = field(default_factory=dict, init=False)
    _tried: dict[int, int] = field(default_factory=dict, init=False)
    _waiting: deque[int] = field(default_factory=deque, init=False)
    _retried: deque[int] = field(default_factory=deque, init=False)
    _answers: dict[int, Answer | Lost | Exception] = field(default_factory=dict, init=False)
    _workers: list[_Worker] = field(default_factory=list, init=False)
    _given: int = field(default=0, init=False)
    _attending: threading.Thread | None = field(default=None, init=False)
    _bell: tuple[connection.Connection, connection.Connection] = field(
        default_factory=lambda: _CONTEXT.Pipe(duplex=False), init=False
    )
    _news: threading.Condition = field(default_factory=threading.Condition, init=False)
    _closing: bool = field(default=False, init=False)
    _failure: Exception | None = field(default=None, init=False)

    @property
    def ahead(self) -> int:
        """Enough that no process waits while the caller handles answers."""
        return 200 + 20 * self.jobs

    def submit(self, task: Task) -> int:
        """Hand in a task; an idle process begins at once."""
        self._given += 1
        self._tasks[self._given] = task
        self._waiting.append(self._given)
        if self._attending is None:
            self._attending = threading.Thread(target=self._attend, daemon=True)
            self._attending.start()
        self._ring()
        return self._given

    def result(self, number: int) -> Answer | Lost:
        """The answer to a task; raises whatever the work raised."""
        with self._news:
            self._news.wait_for(lambda: number in self._answers or self._failure)
        answer = self._answers.pop(number, self._failure)
        assert answer is not None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """End all processes."""
        self._closing = True
        for worker in list(
            self._workers
        ):  # or the thread might wait for a process that reads nothing
            worker.process.kill()
        if self._attending is not None:
            self._ring()
            self._attending.join()
        for worker in self._workers:
            _end(worker)
        self._workers.clear()
        for end in self._bell:
            end.close()

    def _ring(self) -> None:
        """Wake the background thread."""
        self._bell[1].send_bytes(b"!")

    def _attend(self) -> None:
        """The main loop of the background thread."""
        try:
            while not self._closing:
                self._serve()
        except Exception as error:
            self._failure = error
            with self._news:
                self._news.notify_all()

    def _serve(self) -> None:
        """Give tasks to idle processes, take in answers, and end processes whose time is up."""
        self._hand_out()
        busy = [w for w in self._workers if w.task is not None or not w.ready]
        timeout = min((max(0.0, w.until - monotonic()) for w in busy), default=None)
        bell, _ = self._bell
        ready = connection.wait([bell, *(w.pipe for w in busy)], timeout)
        if bell in ready:
            bell.recv_bytes()
        now = monotonic()
        for worker in busy:
            if worker.pipe in ready:
                self._take_in(worker)
            elif now >= worker.until:
                patience = self.patience if worker.ready else _STARTING
                self._lose(worker, f"超过{patience:.0f}秒没有结果")

    def _hand_out(self) -> None:
        while len(self._workers) < min(self.jobs, len(self._tasks)):
            self._workers.append(self._begin())
        for worker in self._workers:
            if worker.task is not None or not worker.ready:
                continue
            # a task that cost a process is tried again in a fresh one; there is one for each,
            # because every lost process is replaced
            queue = self._waiting if worker.answered or not self._retried else self._retried
            if queue:
                self._give(worker, queue.popleft())

    def _begin(self) -> _Worker:
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        # ``start`` may be larger than a pipe holds, so a separate thread sends it: a process that
        # ends or stops without reading it must not hold up the others. (multiprocessing, given it
        # as an argument, would wait for ever.)
        started = threading.Thread(target=_hand_over, args=(ours, self.start), daemon=True)
        started.start()
        return _Worker(process, ours, started, monotonic() + _STARTING)

    def _give(self, worker: _Worker, number: int) -> None:
        worker.task = number
        worker.until = monotonic() + self.patience
        self._tried[number] = self._tried.get(number, 0) + 1
        try:
            worker.pipe.send(self._tasks[number])
        except OSError:
            self._lose(worker, _died(worker))

    def _take_in(self, worker: _Worker) -> None:
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            self._lose(worker, _died(worker))
            return
        if not worker.ready:
            worker.ready = True
            if isinstance(answer, Exception):
                raise answer
            return
        assert worker.task is not None
        self._settle(worker.task, answer)
        worker.task = None
        worker.answered += 1

    def _lose(self, worker: _Worker, reason: str) -> None:
        """Replace a process; its task is tried again or given up."""
        if self._closing:
            return
        _end(worker)
        if not worker.ready:
            raise RegistryError(
                "workers-do-not-start",
                "计算进程不能启动（{value}）：请检查内存是否足够",
                value=reason,
                remedy=Remedy("work-alone"),
            )
        number = worker.task
        assert number is not None
        self._workers[self._workers.index(worker)] = self._begin()
        if self._tried[number] < _TRIES:
            self._retried.append(number)
        else:
            self._settle(number, Lost(f"计算进程两次{reason}"))

    def _settle(self, number: int, answer: Answer | Lost | Exception) -> None:
        del self._tasks[number], self._tried[number]
        self._answers[number] = answer
        with self._news:
            self._news.notify_all()


def jobs_for(count: int, asked: int | None, few: int = 200) -> int | None:
    """The number of processes for this many tasks; None (this process) if there are few."""
    if asked is not None:
        return asked
    return None if count < few else _processors()


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def work(
    start: Callable[[], Callable[[Task], Answer]], jobs: int | None, patience: float = PATIENCE
) -> Work[Task, Answer]:
    """Work in ``jobs`` processes, or in this one if it is None."""
    if jobs is None:
        return InProcess(start)
    return Pool(start, jobs, patience)


def answers(
    work: Work[Task, Answer], tasks: Iterable[tuple[Key, Task]], ahead: int | None = None
) -> Iterator[tuple[Key, Answer | Lost]]:
    """The answers to tasks in order, each with its key; few tasks are held at once.

    ``ahead`` limits their number further if tasks are large.
    """
    most = min(ahead or work.ahead, work.ahead)
    begun: deque[tuple[Key, int]] = deque()
    for key, task in tasks:
        begun.append((key, work.submit(task)))
        if len(begun) >= most:
            first, number = begun.popleft()
            yield first, work.result(number)
    for key, number in begun:
        yield key, work.result(number)


def in_parts(
    work: Work[list[Task], list[Answer]], tasks: Iterable[Task], size: int | None = None
) -> Iterator[tuple[Task, Answer | Lost]]:
    """The answers to tasks in order; ``size`` tasks are handed in together.

    If a whole part is lost, its tasks are tried one by one, so that only the faulty one is given
    up.
    """
    coming, size = iter(tasks), size or PART
    listed = ((part, part) for part in iter(lambda: list(islice(coming, size)), []))
    for part, found in answers(work, listed, max(1, work.ahead // size)):
        if isinstance(found, list):
            yield from zip(part, found, strict=True)
        elif len(part) == 1:
            yield part[0], found
        else:
            yield from in_parts(work, part, 1)


def _died(worker: _Worker) -> str:
    worker.process.join(5)
    code = worker.process.exitcode
    return f"异常结束（{f'信号{-code}' if code is not None and code < 0 else f'退出码{code}'}）"


def _hand_over(pipe: connection.Connection, start: Callable[[], Any]) -> None:
    with suppress(OSError):  # it has ended, which reading its pipe will show
        pipe.send(start)


def _end(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.started.join()
    worker.pipe.close()


def _release(work: object) -> None:
    close = getattr(work, "close", None)
    if close is not None:
        close()


def _serve(pipe: connection.Connection) -> None:
    """The life of a worker: receives its start, then answers tasks until the parent has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    threading.Thread(target=_follow, daemon=True).start()
    try:
        work = pipe.recv()()
    except EOFError:
        return
    except Exception as error:
        pipe.send(error)
        return
    pipe.send(None)
    collect_seldom()
    with suppress(EOFError):
        _answer(pipe, work)


def _answer(pipe: connection.Connection, work: Callable[[Any], Any]) -> NoReturn:
    """Answer one task after another; ``EOFError`` if no more will come."""
    while True:
        task = pipe.recv()
        try:
            answer = work(task)
        except Exception as error:
            answer = error
        pipe.send(answer)


def _follow() -> None:
    """End when the parent ends, whatever this process is doing."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
