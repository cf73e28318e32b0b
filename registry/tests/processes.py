"""Other processes, for tests of what happens when one dies or several write at once."""

import os
import traceback
import warnings
from collections.abc import Callable

#: The exit code of a process that was made to die.
DIED = 99


def forked(work: Callable[[], object]) -> int:
    """Begin some work in a process of its own, without any clearing up at its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # threads of the parent are not needed in the child
        process = os.fork()
    if process:
        return process
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(process: int) -> int:
    """The exit code of a process; negative where a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
