"""The entry point of the command line: an interrupt ends it quietly, even while modules load."""

import sys


def main() -> None:
    """Run ``tidu``."""
    try:
        from registry.kit.garbage import collect_seldom

        collect_seldom()
        from registry.cli import main as tidu

        tidu()
    except KeyboardInterrupt:
        sys.stderr.write("已中断。\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
