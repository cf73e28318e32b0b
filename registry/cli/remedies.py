"""What the command line says that a reader may do about an error."""

from typing import Final

from rules.portable.errors import DescribedError, Remedy

#: The act of a remedy -> what to type; fields of the remedy stand in braces.
WORDS: Final = {
    "list-entries": "用 tidu audit log 查看全部记录",
    "verify-record": "请运行 tidu audit verify 查明",
}


def sentence(error: DescribedError) -> str:
    """The one sentence for an error, with what to type.

    >>> sentence(DescribedError("x", "没有第{value}号记录", value=7, remedy=Remedy("list-entries")))
    '没有第7号记录：用 tidu audit log 查看全部记录'
    """
    return f"{error}：{words(error.remedy)}" if error.remedy else str(error)


def words(remedy: Remedy) -> str:
    """What to type."""
    return WORDS[remedy.act].format_map(remedy.given)
