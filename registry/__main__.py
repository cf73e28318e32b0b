"""The entry point of the command line: an interrupt ends quietly, also while modules load."""

import gc
import sys


def main() -> None:
    """Run ``tidu``."""
    gc.set_threshold(100_000, 20, 50)  # what is made mostly stays, or goes without being looked for
    try:
        from registry.cli import main as tidu

        tidu()
    except KeyboardInterrupt:
        sys.stderr.write("已中断。\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
