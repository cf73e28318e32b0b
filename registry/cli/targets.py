"""The targets of a command: enterprises by credit code or name, in any spelling, or a file."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from registry.cli.common import Refused, desk
from registry.cli.remedies import sentence
from registry.desk import enterprises
from registry.errors import RecordError
from registry.kit import uscc
from registry.kit.characters import wrong
from registry.kit.uscc import tidy

#: The suffixes of a file that may have been meant, even if no such file exists.
_SUFFIXES: Final = frozenset(
    [
        ".xlsx",
        ".xlsm",
        ".xls",
        ".et",
        ".wps",
        ".ods",
        ".csv",
        ".tsv",
        ".txt",
        ".json",
        ".parquet",
        ".doc",
        ".docx",
        ".pdf",
        ".zip",
    ]
)
#: No enterprise's name has this many digits.
_DIGITS: Final = 8


def is_code(text: str) -> bool:
    """Whether a word is a credit code, not a file; a folder of that name only holds papers about it."""
    return uscc.is_code(text) and not Path(text).is_file()


class CodeParam(click.ParamType[str]):
    """An enterprise by credit code (small letters, blanks and the like are accepted) or by name."""

    name = "信用代码或名称"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The code in standard form; refused if the name does not mean exactly one enterprise."""
        code = tidy(value)
        return code if _meant_as_code(code) else _by_name(value, "")


class TypedCode(click.ParamType[str]):
    """A credit code of an enterprise that need not be on record."""

    name = "信用代码"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The code in standard form."""
        return tidy(value)


class CodeOrFile(click.ParamType[str]):
    """An enterprise by credit code or name, or a file; an existing file takes precedence."""

    name = "信用代码、名称或文件"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """A code in standard form, or a file as typed."""
        code = tidy(value)
        if is_code(value):
            return code
        if Path(value).exists() or _meant_as_file(value):
            return str(value)
        if is_code(code):
            return code
        if _meant_as_code(code):
            return str(value)
        return _by_name(value, f"「{value}」不是18位信用代码，也没有这个名称的文件；")


def file_among(targets: Sequence[str]) -> Path | None:
    """The file that a command is pointed at, if any; with anything beside it, that is misuse."""
    if len(targets) == 1:
        return None if is_code(targets[0]) else Path(targets[0])
    if any(not is_code(t) and (Path(t).exists() or _meant_as_file(t)) for t in targets):
        raise click.UsageError("一次只能给出一个文件，信用代码和名称请另外给出")
    return None


def _meant_as_code(text: str) -> bool:
    return text.isascii() and sum(map(str.isdigit, text)) >= _DIGITS


def _meant_as_file(text: str) -> bool:
    return os.sep in text or text == "-" or Path(text).suffix.lower() in _SUFFIXES


def _by_name(text: str, otherwise: str) -> str:
    if said := wrong(text):
        raise click.BadParameter(said)
    with desk() as at:
        try:
            return enterprises.named(at, text)
        except RecordError as error:
            raise Refused(f"{otherwise}{sentence(error)}") from error
