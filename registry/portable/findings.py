"""The findings of verifying a bundle, and how any error in it becomes one."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, ParamSpec

from registry.portable.container import ContainerError
from registry.portable.notes import Checkpoint, NoteError
from registry.portable.sealing import SealError
from rules.portable.clocks import ClockError
from rules.portable.duties import DutyError
from rules.portable.record import RecordError
from rules.portable.reference import EvaluationError
from rules.portable.workflow import StepError

P = ParamSpec("P")


class UnsoundError(Exception):
    """A check of a bundle failed; the message says what is wrong."""


@dataclass(kw_only=True)
class Findings:
    """The findings of verifying a bundle: ``problems`` is empty if it is sound.

    ``verdicts`` are the decisions that hold, by number, and ``cases`` their cases. ``courses`` are
    the applications that hold, by number, each as lines to read, and ``duties`` what is on record of
    the holders of titles, by credit code. ``trusted`` says that the key did
    not come from the bundle itself.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verdicts: dict[int, str] = field(default_factory=dict)
    cases: dict[int, str] = field(default_factory=dict)
    courses: dict[int, list[str]] = field(default_factory=dict)
    duties: dict[str, list[str]] = field(default_factory=dict)
    key: str = ""
    trusted: bool = False
    checkpoint: Checkpoint | None = None

    def attempt(
        self, where: str, check: Callable[P, object], *args: P.args, **named: P.kwargs
    ) -> None:
        """Run a check; any error it raises becomes a problem."""
        try:
            check(*args, **named)
        except (
            UnsoundError,
            ContainerError,
            NoteError,
            SealError,
            RecordError,
            StepError,
            ClockError,
            DutyError,
        ) as error:
            self.problems.append(f"{where}：{error}")
        except EvaluationError:
            self.problems.append(f"{where}：规则集或数据不合格式，无法计算")
        except Exception as error:  # a stranger's file may cause any error; none means sound
            self.problems.append(f"{where}：内容残缺或已被改动，无法读取（{_amiss(error)}）")


def _amiss(error: Exception) -> str:
    """The words for content that causes an error of Python's own."""
    return next(words for kind, words in _AMISS.items() if isinstance(error, kind))


#: Order matters: the first two are subclasses of ``ValueError``.
_AMISS: Final[dict[type[Exception], str]] = {
    UnicodeDecodeError: "不是 UTF-8 文字",
    json.JSONDecodeError: "不是完整的 JSON",
    RecursionError: "嵌套过深",
    LookupError: "缺少应有的内容",
    Exception: "内容的样式不对",
}
