"""The command reference, `docs/commands.zh.md`, generated from the commands themselves."""

from collections.abc import Iterator

import click


def reference(command: click.Command, name: str = "tidu") -> str:
    """The Markdown reference of a command and all its subcommands."""
    return "\n".join(_lines(command, name)).strip() + "\n"


def _lines(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    if isinstance(command, click.Group):
        for sub in sorted(command.list_commands(context)):
            below = command.get_command(context, sub)
            assert below is not None
            yield from _lines(below, f"{name} {sub}")
        return
    yield f"## `{' '.join([name, *command.collect_usage_pieces(context)])}`"
    yield ""
    yield " ".join((command.help or "").split())
    yield ""
    for param in command.params:
        record = param.get_help_record(context)
        if record is not None:
            yield f"- `{record[0]}`：{record[1]}"
    yield ""
