"""Work for processes to be tried with; they start fast, as it needs next to nothing."""

import os
import signal
import time
from pathlib import Path

from registry.errors import RegistryError


class Squares:
    """Squares numbers; what happens to those below zero is up to its kind."""

    def __init__(self, kind: str, log: Path) -> None:
        if kind == "no start":
            raise RegistryError("made-up", "没有可用的规则")
        if kind == "dead":
            os._exit(3)
        self.kind = kind
        self.log = log

    def __call__(self, number: int) -> int:
        with self.log.open("a") as file:
            file.write(f"{number} {os.getpid()}\n")
        time.sleep(0.05)  # so that each process has its share
        if number < 0:
            tried = sum(line.startswith(f"{number} ") for line in self.log.read_text().splitlines())
            if self.kind == "killed" or (self.kind == "killed once" and tried == 1):
                os.kill(os.getpid(), signal.SIGKILL)
            if self.kind == "hangs":
                time.sleep(1000)
            if self.kind == "raises":
                raise RegistryError("made-up", "负数")
        return number * number


class ManySquares(Squares):
    """Squares the numbers of a list, one by one."""

    def __call__(self, numbers: list[int]) -> list[int]:  # type: ignore[override]
        """Square each."""
        return [super(ManySquares, self).__call__(number) for number in numbers]
