"""Thousands of damaged files of one kind: each must be right, or refused in a clear sentence.

Run ``python -m benchmarks.fuzz --kind workbook --count 10000``; ``--help`` names the kinds,
``--seed`` sets the first seed. A fault is reported with its seed; ``--seed N --count 1`` reproduces
it. The counts are of files that state the same as the sound one (right), of those that state it
with notices (told), of those refused, and of faults: a silently different reading, a sentence
without a place, or any exception.
"""

import argparse
import sys
import traceback
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from registry.tests.kinds import KINDS
from registry.tests.mutator import peak, tried

#: The most seconds for one file, and the most memory for all of them.
PATIENCE: Final = 10.0
MEMORY: Final = 256 << 20


def main() -> int:
    """Try the files; returns 1 if the program had any fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=list(KINDS), required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    told: Counter[str] = Counter()
    slowest = 0.0, given.seed
    with TemporaryDirectory() as folder, KINDS[given.kind](Path(folder)) as kind:
        for seed in range(given.seed, given.seed + given.count):
            try:
                outcome = tried(kind, seed)
            except Exception:
                told["faults"] += 1
                print(f"seed {seed}: {traceback.format_exc(limit=-4)}", file=sys.stderr)
                continue
            slowest = max(slowest, (outcome.seconds, seed))
            if outcome.fault:
                print(f"seed {seed} ({outcome.how}): {outcome.fault}", file=sys.stderr)
            told[outcome.word] += 1
    print(
        f"{given.kind} from seed {given.seed}: {', '.join(f'{n} {w}' for w, n in sorted(told.items()))}"
    )
    print(f"at most {slowest[0]:.1f} s (seed {slowest[1]}) and {peak() >> 20} MB")
    return int(bool(told["faults"] or slowest[0] > PATIENCE or peak() > MEMORY))


if __name__ == "__main__":
    sys.exit(main())
