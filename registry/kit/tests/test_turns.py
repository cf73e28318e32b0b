"""Turns: who waits goes first, and a process that was killed waits for nothing any more."""

import os
import signal
import threading
from pathlib import Path

import pytest

from registry.kit import turns
from registry.kit.files import working_folder
from registry.tests.processes import ended, forked


def given_way(folder: Path) -> threading.Thread:
    """A thread that gives way at a folder."""
    thread = threading.Thread(target=turns.give_way, args=[folder], daemon=True)
    thread.start()
    return thread


def test_nobody_goes_on_while_somebody_waits(tmp_path: Path) -> None:
    with turns.waiting(tmp_path), turns.waiting(tmp_path):
        other = given_way(tmp_path)
        other.join(0.1)
        assert other.is_alive()
    other.join(10)
    assert not other.is_alive()


def test_a_process_that_was_killed_keeps_nobody_waiting(tmp_path: Path) -> None:
    ours, theirs = os.pipe()

    def wait() -> None:
        with turns.waiting(tmp_path):
            os.write(theirs, b"!")
            signal.pause()

    process = forked(wait)
    os.read(ours, 1)
    other = given_way(tmp_path)
    other.join(0.1)
    assert other.is_alive()
    os.kill(process, signal.SIGKILL)
    ended(process)
    other.join(10)
    assert not other.is_alive()
    os.close(ours)
    os.close(theirs)


def test_a_process_begun_while_somebody_waited_keeps_nobody_waiting(tmp_path: Path) -> None:
    with turns.waiting(tmp_path):
        process = forked(signal.pause)
    other = given_way(tmp_path)
    other.join(10)
    os.kill(process, signal.SIGKILL)
    ended(process)
    assert not other.is_alive()


def test_where_folders_have_no_locks_others_are_left_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []
    monkeypatch.setattr(turns, "sleep", paused.append)
    turns.give_way(tmp_path)
    assert not paused
    turns.give_way(tmp_path / "none")
    monkeypatch.setattr(turns, "fcntl", None)
    with turns.waiting(tmp_path):
        turns.give_way(tmp_path)
    assert paused == [turns._PAUSE] * 2


def test_nobody_waits_for_ever_for_a_process_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_LONGEST", 0.02)
    with turns.waiting(tmp_path):
        turns.give_way(tmp_path)


def test_what_is_written_in_a_working_folder_waits_for_nobody() -> None:
    with working_folder() as folder, turns._locked(folder, shared=True, seconds=0) as locked:
        assert locked
