"""The one sentence for an error that ends a command; it is loaded only after an error."""

from registry.cli.remedies import SYSTEM, sentence
from registry.desk.auditing import UNREADABLE, first_amiss
from registry.desk.place import Desk
from registry.errors import RegistryError
from registry.kit.screens import Screen
from registry.portable.notes import NoteError
from rules.errors import RulesError


def refusal(error: Exception) -> str | None:
    """The sentence for what data, files or the registry refuse; None for a fault of the program.

    The details of the error are shown first, a line each.
    """
    match error:
        case RegistryError() | RulesError() | NoteError():
            screen = Screen(stderr=True, highlight=False, soft_wrap=True, emoji=False)
            for line in error.details:
                screen.print(line, markup=False)
            return sentence(error)
        case BrokenPipeError():
            return None  # click ends quietly when the reader has gone
        case OSError():
            said = SYSTEM.get(error.errno or 0, "无法读写，请检查位置、权限和磁盘空间")
            return f"{error.filename or '文件'}：{said}"
        case _ if isinstance(error, UNREADABLE) and (found := _altered()):
            return f"登记库的内容已被改动（{found}），没有完成：请运行 tidu audit verify 查明"
    return None


def _altered() -> str | None:
    """The first fault of the registry; None if it is sound or absent."""
    with Desk() as at:
        return first_amiss(at)
