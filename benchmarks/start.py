"""The time before a command begins: processor time beside bare imports.

Run ``python -m benchmarks.start``. Every line is a separate process. They take turns, and the best
of several turns counts, as user plus system time, so that other work on the machine matters little.
Only the multiples of the two imports in the same run count.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

CLICK: Final = "import click"
SQLMODEL: Final = "import sqlmodel"
_TIDU: Final = (sys.executable, "-m", "registry")


def main(arguments: Sequence[str] | None = None) -> None:
    """Time the commands in turns and print the results as multiples of the bare imports."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=5, help="how often each is run")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        commands = prepared(place)
        best = dict.fromkeys(commands, float("inf"))
        for _ in range(given.turns):
            for name, command in commands.items():
                best[name] = min(best[name], spent(command, place))
    print("seconds    × click  × sqlmodel")
    for name, seconds in best.items():
        print(
            f"{seconds:7.2f} {seconds / best[CLICK]:10.1f} {seconds / best[SQLMODEL]:11.1f}  {name}"
        )


def prepared(place: Path) -> Mapping[str, Sequence[str]]:
    """The commands by label, with the demonstration's registry to query."""
    told = json.loads(_run([*_TIDU, "demo", "--json"], place))
    code = told["results"][0]["uscc"]
    file = Path(__file__).parents[1] / "features/provinces/guangdong/batch-2025.feature"
    return {
        CLICK: [sys.executable, "-c", CLICK],
        SQLMODEL: [sys.executable, "-c", SQLMODEL],
        "tidu --help": [*_TIDU, "--help"],
        "tidu rules show RULE": [*_TIDU, "rules", "show", "63.2.研发费用"],
        "tidu rules check FILE": [*_TIDU, "rules", "check", str(file)],
        "tidu check CODE": [*_TIDU, "check", code],
        "tidu demo": [*_TIDU, "demo"],
    }


def spent(command: Sequence[str], place: Path) -> float:
    """The seconds of processor time of a process and its children."""
    before = os.times()
    _run(command, place)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def _run(command: Sequence[str], place: Path) -> str:
    environment = os.environ | {
        "TIDU_HOME": str(place),
        "TIDU_CACHE": str(place / "cache"),
        "TIDU_DATABASE_URL": f"sqlite:///{place}/tidu-demo.db",
        "PYTHONDONTWRITEBYTECODE": "",  # an installed program has its modules compiled
        "PYTHONPYCACHEPREFIX": str(place / "modules"),
    }
    done = subprocess.run(
        command, env=environment, cwd=Path(__file__).parents[1], check=True, capture_output=True
    )
    return done.stdout.decode()


if __name__ == "__main__":
    main()
