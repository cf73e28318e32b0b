"""What a command is pointed at: credit codes, however they are typed, or a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from sqlmodel import Session

from registry.cli.common import Refused
from registry.record import cases, register
from registry.uscc import tidy


def is_code(text: str) -> bool:
    """Whether a word is a credit code rather than a file."""
    return len(text) == 18 and text.isascii() and text.isalnum() and not Path(text).exists()


class Code(click.ParamType[str]):
    """A credit code; small letters, full-width ones, blanks and dashes are taken too."""

    name = "信用代码"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The code in its one form."""
        return tidy(value)


class CodeOrFile(click.ParamType[str]):
    """A credit code or a file."""

    name = "信用代码或文件"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """A code in its one form; anything else as it stands."""
        code = tidy(value)
        return code if is_code(code) and not Path(value).exists() else str(value)


def refuse_unknown(session: Session, codes: Sequence[str]) -> None:
    """Refuse credit codes of which neither a filing nor a registration is on record."""
    named = {*register.titles(session, codes)}
    unknown = [
        code
        for code in codes
        if code not in named
        and not cases.of_enterprise(session, code)
        and not register.holdings(session, code)
    ]
    if unknown:
        raise Refused(
            f"登记库中没有信用代码为{'、'.join(unknown)}的企业：请核对代码，"
            "或用 tidu enterprise list 查看已登记的企业"
        )
