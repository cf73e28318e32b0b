"""``tidu`` as often as one likes, loaded once: each call runs in a fork of one process.

That process is ``python -m registry.tests.served NUMBER``, with the number of a listening socket.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from registry.__main__ import main as tidu
from registry.cli import main
from registry.cli.reference import reference

#: What stands in for the program: it hands over its arguments, place, environment and streams.
_CALL = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as call:
    call.connect({address!r})
    said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(call, [said], [0, 1, 2])
    call.shutdown(socket.SHUT_WR)
    code = call.recv(1)
sys.exit(code[0] if code else 1)
"""


@contextmanager
def served(environment: Mapping[str, str]) -> Iterator[Path]:
    """A folder with a program ``tidu`` in it."""
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as listening:
        folder = Path(name)
        address = str(folder / "socket")
        listening.bind(address)
        listening.listen()
        (folder / "tidu").write_text(_CALL.format(python=sys.executable, address=address))
        (folder / "tidu").chmod(0o700)
        number = listening.fileno()
        command = [sys.executable, "-m", __name__, str(number)]
        with subprocess.Popen(command, pass_fds=[number], env=environment) as server:
            yield folder
            server.terminate()


def _serve(listening: socket.socket) -> None:
    reference(main)  # which loads all commands
    while True:
        call, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            os._exit(_answer(call))
        call.close()
        os.waitpid(-1, os.WNOHANG)


def _answer(call: socket.socket) -> int:
    said, streams, _, _ = socket.recv_fds(call, 1 << 16, 3)
    while more := call.recv(1 << 16):
        said += more
    arguments, place, environment = json.loads(said)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(place)
    sys.argv = ["tidu", *arguments]
    code = 1
    try:
        tidu()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    call.sendall(bytes([code]))
    return code


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
