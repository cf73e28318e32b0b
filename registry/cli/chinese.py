"""Chinese commands: their help, their usage errors, and their refusals.

This module is light, because listing the commands loads nothing else.
"""

import gettext
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from registry.kit import resources
from registry.kit.characters import wrong

# click takes its own texts from the process-wide gettext domain; ours are Chinese in any locale.
os.environ["LANGUAGE"] = "zh_CN"
gettext.bindtextdomain("tidu", resources.locale())
gettext.textdomain("tidu")


class Refused(click.ClickException):
    """Data or files do not allow the request: exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Print the one sentence."""
        click.echo(f"错误：{self.message}", file=file, err=file is None)


class _Refusing(click.Command):
    """A command whose refusals become one Chinese sentence and exit code 1, those of its arguments too."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the arguments; to find an enterprise by its name, the registry is read too."""
        with refused_in_chinese():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with refused_in_chinese():
            return super().invoke(ctx)


@contextmanager
def refused_in_chinese() -> Iterator[None]:
    """Turn a refusal by data, files or the registry into one Chinese sentence and exit code 1."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        from registry.cli.refusals import refusal  # listing the commands must not wait for it

        if (said := refusal(error)) is None:
            raise
        raise Refused(said) from error


class ChineseCommand(_Refusing):
    """A command that refuses what no record may keep."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, unless a typed text contains characters that no record may keep."""
        for param in self.params:
            _look_at(param, ctx)
        return super().invoke(ctx)


def _look_at(param: click.Parameter, ctx: click.Context) -> None:
    """Refuse a typed text that could not be shown; file names are taken as they are."""
    given = ctx.params.get(param.name or "")
    for text in given if isinstance(given, tuple) else (given,):
        if isinstance(text, str) and (said := wrong(text)):
            raise click.BadParameter(said, ctx, param)


class ChineseGroup(_Refusing, click.Group):
    """A group of such commands."""

    command_class = ChineseCommand
    group_class = type


def command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a Chinese command."""
    return click.command(name, cls=ChineseCommand)


def group(name: str) -> Callable[[Callable[..., Any]], ChineseGroup]:
    """Make a function a group of Chinese commands."""
    return click.group(name, cls=ChineseGroup)
