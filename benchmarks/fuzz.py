"""Thousands of damaged files of one kind: each is right, or refused in a sentence, within bounds.

Run ``python -m benchmarks.fuzz --kind bundle --count 10000``; ``--seed`` says where to begin, and a
fault is told with its seed, by which ``--seed N --count 1`` shows it again.
"""

import argparse
import sys
import traceback
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from registry.tests.mutator import KINDS, peak, tried

#: How long one file may take, in seconds, and how much memory all of them.
PATIENCE: Final = 10.0
MEMORY: Final = 256 << 20


def main() -> int:
    """Try them; 1 if any was a fault of the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=list(KINDS), required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    told: Counter[str] = Counter()
    with TemporaryDirectory() as folder, KINDS[given.kind](Path(folder)) as kind:
        for seed in range(given.seed, given.seed + given.count):
            try:
                outcome = tried(kind, seed)
            except Exception:
                told["faults"] += 1
                print(f"seed {seed}: {traceback.format_exc(limit=-4)}", file=sys.stderr)
                continue
            told["refused" if outcome.said else "right"] += 1
            if outcome.seconds > PATIENCE:
                told["slow"] += 1
                print(f"seed {seed}: {outcome.seconds:.1f} s", file=sys.stderr)
    print(", ".join(f"{count} {word}" for word, count in sorted(told.items())))
    print(f"at most {peak() >> 20} MB")
    return int(bool(told["faults"] or told["slow"] or peak() > MEMORY))


if __name__ == "__main__":
    sys.exit(main())
