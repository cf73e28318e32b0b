"""What the result of a survey says: a screening, or the study of another text."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.desk import drafting


@dataclass(frozen=True, kw_only=True)
class Surveyed:
    """The heading of a survey, and its counts as their report gives them to machines.

    For ``faults`` enterprises the program failed. ``unproved`` says that examples of a draft do not
    hold, so that its drafter may have meant something else.
    """

    heading: tuple[str, ...]
    counts: Mapping[str, Any]
    faults: int
    unproved: tuple[str, ...]


def unproved(*texts: str | None) -> tuple[str, ...]:
    """What is said of the drafts among these texts whose examples do not hold."""
    drafts = [Path(text) for text in texts if text and Path(text).is_dir()]
    found = {draft: problems for draft in drafts if (problems := drafting.unproved(draft))}
    return tuple(
        f"草案 {draft} 有{len(problems)}处不成立，结果按定义表算出，未必是起草人的本意"
        f"（第一处：{problems[0]}）"
        for draft, problems in found.items()
    )
