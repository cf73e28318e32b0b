"""The command reference of the README, generated from the commands themselves."""

from collections.abc import Iterator

import click


def reference(command: click.Command, name: str = "tidu") -> str:
    """The Markdown reference of a command and all below it."""
    return "\n".join(_lines(command, name)).strip() + "\n"


def _lines(command: click.Command, name: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        for sub, below in sorted(command.commands.items()):
            yield from _lines(below, f"{name} {sub}")
        return
    context = click.Context(command, info_name=name)
    yield f"#### `{' '.join([name, *command.collect_usage_pieces(context)])}`"
    yield ""
    yield " ".join((command.help or "").split())
    yield ""
    for param in command.params:
        record = param.get_help_record(context)
        if record is not None:
            yield f"- `{record[0]}`：{record[1]}"
    yield ""
