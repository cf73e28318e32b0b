"""Acts on lists: recorded whole or not at all, with a refusal for every line that is wrong."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from registry.errors import RecordError
from rules.portable.clocks import ClockError
from rules.portable.duties import DutyError
from rules.portable.errors import DescribedError, Remedy
from rules.portable.record import RecordError as PortableError
from rules.portable.workflow import StepError

_T = TypeVar("_T")
#: Refused lines: whom each concerns, and why.
Wrong: TypeAlias = list[tuple[str, DescribedError]]
#: The most refused lines that the sentence itself names; ``details`` name all.
_SHOWN: Final = 3


def whole(usccs: Sequence[str], stated: Callable[[str], _T]) -> list[_T]:
    """What is stated of each enterprise, or ``RecordError`` with every refusal as a detail."""
    made: list[_T] = []
    wrong: Wrong = []
    seen = set[str]()
    for uscc in usccs:
        try:
            if uscc in seen:
                raise RecordError("listed-twice", "名单中出现两次")
            seen.add(uscc)
            made.append(stated(uscc))
        except (RecordError, PortableError, StepError, DutyError, ClockError) as error:
            wrong.append((uscc, error))
    if wrong:
        raise _refused(wrong, len(usccs))
    return made


def _refused(wrong: Wrong, asked: int) -> RecordError:
    """The refusal of a list; its field ``refused`` has every line for whoever knows their places."""
    said = [f"{uscc}：{error}" for uscc, error in wrong]
    remedy = next((error.remedy for _, error in wrong if error.remedy), None)
    if remedy is None and any(isinstance(error, StepError) for _, error in wrong):
        remedy = Remedy("show-course")
    if asked == 1:
        return RecordError(
            "nothing-recorded", "没有登记。{value}", value=said[0], remedy=remedy, refused=wrong
        )
    more = f"；……共{len(wrong)}家" if len(wrong) > _SHOWN else ""
    return RecordError(
        "nothing-recorded",
        "{asked}家都没有登记：{value}",
        asked=asked,
        value="；".join(said[:_SHOWN]) + more,
        remedy=remedy,
        details=tuple(f"错误 {line}" for line in said) if len(said) > _SHOWN else (),
        refused=wrong,
    )
