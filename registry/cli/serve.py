"""``tidu serve``: the registry in the browser of this machine."""

import errno
import socket
from collections.abc import Callable
from typing import Final

import click

from registry.cli.common import Refused, by_option, command, desk
from registry.desk.place import Desk

#: The port unless another is given.
_PORT: Final = 8765

port_option = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    help="端口；0 为任一空闲的端口。",
)


@command("serve")
@by_option
@port_option
def serve(by: str, port: int) -> None:
    """在本机浏览器中查阅和办理：企业、案件的理由和依据、标准、登记簿。

    只回答本机的浏览器，不经网络；办的事记在 --by 的姓名下，
    没有写明姓名的只供查阅。按 Ctrl+C 结束。
    """
    with desk(by) as at:
        answer(at, port)


def answer(at: Desk, port: int) -> None:
    """Serve a desk's registry, and say where."""
    from registry.web import serving  # no other command waits for it

    opened = _listening(serving.listening, port)
    click.echo(f"请在浏览器中打开 {serving.address(opened)}（只供本机使用，按 Ctrl+C 结束）")
    serving.serve(at, opened)


def _listening(listening: Callable[[int], socket.socket], port: int) -> socket.socket:
    try:
        return listening(port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused(f"端口{port}已被占用：请用 --port 换一个") from error
        if error.errno == errno.EACCES:
            raise Refused(f"没有权限使用端口{port}：请用 --port 换一个1024以上的") from error
        raise
